//! Every chart's specification and picture, of made-up results.

use hypothesaes_math::Matrix;
use hypothesaes_render::Renderer;
use serde_json::json;

use super::*;
use crate::data::Task;
use crate::evaluate::{Bin, Curve, Tested};
use crate::interpret::Fidelity;
use crate::leakage::Leakage;
use crate::placebo::{Placebo, Shuffled};
use crate::run::{DataSummary, TestSummary};
use crate::select::{Chosen, Method};
use crate::subgroups::Subgroup;

const WORDINGS: [&str; 4] = [
    r#"mentions "wait", "waited" or "a long time""#,
    "</script><script>alert(1)</script> & \u{202e}turned",
    "a very long wording that goes on and on until nobody can read it any more on an axis",
    "says\nnothing",
];

fn tested(k: usize, status: &str) -> Tested {
    let value = [-1.5, 0.75, 0.25, -0.1][k];
    let estimate = json!({
        "value": value, "std_error": 0.1, "statistic": null, "df": null, "p_value": 0.01,
        "conf_low": value - 0.2, "conf_high": value + 0.2
    });
    let effect = json!({
        "estimate": estimate, "p_holm": 0.04, "p_bh": 0.02, "p_bonferroni": 0.08, "n": 200,
        "source": null, "std_error_hc3": null, "std_error_classical": null
    });
    let tested = json!({
        "id": format!("H{:02}", k + 1), "status": status, "direction": "higher", "n": 200,
        "n_present": 10 * (k + 1), "n_absent": 200 - 10 * (k + 1), "n_missing": 0,
        "prevalence": 0.05 * (k + 1) as f64, "mean_present": 3.0, "mean_absent": 2.0,
        "separation": effect, "joint": null, "warning": null
    });
    serde_json::from_value(tested).unwrap()
}

fn subgroups() -> Vec<Subgroup> {
    let part = |k: usize, level: &str, value: f64| Subgroup {
        id: format!("H{:02}", k + 1),
        class: None,
        factor: "length".into(),
        level: level.into(),
        n: 60,
        n_present: 9,
        effect: tested(k, "holds").separation.map(|mut effect| {
            effect.estimate.value = value;
            (effect.estimate.conf_low, effect.estimate.conf_high) =
                (Some(value - 0.5), Some(value + 0.5));
            effect
        }),
        p_equal: Some(0.01),
    };
    vec![
        part(0, "up to 10 words", -1.0),
        part(0, "11 words or more", 0.5),
        part(1, "up to 10 words", 0.5),
        part(1, "11 words or more", 1.0),
    ]
}

fn curves() -> Vec<Curve> {
    let bin = |k: usize| Bin { n: 20, predicted: k as f64, observed: k as f64 + 0.25 };
    let roc = vec![[0.0, 0.0], [0.125, 0.5], [0.5, 0.75], [1.0, 1.0]];
    vec![Curve { class: None, bins: (0..5).map(bin).collect(), roc }]
}

