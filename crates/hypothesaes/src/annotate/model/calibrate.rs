//! Does it cost accuracy to ask many things at once? Found out on the user's own data.
//!
//! Some pairs are asked stacked and singly, and singly once more: a stack is good enough if it
//! agrees with the single answers no worse than these agree with themselves.

use std::collections::BTreeSet;

use hypothesaes_math::Level;
use hypothesaes_math::proportions::{Share, proportion};
use hypothesaes_math::random::{permutation, stream};
use serde::{Deserialize, Serialize};

use super::{Answers, Distinct, Manner, ModelAnnotator, Prompts, Shape};
use crate::Result;
use crate::annotate::{AnnotateOptions, Layout};
use crate::watch::Watch;

/// Pairs that are asked if the user does not say how many.
const PAIRS: usize = 80;
/// Texts whose stacked answers the pairs are drawn from.
const TEXTS: usize = 40;
const LEVEL: f64 = 0.95;

/// How a way of stacking fared.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    pub layout: Layout,
    /// Concepts per text and call.
    pub stack: usize,
    /// Pairs asked in all three ways.
    pub n: usize,
    /// Share of pairs on which the stacked and the single answer agree, with a Wilson interval.
    pub agreement: f64,
    pub conf_low: f64,
    pub conf_high: f64,
    /// The same, corrected for chance (Cohen's kappa); `None` if all answers are equal.
    pub kappa: Option<f64>,
    /// Share of pairs on which two single answers agree, and the lower end of its interval.
    pub self_agreement: f64,
    pub self_conf_low: f64,
    /// Whether the run may ask so.
    pub stands: bool,
}

/// The number of concepts per call that stands, and how each that was tried fared.
pub(super) fn calibrate(
    annotator: &ModelAnnotator,
    of: &Distinct,
    seed: u64,
    watch: &dyn Watch,
) -> Result<(usize, Vec<Calibration>)> {
    let options = &annotator.options;
    let mut stack = options.stack;
    let mut layout = options.layout;
    let Some(n) = n_pairs(of, options) else {
        return Ok((stack, Vec::new()));
    };
    if n == 0 {
        return Ok((stack, Vec::new()));
    }
    let sample = sample(of, seed);
    let (mut tried, mut pairs) = (Vec::new(), BTreeSet::new());
    let mut singles = None;
    loop {
        let stacked = ask(annotator, of, &sample, (layout, stack), None, watch)?;
        if singles.is_none() {
            pairs = balanced(&stacked, &sample, n);
            let wanted = by_text(of, &pairs);
            let first = ask(annotator, of, &wanted, (Layout::Single, 1), None, watch)?;
            let second = ask(annotator, of, &wanted, (Layout::Single, 1), Some("again"), watch)?;
            singles = Some((first, second));
        }
        let Some((first, second)) = &singles else { break };
        let Some(fared) = compare((layout, stack), &pairs, &stacked, first, second) else { break };
        watch.say(&fared.to_string());
        let stands = fared.stands;
        tried.push(fared);
        if stands || stack == 1 {
            break;
        }
        if layout == Layout::Economy {
            layout = Layout::Stacked;
        } else {
            stack /= 2;
        }
    }
    Ok((stack, tried))
}

/// How many pairs to ask; `None` if it is not worth it.
fn n_pairs(of: &Distinct, options: &AnnotateOptions) -> Option<usize> {
    let n_wanted: usize = of.wanted.iter().map(Vec::len).sum();
    if let Some(n) = options.calibrate {
        return Some(n.min(n_wanted));
    }
    let shape = Shape::of(options.layout, options.stack);
    let calls = shape.calls(of.texts.len(), of.concepts.len());
    (calls >= 10 * 2 * PAIRS).then_some(PAIRS)
}

/// All wanted pairs of some texts.
fn sample(of: &Distinct, seed: u64) -> Vec<Vec<usize>> {
    let mut wanted = vec![Vec::new(); of.texts.len()];
    let order = permutation(of.texts.len(), &mut stream(seed, "annotate calibration"));
    for text in order.into_iter().take(TEXTS) {
        wanted[text].clone_from(&of.wanted[text]);
    }
    wanted
}

fn ask(
    annotator: &ModelAnnotator,
    of: &Distinct,
    wanted: &[Vec<usize>],
    (layout, stack): (Layout, usize),
    mark: Option<&str>,
    watch: &dyn Watch,
) -> Result<Answers> {
    let prompts = Prompts::new(layout, &annotator.options)?;
    let mut identity = annotator.identity(&prompts, stack);
    if let Some(mark) = mark {
        identity += mark;
    }
    let manner = Manner { prompts: &prompts, shape: Shape::of(layout, stack), identity: &identity };
    annotator.ask(of, wanted, manner, &Uncounted(watch))
}

