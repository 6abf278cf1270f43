//! What an evaluation says of data whose truth is known.

mod designs;

use hypothesaes_math::random::{permutation, stream};
use hypothesaes_math::regression::Variance;

use super::*;
use crate::data::Task;
use crate::table::{Table, Values};

fn binary() -> Task {
    Task::Binary { positive: "spam".into(), negative: "ham".into() }
}

/// Column true of `count` of `n` texts, drawn at random.
fn column(n: usize, count: usize, purpose: &str) -> Vec<Option<bool>> {
    let rank = permutation(n, &mut stream(1, purpose));
    rank.into_iter().map(|r| Some(r < count)).collect()
}

/// Noise between -1/2 and 1/2.
fn noise(n: usize, purpose: &str) -> Vec<f64> {
    let rank = permutation(n, &mut stream(2, purpose));
    rank.into_iter().map(|r| (r as f64 + 0.5) / n as f64 - 0.5).collect()
}

fn number(value: Option<bool>) -> f64 {
    f64::from(u8::from(value == Some(true)))
}

/// Three columns, of which the first raises the target by 1 and the second lowers it by 1/2.
fn sample(n: usize) -> (Vec<Vec<Option<bool>>>, Vec<f64>) {
    let columns = vec![column(n, n / 3, "a"), column(n, n / 4, "b"), column(n, n / 2, "unrelated")];
    let effect = |i: usize| number(columns[0][i]) - 0.5 * number(columns[1][i]);
    let y = noise(n, "y").iter().enumerate().map(|(i, e)| 3.0 + effect(i) + e).collect();
    (columns, y)
}

fn classes(y: &[f64]) -> Vec<f64> {
    y.iter().map(|v| f64::from(u8::from(*v > 3.2))).collect()
}

fn run(columns: &Annotations, y: &[f64], task: &Task) -> Evaluation {
    evaluated(columns, y, task, &EvaluateOptions::default()).unwrap()
}

fn evaluated(
    columns: &Annotations,
    y: &[f64],
    task: &Task,
    options: &EvaluateOptions,
) -> Result<Evaluation> {
    evaluate(&Heldout::new(columns, y, task), &Baselines::default(), 7, options)
}

fn statuses(found: &Evaluation) -> Vec<Status> {
    found.hypotheses.iter().map(|t| t.status).collect()
}

#[test]
fn what_is_there_holds_and_what_is_not_does_not() {
    use Status::{DoesNotHold, Holds};
    let (columns, y) = sample(300);
    for (task, y, up, down) in
        [(Task::Continuous, y.clone(), "higher", "lower"), (binary(), classes(&y), "spam", "ham")]
    {
        let found = run(&columns, &y, &task);
        assert_eq!(statuses(&found), [Holds, Holds, DoesNotHold], "{task:?}");
        assert_eq!(found.n_hold, 2);
        let directions: Vec<_> = found.hypotheses.iter().map(|t| t.direction.as_deref()).collect();
        assert_eq!(directions[..2], [Some(up), Some(down)]);
        assert_eq!((found.n, found.n_joint, found.messages.len()), (300, 300, 0));
    }
}

#[test]
fn effects_are_in_the_unit_of_the_target() {
    let (columns, y) = sample(900);
    let found = run(&columns, &y, &Task::Continuous);
    let joint = |j: usize| found.hypotheses[j].joint.unwrap().estimate;
    for (j, effect) in [(0, 1.0), (1, -0.5), (2, 0.0)] {
        let error = joint(j).std_error.unwrap();
        assert!((joint(j).value - effect).abs() < 4.0 * error, "{j}: {:?}", joint(j));
        // A uniform spread of 1 has a standard deviation of 0.289.
        assert!(error < 0.03, "{j}: {:?}", joint(j));
    }
    let first = &found.hypotheses[0];
    let separation = first.separation.unwrap().estimate.value;
    assert_eq!(separation, first.mean_present.unwrap() - first.mean_absent.unwrap());
    assert_eq!((first.n_present, first.n_absent, first.prevalence), (300, 600, Some(1.0 / 3.0)));
}

#[test]
fn trap_27_equal_hypotheses_keep_identities_of_their_own() {
    let (columns, y) = sample(300);
    let found = run(&columns, &y, &Task::Continuous);
    let wording = Wording {
        hypothesis: "mentions \"wait\"".into(),
        neuron_id: Some(4),
        sae_id: Some("64:4".into()),
        selection_score: Some(0.5),
    };
    let table = found.hypotheses_table(&vec![wording; 3], vec![]).unwrap();
    assert_eq!(table.rows(), 3);
    let ids = ["H01", "H02", "H03"].map(|id| Some(id.to_owned()));
    assert_eq!(table.column("hypothesis_id").unwrap().values, Values::Text(ids.into()));
}

