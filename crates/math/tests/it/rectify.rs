use hypothesaes_math::random::{permutation, stream};
use hypothesaes_math::rectify::{Annotated, Link, Rectified, Sampling, Term, Tuning, rectify};
use hypothesaes_math::{Error, Estimate, Level};
use rand::RngExt;
use rayon::prelude::*;
use serde_json::Value;

use crate::draws::normal;
use crate::support::{assert_close, golden, items, number, numbers};

fn level() -> Level {
    Level::new(0.95).unwrap()
}

/// What owns the columns.
struct Data {
    machine: Vec<Vec<f64>>,
    human: Vec<Vec<Option<f64>>>,
    controls: Vec<Vec<f64>>,
    y: Vec<f64>,
    intercept: bool,
    weights: Option<Vec<f64>>,
    offset: Option<Vec<f64>>,
    chances: Option<Vec<f64>>,
    cluster: Option<Vec<usize>>,
}

impl Data {
    fn of(case: &Value) -> Self {
        let some = |key: &str| Some(&case[key]).filter(|v| !v.is_null());
        let optional = |column: &Value| items(column).iter().map(Value::as_f64).collect();
        let whole = |v: &Value| usize::try_from(v.as_u64().unwrap()).unwrap();
        Self {
            machine: items(&case["machine"]).iter().map(numbers).collect(),
            human: items(&case["human"]).iter().map(optional).collect(),
            controls: vec![numbers(&case["control"])],
            y: numbers(&case["y"]),
            intercept: case["intercept"].as_bool().unwrap(),
            weights: some("weights").map(numbers),
            offset: some("offset").map(numbers),
            chances: some("chances").map(numbers),
            cluster: some("cluster").map(|c| items(c).iter().map(whole).collect()),
        }
    }

    /// One concept, in texts alike.
    fn plain(machine: Vec<f64>, human: Vec<Option<f64>>, y: Vec<f64>) -> Self {
        Self {
            machine: vec![machine],
            human: vec![human],
            controls: vec![],
            y,
            intercept: true,
            weights: None,
            offset: None,
            chances: None,
            cluster: None,
        }
    }

    fn fit(&self, link: Link, tuning: Tuning) -> Result<Rectified, Error> {
        let annotated = Annotated {
            machine: &self.machine,
            human: &self.human,
            controls: &self.controls,
            y: &self.y,
            intercept: self.intercept,
            weights: self.weights.as_deref(),
            offset: self.offset.as_deref(),
            cluster: self.cluster.as_deref(),
            sampling: self.chances.as_deref().map_or(Sampling::Random, Sampling::Chances),
        };
        rectify(link, &annotated, tuning, level())
    }
}

fn link(case: &Value) -> Link {
    match case["link"].as_str().unwrap() {
        "identity" => Link::Identity,
        "logit" => Link::Logit,
        _ => Link::Log,
    }
}

#[test]
fn estimates_and_errors_agree_with_the_formula_and_statsmodels() {
    for case in items(&golden("rectify")["cases"]) {
        let data = Data::of(case);
        let check = |found: &Rectified, part: &dyn Fn(&Term) -> Estimate, keys: [&str; 2]| {
            let parts = found.terms.iter().map(part);
            let values: Vec<f64> = parts.clone().map(|e| e.value).collect();
            let errors: Vec<f64> = parts.map(|e| e.std_error.unwrap()).collect();
            assert_close(&values, &numbers(&case[keys[0]]), 1e-8);
            assert_close(&errors, &numbers(&case[keys[1]]), 1e-8);
        };
        let full = data.fit(link(case), Tuning::Full).unwrap();
        check(&full, &|t| t.corrected, ["full", "full_error"]);
        check(&full, &|t| t.naive, ["naive", "naive_error"]);
        check(&full, &|t| t.human.unwrap(), ["human_fit", "human_error"]);
        assert_eq!(full.terms[1].corrected.df, Some(number(&case["df"])));
        let power = data.fit(link(case), Tuning::Power).unwrap();
        assert_close(&[power.weight], &[number(&case["weight"])], 1e-8);
        check(&power, &|t| t.corrected, ["power", "power_error"]);
    }
}

#[test]
fn a_machine_without_errors_needs_no_correction() {
    for case in items(&golden("rectify")["cases"]) {
        let mut data = Data::of(case);
        for (machine, human) in data.machine.iter_mut().zip(&data.human) {
            machine.iter_mut().zip(human).for_each(|(m, h)| *m = h.unwrap_or(*m));
        }
        let found = data.fit(link(case), Tuning::Full).unwrap();
        for term in &found.terms {
            let of = |e: &Estimate| [e.value, e.std_error.unwrap()];
            assert_close(&of(&term.corrected), &of(&term.naive), 1e-8);
        }
    }
}

#[test]
fn with_every_text_annotated_by_hand_the_machine_has_no_say() {
    let case = &golden("rectify")["cases"][2];
    let mut data = Data::of(case);
    data.human =
        data.human.iter().map(|h| h.iter().map(|v| Some(v.unwrap_or(0.0))).collect()).collect();
    let found = data.fit(Link::Logit, Tuning::Full).unwrap();
    data.machine = data.human.iter().map(|h| h.iter().flatten().copied().collect()).collect();
    let by_hand = data.fit(Link::Logit, Tuning::Full).unwrap();
    for (a, b) in found.terms.iter().zip(&by_hand.terms) {
        assert_close(&[a.corrected.value, a.human.unwrap().value], &[b.naive.value; 2], 1e-8);
        let (a, b) = (a.corrected.std_error.unwrap(), b.naive.std_error.unwrap());
        assert!((a / b - 1.0).abs() < 0.02, "{a} {b}");
    }
}

