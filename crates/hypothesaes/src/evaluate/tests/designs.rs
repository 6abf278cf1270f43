//! Pairs, weights, groups, classes, counts, levels, controls, fixed effects, strata.

use hypothesaes_math::regression::Columns;

use super::*;
use crate::data::{Control, Covariates, Factor};

fn flags(column: &[Option<bool>]) -> Vec<f64> {
    column.iter().map(|v| number(*v)).collect()
}

fn factor(name: &str, n: usize, levels: usize) -> Factor {
    let rank = permutation(n, &mut stream(4, name));
    let of_row = rank.into_iter().map(|r| u32::try_from(r % levels).unwrap()).collect();
    Factor { name: name.into(), levels: (0..levels).map(|l| format!("l{l}")).collect(), of_row }
}

fn tested(heldout: &Heldout) -> Evaluation {
    let found = evaluate(heldout, &Baselines::default(), 7, &EvaluateOptions::default()).unwrap();
    every_table(&found);
    if let Some(strata) = found.strata_table() {
        assert!(strata.rows() > 0);
    }
    found
}

fn separation(found: &Evaluation, j: usize) -> Effect {
    found.hypotheses[j].separation.unwrap()
}

/// Two texts a row, of which the one with the first concept tends to win.
fn pairs(n: usize) -> (Vec<Vec<Option<bool>>>, Vec<f64>) {
    let columns = vec![column(2 * n, n, "pair a"), column(2 * n, n / 2, "pair b")];
    let luck = noise(n, "pair luck");
    let side = |i: usize| number(columns[0][i]) - number(columns[0][n + i]);
    let y = (0..n).map(|i| f64::from(u8::from(luck[i] + 0.25 * side(i) > 0.0))).collect();
    (columns, y)
}

fn won() -> Task {
    Task::Binary { positive: "first".into(), negative: "second".into() }
}

#[test]
fn trap_31_swapping_the_sides_of_pairs_changes_no_result() {
    let n = 400;
    let (columns, y) = pairs(n);
    let swapped: Vec<Vec<Option<bool>>> =
        columns.iter().map(|c| [&c[n..], &c[..n]].concat()).collect();
    let lost: Vec<f64> = y.iter().map(|y| 1.0 - y).collect();
    let margins: Vec<f64> = y.iter().zip(noise(n, "margin")).map(|(y, e)| y - 0.5 + e).collect();
    let against: Vec<f64> = margins.iter().map(|v| -v).collect();
    let group: Vec<u32> = (0..400).map(|i| i / 4).collect();
    let tasks = [(won(), y, lost), (Task::Continuous, margins, against)];
    for (task, y, other) in &tasks {
        for group in [None, Some(&group[..])] {
            let of = |annotations: &[Vec<Option<bool>>], y: &[f64]| {
                tested(&Heldout { is_paired: true, group, ..Heldout::new(annotations, y, task) })
            };
            let (a, b) = (of(&columns, y), of(&swapped, other));
            assert_eq!(a.hypotheses[0].status, Status::Holds);
            assert_eq!(a.n_hold, 1);
            for (a, b) in a.hypotheses.iter().zip(&b.hypotheses) {
                assert_eq!(
                    (a.status, a.n_present, &a.direction),
                    (b.status, b.n_present, &b.direction)
                );
                for (a, b) in [(a.separation, b.separation), (a.joint, b.joint)] {
                    let (a, b) = (a.unwrap().estimate, b.unwrap().estimate);
                    let close = |a: Option<f64>, b: Option<f64>| {
                        assert!((a.unwrap() - b.unwrap()).abs() < 1e-9, "{a:?} {b:?}");
                    };
                    close(Some(a.value), Some(b.value));
                    close(a.p_value, b.p_value);
                    close(a.conf_low, b.conf_low);
                }
            }
            for (a, b) in a.models.iter().zip(&b.models) {
                let value = |m: &Together| m.measure.map(|m| m.value);
                assert!((value(a).unwrap() - value(b).unwrap()).abs() < 1e-9, "{a:?} {b:?}");
            }
        }
    }
}

