use hypothesaes_math::random::stream;
use hypothesaes_math::svd::{Product, Svd, SvdOptions, truncated};
use hypothesaes_math::{Error, Sparse};
use proptest::prelude::*;
use serde_json::Value;

use crate::support::{assert_close, golden, numbers};

const EXACT: SvdOptions = SvdOptions { rank: 6, oversample: 10, iterations: 8 };

fn sparse(golden: &Value) -> Sparse {
    let cols = usize::try_from(golden["cols"].as_u64().unwrap()).unwrap();
    let mut s = Sparse::new(cols);
    for row in golden["rows"].as_array().unwrap() {
        s.push_row(row.as_array().unwrap().iter().map(|term| {
            #[expect(clippy::cast_possible_truncation)]
            let value = term[1].as_f64().unwrap() as f32;
            (u32::try_from(term[0].as_u64().unwrap()).unwrap(), value)
        }));
    }
    s
}

fn product(golden: &Value) -> Product {
    Product::new(vec![sparse(&golden["left"]), sparse(&golden["right"])]).unwrap()
}

fn column(svd: &Svd, j: usize) -> Vec<f64> {
    (0..svd.right.rows()).map(|i| f64::from(svd.right.row(i)[j])).collect()
}

#[test]
fn values_and_vectors_agree_with_numpy() {
    let golden = golden("svd");
    let svd = truncated(&product(&golden), EXACT, &mut stream(0, "svd")).unwrap();
    assert_close(&svd.values, &numbers(&golden["values"]), 1e-5);
    for (j, vector) in golden["vectors"].as_array().unwrap().iter().enumerate() {
        assert_close(&column(&svd, j), &numbers(vector), 1e-4);
    }
}

#[test]
fn each_iteration_captures_more_of_the_matrix() {
    let golden = golden("svd");
    let energy = |values: &[f64]| values.iter().map(|v| v * v).sum::<f64>();
    let shares: Vec<f64> = (0..4)
        .map(|iterations| {
            let size = SvdOptions { rank: 6, oversample: 4, iterations };
            let svd = truncated(&product(&golden), size, &mut stream(0, "svd")).unwrap();
            energy(&svd.values) / energy(&numbers(&golden["values"]))
        })
        .collect();
    assert!(shares.is_sorted() && shares[3] <= 1.0 + 1e-6, "{shares:?}");
    // The values of this matrix fall slowly, the hardest case.
    assert!(shares[0] < 0.95 && shares[2] > 0.98, "{shares:?}");
}

#[test]
fn threads_do_not_change_a_bit() {
    let a = product(&golden("svd"));
    let on = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| truncated(&a, EXACT, &mut stream(3, "svd")).unwrap())
    };
    assert_eq!(on(1), on(3));
}

#[test]
fn the_rank_of_the_matrix_limits_the_result() {
    let mut twice = Sparse::new(5);
    for _ in 0..4 {
        twice.push_row([(1, 3.0), (4, -4.0)]);
    }
    let svd = truncated(&Product::new(vec![twice]).unwrap(), EXACT, &mut stream(0, "")).unwrap();
    assert_close(&svd.values, &[10.0], 1e-6);
    assert_close(&column(&svd, 0), &[0.0, -0.6, 0.0, 0.0, 0.8], 1e-6);
}

#[test]
fn matrices_without_content_have_no_directions() {
    for (rows, cols) in [(0, 0), (0, 3), (3, 0), (3, 3)] {
        let mut s = Sparse::new(cols);
        (0..rows).for_each(|_| s.push_row([]));
        let svd = truncated(&Product::new(vec![s]).unwrap(), EXACT, &mut stream(0, "")).unwrap();
        assert_eq!((svd.values.len(), svd.right.rows(), svd.right.cols()), (0, cols, 0));
    }
}

#[test]
fn what_cannot_be_decomposed_is_refused() {
    let mut s = Sparse::new(2);
    s.push_row([(0, f32::NAN), (1, 1.0)]);
    let a = Product::new(vec![s.clone()]).unwrap();
    assert!(matches!(truncated(&a, EXACT, &mut stream(0, "")), Err(Error::Diverged(_))));
    let none = SvdOptions { rank: 0, ..EXACT };
    assert!(matches!(truncated(&a, none, &mut stream(0, "")), Err(Error::Option { .. })));
    assert!(matches!(Product::new(vec![]), Err(Error::Data(_))));
    assert!(matches!(Product::new(vec![s.clone(), s]), Err(Error::Shape { .. })));
}

proptest! {
    #[test]
    fn columns_are_orthonormal_and_values_fall(
        terms in proptest::collection::vec((0..12_usize, 0..9_u32, -1.0..1.0_f32), 1..60),
    ) {
        let mut s = Sparse::new(9);
        for row in 0..12 {
            s.push_row(terms.iter().filter(|t| t.0 == row).map(|t| (t.1, t.2)));
        }
        let svd = truncated(&Product::new(vec![s]).unwrap(), EXACT, &mut stream(0, "")).unwrap();
        prop_assert!(svd.values.is_sorted_by(|a, b| a >= b));
        for i in 0..svd.values.len() {
            for j in 0..=i {
                let (a, b) = (column(&svd, i), column(&svd, j));
                let dot: f64 = a.iter().zip(&b).map(|(a, b)| a * b).sum();
                let expected = f64::from(u8::from(i == j));
                // A direction of a small value is known as well as f32 tells it from the large ones.
                let known = 1e-5 * svd.values[0] / svd.values[i];
                prop_assert!((dot - expected).abs() < 1e-5 + known, "{i}, {j}: {dot}");
            }
        }
    }
}
