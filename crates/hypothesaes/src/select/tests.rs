use super::*;
use crate::table::Values;

fn binary() -> Task {
    Task::Binary { positive: "yes".into(), negative: "no".into() }
}

/// Label-sorted data with six neurons: 0 is dead, 1 is always on, 2 is constant, 3 fires on the
/// first half, 4 on three texts of the second half, 5 here and there.
fn sample() -> (Activations, Vec<f64>) {
    let mut z = Activations::new(6);
    let mut y = Vec::new();
    for i in 0..200_u16 {
        let mut row = vec![0.0, 1.0 + f32::from(i), 1.0, 0.0, 0.0, 0.0];
        row[3] = if i < 100 { 1.0 + f32::from(i % 7) } else { 0.0 };
        row[4] = if i > 196 { 2.0 } else { 0.0 };
        row[5] = if i % 5 == 0 { 1.0 + f32::from(i % 3) } else { 0.0 };
        z.push_row((0_u32..).zip(row));
        y.push(f64::from(u8::from(i < 100)));
    }
    (z, y)
}

fn options(method: Method, n: usize) -> SelectOptions {
    SelectOptions { method, n, n_half_samples: 0, ..SelectOptions::default() }
}

fn choose(method: Method, n: usize) -> Selection {
    let (z, y) = sample();
    select(&Discover::new(&z, &y, &binary()), 0, &options(method, n)).unwrap()
}

#[test]
fn trap_11_only_texts_a_neuron_fires_on_count() {
    // Three firings at the end of label-sorted data: exactly those three are averaged.
    let found = choose(Method::Separation, 2);
    let chosen: Vec<_> = found.chosen.iter().map(|c| (c.rank, c.neuron)).collect();
    assert_eq!(chosen, [(1, 3), (2, 4)]);
    assert_eq!(found.chosen[0].separation, 1.0);
    assert!((found.chosen[1].separation + 100.0 / 197.0).abs() < 1e-12);
}

#[test]
fn trap_11_dead_and_always_on_neurons_are_never_chosen() {
    for method in [Method::Lasso, Method::Correlation, Method::Separation] {
        let found = choose(method, 6);
        assert!(found.chosen.iter().all(|c| c.neuron >= 3), "{method}");
        assert!(found.chosen.len() <= 3);
        let expected =
            format!("{} neurons selected instead of 6: only 3 neurons fire", found.chosen.len());
        assert!(found.messages[0].starts_with(&expected), "{:?}", found.messages);
        let without: Vec<_> = found.neurons.iter().map(|n| n.separation.is_none()).collect();
        assert_eq!(without, [true, true, true, false, false, false]);
    }
}

#[test]
fn trap_12_a_neuron_without_correlation_is_never_chosen() {
    let found = choose(Method::Correlation, 6);
    assert_eq!(found.neurons[0].correlation, None);
    assert_eq!(found.neurons[2].correlation, None);
    let chosen: Vec<_> = found.chosen.iter().map(|c| c.neuron).collect();
    assert_eq!(chosen, [3, 4, 5]);
    assert!(found.chosen.iter().all(|c| c.score == c.correlation && c.score.is_finite()));
}

#[test]
fn ties_go_to_the_lower_neuron() {
    let (z, y) = sample();
    let z = Activations::beside(&[z.clone(), z]).unwrap();
    for method in [Method::Correlation, Method::Separation] {
        let found = select(&Discover::new(&z, &y, &binary()), 0, &options(method, 3)).unwrap();
        let chosen: Vec<_> = found.chosen.iter().map(|c| c.neuron).collect();
        assert_eq!(chosen, [3, 9, 4], "{method}");
    }
}

#[test]
fn flipping_the_target_flips_every_score() {
    let (z, y) = sample();
    let flipped: Vec<f64> = y.iter().map(|v| 1.0 - v).collect();
    for method in [Method::Lasso, Method::Correlation, Method::Separation] {
        let run = |y: &[f64]| {
            select(&Discover::new(&z, y, &Task::Continuous), 0, &options(method, 2)).unwrap()
        };
        let (a, b) = (run(&y), run(&flipped));
        assert_eq!(a.chosen.len(), 2, "{method}");
        for (a, b) in a.chosen.iter().zip(&b.chosen) {
            assert_eq!(a.neuron, b.neuron, "{method}");
            assert!((a.score + b.score).abs() < 1e-8, "{method}");
            assert!((a.separation + b.separation).abs() < 1e-12, "{method}");
        }
    }
}

#[test]
fn the_table_has_a_row_per_neuron() {
    let table = choose(Method::Separation, 2).table(&vec!["64:4".to_owned(); 6]).unwrap();
    assert_eq!(table.rows(), 6);
    let value = |name: &str| table.column(name).unwrap().values.clone();
    assert_eq!(
        value("is_dead"),
        Values::Flag([true, false, false, false, false, false].map(Some).into())
    );
    assert_eq!(value("density"), Values::Number([0.0, 1.0, 1.0, 0.5, 0.015, 0.2].map(Some).into()));
    let ranks = [None, None, None, Some(1), Some(2), None];
    assert_eq!(value("selection_rank"), Values::Integer(ranks.into()));
    assert!(choose(Method::Separation, 2).table(&[]).is_err());
}

#[test]
fn what_cannot_be_answered_is_refused() {
    let (z, y) = sample();
    let check = |y: &[f64], n: usize, expected: &str| {
        let discover = Discover::new(&z, y, &Task::Continuous);
        let message = select(&discover, 0, &options(Method::Lasso, n)).unwrap_err().to_string();
        assert!(message.starts_with(expected), "{message}");
    };
    check(&y, 0, "`select.n` is `0`: choose at least 1");
    check(&[3.0; 200], 5, "the target has one value only");
    check(&[], 5, "the target has one value only");
    check(&y[1..], 5, "`y` has 199 entries, 200 expected");
}