pub(crate) fn outcome() -> Outcome {
    let fidelity =
        Fidelity::new(&[1.0, 0.5, 0.0, 0.0], &[Some(true), Some(false), Some(true), None]);
    let hypothesis = |(k, status): (usize, &str)| Hypothesis {
        hypothesis: WORDINGS[k].into(),
        neuron_id: Some(k),
        sae_id: Some("8:2".into()),
        selection_score: Some(0.1),
        fidelity: Some(fidelity),
        tested: tested(k, status),
    };
    let statuses = ["holds", "holds", "does_not_hold", "aliased"];
    let measure = |v: f64| json!({"value": v, "std_error": null, "statistic": null, "df": null, "p_value": null, "conf_low": v - 0.1, "conf_high": v + 0.1});
    let fit = |predictors: &str, fit: &str, v: f64| json!({"class": null, "predictors": predictors, "fit": fit, "metric": "r_squared", "measure": measure(v), "null": 0.0, "n": 200, "n_terms": 4, "n_folds": 10});
    let models = json!([
        fit("hypotheses", "cross_fitted", 0.3),
        fit("hypotheses", "in_sample", 0.4),
        fit("neurons", "cross_fitted", 0.5),
        fit("embeddings", "cross_fitted", 0.6)
    ]);
    let test = TestSummary {
        model: crate::evaluate::Model::Ols,
        alpha: 0.05,
        n: 200,
        n_hold: 2,
        n_hold_jointly: 1,
        n_hypotheses: 4,
        is_paired: false,
        models: serde_json::from_value(models).unwrap(),
        n_groups: None,
        leakage: Leakage { n_heldout: 200, n_near: Some(0), n_groups: 0, near: vec![] },
        placebo: Some(Placebo {
            runs: vec![
                Shuffled { n_tested: 20, n_hold: 0 },
                Shuffled { n_tested: 20, n_hold: 0 },
                Shuffled { n_tested: 20, n_hold: 1 },
            ],
        }),
        gold: None,
        subgroups: subgroups(),
        curves: curves(),
    };
    let data = DataSummary {
        target: "stars".into(),
        task: Task::Continuous,
        counts: crate::data::Counts::default(),
        notes: vec![],
        content_hash: String::new(),
    };
    Outcome {
        data: Some(data),
        hypotheses: statuses.into_iter().enumerate().map(hypothesis).collect(),
        test: Some(test),
        ..Outcome::default()
    }
}

pub(crate) fn overlap() -> Vec<Overlap> {
    let pair = |a: usize, b: usize, phi: Option<f64>| Overlap {
        id_1: format!("H0{a}"),
        id_2: format!("H0{b}"),
        phi,
        jaccard: Some(0.1),
        n_both: 3,
    };
    vec![pair(1, 2, Some(0.5)), pair(1, 3, Some(-0.25)), pair(2, 3, None), pair(1, 4, Some(0.0))]
}

fn selection() -> Selection {
    let chosen = |neuron: usize| Chosen {
        neuron,
        rank: neuron + 1,
        score: 0.1,
        separation: [-2.0, 1.0, -0.5, 0.2][neuron],
        correlation: 0.1,
        twin: None,
    };
    Selection {
        method: Method::Lasso,
        n_texts: 700,
        chosen: (0..4).map(chosen).collect(),
        neurons: vec![],
        messages: vec![],
    }
}

fn saes() -> Vec<TrainedSae> {
    let x =
        Matrix::from_vec(60, 4, (0..240).map(|i| ((i * 7 % 11) as f32) - 5.0).collect()).unwrap();
    let options = crate::sae::SaeOptions {
        sizes: vec!["8:2".parse().unwrap()],
        ..crate::sae::SaeOptions::default()
    };
    let watch = &crate::watch::Unwatched;
    let mut saes = crate::sae::train(&x, &x, &options, 1, None, watch).unwrap();
    for sae in &mut saes {
        // Round figures, as they are on every processor.
        sae.history.truncate(3);
        for (epoch, fvu) in sae.history.iter_mut().zip([0.75, 0.5, 0.25]) {
            (epoch.train_fvu, epoch.validation_fvu) = (fvu, Some(fvu + 0.125));
        }
        (sae.best_epoch, sae.quality.fvu_discover) = (3, 0.25);
        for (j, neuron) in sae.health.neurons.iter_mut().enumerate() {
            neuron.density = if j == 7 { 0.0 } else { [0.1, 0.01, 0.001][j % 3] };
        }
    }
    saes
}

/// Texts, answers, activations and vectors.
fn shown() -> (Dataset, Annotations, Activations, Matrix) {
    let n = 24;
    let texts: Vec<String> = (0..n).map(|i| format!("text {i}")).collect();
    let data = Dataset {
        texts: texts.iter().map(String::as_str).collect(),
        is_paired: false,
        y: (0..n).map(|i| (i % 5) as f64).collect(),
        task: Task::Continuous,
        target: "stars".into(),
        split: vec![crate::data::Split::Heldout; n],
        covariates: crate::data::Covariates::default(),
        group: None,
        row_id: (0..n as u64).collect(),
        document: None,
    };
    let answers =
        |c: usize| (0..n).map(|i| (i != 5).then_some((i + c).is_multiple_of(2))).collect();
    let annotations = Annotations::new(n, (0..4).map(answers).collect()).unwrap();
    let mut z = Activations::new(4);
    (0..n).for_each(|i| z.push_row([(0, (i % 4) as f32), (2, (i % 2) as f32)]));
    (data, annotations, z, Matrix::zeros(n, 2))
}

