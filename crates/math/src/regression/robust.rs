//! Standard errors that hold when the spread of the target differs between rows (HC3, HC2, HC1).

use nalgebra::{DMatrix, DVector};

use super::absorb::Factor;
use super::design::in_pieces;
use super::{Design, Fit};

/// Leverage above `1 - SOLE` is 1: the row alone decides a coefficient and has no residual.
pub(super) const SOLE: f64 = 1e-9;
/// How much of a coefficient such a row must decide, relative to what it could at most.
pub(super) const PART: f64 = 1e-6;
/// Share of its denominator by which degrees of freedom may be understated to save work.
pub(super) const SLACK: f64 = 1e-3;

/// A robust covariance of the coefficients, and how far its diagonal may be trusted.
#[derive(Debug, Clone, PartialEq)]
pub struct Sandwich {
    /// p x p.
    pub covariance: DMatrix<f64>,
    /// Per coefficient, degrees of freedom of the t distribution that fits the sampling error of its
    /// standard error; `None` if a single row or cluster decides the coefficient, which then has no
    /// standard error, or if they were not asked for.
    pub df: Vec<Option<f64>>,
    /// Whether a single row or cluster decides a coefficient.
    pub sole: Vec<bool>,
}

impl Sandwich {
    /// Standard error of coefficient `l`, if it has one.
    #[must_use]
    pub fn std_error(&self, l: usize) -> Option<f64> {
        (!self.sole[l]).then(|| self.covariance[(l, l)].max(0.0).sqrt())
    }
}

/// A factor that was taken out of the design, with the total working weight of its levels.
#[derive(Debug, Clone, Copy)]
pub struct Absorbed<'a> {
    pub factor: &'a Factor,
    pub totals: &'a [f64],
}

/// HC3 covariance with Satterthwaite degrees of freedom for the coefficients `tested`.
///
/// ```text
/// V    = sum_i B x_i x_i' B s_i^2 / (1 - h_i)^2,   B = (x'wx)^-1, b_l its row l
/// a_i  = w_i (b_l' x_i)^2 / (1 - h_i)^2,   S = sum_i a_i w_i x_i x_i'
/// df_l = (sum_i a_i (1 - h_i))^2 / (sum_i a_i^2 (1 - 2 h_i) + tr(B S B S))
/// ```
///
/// with the scores `s`, which are `w_i e_i` in least squares. The diagonal of `V` is a quadratic
/// form of the residuals; `df` matches its first two moments when the working weights are right
/// (Bell and McCaffrey 2002). It is about the number of texts that a rare column is true of, which is
/// what makes tests of rare columns honest. With a logit's weights this is the same for its weighted
/// working regression, as R's `sandwich::vcovHC` has it.
///
/// `absorbed` adds the leverages of its levels. With small levels all rows have a high one, and HC3,
/// which is too large for them, would be twice the variance for levels of two rows. HC2 stands in for
/// it, unbiased when the working weights are right: `1 - h_i` in place of its square.
///
/// `tr(BSBS)` is at most `max a * sum a_i h_i`; where that is less than a thousandth of the
/// denominator it stands for it, and `df` is understated by as much. Otherwise it costs a Gram
/// matrix per coefficient. With levels `g` of weight `W_g` it becomes
///
/// ```text
/// tr(BSBS) + sum_g (s_g / W_g)^2 + 2 sum_g m_g' B m_g / W_g,   s_g, m_g = sums of a_i w_i, a_i w_i x_i
/// ```
///
/// whose last part is at most `2 max (s_g / W_g) * sum a_i h_i`. O(n p) to O(n p^2), memory O(p^2)
/// per thread and O(p) per level; sums as in [`Design::gram`].
///
/// Source: MacKinnon and White (1985), J. Econometrics 29; Bell and McCaffrey (2002), Survey
/// Methodology 28; Imbens and Kolesar (2016), Rev. Econ. Stat. 98.
#[must_use]
pub fn hc3(x: &Design, fit: &Fit, absorbed: Option<Absorbed>, tested: &[bool]) -> Sandwich {
    let kernel = Kernel { x, fit, absorbed };
    let empty = || Sums::new(x.cols());
    let pieces = in_pieces(x.rows(), |rows| {
        let (mut sums, mut entries) = (empty(), x.entries());
        rows.for_each(|i| kernel.add(i, entries.row(i), &mut sums));
        sums
    });
    let mut sums = pieces.into_iter().fold(empty(), Sums::plus);
    sums.covariance.fill_upper_triangle_with_lower_triangle();
    let levels = kernel.levels();
    let of = |(l, tested): (usize, &bool)| {
        let wanted = *tested && !sums.sole[l];
        wanted.then(|| kernel.satterthwaite(l, &sums, levels[l])).flatten()
    };
    let df = tested.iter().enumerate().map(of).collect();
    Sandwich { covariance: sums.covariance, df, sole: sums.sole }
}

