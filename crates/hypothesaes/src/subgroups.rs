//! Whether effects are those of some texts only: every hypothesis among short and long texts, within
//! strata, and within the categories that are held constant.
//!
//! Descriptive: the intervals are not adjusted for how many there are; the tests of equality are, over
//! the hypotheses.

use hypothesaes_math::interaction::{self, Stratum};
use hypothesaes_math::multiplicity::holm;
use serde::{Deserialize, Serialize};

use crate::Result;
use crate::data::{Control, Dataset, Factor};
use crate::evaluate::{self, Effect, EvaluateOptions};
use crate::table::{Column, Table};

/// Levels of a category beyond which there would be too few texts in each.
const MAX_LEVELS: usize = 8;
/// Texts that every level of lengths has, at least.
const MIN_TEXTS: usize = 30;

/// A hypothesis among some of the held-out texts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Subgroup {
    pub id: String,
    /// Of several classes, the one that is set against all others.
    pub class: Option<String>,
    /// What the texts are told apart by, and which of them these are.
    pub factor: String,
    pub level: String,
    pub n: usize,
    pub n_present: usize,
    /// What the hypothesis claims, of these texts alone.
    pub effect: Option<Effect>,
    /// Holm-adjusted p-value of the effects' being equal in all levels of the factor.
    pub p_equal: Option<f64>,
}

/// Every hypothesis in every level of every factor. `heldout`: the held-out rows alone;
/// `annotations`: one column per hypothesis over their texts.
///
/// # Errors
/// As [`evaluate::evaluate`].
pub fn subgroups(
    heldout: &Dataset,
    annotations: &evaluate::Annotations,
    seed: u64,
    options: &EvaluateOptions,
) -> Result<Vec<Subgroup>> {
    let mut all = Vec::new();
    for factor in factors(heldout) {
        let mut found = Vec::new();
        for (level, name) in (0..).zip(&factor.levels) {
            let rows: Vec<usize> =
                (0..heldout.n_rows()).filter(|&i| factor.of_row[i] == level).collect();
            if rows.is_empty() {
                continue;
            }
            let texts = heldout.texts_of(&rows);
            let some: Vec<Vec<Option<bool>>> =
                annotations.iter().map(|c| texts.iter().map(|&t| c[t]).collect()).collect();
            let part = heldout.gather(&rows);
            let tested = evaluate::separations(&part.heldout(&some), seed, options)?;
            found.extend(tested.into_iter().map(|t| Subgroup {
                effect: t.claim().copied(),
                id: t.id,
                class: t.class,
                factor: factor.name.clone(),
                level: name.clone(),
                n: t.n,
                n_present: t.n_present,
                p_equal: None,
            }));
        }
        compare(&mut found);
        all.extend(found);
    }
    Ok(all)
}

/// Whether each hypothesis has one effect in all levels; `of_factor` goes level by level.
fn compare(of_factor: &mut [Subgroup]) {
    let mut hypotheses: Vec<(String, Option<String>)> = Vec::new();
    for s in of_factor.iter() {
        let key = (s.id.clone(), s.class.clone());
        if !hypotheses.contains(&key) {
            hypotheses.push(key);
        }
    }
    let same = |s: &&Subgroup, key: &(String, Option<String>)| s.id == key.0 && s.class == key.1;
    let p = |key: &(String, Option<String>)| {
        let effects = of_factor.iter().filter(|s| same(s, key)).filter_map(|s| s.effect);
        let strata: Vec<Stratum> = effects
            .filter_map(|e| {
                Some(Stratum { effect: e.estimate.value, std_error: e.estimate.std_error? })
            })
            .collect();
        interaction::compare(&strata).map(|found| found.p_heterogeneity)
    };
    let adjusted = holm(&hypotheses.iter().map(p).collect::<Vec<_>>());
    for s in of_factor {
        let at = hypotheses.iter().position(|key| s.id == key.0 && s.class == key.1);
        s.p_equal = at.and_then(|at| adjusted[at]);
    }
}

/// What held-out rows are told apart by.
fn factors(heldout: &Dataset) -> Vec<Factor> {
    let categories = heldout.covariates.controls.iter().filter_map(|control| match control {
        Control::Categorical(factor) => Some(factor),
        Control::Numeric { .. } => None,
    });
    let few = |f: &&Factor| (2..=MAX_LEVELS).contains(&f.levels.len());
    let known = heldout.covariates.strata.iter().chain(categories).filter(few).cloned();
    lengths(heldout).into_iter().chain(known).collect()
}

/// Thirds by the number of words; `None` for pairs, and where a third would be small.
fn lengths(heldout: &Dataset) -> Option<Factor> {
    if heldout.is_paired || heldout.n_rows() < 3 * MIN_TEXTS {
        return None;
    }
    let words: Vec<usize> =
        heldout.texts.iter().map(|text| text.split_whitespace().count()).collect();
    let mut sorted = words.clone();
    sorted.sort_unstable();
    let at = |third: usize| sorted[third * sorted.len() / 3];
    let (short, long) = (at(1), at(2));
    if short == sorted[0] || long == short {
        return None;
    }
    let of_row = words.iter().map(|&n| u32::from(n >= short) + u32::from(n >= long)).collect();
    let levels = vec![
        format!("up to {} words", short - 1),
        format!("{short} to {} words", long - 1),
        format!("{long} words or more"),
    ];
    Some(Factor { name: "length".into(), levels, of_row })
}

