use hypothesaes_math::Error;
use hypothesaes_math::matching::{assign, recovery};
use serde_json::Value;

use crate::support::{assert_close, golden, items, number, numbers};

fn similarity(case: &Value) -> Vec<Vec<f64>> {
    items(&case["similarity"]).iter().map(numbers).collect()
}

#[test]
fn assignments_agree_with_scipy() {
    let golden = golden("matching");
    for case in items(&golden["cases"]) {
        let found = assign(&similarity(case)).unwrap();
        let pairs = found.iter().enumerate().filter_map(|(i, j)| Some((i as f64, (*j)? as f64)));
        let (rows, columns): (Vec<f64>, Vec<f64>) = pairs.unzip();
        assert_eq!((rows, columns), (numbers(&case["rows"]), numbers(&case["columns"])));
    }
    for case in items(&golden["ties"]) {
        let similarity = similarity(case);
        let found = assign(&similarity).unwrap();
        let total = found.iter().enumerate().filter_map(|(i, j)| Some(similarity[i][(*j)?])).sum();
        assert_close(&[total], &[number(&case["total"])], 1e-12);
        let mut used: Vec<usize> = found.into_iter().flatten().collect();
        let pairs = used.len();
        used.sort_unstable();
        used.dedup();
        assert_eq!((used.len(), pairs), (pairs, similarity.len().min(similarity[0].len())));
    }
}

#[test]
fn hundreds_of_rows_take_no_time() {
    let similarity: Vec<Vec<f64>> = (0..400)
        .map(|i| (0..500).map(|j| f64::from((i * 7919 + j * 104_729) % 1009)).collect())
        .collect();
    let found = assign(&similarity).unwrap();
    assert_eq!(found.iter().flatten().count(), 400);
}

#[test]
fn recovery_counts_similar_pairs_only() {
    // The pair of largest sum, 0 with 0 and 1 with 1, would leave 1 without a similar partner.
    let similarity = [vec![0.9, 0.65, 0.0], vec![0.6, 0.0, 0.1]];
    let found = recovery(&similarity, 0.6).unwrap();
    assert_eq!(found.found, [Some(1), Some(0)]);
    let shares = [found.precision, found.recall, found.f1].map(Option::unwrap);
    assert_close(&shares, &[2.0 / 3.0, 1.0, 0.8], 1e-15);
    let none = recovery(&similarity, 0.95).unwrap();
    assert_eq!((none.found, none.f1), (vec![None, None], Some(0.0)));
    let empty = recovery(&[], 0.5).unwrap();
    assert_eq!((empty.recall, empty.precision, empty.f1), (None, None, None));
    let nothing = recovery(&[vec![], vec![]], 0.5).unwrap();
    assert_eq!((nothing.recall, nothing.precision, nothing.f1), (Some(0.0), None, Some(0.0)));
}

#[test]
fn bad_similarities_are_refused() {
    assert!(matches!(assign(&[vec![1.0, 2.0], vec![1.0]]), Err(Error::Shape { .. })));
    assert!(matches!(recovery(&[vec![f64::NAN]], 0.5), Err(Error::NotFinite { .. })));
}