/// HC1 covariance, `n / (n - k)` times White's, for a fit that spent `k` coefficients, the absorbed
/// ones included, on `n` rows; all `df` are `n - k`.
///
/// Source: MacKinnon and White (1985), J. Econometrics 29.
#[must_use]
pub fn hc1(x: &Design, fit: &Fit, n: usize, k: usize) -> Sandwich {
    let squares: Vec<f64> = fit.scores.iter().map(|s| s * s).collect();
    let df = n.saturating_sub(k) as f64;
    let known = df > 0.0;
    let scale = if known { n as f64 / df } else { 0.0 };
    let covariance = &fit.inverse * x.gram(&squares) * &fit.inverse * scale;
    Sandwich { covariance, df: vec![known.then_some(df); x.cols()], sole: vec![!known; x.cols()] }
}

/// Sums over rows.
struct Sums {
    covariance: DMatrix<f64>,
    /// Per coefficient: sums of `a (1 - h)`, `a^2 (1 - 2h)` and `a h` (the levels' part of `h` left
    /// out), the largest `a`.
    first: Vec<f64>,
    own: Vec<f64>,
    shared: Vec<f64>,
    largest: Vec<f64>,
    sole: Vec<bool>,
    /// `B x_i` of the row at hand.
    pull: Vec<f64>,
}

impl Sums {
    fn new(p: usize) -> Self {
        let zeros = || vec![0.0; p];
        Self {
            covariance: DMatrix::zeros(p, p),
            first: zeros(),
            own: zeros(),
            shared: zeros(),
            largest: zeros(),
            sole: vec![false; p],
            pull: zeros(),
        }
    }

    fn plus(mut self, other: Self) -> Self {
        let add = |a: &mut [f64], b: &[f64]| a.iter_mut().zip(b).for_each(|(a, b)| *a += b);
        self.covariance += other.covariance;
        add(&mut self.first, &other.first);
        add(&mut self.own, &other.own);
        add(&mut self.shared, &other.shared);
        self.largest.iter_mut().zip(other.largest).for_each(|(a, b)| *a = a.max(b));
        self.sole.iter_mut().zip(other.sole).for_each(|(a, b)| *a |= b);
        self
    }
}

struct Kernel<'a> {
    x: &'a Design<'a>,
    fit: &'a Fit,
    absorbed: Option<Absorbed<'a>>,
}

/// Of a row: the leverage, and the columns' part of it.
struct Leverage {
    all: f64,
    columns: f64,
}

/// Of a coefficient: `sum_g (s_g / W_g)^2` and the largest `s_g / W_g`.
#[derive(Debug, Clone, Copy, Default)]
struct Levels {
    squares: f64,
    largest: f64,
}

