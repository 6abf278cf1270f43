//! What the template fills in.

use serde::Serialize;

use super::evidence::{Phrases, Piece};
use super::{Extent, Material, Provenance, texts};
use crate::charts::Chart;
use crate::data::{Split, Task};
use crate::evaluate::{Effect, FitKind, Predictors, Status, Together};
use crate::run::{Hypothesis, Outcome, TestSummary};
use crate::table::Table;
use crate::text::Analyzer;

/// Characters of a text that are shown.
const CUT: usize = 600;
/// Rows of the table below a chart.
const ROWS: usize = 100;
/// Characters of a name that a title has.
const NAME: usize = 80;

/// Everything but the scripts.
#[derive(Debug, Serialize)]
pub(super) struct Context {
    title: String,
    answer: Vec<String>,
    numbers: Vec<(String, &'static str)>,
    trust: Vec<String>,
    hypotheses: Vec<Row>,
    /// Hypotheses that the table lacks.
    more_hypotheses: usize,
    figures: Vec<Figure>,
    cards: Vec<Card>,
    basis: Vec<String>,
    left_out: Option<String>,
    methods: String,
    limits: Vec<String>,
    provenance: Provenance,
    version: &'static str,
    /// Cards that are not there.
    more_cards: usize,
}

#[derive(Debug, Serialize)]
struct Row {
    id: String,
    has_card: bool,
    class: Option<String>,
    text: String,
    effect: String,
    value: Option<f64>,
    p: String,
    p_value: Option<f64>,
    prevalence: String,
    fidelity: String,
    verdict: &'static str,
}

/// A chart with the numbers below it.
#[derive(Debug, Serialize)]
struct Figure {
    name: String,
    is_live: bool,
    section: &'static str,
    title: String,
    caption: String,
    svg: Option<String>,
    /// Whether there is a picture that is too large for the page.
    is_large: bool,
    head: Vec<&'static str>,
    rows: Vec<Vec<String>>,
    more: usize,
}

#[derive(Debug, Serialize)]
struct Card {
    id: String,
    text: String,
    verdict: &'static str,
    holds: bool,
    facts: Vec<String>,
    wordings: Vec<Vec<String>>,
    figures: Vec<Figure>,
    kinds: Vec<Shown>,
}

/// Texts of one kind.
#[derive(Debug, Serialize)]
struct Shown {
    name: &'static str,
    texts: Vec<Text>,
}

#[derive(Debug, Serialize)]
struct Text {
    row: u64,
    target: String,
    pieces: Vec<Piece>,
}

pub(super) fn of(material: &Material, extent: &Extent, left_out: Option<&str>) -> Context {
    let outcome = material.results.outcome;
    let target = outcome.data.as_ref().map_or("the target".into(), |data| cut(&data.target, NAME));
    let target = target.as_str();
    let (cards, more_cards) = cards(material, extent);
    Context {
        title: format!("What goes with {target}?"),
        answer: answer(outcome, target),
        numbers: outcome.test.as_ref().map(|test| numbers(outcome, test)).unwrap_or_default(),
        trust: trust(outcome),
        hypotheses: {
            let strongest = outcome.strongest_first().into_iter().take(extent.rows);
            strongest.map(|h| row(h, &cards)).collect()
        },
        more_hypotheses: outcome.hypotheses.len().saturating_sub(extent.rows),
        figures: figures(material, extent, None),
        cards,
        basis: basis(outcome, extent.rows),
        left_out: left_out.map(str::to_owned),
        methods: methods(material, target),
        limits: limits(outcome),
        provenance: material.provenance.clone(),
        version: env!("CARGO_PKG_VERSION"),
        more_cards,
    }
}

/// Three sentences.
fn answer(outcome: &Outcome, target: &str) -> Vec<String> {
    let Some(test) = &outcome.test else { return vec!["Nothing was tested.".into()] };
    let things = if test.is_paired { "pairs of texts" } else { "texts" };
    let mut said = vec![format!(
        "{} of {} hypotheses hold on {} {things} that took no part in finding them (p-values adjusted \
         after Holm, below {}).",
        test.n_hold, test.n_hypotheses, test.n, test.alpha
    )];
    let strongest =
        outcome.strongest_first().into_iter().find(|h| h.tested.status == Status::Holds);
    if let Some((h, effect)) = strongest.and_then(|h| Some((h, h.tested.claim()?))) {
        let more = if effect.estimate.value > 0.0 { "higher" } else { "lower" };
        said.push(format!(
            "The largest difference: where “{}” is true of a text, the mean of {target} is {more} by {}.",
            h.hypothesis,
            sized(effect, effect.estimate.value.abs())
        ));
    }
    if let Some(fit) = main(test, FitKind::CrossFitted) {
        said.push(format!(
            "Together the hypotheses reach {} {} on texts outside the fit.",
            fit.metric.title(),
            fit.measure
                .map_or_else(|| "that could not be computed".into(), |m| interval(&m, 2, false))
        ));
    }
    said
}

fn main(test: &TestSummary, kind: FitKind) -> Option<&Together> {
    test.models.iter().find(|m| m.is_main() && m.fit == kind && m.class.is_none())
}

fn numbers(outcome: &Outcome, test: &TestSummary) -> Vec<(String, &'static str)> {
    let texts = outcome.data.as_ref().map(|d| d.counts.kept).unwrap_or_default();
    let metric = main(test, FitKind::CrossFitted);
    let mut numbers = vec![
        (format!("{} of {}", test.n_hold, test.n_hypotheses), "hypotheses hold"),
        (format!("{}", test.n_hold_jointly), "of them beside all others too"),
        (format!("{texts}"), "rows"),
    ];
    if let Some((fit, m)) = metric.and_then(|fit| Some((fit, fit.measure?))) {
        numbers.push((format!("{:.2}", m.value), fit.metric.title()));
    }
    numbers
}

/// What speaks for the answer and against it.
fn trust(outcome: &Outcome) -> Vec<String> {
    let mut said: Vec<String> = outcome.signal.iter().map(ToString::to_string).collect();
    let Some(test) = &outcome.test else { return said };
    let value = |predictors| {
        let of = |m: &&Together| {
            m.predictors == predictors && m.fit == FitKind::CrossFitted && m.class.is_none()
        };
        test.models.iter().find(of)?.measure.map(|m| m.value)
    };
    if let (Some(words), Some(neurons)) =
        (value(Predictors::Hypotheses), value(Predictors::Neurons))
    {
        said.push(format!("the neurons alone reach {neurons:.2}, their wordings {words:.2}"));
    }
    said.push(match &test.placebo {
        Some(placebo) => {
            let (tested, hold, _) = placebo.totals();
            let n = placebo.runs.len();
            format!(
                "on {n} shuffled targets, where there is nothing, {hold} of {tested} neurons hold"
            )
        }
        None => "shuffled targets: not tried".into(),
    });
    said.push(
        test.leakage
            .message()
            .unwrap_or_else(|| "no text is nearly the same on both sides of the split".into()),
    );
    let kappas: Vec<f64> = test
        .gold
        .iter()
        .flat_map(|g| &g.hypotheses)
        .filter_map(|h| h.kappa)
        .map(|k| k.value)
        .collect();
    said.push(
        match (kappas.iter().copied().reduce(f64::min), kappas.iter().copied().reduce(f64::max)) {
            (Some(least), Some(most)) => {
                format!("agreement with annotations by hand: kappa {least:.2} to {most:.2}")
            }
            _ => "agreement with annotations by hand: not checked".into(),
        },
    );
    if let Some(groups) = test.n_groups {
        said.push(format!("texts of one group count as one cluster: {groups} groups"));
    }
    said
}

fn row(h: &Hypothesis, cards: &[Card]) -> Row {
    let t = &h.tested;
    let claim = t.claim();
    let share = |p: f64| format!("{:.0} %", 100.0 * p);
    Row {
        id: t.id.clone(),
        has_card: cards.iter().any(|card| card.id == t.id),
        class: t.class.as_ref().map(|class| cut(class, NAME)),
        text: cut(&h.hypothesis, CUT),
        effect: claim.map(|e| interval(&e.estimate, 2, true)).unwrap_or_default(),
        value: claim.map(|e| e.estimate.value),
        p: claim.and_then(|e| e.p_holm).map(p_value).unwrap_or_default(),
        p_value: claim.and_then(|e| e.p_holm),
        prevalence: t.prevalence.map(share).unwrap_or_default(),
        fidelity: h.fidelity.and_then(|f| f.f1).map(|f1| format!("{f1:.2}")).unwrap_or_default(),
        verdict: crate::charts::verdict(t.status),
    }
}

fn p_value(p: f64) -> String {
    if p < 0.001 { "<\u{a0}0.001".into() } else { format!("{p:.3}") }
}

/// The number that stands for an effect, with its interval without signs.
fn sized(effect: &Effect, value: f64) -> String {
    let e = &effect.estimate;
    match (e.conf_low, e.conf_high) {
        (Some(low), Some(high)) => {
            let (a, b) = (low.abs().min(high.abs()), low.abs().max(high.abs()));
            if low.signum() == high.signum() {
                format!("{value:.2} (95 % interval {a:.2} to {b:.2})")
            } else {
                format!("{value:.2} (95 % interval {low:.2} to {high:.2})")
            }
        }
        _ => format!("{value:.2}"),
    }
}

fn interval(e: &hypothesaes_math::Estimate, digits: usize, has_sign: bool) -> String {
    let number = |v: f64| {
        let text = if has_sign { format!("{v:+.digits$}") } else { format!("{v:.digits$}") };
        text.replace('-', "\u{2212}")
    };
    match (e.conf_low, e.conf_high) {
        (Some(low), Some(high)) => {
            format!("{} [{}, {}]", number(e.value), number(low), number(high))
        }
        _ => number(e.value),
    }
}

/// Where each chart stands.
fn section(name: &str) -> &'static str {
    match name {
        "forest" | "prevalence" => "effects",
        "map" => "map",
        "training" | "densities" => "model",
        _ => "believe",
    }
}

