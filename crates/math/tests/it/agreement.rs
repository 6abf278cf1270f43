use hypothesaes_math::agreement::{Crosstab, adjusted_kappa, agreement, kappa, yes_no};
use hypothesaes_math::{Estimate, Level};

use crate::support::{assert_close, golden, items, number, numbers};

fn level() -> Level {
    Level::new(0.95).unwrap()
}

/// The answers that give this table.
fn answers(table: &[Vec<f64>]) -> (Vec<Option<usize>>, Vec<Option<usize>>) {
    let (mut first, mut second) = (Vec::new(), Vec::new());
    for (r, row) in table.iter().enumerate() {
        for (c, count) in row.iter().enumerate() {
            for _ in 0..format!("{count}").parse().unwrap() {
                first.push(Some(r));
                second.push(Some(c));
            }
        }
    }
    (first, second)
}

fn crosstab(table: &[Vec<f64>]) -> Crosstab {
    let (first, second) = answers(table);
    Crosstab::new(&first, &second, table.len()).unwrap()
}

#[test]
fn agreement_and_kappa_agree_with_statsmodels() {
    let golden = golden("agreement");
    for name in ["yes_no", "rare", "worse_than_chance", "four_categories", "empty_category"] {
        let case = &golden[name];
        let table = crosstab(&items(&case["table"]).iter().map(numbers).collect::<Vec<_>>());
        let k = kappa(&table, level()).unwrap();
        let got = [k.value, k.std_error.unwrap(), k.statistic.unwrap(), k.p_value.unwrap()];
        let expected = ["kappa", "std_error", "statistic", "p_value"].map(|key| number(&case[key]));
        assert_close(&got, &expected, 1e-9);
        let ends = [number(&case["low"]).max(-1.0), number(&case["high"]).min(1.0)];
        assert_close(&[k.conf_low.unwrap(), k.conf_high.unwrap()], &ends, 1e-9);
        let raw = agreement(&table, level()).unwrap();
        assert_close(&[raw.value], &[number(&case["agreement"])], 1e-12);
        let wilson = numbers(&case["wilson"]);
        assert_close(&[raw.conf_low.unwrap(), raw.conf_high.unwrap()], &wilson, 1e-9);
    }
}

#[test]
fn yes_and_no_by_hand() {
    let answers = |s: &str| -> Vec<Option<bool>> {
        s.chars().map(|c| (c != '.').then_some(c == 'y')).collect()
    };
    // Both answered 8: two yes-yes, one machine's yes, one human's, four no-no.
    let found = yes_no(&answers("yyynnnnny."), &answers("yynynnnn.y"), level()).unwrap();
    let value = |e: Option<Estimate>| e.unwrap().value;
    assert_eq!(found.n, 8);
    assert_close(
        &[value(found.agreement), value(found.sensitivity), value(found.specificity)],
        &[0.75, 2.0 / 3.0, 0.8],
        1e-15,
    );
    assert_close(
        &[value(found.precision), value(found.adjusted_kappa), value(found.kappa)],
        &[2.0 / 3.0, 0.5, (0.75 - 34.0 / 64.0) / (30.0 / 64.0)],
        1e-15,
    );
}

#[test]
fn one_answer_throughout_gives_no_nan() {
    let constant = kappa(&crosstab(&[vec![0.0, 0.0], vec![30.0, 10.0]]), level()).unwrap();
    assert_eq!(constant, Estimate::bare(0.0));
    let opposite = kappa(&crosstab(&[vec![0.0, 9.0], vec![0.0, 0.0]]), level()).unwrap();
    assert_eq!(opposite, Estimate::bare(0.0));
    let same = crosstab(&[vec![0.0, 0.0], vec![0.0, 12.0]]);
    assert_eq!(kappa(&same, level()), None);
    assert_eq!(adjusted_kappa(&same, level()).unwrap().value, 1.0);
    let nothing = crosstab(&[vec![0.0, 0.0], vec![0.0, 0.0]]);
    assert_eq!((kappa(&nothing, level()), agreement(&nothing, level())), (None, None));
    let never = yes_no(&[Some(false); 3], &[Some(false); 3], level()).unwrap();
    assert_eq!((never.sensitivity, never.kappa), (None, None));
    assert_eq!(never.specificity.unwrap().value, 1.0);
}

#[test]
fn full_agreement_of_few_proves_little() {
    let few = kappa(&crosstab(&[vec![4.0, 0.0], vec![0.0, 4.0]]), level()).unwrap();
    assert_eq!((few.value, few.conf_high), (1.0, Some(1.0)));
    assert!(few.conf_low.unwrap() < 0.5, "{few:?}");
    let many = kappa(&crosstab(&[vec![400.0, 0.0], vec![0.0, 400.0]]), level()).unwrap();
    assert!(many.conf_low.unwrap() > 0.98, "{many:?}");
}

#[test]
fn bad_answers_are_refused() {
    assert!(Crosstab::new(&[Some(0)], &[], 2).is_err());
    assert!(Crosstab::new(&[Some(2)], &[Some(0)], 2).is_err());
}