impl Kernel<'_> {
    /// `B x_i` into `pull`, and the leverage.
    fn pull(&self, i: usize, row: &[(usize, f64)], pull: &mut [f64]) -> Leverage {
        let (p, inverse) = (self.x.cols(), self.fit.inverse.as_slice());
        pull.fill(0.0);
        for (j, x) in row {
            let column = &inverse[j * p..(j + 1) * p];
            pull.iter_mut().zip(column).for_each(|(g, b)| *g += x * b);
        }
        let own: f64 = row.iter().map(|(j, x)| x * pull[*j]).sum();
        let weight = self.fit.weights[i];
        let level = self.absorbed.map_or(0.0, |a| {
            let total = a.totals[a.factor.level[i] as usize];
            if total > 0.0 { weight / total } else { 0.0 }
        });
        let columns = (weight * own).clamp(0.0, 1.0);
        Leverage { all: (columns + level).clamp(0.0, 1.0), columns }
    }

    /// What the square of a residual is divided by that is left `rest` of its variance.
    fn discount(&self, rest: f64) -> f64 {
        if self.absorbed.is_some() { rest } else { rest * rest }
    }

    /// What the levels have among themselves, per coefficient.
    fn levels(&self) -> Vec<Levels> {
        let p = self.x.cols();
        let mut found = vec![Levels::default(); p];
        let Some(Absorbed { factor, totals }) = self.absorbed else { return found };
        let mut sums = vec![0.0; p * factor.levels];
        let (mut pull, mut entries) = (vec![0.0; p], self.x.entries());
        for (i, level) in factor.level.iter().enumerate() {
            let rest = 1.0 - self.pull(i, entries.row(i), &mut pull).all;
            if rest >= SOLE {
                let share = self.fit.weights[i].powi(2) / self.discount(rest);
                let sums = &mut sums[*level as usize * p..][..p];
                sums.iter_mut().zip(&pull).for_each(|(s, g)| *s += share * g * g);
            }
        }
        for (sums, total) in sums.chunks_exact(p.max(1)).zip(totals).filter(|(_, t)| **t > 0.0) {
            for (found, sum) in found.iter_mut().zip(sums) {
                found.squares += (sum / total).powi(2);
                found.largest = found.largest.max(sum / total);
            }
        }
        found
    }

    fn add(&self, i: usize, row: &[(usize, f64)], sums: &mut Sums) {
        let leverage = self.pull(i, row, &mut sums.pull);
        let (weight, rest) = (self.fit.weights[i], 1.0 - leverage.all);
        let p = sums.pull.len();
        if rest < SOLE {
            for l in 0..p {
                let most = self.fit.inverse[(l, l)].sqrt();
                sums.sole[l] |= sums.pull[l].abs() * weight.sqrt() > PART * most;
            }
            return;
        }
        let discount = self.discount(rest);
        let (scale, share) = (self.fit.scores[i].powi(2) / discount, weight / discount);
        let covariance = sums.covariance.as_mut_slice();
        for (j, g) in sums.pull.iter().enumerate() {
            let scaled = scale * g;
            let column = &mut covariance[j * p + j..(j + 1) * p];
            column.iter_mut().zip(&sums.pull[j..]).for_each(|(c, g)| *c += scaled * g);
        }
        for l in 0..p {
            let a = share * sums.pull[l] * sums.pull[l];
            sums.first[l] += a * rest;
            sums.own[l] += a * a * (rest - leverage.all);
            sums.shared[l] += a * leverage.columns;
            sums.largest[l] = sums.largest[l].max(a);
        }
    }

    fn satterthwaite(&self, l: usize, sums: &Sums, levels: Levels) -> Option<f64> {
        let most = (sums.largest[l] + 2.0 * levels.largest) * sums.shared[l];
        let shared = if most <= SLACK * sums.own[l] { most } else { self.shared(l) };
        let df = sums.first[l].powi(2) / (sums.own[l] + levels.squares + shared);
        df.is_finite().then(|| df.max(1.0))
    }

    /// `sum_ij H_ij^2 a_i a_j` with the hat matrix `H`, but for what levels have among themselves.
    fn shared(&self, l: usize) -> f64 {
        let p = self.x.cols();
        let squares: Vec<f64> = in_pieces(self.x.rows(), |rows| {
            let (mut pull, mut entries) = (vec![0.0; p], self.x.entries());
            let of = |i| {
                let rest = 1.0 - self.pull(i, entries.row(i), &mut pull).all;
                if rest < SOLE {
                    0.0
                } else {
                    self.fit.weights[i] * pull[l].powi(2) / self.discount(rest)
                }
            };
            rows.map(of).collect::<Vec<f64>>()
        })
        .concat();
        let weights: Vec<f64> = squares.iter().zip(&self.fit.weights).map(|(a, w)| a * w).collect();
        let product = &self.fit.inverse * self.x.gram(&weights);
        let columns = product.tr_mul(&product.transpose()).trace();
        columns + self.absorbed.map_or(0.0, |absorbed| self.between(absorbed, &weights))
    }

    /// The part of it that levels have with columns, `2 sum_g m_g' B m_g / W_g`.
    fn between(&self, absorbed: Absorbed, weights: &[f64]) -> f64 {
        let Absorbed { factor, totals } = absorbed;
        let mut moments = vec![DVector::zeros(self.x.cols()); factor.levels];
        let mut entries = self.x.entries();
        for (i, level) in factor.level.iter().enumerate() {
            let moment = &mut moments[*level as usize];
            entries.row(i).iter().for_each(|(j, x)| moment[*j] += weights[i] * x);
        }
        let of = |(total, moment): (&f64, &DVector<f64>)| {
            if *total > 0.0 { 2.0 * moment.dot(&(&self.fit.inverse * moment)) / total } else { 0.0 }
        };
        totals.iter().zip(&moments).map(of).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::regression::{Columns, least_squares};

    #[test]
    fn two_groups_by_hand() {
        // Group means: V = sum of e^2 / (n_g - 1)^2 over both groups.
        let columns = Columns::new(7, &[vec![0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0]]).unwrap();
        let x = Design::new(&columns);
        let y = [1.0, 3.0, 5.0, 7.0, 2.0, 5.0, 11.0];
        let fit = least_squares::fit(&x, &y).unwrap();
        let found = hc3(&x, &fit, None, &[true; 2]);
        let expected = (20.0 / 9.0 + (16.0 + 1.0 + 25.0) / 4.0_f64).sqrt();
        assert!((found.std_error(1).unwrap() - expected).abs() < 1e-12, "{found:?}");
        // Each part is n_g/(n_g-1) times a mean square: a_g = 1/(n_g - 1), df = (sum a)^2 / sum a^2/(n_g-1).
        let (a, b) = (1.0 / 3.0, 1.0 / 2.0_f64);
        let df = (a + b).powi(2) / (a * a / 3.0 + b * b / 2.0);
        assert!((found.df[1].unwrap() - df).abs() < 1e-12, "{found:?} {df}");
    }

    #[test]
    fn a_column_true_of_one_text_has_no_standard_error() {
        let columns =
            Columns::new(6, &[vec![0., 0., 0., 0., 0., 1.], vec![0., 1., 0., 1., 1., 0.]]);
        let columns = columns.unwrap();
        let x = Design::new(&columns);
        let y = [1.0, 3.0, 2.0, 5.0, 4.0, 30.0];
        let found = hc3(&x, &least_squares::fit(&x, &y).unwrap(), None, &[true; 3]);
        assert_eq!((found.std_error(1), found.df[1]), (None, None));
        // The others are as if that text were not there.
        let columns = Columns::new(5, &[vec![0., 1., 0., 1., 1.]]).unwrap();
        let x = Design::new(&columns);
        let without = hc3(&x, &least_squares::fit(&x, &y[..5]).unwrap(), None, &[true; 2]);
        for (a, b) in [(0, 0), (2, 1)] {
            let (s, t) = (found.std_error(a).unwrap(), without.std_error(b).unwrap());
            assert!((s - t).abs() < 1e-12, "{found:?}");
            let (s, t) = (found.df[a].unwrap(), without.df[b].unwrap());
            assert!((s - t).abs() < 1e-10, "{found:?}");
        }
    }
}
