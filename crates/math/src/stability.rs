//! Stability of a selection: the share of half-samples in which a neuron is selected again.
//!
//! Halves are drawn without replacement, whole groups together, and come in complementary pairs:
//! the groups that one half leaves out are the other half. Sources: Meinshausen and Buehlmann
//! (2010), Stability selection, J. R. Stat. Soc. B 72(4); Shah and Samworth (2013), J. R. Stat.
//! Soc. B 75(1), for the pairs.

use rayon::prelude::*;

use crate::error::{Error, Result};
use crate::lasso::{self, ClassLasso, Lasso, Loss};
use crate::random::{permutation, stream};
use crate::{Activations, Setting, scores};

/// How half-samples are drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Draw<'a> {
    /// How many half-samples; 100 by default. An odd number leaves out the last one's complement.
    pub halves: usize,
    pub seed: u64,
    /// The group of every row; without, every row is a group of its own.
    pub groups: Option<&'a [u32]>,
}

impl Default for Draw<'_> {
    fn default() -> Self {
        Self { halves: 100, seed: 0, groups: None }
    }
}

/// How often neurons were selected.
#[derive(Debug, Clone, PartialEq)]
pub struct Stability {
    /// Share of the half-samples in which each neuron was selected.
    pub share: Vec<f64>,
    /// How many half-samples that is: those that could not be used, as with one class only, are
    /// left out.
    pub halves: usize,
}

/// Which score picks the neurons of a half-sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Score {
    Correlation,
    /// With the number of texts that fire a neuron most, as in [`scores::separation`].
    Separation(Option<usize>),
}

/// Of a selection by [`mod@lasso`]: each half-sample is solved for the penalty of `full`, from there.
///
/// # Errors
/// What the selection itself refuses; [`Error::Option`] if no half-sample is asked for;
/// [`Error::Data`] for fewer than two groups, or if no half-sample can be used.
pub fn lasso(
    z: &Activations,
    y: &[f64],
    loss: Loss,
    full: &Lasso,
    setting: &Setting,
    draw: &Draw,
) -> Result<Stability> {
    setting.target(z, y)?;
    share(z, setting, draw, |z, rows, setting| {
        let y: Vec<f64> = rows.iter().map(|&i| y[i]).collect();
        let found = lasso::refit(z, &y, loss, full, setting)?;
        Ok(found.coefficients.into_iter().map(|c| c.0).collect())
    })
}

/// Of a selection by [`lasso::select_classes`]; otherwise as [`lasso()`].
///
/// # Errors
/// As [`lasso()`].
pub fn lasso_classes(
    z: &Activations,
    classes: &[u32],
    full: &ClassLasso,
    setting: &Setting,
    draw: &Draw,
) -> Result<Stability> {
    setting.check(z)?;
    Error::check_len("classes", classes.len(), z.rows())?;
    let n_classes = classes.iter().max();
    share(z, setting, draw, |z, rows, setting| {
        let part: Vec<u32> = rows.iter().map(|&i| classes[i]).collect();
        if part.iter().max() != n_classes {
            return Err(Error::Data("a class is missing from the half-sample".into()));
        }
        let found = lasso::refit_classes(z, &part, full, setting)?;
        Ok(found.coefficients.into_iter().map(|c| c.0).collect())
    })
}

/// Of a selection of the `n` neurons with the largest score; otherwise as [`lasso()`].
///
/// # Errors
/// As [`lasso()`].
pub fn score(
    z: &Activations,
    y: &[f64],
    score: Score,
    n: usize,
    setting: &Setting,
    draw: &Draw,
) -> Result<Stability> {
    setting.target(z, y)?;
    share(z, setting, draw, |z, rows, setting| {
        let y: Vec<f64> = rows.iter().map(|&i| y[i]).collect();
        let found = match score {
            Score::Correlation => scores::correlation_in(z, &y, setting)?,
            Score::Separation(top) => scores::separation_in(z, &y, top, setting)?,
        };
        Ok(scores::top(&found, n))
    })
}