/// Up to `n` answered pairs, as many yes as no where there are enough, spread over the concepts.
fn balanced(answers: &Answers, wanted: &[Vec<usize>], n: usize) -> BTreeSet<(usize, usize)> {
    let mut sides: [Vec<(usize, usize)>; 2] = [Vec::new(), Vec::new()];
    for (text, concepts) in wanted.iter().enumerate() {
        for &concept in concepts {
            if let Some(verdict) = answers.get(text, concept) {
                sides[usize::from(verdict.is_true)].push((concept, text));
            }
        }
    }
    // Every so-many-th of a list sorted by concept has each concept in its share.
    let every = |side: &mut Vec<(usize, usize)>, most: usize| {
        side.sort_unstable();
        let len = side.len();
        let most = most.min(len);
        (0..most).map(|i| side[i * len / most]).map(|(c, t)| (t, c)).collect::<Vec<_>>()
    };
    let [mut no, mut yes] = sides;
    let n_yes = (n / 2).min(yes.len()).max(n.saturating_sub(no.len()));
    let mut pairs = every(&mut yes, n_yes);
    pairs.extend(every(&mut no, n - pairs.len()));
    pairs.into_iter().collect()
}

fn by_text(of: &Distinct, pairs: &BTreeSet<(usize, usize)>) -> Vec<Vec<usize>> {
    let mut wanted = vec![Vec::new(); of.texts.len()];
    for &(text, concept) in pairs {
        wanted[text].push(concept);
    }
    wanted
}

/// `None` if no pair was answered in all three ways.
fn compare(
    (layout, stack): (Layout, usize),
    pairs: &BTreeSet<(usize, usize)>,
    stacked: &Answers,
    first: &Answers,
    second: &Answers,
) -> Option<Calibration> {
    let answers = pairs.iter().filter_map(|&(text, concept)| {
        let get = |of: &Answers| of.get(text, concept).map(|v| v.is_true);
        Some((get(stacked)?, get(first)?, get(second)?))
    });
    let answers: Vec<(bool, bool, bool)> = answers.collect();
    let n = answers.len();
    let agree = answers.iter().filter(|(a, b, _)| a == b).count();
    let same = answers.iter().filter(|(_, a, b)| a == b).count();
    let level = Level::new(LEVEL).ok()?;
    let share = |successes| proportion(Share { successes, trials: n }, level);
    let (agreement, own) = (share(agree)?, share(same)?);
    let pairs: Vec<(bool, bool)> = answers.iter().map(|&(a, b, _)| (a, b)).collect();
    Some(Calibration {
        layout,
        stack,
        n,
        agreement: agreement.value,
        conf_low: agreement.conf_low?,
        conf_high: agreement.conf_high?,
        kappa: kappa(&pairs),
        self_agreement: own.value,
        self_conf_low: own.conf_low?,
        stands: agreement.value >= own.conf_low?,
    })
}

/// Cohen's kappa (1960): agreement beyond that of two independent judges with the same shares.
fn kappa(pairs: &[(bool, bool)]) -> Option<f64> {
    let n = pairs.len() as f64;
    let share = |of: &dyn Fn(&(bool, bool)) -> bool| {
        pairs.iter().filter(|pair| of(pair)).count() as f64 / n
    };
    let (agree, a, b) = (share(&|p| p.0 == p.1), share(&|p| p.0), share(&|p| p.1));
    let chance = a * b + (1.0 - a) * (1.0 - b);
    (chance < 1.0).then(|| (agree - chance) / (1.0 - chance))
}

impl std::fmt::Display for Calibration {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { stack, n, agreement, conf_low, conf_high, self_agreement, .. } = self;
        let what = match self.layout {
            Layout::Stacked => format!("{stack} concepts at once"),
            Layout::Economy => "several texts and concepts at once".into(),
            Layout::Single => "singly".into(),
        };
        let verdict = if self.stands { "good enough" } else { "worse than singly: asked smaller" };
        write!(
            f,
            "calibration on {n} pairs: {what} agrees with single answers on {:.0} % \
             [{:.0}, {:.0}], these with themselves on {:.0} %; {verdict}",
            100.0 * agreement,
            100.0 * conf_low,
            100.0 * conf_high,
            100.0 * self_agreement
        )
    }
}

/// Calibration is no progress.
struct Uncounted<'a>(&'a dyn Watch);

impl Watch for Uncounted<'_> {
    fn begin(&self, _: &'static str, _: u64, _: &'static str) {}
    fn advance(&self, _: u64) {}
    fn say(&self, line: &str) {
        self.0.say(line);
    }
    fn end(&self, _: &str) {}
    fn asking(&self, state: &hypothesaes_llm::ask::State) {
        self.0.asking(state);
    }
    fn interrupted(&self) -> bool {
        self.0.interrupted()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kappa_of_a_table_by_hand() {
        // 20 yes-yes, 5 yes-no, 10 no-yes, 15 no-no: agreement 0.7, by chance 0.5.
        let table =
            [(20, (true, true)), (5, (true, false)), (10, (false, true)), (15, (false, false))];
        let pairs: Vec<_> = table.iter().flat_map(|&(n, pair)| vec![pair; n]).collect();
        assert!((kappa(&pairs).unwrap() - 0.4).abs() < 1e-12);
        assert_eq!(kappa(&[(true, true); 3]), None);
    }
}