/// The charts about a hypothesis, or those about all.
fn figures(material: &Material, extent: &Extent, about: Option<&str>) -> Vec<Figure> {
    let of = |(chart, _): &&(Chart, Option<String>)| chart.about.as_deref() == about;
    material
        .charts
        .iter()
        .filter(of)
        .map(|(chart, svg)| figure(chart, svg.as_deref(), extent))
        .collect()
}

fn figure(chart: &Chart, svg: Option<&str>, extent: &Extent) -> Figure {
    let most = ROWS.min(extent.rows);
    let (head, rows) = cells(&chart.table, most);
    let is_large = svg.is_some_and(|svg| svg.len() > extent.picture);
    Figure {
        name: chart.name.clone(),
        is_live: chart.about.is_none(),
        section: section(&chart.name),
        title: chart.title.clone(),
        caption: chart.caption.clone(),
        svg: svg.filter(|_| !is_large).map(str::to_owned),
        is_large,
        head,
        rows,
        more: chart.table.rows().saturating_sub(most),
    }
}

fn cells(table: &Table, most: usize) -> (Vec<&'static str>, Vec<Vec<String>>) {
    let head = table.columns.iter().map(|c| c.name).collect();
    let row = |i: usize| table.columns.iter().map(|c| cut(&c.values.shown(i), CUT)).collect();
    (head, (0..table.rows().min(most)).map(row).collect())
}