/// Share of the half-samples in which `select` picks each neuron; it gets a half's activations,
/// rows and setting.
fn share(
    z: &Activations,
    setting: &Setting,
    draw: &Draw,
    select: impl Fn(&Activations, &[usize], &Setting) -> Result<Vec<usize>> + Sync,
) -> Result<Stability> {
    let halves = halves(z.rows(), draw)?;
    let found: Vec<Result<Vec<usize>>> = halves
        .par_iter()
        .map(|rows| select(&z.gather(rows), rows, &setting.gather(rows)))
        .collect();
    let mut counts = vec![0_u32; z.neurons()];
    let used = found.iter().flatten().count();
    for j in found.iter().flatten().flatten() {
        counts[*j] += 1;
    }
    match found.into_iter().find_map(Result::err) {
        Some(Error::Data(why)) if used == 0 => {
            Err(Error::Data(format!("no half-sample can be used: {why}")))
        }
        // One class only, say: that half tells nothing.
        None | Some(Error::Data(_)) => {
            let share = counts.into_iter().map(|c| f64::from(c) / used as f64).collect();
            Ok(Stability { share, halves: used })
        }
        Some(error) => Err(error),
    }
}

/// The rows of every half-sample, rising.
fn halves(rows: usize, draw: &Draw) -> Result<Vec<Vec<usize>>> {
    if draw.halves == 0 {
        return Err(Error::option("halves", 0, "at least 1"));
    }
    let groups = match draw.groups {
        Some(groups) => {
            Error::check_len("groups", groups.len(), rows)?;
            numbered(groups)
        }
        None => (0..rows).collect(),
    };
    let n_groups = groups.iter().max().map_or(0, |g| g + 1);
    if n_groups < 2 {
        let why = "fewer than two groups of rows, no half of them can be drawn";
        return Err(Error::Data(why.into()));
    }
    let mut stream = stream(draw.seed, "stability");
    let mut halves = Vec::new();
    while halves.len() < draw.halves {
        let mut side = vec![None; n_groups];
        for (place, group) in permutation(n_groups, &mut stream).into_iter().enumerate() {
            // An odd group out is in neither half.
            side[group] = Some(place / (n_groups / 2)).filter(|side| *side < 2);
        }
        let of = |half| (0..rows).filter(|&i| side[groups[i]] == Some(half)).collect();
        halves.extend([of(0), of(1)]);
    }
    halves.truncate(draw.halves);
    Ok(halves)
}

