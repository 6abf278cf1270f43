//! Whether held-out texts are known already: nearly the same text, or the same group, on both sides
//! of the split.

use hypothesaes_math::near_duplicates::{near_duplicates, shingles};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::Result;
use crate::data::{Dataset, Split};
use crate::table::{Column, Table, Values};
use crate::text::{Analyzer, Language};

/// Words that run together in a shingle.
const WIDTH: usize = 3;
/// Of more texts than this no near duplicates are looked for: their shingles would not fit in memory.
const MAX_TEXTS: usize = 500_000;

/// What is on both sides.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Leakage {
    /// Held-out texts.
    pub n_heldout: usize,
    /// Held-out texts that are nearly the same as one that hypotheses were found or judged on; `None`
    /// if there are too many texts to look.
    pub n_near: Option<usize>,
    /// Groups with rows on both sides.
    pub n_groups: usize,
    /// Each such text with the one that is most like it.
    pub near: Vec<Near>,
}

/// A held-out text and another that is nearly the same.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Near {
    /// Row of the held-out text, and of the other.
    pub row_id: u64,
    pub other_row_id: u64,
    /// Part of the other.
    pub split: Split,
    /// Share of the runs of three words that both have.
    pub jaccard: f64,
}

/// Looks for held-out texts whose sets of three words running overlap (Jaccard) with those of a text
/// of the other parts by at least `threshold`, and for groups on both sides.
///
/// # Errors
/// [`crate::Error::Math`] for a threshold that is not above 0 and at most 1.
pub fn check(data: &Dataset, threshold: f64) -> Result<Leakage> {
    let heldout = data.texts_in(Split::Heldout);
    let found = (data.texts.len() <= MAX_TEXTS).then(|| near(data, threshold)).transpose()?;
    Ok(Leakage {
        n_heldout: heldout.len(),
        n_near: found.as_ref().map(Vec::len),
        n_groups: straddling(data),
        near: found.unwrap_or_default(),
    })
}

/// The held-out texts that have a near duplicate elsewhere, rising.
fn near(data: &Dataset, threshold: f64) -> Result<Vec<Near>> {
    let analyzer = Analyzer::new(Language::None);
    let of_text = |text: usize| {
        let mut words = Vec::new();
        analyzer.each_word(data.texts.get(text), |word| words.push(hash(&word.to_lowercase())));
        // As sets, so that equal ones are equal.
        let mut shingles = shingles(&words, WIDTH);
        shingles.sort_unstable();
        shingles.dedup();
        shingles
    };
    let texts: Vec<Vec<u64>> = (0..data.texts.len()).into_par_iter().map(of_text).collect();
    let part = |text: usize| data.split[text % data.n_rows()];
    let mut best: Vec<Option<(usize, f64)>> = vec![None; texts.len()];
    // Equal texts hang together by the first of their kind only.
    let mut first_of: Vec<usize> = (0..texts.len()).collect();
    let pairs = near_duplicates(&texts, threshold)?;
    for pair in pairs.iter().filter(|pair| texts[pair.first] == texts[pair.second]) {
        first_of[pair.second] = pair.first;
    }
    let mut kinds: Vec<Vec<usize>> = vec![Vec::new(); texts.len()];
    (0..texts.len()).for_each(|text| kinds[first_of[text]].push(text));
    let is_other = |text: usize| part(text) != Split::Heldout;
    let other_of_kind = |first: usize| kinds[first].iter().copied().find(|&t| is_other(t));
    let mut link = |here: usize, there: usize, jaccard: f64| {
        let Some(other) = other_of_kind(there) else { return };
        for &text in kinds[here].iter().filter(|&&t| !is_other(t)) {
            if best[text].is_none_or(|(_, known)| jaccard > known) {
                best[text] = Some((other, jaccard));
            }
        }
    };
    for first in (0..texts.len()).filter(|&t| first_of[t] == t && !texts[t].is_empty()) {
        link(first, first, 1.0);
    }
    for pair in pairs.iter().filter(|pair| first_of[pair.second] == pair.second) {
        link(pair.first, pair.second, pair.jaccard);
        link(pair.second, pair.first, pair.jaccard);
    }
    let row = |text: usize| data.row_id[text % data.n_rows()];
    let found = best.into_iter().enumerate().filter_map(|(text, best)| {
        let (other, jaccard) = best?;
        Some(Near { row_id: row(text), other_row_id: row(other), split: part(other), jaccard })
    });
    Ok(found.collect())
}

