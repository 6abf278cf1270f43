#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "single precision is what maps are made of"
)]

use hypothesaes_math::random::stream;
use hypothesaes_math::tsne::{affinities, divergence, gradient, tsne};
use hypothesaes_math::{Error, Matrix};
use serde_json::Value;

use crate::draws::normal;
use crate::support::{assert_close, golden, items, number, numbers};

fn matrix(case: &Value) -> Matrix {
    let x = numbers(&case["x"]).into_iter().map(|v| v as f32).collect();
    let [n, d] = ["n", "dimensions"].map(|name| number(&case[name]) as usize);
    Matrix::from_vec(n, d, x).unwrap()
}

fn places(case: &Value) -> Vec<[f64; 2]> {
    numbers(&case["y"]).chunks_exact(2).map(|at| [at[0], at[1]]).collect()
}

#[test]
fn affinities_agree_with_scikit_learn() {
    for case in items(&golden("tsne")["cases"]) {
        let p = affinities(&matrix(case), number(&case["perplexity"])).unwrap();
        let n = number(&case["n"]) as usize;
        let mut dense = vec![0.0; n * n];
        for i in 0..n {
            p.row(i).iter().for_each(|(j, p)| dense[i * n + *j as usize] = *p);
        }
        // There distances are single precision.
        assert_close(&dense, &numbers(&case["p"]), 2e-6);
        assert_close(&[dense.iter().sum()], &[1.0], 1e-12);
    }
}

#[test]
fn slope_and_loss_agree_with_scikit_learn() {
    for case in items(&golden("tsne")["cases"]) {
        let p = affinities(&matrix(case), number(&case["perplexity"])).unwrap();
        let y = places(case);
        let slope: Vec<f64> = gradient(&p, &y, 1.0).into_iter().flatten().collect();
        assert_close(&slope, &numbers(&case["slope"]), 1e-5);
        assert_close(&[divergence(&p, &y)], &[number(&case["loss"])], 1e-4);
    }
}

#[test]
fn maps_lose_no_more_than_those_of_scikit_learn() {
    for case in items(&golden("tsne")["cases"]) {
        let (x, perplexity) = (matrix(case), number(&case["perplexity"]));
        let y = tsne(&x, perplexity, 0).unwrap();
        let lost = divergence(&affinities(&x, perplexity).unwrap(), &y);
        let best = number(&case["best_loss"]);
        assert!(lost < 1.1 * best + 0.02, "{lost} against {best}");
    }
}

#[test]
fn maps_do_not_depend_on_threads() {
    let case = &golden("tsne")["cases"][1];
    let on = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| tsne(&matrix(case), 8.0, 3).unwrap())
    };
    assert_eq!(on(1), on(3));
}

#[test]
fn few_and_equal_rows_have_places_too() {
    for (n, d) in [(0, 3), (1, 3), (2, 3), (4, 1), (5, 1), (7, 2)] {
        for value in [0.0, 1.0] {
            let y = tsne(&Matrix::from_vec(n, d, vec![value; n * d]).unwrap(), 30.0, 0).unwrap();
            assert_eq!(y.len(), n);
            assert!(y.iter().flatten().all(|v| v.is_finite()), "{n} rows of {value}");
        }
    }
    let bad = Matrix::from_vec(1, 2, vec![0.0, f32::NAN]).unwrap();
    assert!(matches!(tsne(&bad, 30.0, 0), Err(Error::NotFinite { .. })));
    let fine = Matrix::from_vec(6, 1, vec![0.0, 1.0, 2.0, 3.0, 4.0, 5.0]).unwrap();
    assert!(matches!(tsne(&fine, 0.0, 0), Err(Error::Option { name: "perplexity", .. })));
}

#[test]
fn points_without_a_pattern_do_not_fall_into_one() {
    let (n, d) = (600, 40);
    let mut random = stream(7, "points");
    let x = (0..n * d).map(|_| normal(&mut random) as f32).collect();
    let x = Matrix::from_vec(n, d, x).unwrap();
    let y = tsne(&x, 30.0, 0).unwrap();
    let spread = |k: usize| y.iter().map(|at| at[k] * at[k]).sum::<f64>() / n as f64;
    assert!(spread(0) > 1.0 && spread(1) > 1.0);
    let lost = divergence(&affinities(&x, 30.0).unwrap(), &y);
    let vanished = divergence(&affinities(&x, 30.0).unwrap(), &vec![[0.0; 2]; n]);
    // scikit-learn 1.9 loses 0.82 of it on such points.
    assert!(lost < 0.9 * vanished, "{lost} against {vanished}");
}