#[test]
fn the_separation_of_pairs_by_hand() {
    // The side with the concept wins three of four; of both or neither nothing is learnt.
    let flags = |text: &str| text.chars().map(|c| Some(c == '1')).collect::<Vec<_>>();
    let columns = [flags("110010").into_iter().chain(flags("001010")).collect::<Vec<_>>()];
    let y = [1.0, 0.0, 0.0, 1.0, 1.0, 0.0];
    let task = won();
    let found = tested(&Heldout { is_paired: true, ..Heldout::new(&columns, &y, &task) });
    let first = &found.hypotheses[0];
    assert_eq!((first.n, first.n_present, first.n_absent), (6, 3, 3));
    assert_eq!(first.mean_present, Some(2.0 / 3.0));
    assert!((separation(&found, 0).estimate.value - 1.0 / 3.0).abs() < 1e-12);
    assert_eq!(first.prevalence, Some(5.0 / 12.0));
}

#[test]
fn the_scale_of_weights_changes_nothing_and_weights_something() {
    let (columns, y) = sample(400);
    let weight: Vec<f64> = noise(400, "weights").iter().map(|e| 1.0 + e).collect();
    let of = |scale: f64, weight: &[f64]| {
        let weight = Some(weight.iter().map(|w| w * scale).collect());
        let covariates = Covariates { weight, ..Covariates::default() };
        tested(&Heldout {
            covariates: &covariates,
            ..Heldout::new(&columns, &y, &Task::Continuous)
        })
    };
    let (a, b) = (of(1.0, &weight), of(1000.0, &weight));
    let even = of(1.0, &[2.0; 400]);
    let plain = run(&columns, &y, &Task::Continuous);
    for j in 0..3 {
        let (a, b) = (separation(&a, j).estimate, separation(&b, j).estimate);
        assert!(
            (a.value - b.value).abs() < 1e-12
                && (a.p_value.unwrap() - b.p_value.unwrap()).abs() < 1e-9
        );
        assert!((a.value - separation(&plain, j).estimate.value).abs() > 1e-6);
        let even = separation(&even, j).estimate.value;
        assert!((even - separation(&plain, j).estimate.value).abs() < 1e-12);
    }
}

#[test]
fn trap_37_texts_of_a_group_do_not_count_as_independent() {
    // Every text five times over: five times the texts, no more is known.
    let (columns, y) = sample(120);
    let many = |column: &Vec<Option<bool>>| column.iter().flat_map(|v| [*v; 5]).collect();
    let copies: Vec<Vec<Option<bool>>> = columns.iter().map(many).collect();
    let y_copies: Vec<f64> = y.iter().flat_map(|v| [*v; 5]).collect();
    let group: Vec<u32> = (0..600).map(|i| i / 5).collect();
    let task = Task::Continuous;
    let once = run(&columns, &y, &task);
    let found = tested(&Heldout { group: Some(&group), ..Heldout::new(&copies, &y_copies, &task) });
    assert_eq!(found.n_groups, Some(120));
    for j in 0..3 {
        let clustered = separation(&found, j);
        let fooled = found.hypotheses[j].unclustered.unwrap();
        let error = |e: Effect| e.estimate.std_error.unwrap();
        // Not exactly: alone, a text counts with the common spread where that is larger.
        assert!((error(clustered) / error(separation(&once, j)) - 1.0).abs() < 0.15);
        assert!(error(fooled) < 0.5 * error(clustered));
        assert_eq!(clustered.source, Some(Source::Regression(Variance::Cr2)));
        assert_eq!(
            found.hypotheses[j].joint.unwrap().source,
            Some(Source::Regression(Variance::Cr2))
        );
    }
    // Twelve groups are bootstrapped.
    let few: Vec<u32> = (0..600).map(|i| i / 50).collect();
    let found = tested(&Heldout { group: Some(&few), ..Heldout::new(&copies, &y_copies, &task) });
    assert_eq!(separation(&found, 0).source, Some(Source::Regression(Variance::WildCluster)));
    let one = vec![0; 600];
    let found = tested(&Heldout { group: Some(&one), ..Heldout::new(&copies, &y_copies, &task) });
    assert!(found.hypotheses[0].warning.as_ref().unwrap().contains("one cluster"));
    assert_eq!(found.n_hold, 0);
}

