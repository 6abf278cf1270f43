use std::collections::BTreeMap;

use hypothesaes_math::placebo::{Blocks, permuted, sources};

const N: usize = 60;

fn sorted(mut values: Vec<f64>) -> Vec<f64> {
    values.sort_by(f64::total_cmp);
    values
}

#[test]
fn rows_are_permuted_and_the_seed_decides() {
    let y: Vec<f64> = (0..N).map(|i| i as f64).collect();
    let of = |seed| permuted(&y, Blocks::default(), seed).unwrap();
    assert_eq!(of(1), of(1));
    assert_ne!(of(1), of(2));
    assert_ne!(of(1), y);
    assert_eq!(sorted(of(1)), y);
}

#[test]
fn strata_keep_their_targets() {
    let y: Vec<f64> = (0..N).map(|i| i as f64).collect();
    let stratum: Vec<usize> = (0..N).map(|i| i % 4).collect();
    let found = sources(&y, Blocks { group: None, stratum: Some(&stratum) }, 3).unwrap();
    assert!(found.iter().enumerate().all(|(i, source)| stratum[i] == stratum[*source]));
    assert!(found.iter().enumerate().any(|(i, source)| i != *source));
    assert_eq!(sorted(found.iter().map(|s| y[*s]).collect()), y);
}

#[test]
fn groups_of_one_target_exchange_it() {
    // Groups of unequal size, in no order.
    let group: Vec<usize> = (0..N).map(|i| (i * i) % 11).collect();
    let y: Vec<f64> = group.iter().map(|g| *g as f64 * 10.0).collect();
    let found = permuted(&y, Blocks { group: Some(&group), stratum: None }, 5).unwrap();
    let mut value = BTreeMap::new();
    for (g, y) in group.iter().zip(&found) {
        assert_eq!(value.entry(*g).or_insert(*y), y, "group {g} has two values");
    }
    let mut values: Vec<usize> = value.keys().copied().collect();
    let before: Vec<f64> = values.drain(..).map(|g| g as f64 * 10.0).collect();
    assert_eq!(sorted(value.into_values().collect()), sorted(before));
}

#[test]
fn groups_of_several_targets_stay_together() {
    let group: Vec<usize> = (0..N).map(|i| i / 5).collect();
    let y: Vec<f64> = (0..N).map(|i| i as f64).collect();
    let found = sources(&y, Blocks { group: Some(&group), stratum: None }, 5).unwrap();
    for rows in found.chunks(5) {
        assert!(rows.iter().all(|source| group[*source] == group[rows[0]]));
    }
    let mut used = found.clone();
    used.sort_unstable();
    assert_eq!(used, (0..N).collect::<Vec<_>>());
    assert_ne!(used, found);
}

#[test]
fn bad_lengths_are_refused() {
    assert!(sources(&[1.0, 2.0], Blocks { group: Some(&[0]), stratum: None }, 0).is_err());
    assert!(sources(&[1.0], Blocks { group: None, stratum: Some(&[0, 1]) }, 0).is_err());
    assert_eq!(sources(&[], Blocks::default(), 0).unwrap(), Vec::<usize>::new());
}
