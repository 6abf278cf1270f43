//! The bundled demo: synthetic reviews whose stars depend on ten planted concepts, and the count of
//! how many of them a run has found again.
//!
//! The files in `demo/` are written by `examples/make_demo`. How the run is done is not here.

use crate::{Error, Result};
use serde::{Deserialize, Serialize};
use std::cmp::Ordering;

/// 2,000 synthetic reviews, JSON lines with `id`, `restaurant`, `stars`, `text`.
pub const REVIEWS: &str = include_str!("../demo/reviews.jsonl");
const CONCEPTS: &str = include_str!("../demo/concepts.json");

/// Agreement (phi) with the planted concept from which a hypothesis counts as having found it.
pub const MIN_PHI: f64 = 0.5;

/// A concept on which the stars depend.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Planted {
    pub name: String,
    /// Points added to the stars, before noise, rounding and clipping.
    pub effect: f64,
    /// Beginnings of words that tell most of its sentences.
    pub phrases: Vec<String>,
    /// 0-based numbers of the reviews that have it, rising.
    pub rows: Vec<u64>,
}

/// A hypothesis as the count needs it.
#[derive(Debug, Clone, PartialEq)]
pub struct Claim {
    pub concept: String,
    /// Whether it holds on the held-out texts.
    pub holds: bool,
    pub effect: f64,
    /// Its annotation of each held-out text, in the order of `rows` of [`found`].
    pub annotations: Vec<Option<bool>>,
}

/// A planted concept and the hypothesis that found it again, if one did.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Found {
    pub name: String,
    /// The planted effect.
    pub effect: f64,
    /// The hypothesis that matches it, in its own words.
    pub hypothesis: Option<String>,
    /// Agreement of the hypothesis with the planted truth on the held-out texts, -1 to 1.
    pub phi: Option<f64>,
}

/// The planted concepts.
///
/// # Errors
/// [`Error::Data`] if the bundled list is damaged.
pub fn planted() -> Result<Vec<Planted>> {
    serde_json::from_str(CONCEPTS)
        .map_err(|e| Error::Data(format!("the bundled list of planted concepts is damaged: {e}")))
}

/// For every planted concept the hypothesis that found it again.
///
/// A hypothesis can find a concept if it holds, if its effect has the planted sign, and if its
/// annotations of the held-out `rows` agree with the planted truth by [`MIN_PHI`] or more. Pairs
/// are made greedily by falling agreement (ties: by rising index), each side used once.
///
/// # Errors
/// [`Error::Math`] if a claim does not have one annotation per row.
pub fn found(planted: &[Planted], rows: &[u64], claims: &[Claim]) -> Result<Vec<Found>> {
    let mut pairs = Vec::new();
    for (c, claim) in claims.iter().enumerate() {
        hypothesaes_math::Error::check_len("annotations", claim.annotations.len(), rows.len())?;
        for (p, concept) in planted.iter().enumerate() {
            if claim.holds && claim.effect * concept.effect > 0.0 {
                pairs.push((agreement(concept, rows, &claim.annotations), p, c));
            }
        }
    }
    pairs.retain(|&(phi, ..)| phi >= MIN_PHI);
    pairs.sort_by(|a, b| b.0.partial_cmp(&a.0).unwrap_or(Ordering::Equal));
    let mut by_concept = vec![None; planted.len()];
    let mut used = vec![false; claims.len()];
    for (phi, p, c) in pairs {
        if by_concept[p].is_none() && !used[c] {
            by_concept[p] = Some((phi, c));
            used[c] = true;
        }
    }
    let found = planted.iter().zip(by_concept).map(|(concept, pair)| Found {
        name: concept.name.clone(),
        effect: concept.effect,
        hypothesis: pair.map(|(_, c)| claims[c].concept.clone()),
        phi: pair.map(|(phi, _)| phi),
    });
    Ok(found.collect())
}