/// The cards, and how many are left out.
fn cards(material: &Material, extent: &Extent) -> (Vec<Card>, usize) {
    let Material { results, concepts, language, .. } = *material;
    let data = material.shown.data;
    let analyzer = Analyzer::new(language);
    let texts = data.texts_in(Split::Heldout);
    let ids = data.row_ids(&texts);
    let mut cards: Vec<Card> = Vec::new();
    // With several classes a concept has a row for each; its card is one.
    let hypotheses = &results.outcome.hypotheses;
    let most = extent.cards.min(concepts.len());
    for (c, h) in hypotheses.iter().enumerate().take(most) {
        let sign = h.tested.claim().map(|e| e.estimate.value);
        let phrases = Phrases::of(&concepts[c], &analyzer, language);
        let others: Vec<&Hypothesis> =
            hypotheses.iter().skip(c).step_by(concepts.len().max(1)).collect();
        let shown = |place: usize| {
            let text = data.texts.get(texts[place]);
            Text {
                row: ids[place],
                target: target_of(data, texts[place]),
                pieces: phrases.pieces(&cut(text, CUT), &analyzer),
            }
        };
        let kinds = match extent.texts {
            0 => Vec::new(),
            most => texts::kinds(material, (c, h.neuron_id), sign, most),
        };
        let kinds = kinds.into_iter().map(|kind| Shown {
            name: kind.name,
            texts: kind.texts.into_iter().map(shown).collect(),
        });
        cards.push(Card {
            id: h.tested.id.clone(),
            text: cut(&h.hypothesis, CUT),
            verdict: crate::charts::verdict(h.tested.status),
            holds: h.tested.status == Status::Holds,
            facts: facts(h, others),
            wordings: wordings(material, h),
            figures: if extent.has_card_charts {
                figures(material, extent, Some(&h.tested.id))
            } else {
                Vec::new()
            },
            kinds: kinds.collect(),
        });
    }
    let more = hypotheses.len().min(concepts.len()).saturating_sub(cards.len());
    (cards, more)
}

/// All wordings that were tried for the neuron of a hypothesis, with their fidelities.
fn wordings(material: &Material, h: &Hypothesis) -> Vec<Vec<String>> {
    let labelled = material.labelled.iter().find(|l| Some(l.neuron) == h.neuron_id);
    let tried = labelled.map(|l| l.wordings.as_slice()).unwrap_or_default();
    let row = |t: &crate::interpret::Tried| {
        let kept = if t.is_kept { "kept" } else { "rejected" };
        let fidelity = t.balanced_f1.map_or_else(|| "not judged".into(), |f1| format!("{f1:.2}"));
        vec![cut(&t.concept, CUT), t.round.to_string(), fidelity, kept.to_owned()]
    };
    // One that was never chosen among others says nothing new.
    if tried.len() < 2 { Vec::new() } else { tried.iter().map(row).collect() }
}