#[test]
fn every_class_is_set_against_all_others() {
    let (columns, y) = sample(600);
    let class = |v: f64| if v < 2.8 { 0.0 } else { f64::from(u8::from(v > 3.4)) + 1.0 };
    let y: Vec<f64> = y.into_iter().map(class).collect();
    let names = ["low", "mid", "high"].map(str::to_owned);
    let task = Task::Multiclass { classes: names.to_vec() };
    let found = tested(&Heldout::new(&columns, &y, &task));
    assert_eq!(found.hypotheses.len(), 9);
    let of = |class: &str, j: usize| {
        let id = hypothesis_id(j);
        let is = |t: &&Tested| t.id == id && t.class.as_deref() == Some(class);
        found.hypotheses.iter().find(is).unwrap()
    };
    assert_eq!(of("high", 0).direction.as_deref(), Some("high"));
    assert_eq!(of("low", 0).direction.as_deref(), Some("not low"));
    assert_eq!(of("high", 0).status, Status::Holds);
    assert_eq!(found.n_hold, 2);
    // Each class by itself is the binary target of the same texts, but for more tests in all.
    let high: Vec<f64> = y.iter().map(|v| f64::from(u8::from(*v == 2.0))).collect();
    let alone =
        run(&columns, &high, &Task::Binary { positive: "high".into(), negative: "x".into() });
    assert_eq!(of("high", 0).joint.unwrap().estimate, alone.hypotheses[0].joint.unwrap().estimate);
    let p = of("high", 0).separation.unwrap();
    assert_eq!(p.p_bonferroni, Some((9.0 * p.estimate.p_value.unwrap()).min(1.0)));
    let table = found.hypotheses_table(&vec![Wording::default(); 3], vec![]).unwrap();
    assert_eq!(table.rows(), 9);
    assert!(table.column("class").is_some());
}

#[test]
fn counts_are_explained_by_their_rates() {
    let n = 1200;
    let columns = [column(n, n / 3, "count concept"), column(n, n / 2, "count other")];
    // Twice the rate with the first concept, over one to four days.
    let days: Vec<f64> = (0..n).map(|i| 1.0 + (i % 4) as f64).collect();
    let (x, luck) = (flags(&columns[0]), noise(n, "count luck"));
    let y: Vec<f64> =
        (0..n).map(|i| (days[i] * (3.0 + 3.0 * x[i]) * (1.0 + luck[i])).round()).collect();
    let covariates = Covariates { exposure: Some(days), ..Covariates::default() };
    let task = Task::Count;
    let heldout = Heldout { covariates: &covariates, ..Heldout::new(&columns, &y, &task) };
    for (counts, model) in
        [(Counts::Poisson, Model::Poisson), (Counts::NegativeBinomial, Model::NegativeBinomial)]
    {
        let options = EvaluateOptions { counts, ..EvaluateOptions::default() };
        let found = evaluate(&heldout, &Baselines::default(), 7, &options).unwrap();
        every_table(&found);
        assert_eq!(found.model, model);
        let joint = found.hypotheses[0].joint.unwrap().estimate;
        assert!((joint.value - 2.0_f64.ln()).abs() < 3.0 * joint.std_error.unwrap(), "{joint:?}");
        assert!(joint.std_error.unwrap() < 0.05);
        let rate = separation(&found, 0).estimate;
        assert!((rate.value - 3.0).abs() < 3.0 * rate.std_error.unwrap(), "{rate:?}");
        assert_eq!(found.hypotheses[1].status, Status::DoesNotHold);
        let main = found.models.iter().find(|m| m.is_main()).unwrap();
        assert!(main.metric == Metric::Deviance && main.measure.unwrap().value > 0.1);
    }
}

#[test]
fn levels_have_proportional_odds_on_request() {
    let (columns, y) = sample(600);
    let more = noise(600, "level noise");
    let y: Vec<f64> =
        y.iter().zip(more).map(|(v, e)| (v + 2.0 * e).round().clamp(1.0, 5.0)).collect();
    let levels = (1..=5).map(|l| l.to_string()).collect();
    let found = run(&columns, &y, &Task::Ordinal { levels });
    let as_numbers = run(&columns, &y, &Task::Continuous);
    assert_eq!(found.model, Model::Ordinal);
    assert_eq!(found.hypotheses[0].separation, as_numbers.hypotheses[0].separation);
    let first = &found.hypotheses[0];
    assert!(first.joint.unwrap().estimate.value > 1.0, "{first:?}");
    assert!(first.p_proportional.is_some_and(|p| p > 0.0), "{first:?}");
    let (marginal, ols) = (first.marginal.unwrap(), as_numbers.hypotheses[0].joint.unwrap());
    assert!((marginal.value - ols.estimate.value).abs() < 0.2, "{marginal:?} {ols:?}");
    every_table(&found);
}