/// Phi, the correlation of two yes/no variables, over the rows that are annotated; 0 if either of
/// them is constant there.
fn agreement(concept: &Planted, rows: &[u64], annotations: &[Option<bool>]) -> f64 {
    let [mut both, mut only_planted, mut only_claimed, mut neither] = [0.0_f64; 4];
    for (row, annotation) in rows.iter().zip(annotations) {
        match (concept.rows.binary_search(row).is_ok(), annotation) {
            (true, Some(true)) => both += 1.0,
            (true, Some(false)) => only_planted += 1.0,
            (false, Some(true)) => only_claimed += 1.0,
            (false, Some(false)) => neither += 1.0,
            (_, None) => {}
        }
    }
    let (planted, claimed) = (both + only_planted, both + only_claimed);
    let (absent, denied) = (only_claimed + neither, only_planted + neither);
    let scale = (planted * claimed * absent * denied).sqrt();
    if scale > 0.0 { (both * neither - only_planted * only_claimed) / scale } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROWS: [u64; 8] = [0, 1, 2, 3, 4, 5, 6, 7];

    fn concept(name: &str, effect: f64, rows: &[u64]) -> Planted {
        Planted { name: name.into(), effect, phrases: Vec::new(), rows: rows.into() }
    }

    fn claim(concept: &str, holds: bool, effect: f64, rows: &[u64]) -> Claim {
        let annotations = ROWS.iter().map(|row| Some(rows.contains(row))).collect();
        Claim { concept: concept.into(), holds, effect, annotations }
    }

    fn check(planted: &[Planted], claims: &[Claim], expected: &[Option<&str>]) {
        let found = found(planted, &ROWS, claims).unwrap();
        let names: Vec<_> = found.iter().map(|f| f.hypothesis.as_deref()).collect();
        assert_eq!(names, expected);
    }

    #[test]
    fn a_hypothesis_that_holds_with_the_right_sign_finds_its_concept() {
        let planted = [concept("a", 1.0, &[0, 1, 2])];
        check(&planted, &[claim("h", true, 0.3, &[0, 1, 2])], &[Some("h")]);
        check(&planted, &[claim("h", false, 0.3, &[0, 1, 2])], &[None]);
        check(&planted, &[claim("h", true, -0.3, &[0, 1, 2])], &[None]);
        check(&planted, &[claim("h", true, 0.3, &[2, 3, 4])], &[None]);
    }

    #[test]
    fn each_hypothesis_finds_one_concept_and_the_best_match_wins() {
        let planted = [concept("a", 1.0, &[0, 1, 2, 3]), concept("b", 1.0, &[0, 1, 2])];
        let close = claim("close", true, 1.0, &[0, 1, 2]);
        let closer = claim("closer", true, 1.0, &[0, 1, 2, 3]);
        check(&planted, std::slice::from_ref(&close), &[None, Some("close")]);
        check(&planted, &[close, closer], &[Some("closer"), Some("close")]);
    }

    #[test]
    fn missing_annotations_are_left_out_and_constant_ones_agree_with_nothing() {
        let planted = concept("a", 1.0, &[0, 1]);
        let mut partial = claim("h", true, 1.0, &[0, 1, 7]);
        partial.annotations[7] = None;
        assert!((agreement(&planted, &ROWS, &partial.annotations) - 1.0).abs() < 1e-12);
        for constant in [true, false] {
            assert!(agreement(&planted, &ROWS, &[Some(constant); 8]).abs() < 1e-12);
        }
    }

    #[test]
    fn a_claim_of_another_length_is_refused() {
        let short = Claim { annotations: vec![Some(true)], ..claim("h", true, 1.0, &[]) };
        assert!(found(&[concept("a", 1.0, &[0])], &ROWS, &[short]).is_err());
    }

    #[test]
    fn the_bundled_reviews_are_small_and_hold_the_planted_concepts() {
        let texts: Vec<String> = REVIEWS
            .lines()
            .map(|line| {
                let review: serde_json::Value = serde_json::from_str(line).unwrap();
                review["text"].as_str().unwrap().to_lowercase()
            })
            .collect();
        assert_eq!(texts.len(), 2000);
        assert!(REVIEWS.len() < 1_000_000);
        let planted = planted().unwrap();
        assert_eq!(planted.len(), 10);
        for concept in planted {
            assert!(concept.rows.is_sorted() && concept.rows.len() > 100, "{}", concept.name);
            let said = |row: &&u64| {
                let text = &texts[usize::try_from(**row).unwrap()];
                concept.phrases.iter().any(|p| text.contains(p.as_str()))
            };
            let share = concept.rows.iter().filter(said).count() as f64;
            assert!(share / concept.rows.len() as f64 > 0.75, "{}", concept.name);
        }
    }
}