/// Table `subgroups`: a row per hypothesis and level; `None` if there are none.
#[must_use]
pub fn table(subgroups: &[Subgroup]) -> Option<Table> {
    if subgroups.is_empty() {
        return None;
    }
    let all = || subgroups.iter();
    let number = |name, unit, description, of: fn(&Effect) -> Option<f64>| {
        Column::number(name, unit, description, all().map(|s| s.effect.as_ref().and_then(of)))
    };
    let count = |name, description, of: fn(&Subgroup) -> usize| {
        Column::integer(name, "count", description, all().map(|s| Some(of(s))))
    };
    let mut columns =
        vec![Column::text("hypothesis_id", "hypothesis", all().map(|s| Some(s.id.clone())))];
    if all().any(|s| s.class.is_some()) {
        columns.push(evaluate::table::class(all().map(|s| s.class.clone())));
    }
    columns.extend([
        Column::text(
            "factor",
            "what the texts are told apart by: length, or a column of the data",
            all().map(|s| Some(s.factor.clone())),
        ),
        Column::text("level", "which of them these are", all().map(|s| Some(s.level.clone()))),
        count("n", "held-out texts among them with an annotation", |s| s.n),
        count("n_present", "of these, texts with the concept", |s| s.n_present),
        number("estimate", "target", "separation among them", |e| Some(e.estimate.value)),
        number("std_error", "target", "its standard error", |e| e.estimate.std_error),
        number("conf_low", "target", "lower end of its interval, not adjusted", |e| {
            e.estimate.conf_low
        }),
        number("conf_high", "target", "upper end of its interval, not adjusted", |e| {
            e.estimate.conf_high
        }),
        Column::number(
            "p_equal",
            "",
            "Holm-adjusted p-value of the separations' being equal in all levels of the factor",
            all().map(|s| s.p_equal),
        ),
    ]);
    Some(Table { name: "subgroups", columns })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Covariates, Split, Task, Texts};

    /// Long texts have the concept's effect of 2, short ones none.
    fn data(n: usize) -> (Dataset, Vec<Vec<Option<bool>>>) {
        let texts: Vec<String> = (0..n).map(|i| "word ".repeat(1 + 10 * (i % 3))).collect();
        let has = |i: usize| (i / 3).is_multiple_of(2);
        let noise = |i: usize| (i * 7919 % 101) as f64 / 101.0;
        let y = (0..n).map(|i| noise(i) + if has(i) && i % 3 == 2 { 2.0 } else { 0.0 }).collect();
        let kind = Factor {
            name: "kind".into(),
            levels: vec!["a".into(), "b".into()],
            of_row: (0..n).map(|i| u32::from(i % 5 == 0)).collect(),
        };
        let data = Dataset {
            texts: texts.iter().map(String::as_str).collect::<Texts>(),
            is_paired: false,
            y,
            task: Task::Continuous,
            target: "y".into(),
            split: vec![Split::Heldout; n],
            covariates: Covariates {
                controls: vec![Control::Categorical(kind)],
                ..Covariates::default()
            },
            group: None,
            row_id: (0..n as u64).collect(),
            document: None,
        };
        (data, vec![(0..n).map(|i| (i != 4).then(|| has(i))).collect(), vec![Some(true); n]])
    }

    #[test]
    fn an_effect_of_long_texts_alone_is_seen_as_such() {
        let (data, annotations) = data(300);
        let found = subgroups(&data, &annotations, 0, &EvaluateOptions::default()).unwrap();
        let of = |id: &str, factor: &str| -> Vec<&Subgroup> {
            found.iter().filter(|s| s.id == id && s.factor == factor).collect()
        };
        let lengths = of("H01", "length");
        let levels: Vec<&str> = lengths.iter().map(|s| s.level.as_str()).collect();
        assert_eq!(levels, ["up to 10 words", "11 to 20 words", "21 words or more"]);
        let effects: Vec<f64> = lengths.iter().map(|s| s.effect.unwrap().estimate.value).collect();
        assert!(effects[0].abs() < 0.2 && effects[1].abs() < 0.2, "{effects:?}");
        assert!((effects[2] - 2.0).abs() < 0.2, "{effects:?}");
        assert!(lengths.iter().all(|s| s.p_equal.unwrap() < 1e-6));
        assert_eq!(lengths.iter().map(|s| s.n).sum::<usize>(), 299);
        let kinds = of("H01", "kind");
        assert_eq!(kinds.len(), 2);
        assert!(kinds.iter().all(|s| s.p_equal.unwrap() > 0.05));
        assert!(of("H02", "length").iter().all(|s| s.effect.is_none() && s.p_equal.is_none()));
        let table = table(&found).unwrap();
        assert_eq!((table.rows(), table.columns[1].name), (10, "factor"));
    }

    #[test]
    fn few_texts_and_equal_lengths_make_no_groups() {
        let (mut small, annotations) = data(60);
        small.covariates = Covariates::default();
        let options = EvaluateOptions::default();
        assert_eq!(subgroups(&small, &annotations, 0, &options).unwrap(), []);
        let (mut equal, annotations) = data(300);
        equal.covariates = Covariates::default();
        equal.texts = vec!["one two"; 300].into_iter().collect();
        assert_eq!(subgroups(&equal, &annotations, 0, &options).unwrap(), []);
        assert_eq!(table(&[]), None);
    }
}