#[test]
fn a_confounder_that_turns_the_sign_is_held_constant() {
    let n = 800;
    let genre = column(n, n / 2, "genre");
    // Concept and genre go together; within a genre the concept lowers the target.
    let own = column(n, n / 4, "own will");
    let concept: Vec<Option<bool>> =
        (0..n).map(|i| Some((own[i] == Some(true)) != (genre[i] == Some(true)))).collect();
    let luck = noise(n, "genre luck");
    let y: Vec<f64> =
        (0..n).map(|i| 3.0 * number(genre[i]) - 0.5 * number(concept[i]) + luck[i]).collect();
    let of_row = flags(&genre).iter().map(|g| u32::from(*g > 0.5)).collect();
    let levels = vec!["news".into(), "sport".into()];
    let genre = Factor { name: "genre".into(), levels, of_row };
    let columns = [concept];
    let raw = run(&columns, &y, &Task::Continuous);
    assert_eq!(raw.hypotheses[0].direction.as_deref(), Some("higher"));
    let controls = vec![Control::Categorical(genre.clone())];
    let controlled = Covariates { controls, ..Covariates::default() };
    let fixed = Covariates { fixed_effects: vec![genre], ..Covariates::default() };
    for covariates in [controlled, fixed] {
        let task = Task::Continuous;
        let found =
            tested(&Heldout { covariates: &covariates, ..Heldout::new(&columns, &y, &task) });
        let tested = &found.hypotheses[0];
        assert_eq!(tested.separation.unwrap().estimate.value, separation(&raw, 0).estimate.value);
        let adjusted = tested.adjusted.unwrap().estimate;
        assert!((adjusted.value + 0.5).abs() < 3.0 * adjusted.std_error.unwrap(), "{adjusted:?}");
        assert_eq!((tested.status, tested.direction.as_deref()), (Status::Holds, Some("lower")));
        let joint = tested.joint.unwrap().estimate;
        assert!((joint.value - adjusted.value).abs() < 1e-9);
        let alone = found.models.iter().any(|m| m.predictors == Predictors::Controls);
        assert_eq!(alone, !covariates.controls.is_empty());
    }
}

#[test]
fn a_hypothesis_that_follows_from_the_controls_is_named() {
    let (columns, y) = sample(300);
    let of_row = flags(&columns[1]).iter().map(|v| u32::from(*v > 0.5)).collect();
    let same = Factor { name: "same".into(), levels: vec!["a".into(), "b".into()], of_row };
    let controls = vec![Control::Categorical(same)];
    let covariates = Covariates { controls, ..Covariates::default() };
    let task = Task::Continuous;
    let found = tested(&Heldout { covariates: &covariates, ..Heldout::new(&columns, &y, &task) });
    assert_eq!(found.hypotheses[1].status, Status::Aliased);
    assert!(found.hypotheses[1].warning.as_ref().unwrap().contains("follows from the controls"));
    assert!(found.hypotheses[0].joint.is_some() && found.hypotheses[1].joint.is_none());
}

#[test]
fn classes_beside_fixed_effects_are_shares_and_said() {
    let (columns, y) = sample(600);
    let y = classes(&y);
    let fixed_effects = vec![factor("author", 600, 60)];
    let covariates = Covariates { fixed_effects, ..Covariates::default() };
    let task = binary();
    let found = tested(&Heldout { covariates: &covariates, ..Heldout::new(&columns, &y, &task) });
    assert_eq!(found.model, Model::LinearProbability);
    assert!(
        found.messages.iter().any(|m| m.contains("linear probability")),
        "{:?}",
        found.messages
    );
    let joint = found.hypotheses[0].joint.unwrap().estimate.value;
    assert!((0.2..1.0).contains(&joint), "{joint}");
}