fn all() -> Vec<Chart> {
    let (outcome, overlap, selection, saes) = (outcome(), overlap(), selection(), saes());
    let (data, annotations, z, x) = shown();
    let shown = Shown { data: &data, annotations: &annotations, z: Some(&z), x: Some(&x), seed: 0 };
    // A map by hand: the last digits of one that is made differ between processors.
    let texts: Vec<usize> = (0..data.n_rows()).collect();
    let places = texts.iter().map(|&i| [(i % 7) as f64, (i % 5) as f64]).collect();
    let map = Map { texts, places };
    charts(&Results {
        outcome: &outcome,
        overlap: &overlap,
        selection: Some(&selection),
        saes: &saes,
        shown: Some(shown),
        map: Some(&map),
    })
}

#[test]
fn every_chart_is_as_before() {
    let charts = all();
    let names: Vec<&str> = charts.iter().map(|chart| chart.name.as_str()).collect();
    let expected = [
        "forest",
        "prevalence",
        "fidelity",
        "shrinkage",
        "overlap",
        "predictors",
        "calibration",
        "roc",
        "placebo",
        "map",
        "training",
        "densities",
        "H01_activation",
        "H01_subgroups",
        "H02_subgroups",
        "H03_activation",
    ];
    assert_eq!(names, expected);
    let svgs: Vec<String> = Renderer::with(|renderer| {
        charts.iter().map(|chart| renderer.svg(&chart.spec.to_string()).unwrap()).collect()
    })
    .unwrap();
    for (chart, svg) in charts.iter().zip(svgs) {
        let spec = serde_json::to_string_pretty(&chart.spec).unwrap();
        insta::assert_snapshot!(format!("{}_spec", chart.name), spec);
        insta::assert_snapshot!(format!("{}_svg", chart.name), svg.replace("><", ">\n<"));
    }
}

#[test]
fn pictures_name_what_they_show_and_keep_texts_in_their_place() {
    for chart in all() {
        assert_eq!(chart.spec["description"], chart.title.as_str());
        assert!(chart.title.ends_with(|c: char| c.is_alphanumeric()) && !chart.caption.is_empty());
        let svg =
            Renderer::with(|renderer| renderer.svg(&chart.spec.to_string()).unwrap()).unwrap();
        assert!(!svg.contains("<script"), "{}", chart.name);
        assert!(!svg.contains("NaN") && !svg.contains("undefined"), "{}", chart.name);
        assert!(chart.table.rows() > 0);
    }
}

#[test]
fn what_is_not_there_is_not_drawn() {
    let nothing = Outcome::default();
    let results = Results {
        outcome: &nothing,
        overlap: &[],
        selection: None,
        saes: &[],
        shown: None,
        map: None,
    };
    assert_eq!(charts(&results), []);
}

#[test]
fn long_wordings_are_cut_and_control_characters_are_spaces() {
    assert_eq!(cut("a\nb", 5), "a b");
    assert_eq!(cut("abcdef", 5), "abcd…");
    assert_eq!(cut("äöüäö", 5), "äöüäö");
    assert_eq!(cut("ab  ef", 5), "ab…");
}

#[test]
fn a_wording_is_judged_once_whatever_the_classes() {
    let mut outcome = outcome();
    let rows = |outcome: &Outcome| super::believe::fidelity(outcome).unwrap().table.rows();
    let of_one_class = rows(&outcome);
    let hypotheses = outcome.hypotheses.clone();
    let of_class = |class: &str| {
        let mut of = hypotheses.clone();
        for h in &mut of {
            h.tested.class = Some(class.into());
        }
        of
    };
    outcome.hypotheses = ["ham", "spam", "eggs"].into_iter().flat_map(of_class).collect();
    assert_eq!(rows(&outcome), of_one_class);
    let chart = super::believe::fidelity(&outcome).unwrap();
    assert!(!chart.spec.to_string().contains("[spam]"));
}