/// What is known of a hypothesis; `others`: the same about every class.
fn facts(h: &Hypothesis, others: Vec<&Hypothesis>) -> Vec<String> {
    let t = &h.tested;
    let mut facts = vec![format!(
        "true of {} of {} annotated texts{}",
        t.n_present,
        t.n,
        if t.n_missing > 0 { format!(", {} answers missing", t.n_missing) } else { String::new() }
    )];
    if let (Some(with), Some(without)) = (t.mean_present, t.mean_absent) {
        facts.push(format!("mean target {with:.2} with it, {without:.2} without"));
    }
    for other in others {
        if let Some(claim) = other.tested.claim() {
            let class =
                other.tested.class.as_ref().map(|class| format!(" in the share of {class}"));
            let (effect, of) = (interval(&claim.estimate, 3, true), class.unwrap_or_default());
            facts.push(format!("difference{of} {effect}"));
        }
    }
    if let Some(joint) = &t.joint {
        facts.push(format!("beside all other hypotheses {}", interval(&joint.estimate, 3, true)));
    }
    if let Some(least) = t.detectable {
        facts.push(format!("a difference below {least:.2} would often have gone unseen"));
    }
    if let Some(f) = h.fidelity {
        let number = |v: Option<f64>| v.map_or_else(|| "unknown".into(), |v| format!("{v:.2}"));
        facts.push(format!(
            "wording and neuron {}: precision {}, recall {}, F1 {}, on {} validation texts",
            h.neuron_id.map_or_else(String::new, |j| j.to_string()),
            number(f.precision),
            number(f.recall),
            number(f.f1),
            f.n
        ));
    } else if h.neuron_id.is_none() {
        facts.push("brought by the user, not found here".into());
    }
    facts.extend(t.duplicate_of.iter().map(|other| format!("says nearly the same as {other}")));
    facts.extend(t.warning.clone());
    facts
}

fn target_of(data: &crate::data::Dataset, text: usize) -> String {
    let y = data.y[text % data.n_rows()];
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "class numbers")]
    let class = || y as usize;
    match &data.task {
        Task::Binary { positive, negative } => if y == 1.0 { positive } else { negative }.clone(),
        Task::Multiclass { classes } => classes.get(class()).cloned().unwrap_or_default(),
        _ => format!("{y}"),
    }
}

pub(super) fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let kept: String = text.chars().take(most).collect();
    format!("{kept}…")
}

fn basis(outcome: &Outcome, most: usize) -> Vec<String> {
    let mut basis: Vec<String> =
        outcome.data.iter().flat_map(|d| d.notes.iter().cloned()).collect();
    basis.extend(outcome.messages.iter().cloned());
    basis.extend(outcome.unlabelled.iter().map(|u| {
        let why = u.reason.as_deref().unwrap_or("no reason given");
        format!("neuron {} was selected and has no wording: {why}", u.neuron_id)
    }));
    let more = basis.len().saturating_sub(most);
    if more > 0 {
        basis.truncate(most);
        basis.push(format!("{more} more lines are in summary.md"));
    }
    basis
}

/// A paragraph to paste.
fn methods(material: &Material, target: &str) -> String {
    let outcome = material.results.outcome;
    let Some(test) = &outcome.test else { return String::new() };
    let saes: Vec<String> = outcome.saes.iter().map(|s| s.id.clone()).collect();
    let found = match (saes.is_empty(), material.results.selection) {
        (false, Some(selection)) => format!(
            "Texts were embedded, and sparse autoencoders ({}; neurons:active) were trained on {} texts; \
             {} neurons were selected by {} for what they tell of {target}, and put into words. ",
            saes.join(", "),
            selection.n_texts,
            selection.chosen.len(),
            selection.method
        ),
        _ => String::new(),
    };
    format!(
        "{found}Whether each of {} hypotheses is true of {} held-out {} was annotated by {}; the target \
         was compared with and without each, and p-values were adjusted after Holm. {} hold at {}. \
         Computed with hypothesaes-rs {}, seed {}, after Movva et al. (2025).",
        test.n_hypotheses,
        test.n,
        if test.is_paired { "pairs" } else { "texts" },
        outcome.annotator,
        test.n_hold,
        test.alpha,
        env!("CARGO_PKG_VERSION"),
        material.shown.seed
    )
}

fn limits(outcome: &Outcome) -> Vec<String> {
    let mut limits = vec![
        "A hypothesis goes with the target; it need not be its cause.".to_owned(),
        "Who or what annotated errs; without annotations by hand the effects are not corrected for that."
            .to_owned(),
    ];
    if outcome.test.as_ref().is_some_and(|test| test.n_groups.is_none()) {
        limits.push(
            "Texts count as independent of each other; a group column says which belong together."
                .into(),
        );
    }
    limits
}