#[test]
fn effects_that_turn_between_strata_are_seen() {
    let n = 900;
    let columns = [column(n, n / 3, "stratum concept"), column(n, n / 2, "stratum other")];
    let year = factor("year", n, 3);
    let (x, luck) = (flags(&columns[0]), noise(n, "stratum luck"));
    let y: Vec<f64> = (0..n)
        .map(|i| {
            x[i] * (f64::from(year.of_row[i]) - 1.0) + 5.0 * f64::from(year.of_row[i]) + luck[i]
        })
        .collect();
    let covariates = Covariates { strata: Some(year), ..Covariates::default() };
    let task = Task::Continuous;
    let found = tested(&Heldout { covariates: &covariates, ..Heldout::new(&columns, &y, &task) });
    assert_eq!(found.strata.len(), 6);
    for (within, effect) in found.strata.iter().zip([-1.0, 0.0, 1.0]) {
        let estimate = within.separation.unwrap().estimate;
        assert!((estimate.value - effect).abs() < 4.0 * estimate.std_error.unwrap(), "{within:?}");
    }
    let interaction = |j: usize| found.hypotheses[j].interaction.unwrap();
    assert!(
        interaction(0).p_holm.unwrap() < 1e-6 && interaction(0).p_reversal_holm.unwrap() < 1e-6
    );
    assert!(interaction(1).p_value.unwrap() > 0.01 && interaction(1).p_reversal.unwrap() > 0.05);
}

#[test]
fn predictive_power_is_shown_between_controls_and_embeddings() {
    let (columns, y) = sample(400);
    let neurons: Vec<Vec<f64>> = columns
        .iter()
        .map(|c| flags(c).iter().zip(noise(400, "level")).map(|(x, e)| x * (1.0 + e)).collect())
        .collect();
    let single = |value: Option<bool>| f32::from(u8::from(value == Some(true)));
    let both: Vec<f32> =
        (0..400).flat_map(|i| [single(columns[0][i]), single(columns[1][i])]).collect();
    let x = hypothesaes_math::Matrix::from_vec(400, 2, both).unwrap();
    let baselines = Baselines {
        neurons: Some(Columns::new(400, &neurons).unwrap()),
        embeddings: Some(Embeddings { cols: 2, of_rows: &|rows| x.gather(rows) }),
    };
    for (task, y) in [(Task::Continuous, y.clone()), (binary(), classes(&y))] {
        let heldout = Heldout::new(&columns, &y, &task);
        let found = evaluate(&heldout, &baselines, 7, &EvaluateOptions::default()).unwrap();
        let value = |predictors| {
            let of = |m: &&Together| {
                m.predictors == predictors
                    && m.metric != Metric::LogLoss
                    && m.fit == FitKind::CrossFitted
            };
            found.models.iter().find(of).and_then(|m| m.measure).unwrap().value
        };
        let (hypotheses, ceiling) = (value(Predictors::Hypotheses), value(Predictors::Embeddings));
        assert!(ceiling > hypotheses - 0.02, "{task:?} {ceiling} {hypotheses}");
        assert!(value(Predictors::Neurons) > 0.5 * hypotheses);
    }
}

#[test]
fn every_small_number_of_rows_gives_a_value() {
    let names = ["a", "b", "c"].map(str::to_owned).to_vec();
    let tasks = [
        Task::Continuous,
        binary(),
        Task::Count,
        Task::Multiclass { classes: names.clone() },
        Task::Ordinal { levels: names },
    ];
    for n in [1, 2, 3, 4, 5, 7, 10, 14, 20] {
        let (columns, y) = sample(n);
        let y: Vec<f64> = y.iter().map(|v| (2.0 * (v - 2.0)).round().clamp(0.0, 2.0)).collect();
        let group: Vec<u32> = (0..n).map(|i| u32::try_from(i / 2).unwrap()).collect();
        let covariates = Covariates {
            weight: Some((0..n).map(|i| 1.0 + (i % 3) as f64).collect()),
            controls: vec![Control::Numeric {
                name: "c".into(),
                values: (0..n).map(|i| i as f64).collect(),
            }],
            strata: Some(factor("s", n, 2)),
            ..Covariates::default()
        };
        for task in &tasks {
            let y: Vec<f64> = match task {
                Task::Binary { .. } => y.iter().map(|v| v.min(1.0)).collect(),
                _ => y.clone(),
            };
            let plain = Heldout::new(&columns, &y, task);
            tested(&plain);
            tested(&Heldout { group: Some(&group), ..plain });
            tested(&Heldout { covariates: &covariates, ..plain });
            tested(&Heldout { covariates: &covariates, group: Some(&group), ..plain });
        }
    }
}