#[test]
fn trap_32_a_constant_column_is_named_and_moves_no_coefficient() {
    let (mut columns, y) = sample(300);
    let before = run(&columns, &y, &Task::Continuous);
    columns.insert(1, vec![Some(true); 300]);
    columns.insert(3, vec![Some(false); 300]);
    let after = run(&columns, &y, &Task::Continuous);
    assert_eq!((after.hypotheses[1].status, after.hypotheses[1].joint), (Status::Constant, None));
    assert_eq!(after.hypotheses[1].warning.as_deref(), Some("true of every held-out text"));
    assert_eq!(after.hypotheses[3].warning.as_deref(), Some("true of no held-out text"));
    for (old, new) in [(0, 0), (1, 2), (2, 4)] {
        assert_eq!(before.hypotheses[old].joint, after.hypotheses[new].joint);
    }
    assert_eq!(before.models, after.models);
}

#[test]
fn trap_33_aliased_columns_name_their_twin() {
    let (mut columns, y) = sample(300);
    let opposite = columns[1].iter().map(|v| v.map(|v| !v)).collect();
    columns.push(opposite);
    columns.push(columns[0].clone());
    for (task, y) in [(Task::Continuous, y.clone()), (binary(), classes(&y))] {
        let found = run(&columns, &y, &task);
        let warning = |j: usize| found.hypotheses[j].warning.clone().unwrap();
        assert_eq!(warning(3), "says the opposite of H02 of every held-out text");
        assert_eq!(warning(4), "says the same as H01 of every held-out text");
        assert_eq!(statuses(&found)[3..], [Status::Aliased, Status::Aliased]);
        assert_eq!(statuses(&found)[0], Status::Holds);
    }
}

#[test]
fn one_of_those_that_say_nearly_the_same_stands_for_all() {
    let (mut columns, y) = sample(300);
    let before = run(&columns, &y, &Task::Continuous);
    // Differs from the first on 6 of 300 texts.
    let mut near = columns[0].clone();
    for says in near.iter_mut().step_by(50) {
        *says = says.map(|v| !v);
    }
    columns.push(near);
    let found = run(&columns, &y, &Task::Continuous);
    let twin = &found.hypotheses[3];
    assert_eq!((twin.status, twin.joint), (Status::Duplicate, None));
    assert_eq!(twin.duplicate_of.as_deref(), Some("H01"));
    assert!(twin.warning.as_deref().unwrap().contains("nearly the same as H01 (phi 0.9"));
    assert_eq!(
        found.hypotheses[0].joint.unwrap().estimate,
        before.hypotheses[0].joint.unwrap().estimate
    );
    assert_eq!((found.n_hold, found.models.clone()), (before.n_hold, before.models));
    let options = EvaluateOptions { duplicate_phi: 1.0, ..EvaluateOptions::default() };
    let both = evaluated(&columns, &y, &Task::Continuous, &options).unwrap();
    assert_eq!(both.hypotheses[3].duplicate_of, None);
    assert!(both.hypotheses[3].joint.is_some());
}

#[test]
fn trap_33_separation_is_answered_by_firth_and_said() {
    let (mut columns, y) = sample(300);
    let mut y = classes(&y);
    columns[2] = column(300, 40, "spam only");
    for (y, annotation) in y.iter_mut().zip(&columns[2]) {
        *y = if *annotation == Some(true) { 1.0 } else { *y };
    }
    let found = run(&columns, &y, &binary());
    let separated = &found.hypotheses[2];
    let effect = separated.joint.unwrap();
    assert_eq!(effect.source, Some(Source::Regression(Variance::Profile)));
    assert!(effect.estimate.value < 10.0 && effect.estimate.conf_low.unwrap() > 0.0, "{effect:?}");
    assert_eq!(separated.status, Status::Holds);
    assert!(separated.warning.as_ref().unwrap().contains("Firth"));
    assert_eq!(found.model, Model::Logit, "never silently another model");
}