/// Groups counted from 0 in order of appearance.
fn numbered(groups: &[u32]) -> Vec<usize> {
    let mut numbers = std::collections::HashMap::new();
    groups
        .iter()
        .map(|g| {
            let next = numbers.len();
            *numbers.entry(*g).or_insert(next)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::RngExt;

    /// Neuron 0 drives the target, neuron 1 a little, the others not at all.
    fn planted(rows: usize) -> (Activations, Vec<f64>) {
        let mut random = stream(4, "stability test");
        let mut z = Activations::new(20);
        let mut y = Vec::new();
        for _ in 0..rows {
            let row: Vec<f32> = (0..20)
                .map(|_| if random.random_bool(0.3) { random.random() } else { 0.0 })
                .collect();
            let signal = f64::from(3.0 * row[0] + 0.6 * row[1]);
            y.push(signal + random.random_range(-1.0..1.0));
            z.push_row((0_u32..).zip(row));
        }
        (z, y)
    }

    #[test]
    fn halves_are_complementary_and_keep_groups_together() {
        let groups: Vec<u32> = (0..31).map(|i| (i * 7) % 10 + 100).collect();
        let draw = Draw { halves: 5, seed: 1, groups: Some(&groups) };
        let halves = halves(31, &draw).unwrap();
        assert_eq!(halves.len(), 5);
        for half in &halves {
            assert!(half.is_sorted_by(|a, b| a < b));
            let inside = |g: u32| half.iter().filter(|&&i| groups[i] == g).count();
            let all = |g: u32| groups.iter().filter(|v| **v == g).count();
            let whole = (100..110).filter(|&g| inside(g) > 0);
            assert!(whole.clone().all(|g| inside(g) == all(g)));
            assert_eq!(whole.count(), 5);
        }
        let mut both = [halves[0].clone(), halves[1].clone()].concat();
        both.sort_unstable();
        assert_eq!(both, (0..31).collect::<Vec<_>>());
        assert_ne!(halves[0], halves[2]);
    }

    #[test]
    fn what_drives_the_target_is_always_selected() {
        let (z, y) = planted(400);
        let (setting, draw) = (Setting::default(), Draw { halves: 40, ..Draw::default() });
        let full = lasso::select(&z, &y, Loss::Squared, 4).unwrap();
        let by_lasso = lasso(&z, &y, Loss::Squared, &full, &setting, &draw).unwrap();
        let by_score = score(&z, &y, Score::Correlation, 4, &setting, &draw).unwrap();
        for found in [&by_lasso, &by_score] {
            assert_eq!(found.halves, 40);
            assert!((found.share[0] - 1.0).abs() < 1e-12, "{found:?}");
            assert!(found.share[2..].iter().all(|s| *s < 0.8), "{found:?}");
            assert!(found.share[1] > 0.3, "{found:?}");
        }
        let total: f64 = by_score.share.iter().sum();
        assert!((total - 4.0).abs() < 1e-9, "four in every half");
    }

    #[test]
    fn a_warm_start_changes_no_share() {
        let (z, y) = planted(300);
        let classes: Vec<f64> = y.iter().map(|v| f64::from(u8::from(*v > 0.6))).collect();
        let (setting, draw) = (Setting::default(), Draw { halves: 6, ..Draw::default() });
        for (loss, y) in [(Loss::Squared, y.clone()), (Loss::Logistic, classes)] {
            let full = lasso::select(&z, &y, loss, 5).unwrap();
            let found = lasso(&z, &y, loss, &full, &setting, &draw).unwrap();
            let mut share = vec![0.0; 20];
            for rows in halves(300, &draw).unwrap() {
                let half: Vec<f64> = rows.iter().map(|&i| y[i]).collect();
                let cold = lasso::fit(&z.gather(&rows), &half, loss, full.lambda).unwrap();
                cold.coefficients.iter().for_each(|c| share[c.0] += 1.0 / 6.0);
            }
            assert!(found.share.iter().zip(share).all(|(a, b)| (a - b).abs() < 1e-9), "{loss:?}");
        }
    }

    #[test]
    fn threads_change_nothing() {
        let (z, y) = planted(200);
        let full = lasso::select(&z, &y, Loss::Squared, 4).unwrap();
        let run = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let draw = Draw { halves: 10, ..Draw::default() };
            pool.install(|| {
                lasso(&z, &y, Loss::Squared, &full, &Setting::default(), &draw).unwrap()
            })
        };
        assert_eq!(run(1), run(3));
    }

    #[test]
    fn halves_that_cannot_be_used_are_left_out_and_none_is_an_error() {
        let (z, _) = planted(6);
        let full = Lasso { lambda: 0.01, coefficients: vec![], message: None };
        let of = |y: &[f64]| {
            let draw = Draw { halves: 20, ..Draw::default() };
            lasso(&z, y, Loss::Logistic, &full, &Setting::default(), &draw)
        };
        // With two of a class, both lie on one side in some draws.
        let found = of(&[1.0, 1.0, 0.0, 0.0, 0.0, 0.0]).unwrap();
        assert!(found.halves > 0 && found.halves < 20, "{found:?}");
        let message = of(&[1.0; 6]).unwrap_err().to_string();
        assert!(message.starts_with("no half-sample can be used: the target has one value"));
    }

    #[test]
    fn bad_arguments_are_refused() {
        let (z, y) = planted(10);
        let of = |halves, groups: Option<&[u32]>| {
            let draw = Draw { halves, seed: 0, groups };
            score(&z, &y, Score::Separation(None), 2, &Setting::default(), &draw).unwrap_err()
        };
        assert_eq!(of(0, None).to_string(), "`halves` is 0, allowed: at least 1");
        assert_eq!(of(5, Some(&[1])).to_string(), "`groups` has 1 entries, 10 expected");
        assert!(of(5, Some(&[3; 10])).to_string().contains("fewer than two groups"));
    }
}