#[test]
fn one_concept_corrects_the_difference_of_means() {
    // The machine says yes of rows 0 to 5; the human saw six of twelve and disagrees about two.
    let machine = [vec![1.0; 6], vec![0.0; 6]].concat();
    let mut human = vec![None; 12];
    for (i, v) in [(2, 1.0), (4, 1.0), (5, 0.0), (6, 1.0), (7, 0.0), (9, 0.0)] {
        human[i] = Some(v);
    }
    let y: Vec<f64> = (0..12).map(f64::from).collect();
    let found = Data::plain(machine, human, y).fit(Link::Identity, Tuning::Full).unwrap();
    assert_close(&[found.terms[1].naive.value], &[-6.0], 1e-12);
    // Counts and sums of yes, corrected by twice the human's minus the machine's.
    let (yes, sum) = (6.0 + 2.0 * (3.0 - 3.0), 15.0 + 2.0 * (12.0 - 11.0));
    let expected = sum / yes - (66.0 - sum) / (12.0 - yes);
    assert_close(&[found.terms[1].corrected.value], &[expected], 1e-12);
}

#[test]
fn what_cannot_be_corrected_is_refused() {
    let case = &golden("rectify")["cases"][0];
    let all_no = |v: &mut Vec<Option<f64>>| v.iter_mut().flatten().for_each(|h| *h = 0.0);
    let mut data = Data::of(case);
    all_no(&mut data.human[1]);
    let found = data.fit(Link::Identity, Tuning::Full).unwrap_err().to_string();
    assert!(found.contains("concept `1` is true of `0`"), "{found}");
    let mut data = Data::of(case);
    data.human[0].iter_mut().skip(4).for_each(|h| *h = None);
    assert!(matches!(data.fit(Link::Identity, Tuning::Full), Err(Error::Data(_))));
    let data = Data::of(case);
    assert!(matches!(data.fit(Link::Logit, Tuning::Full), Err(Error::Option { .. })));
    assert!(matches!(data.fit(Link::Identity, Tuning::Fixed(2.0)), Err(Error::Option { .. })));
    let mut data = Data::of(case);
    data.chances = Some(vec![0.0; 200]);
    assert!(matches!(data.fit(Link::Identity, Tuning::Full), Err(Error::Option { .. })));
    // Twice the same concept.
    let mut data = Data::of(case);
    data.machine[1] = data.machine[0].clone();
    data.human[1] = data.human[0].clone();
    assert!(data.fit(Link::Identity, Tuning::Full).is_err());
}

/// A concept of 30 % with an effect of 1, found with sensitivity 0.8 and specificity 0.9, of which
/// a human sees 300 of 1,500 texts.
fn simulated(link: Link, seed: u64) -> Data {
    let stream = &mut stream(seed, "rectify");
    let n = 1500;
    let mut yes = |p: f64| f64::from(u8::from(stream.random::<f64>() < p));
    let truth: Vec<f64> = (0..n).map(|_| yes(0.3)).collect();
    let machine = truth.iter().map(|t| yes(if *t > 0.5 { 0.8 } else { 0.1 })).collect();
    let y = match link {
        Link::Identity => {
            truth.iter().map(|t| t * (1.0 + normal(stream)) + normal(stream)).collect()
        }
        _ => truth.iter().map(|t| yes(1.0 / (1.0 + (0.5 - t).exp()))).collect(),
    };
    let mut human = vec![None; n];
    permutation(n, stream).into_iter().take(300).for_each(|i| human[i] = Some(truth[i]));
    Data::plain(machine, human, y)
}

const HOW: [(Link, Tuning); 3] =
    [(Link::Identity, Tuning::Full), (Link::Identity, Tuning::Power), (Link::Logit, Tuning::Power)];

/// Shares of corrected and of naive intervals that cover the truth, and of corrected errors that are
/// smaller than those by hand alone.
fn shares(link: Link, tuning: Tuning, runs: u64) -> [f64; 3] {
    let one = |run: u64| {
        let term = simulated(link, run).fit(link, tuning).unwrap().terms[1];
        let covers = |e: Estimate| e.conf_low.unwrap() <= 1.0 && 1.0 <= e.conf_high.unwrap();
        let narrower = term.corrected.std_error < term.human.unwrap().std_error;
        [covers(term.corrected), covers(term.naive), narrower]
    };
    let found: Vec<[bool; 3]> = (0..runs).into_par_iter().map(one).collect();
    [0, 1, 2].map(|k| found.iter().filter(|f| f[k]).count() as f64 / runs as f64)
}

#[test]
fn corrected_intervals_cover_the_truth_and_naive_ones_do_not() {
    for (link, tuning) in HOW {
        let [corrected, naive, narrower] = shares(link, tuning, 600);
        assert!((0.93..=0.97).contains(&corrected), "{link:?} {tuning:?}: {corrected}");
        assert!(naive < 0.6, "{link:?}: the naive interval covers {naive}");
        if tuning == Tuning::Power {
            assert!(narrower > 0.95, "{link:?}: narrower than by hand alone in {narrower}");
        }
    }
}

#[test]
#[ignore = "takes minutes; run it alone, in release, with --nocapture"]
fn corrected_coverage_at_full_size() {
    for (link, tuning) in HOW {
        let [corrected, naive, _] = shares(link, tuning, 10_000);
        println!("{link:?} {tuning:?}: corrected {corrected:.4}, naive {naive:.4}");
    }
}