#[test]
fn trap_34_the_cross_fitted_measure_is_beside_the_in_sample_one() {
    // Noise only, with many columns: in-sample measures are fooled, cross-fitted ones are not.
    let columns: Vec<_> = (0..20).map(|j| column(150, 40, &format!("noise {j}"))).collect();
    let y = noise(150, "unrelated");
    let classes: Vec<f64> = y.iter().map(|v| f64::from(u8::from(*v > 0.0))).collect();
    for (task, y, nothing) in [(Task::Continuous, y.clone(), 0.0), (binary(), classes, 0.5)] {
        let found = run(&columns, &y, &task);
        let value = |fit| {
            let found = found.models.iter().find(|m| m.is_main() && m.fit == fit);
            found.and_then(|m| m.measure).unwrap()
        };
        let (honest, fooled) = (value(FitKind::CrossFitted), value(FitKind::InSample));
        assert!(honest.value < nothing + 0.05, "{task:?} {honest:?}");
        assert!(honest.conf_low.unwrap() < nothing && honest.conf_high.unwrap() > honest.value);
        assert!(fooled.value > nothing + 0.1, "{task:?} {fooled:?}");
        assert_eq!(fooled.conf_low, None);
    }
}

#[test]
fn missing_annotations_are_left_out_and_counted() {
    let (mut columns, y) = sample(300);
    let full = run(&columns, &y, &Task::Continuous);
    columns[0][..30].fill(None);
    columns[1][20..40].fill(None);
    let found = run(&columns, &y, &Task::Continuous);
    let counts: Vec<_> = found.hypotheses.iter().map(|t| (t.n, t.n_missing)).collect();
    assert_eq!(counts, [(270, 30), (280, 20), (300, 0)]);
    assert_eq!(found.n_joint, 260);
    assert_eq!(found.hypotheses[2].separation, full.hypotheses[2].separation);
    assert!(found.messages[0].starts_with("40 held-out texts lack an annotation"));
    // The joint model is that of the complete texts alone.
    let complete: Vec<Vec<_>> = columns.iter().map(|c| c[40..].to_vec()).collect();
    let alone = run(&complete, &y[40..], &Task::Continuous);
    assert_eq!(found.hypotheses[0].joint, alone.hypotheses[0].joint);
    // A hypothesis without any annotation takes nothing from the others.
    columns[2] = vec![None; 300];
    let found = run(&columns, &y, &Task::Continuous);
    assert_eq!((found.n_joint, found.hypotheses[2].status), (260, Status::Untested));
    let warning = found.hypotheses[2].warning.as_deref();
    assert_eq!(warning, Some("no held-out text is annotated"));
}

#[test]
fn data_that_cannot_answer_leave_hypotheses_untested() {
    let (columns, y) = sample(300);
    let check = |columns: &Annotations, y: &[f64], task: &Task, message: &str| {
        let found = run(columns, y, task);
        assert!(found.messages[0].contains(message), "{:?}", found.messages);
        assert!(found.models.is_empty() && found.n_hold == 0 && found.intercepts.is_empty());
        assert!(statuses(&found).iter().all(|s| *s != Status::Holds && *s != Status::DoesNotHold));
        every_table(&found);
    };
    let one_value = "the target has one value only";
    check(&columns, &[2.5; 300], &Task::Continuous, one_value);
    check(&columns, &[1.0; 300], &binary(), one_value);
    let nothing = [vec![Some(true); 300], vec![None; 300]];
    check(&nothing, &y, &Task::Continuous, "tells held-out texts apart");
    let each = |j: usize| (0..4).map(|i| Some(i == j)).collect();
    let columns: Vec<Vec<_>> = (0..3).map(each).collect();
    check(&columns, &y[..4], &Task::Continuous, "too few to test 3 hypotheses");
    check(&[], &y, &Task::Continuous, "no hypothesis");
    let message = evaluated(&[], &[], &Task::Continuous, &EvaluateOptions::default());
    assert!(message.unwrap_err().to_string().starts_with("there are no held-out texts"));
}

/// No text count, however small, may panic.
#[test]
fn every_small_number_of_texts_gives_a_value() {
    for n in 1..30 {
        let (columns, y) = sample(n);
        every_table(&run(&columns, &y, &Task::Continuous));
        every_table(&run(&columns, &classes(&y), &binary()));
    }
}

fn every_table(found: &Evaluation) -> [Table; 4] {
    let classes: Vec<_> = found.hypotheses.iter().map(|t| &t.class).collect();
    let n_classes = classes.chunk_by(|a, b| a == b).count().max(1);
    let wordings = vec![Wording::default(); found.hypotheses.len() / n_classes];
    let tables = [
        found.hypotheses_table(&wordings, vec![]).unwrap(),
        found.effects_table(),
        found.models_table(),
        found.overlap_table(),
    ];
    for table in &tables {
        for column in &table.columns {
            assert_eq!(column.values.len(), table.rows(), "{} {}", table.name, column.name);
            assert!(column.name.len() <= 32, "{}", column.name);
            if let Values::Number(values) = &column.values {
                assert!(values.iter().flatten().all(|v| v.is_finite()), "{}", column.name);
            }
        }
    }
    tables
}