fn hash(word: &str) -> u64 {
    let bytes = *blake3::hash(word.as_bytes()).as_bytes();
    bytes[..8].iter().fold(0, |hash, byte| hash << 8 | u64::from(*byte))
}

/// Groups with held-out rows and others.
fn straddling(data: &Dataset) -> usize {
    let Some(group) = &data.group else { return 0 };
    let n_groups = group.iter().max().map_or(0, |g| *g as usize + 1);
    let mut sides = vec![0_u8; n_groups];
    for (g, split) in group.iter().zip(&data.split) {
        sides[*g as usize] |= if *split == Split::Heldout { 2 } else { 1 };
    }
    sides.into_iter().filter(|sides| *sides == 3).count()
}

impl Leakage {
    /// A line for the user, if there is anything to tell.
    #[must_use]
    pub fn message(&self) -> Option<String> {
        let groups = match self.n_groups {
            0 => None,
            n => Some(format!("{n} groups are on both sides of the split")),
        };
        let near = match self.n_near {
            None => Some(format!(
                "near duplicates across the split were not looked for among more than {MAX_TEXTS} texts"
            )),
            Some(0) => None,
            Some(n) => Some(format!(
                "{n} of {} held-out texts are nearly the same as texts that hypotheses were found on \
                 (tables/leakage.csv): they prove nothing new",
                self.n_heldout
            )),
        };
        let parts: Vec<String> = near.into_iter().chain(groups).collect();
        (!parts.is_empty()).then(|| parts.join("; "))
    }

    /// Table `leakage`: a row per held-out text that is nearly known.
    #[must_use]
    pub fn table(&self) -> Table {
        let id = |name, description, of: fn(&Near) -> u64| Column {
            name,
            unit: "",
            description,
            values: Values::Integer(self.near.iter().map(|n| i64::try_from(of(n)).ok()).collect()),
        };
        let columns = vec![
            id("row_id", "row of the held-out text", |n| n.row_id),
            id("other_row_id", "row of the text it is most like", |n| n.other_row_id),
            Column::text(
                "other_split",
                "part of that text: discover or validation",
                self.near.iter().map(|n| Some(n.split.word().to_owned())),
            ),
            Column::number(
                "jaccard",
                "share",
                "runs of three words that both have among those that either has",
                self.near.iter().map(|n| Some(n.jaccard)),
            ),
        ];
        Table { name: "leakage", columns }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Covariates, Task, Texts};

    fn data(texts: &[&str], split: &[Split], group: Option<Vec<u32>>) -> Dataset {
        Dataset {
            texts: texts.iter().copied().collect::<Texts>(),
            is_paired: false,
            y: vec![0.0; split.len()],
            task: Task::Continuous,
            target: "y".into(),
            split: split.to_vec(),
            covariates: Covariates::default(),
            group,
            row_id: (10..).take(split.len()).collect(),
            document: None,
        }
    }

    #[test]
    fn near_duplicates_and_groups_across_the_split_are_found() {
        use Split::{Discover, Heldout, Validation};
        let long = "the waiter was kind and the soup came hot within ten minutes of our order";
        let nearly = "the waiter was kind and the soup came hot within ten minutes of our Order!";
        let changed = "the waiter was kind and the soup came hot within ten minutes of his order";
        let texts =
            [long, nearly, "something else altogether, a text of its own", changed, "own", "own"];
        let split = [Discover, Heldout, Heldout, Heldout, Validation, Heldout];
        let data = data(&texts, &split, Some(vec![1, 1, 2, 3, 4, 5]));
        let found = check(&data, 0.6).unwrap();
        let near: Vec<_> = found.near.iter().map(|n| (n.row_id, n.other_row_id, n.split)).collect();
        assert_eq!(near, [(11, 10, Discover), (13, 10, Discover), (15, 14, Validation)]);
        assert_eq!(found.near[0].jaccard, 1.0);
        assert!((0.6..1.0).contains(&found.near[1].jaccard));
        assert_eq!((found.n_heldout, found.n_near, found.n_groups), (4, Some(3), 1));
        let message = found.message().unwrap();
        assert!(message.starts_with("3 of 4 held-out texts") && message.ends_with("of the split"));
        assert_eq!(found.table().rows(), 3);
        assert!(check(&data, 0.99).unwrap().near.len() == 2);
    }

    #[test]
    fn nothing_is_said_of_clean_data() {
        let split = [Split::Discover, Split::Heldout];
        let found = check(&data(&["one text here", "quite another"], &split, None), 0.8).unwrap();
        assert_eq!(found.message(), None);
    }
}