#[test]
fn tables_have_a_row_for_everything() {
    let (columns, y) = sample(300);
    let [hypotheses, effects, models, overlap] = every_table(&run(&columns, &y, &Task::Continuous));
    assert_eq!(hypotheses.rows(), 3);
    assert_eq!(effects.rows(), 3 + 3 + 1);
    assert_eq!((models.rows(), overlap.rows()), (2, 3));
    let name = |table: &Table, column: &str| table.column(column).is_some();
    for column in ["estimate", "p_holm", "conf_low", "prevalence", "n_missing", "warning"] {
        assert!(name(&hypotheses, column), "{column}");
    }
}

#[test]
fn overlap_by_hand() {
    let flags = |text: &str| -> Vec<Option<bool>> {
        text.chars().map(|c| if c == '?' { None } else { Some(c == '1') }).collect()
    };
    let columns = vec![flags("1110001?"), flags("1100010?"), flags("11111111")];
    let found = run(&columns, &noise(8, "overlap"), &Task::Continuous);
    let first = &found.overlap[0];
    assert_eq!((first.id_1.as_str(), first.id_2.as_str()), ("H01", "H02"));
    // Two with both, two with the first only, one with the second only, two with neither.
    assert_eq!((first.n_both, first.jaccard), (2, Some(0.4)));
    assert!((first.phi.unwrap() - 2.0 / 144.0_f64.sqrt()).abs() < 1e-15);
    assert_eq!(found.overlap[1].phi, None);
}

#[test]
fn a_result_survives_json() {
    let (columns, y) = sample(60);
    let found = run(&columns, &classes(&y), &binary());
    let text = serde_json::to_string(&found).unwrap();
    assert_eq!(serde_json::from_str::<Evaluation>(&text).unwrap(), found);
}

#[test]
fn options_out_of_range_are_refused() {
    let good = EvaluateOptions::default();
    assert!(good.check().is_ok());
    let check = |bad: EvaluateOptions, expected: &str| {
        assert!(bad.check().unwrap_err().to_string().starts_with(expected));
    };
    check(EvaluateOptions { alpha: 0.0, ..good.clone() }, "`evaluate.alpha` is `0`");
    check(EvaluateOptions { conf_level: 95.0, ..good.clone() }, "`evaluate.conf_level` is `95`");
    check(EvaluateOptions { n_folds: 1, ..good }, "`evaluate.n_folds` is `1`");
}

#[test]
fn threads_change_nothing() {
    let (columns, y) = sample(5000);
    for (task, y) in [(Task::Continuous, y.clone()), (binary(), classes(&y))] {
        let with = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| run(&columns, &y, &task))
        };
        assert_eq!(with(1), with(3));
    }
}

#[test]
fn a_joint_logit_of_many_hypotheses_needs_texts_of_both_classes() {
    let n = 400;
    let mut columns: Vec<Vec<Option<bool>>> =
        (0..119).map(|j| column(n, 60, &format!("{j}"))).collect();
    // True of few texts, of one class all.
    columns.push((0..n).map(|i| Some(i % 40 == 0)).collect());
    let y = |ones: usize| -> Vec<f64> {
        (0..n).map(|i| f64::from(u8::from(i % 400 < ones || i % 40 == 0))).collect()
    };
    let found = run(&columns, &y(60), &binary());
    let why = "68 held-out texts of the rarer class are too few to test 120 hypotheses together";
    assert!(found.messages.iter().any(|m| m.contains(why)), "{:?}", found.messages);
    assert!(found.hypotheses.iter().all(|h| h.joint.is_none() && h.separation.is_some()));
    // With more of them there is one, but what rests on few texts has no test beside so many.
    let found = run(&columns, &y(200), &binary());
    let joint: Vec<_> = found.hypotheses.iter().map(|h| h.joint.unwrap().estimate).collect();
    assert!(joint[119].p_value.is_none() && joint[119].value > 0.0);
    assert!(found.hypotheses[119].warning.as_ref().unwrap().contains("too few texts"));
    assert!(joint[..119].iter().filter(|e| e.p_value.is_some()).count() > 100);
}
