//! What a run will ask of language models, told before anything is asked.

use std::collections::{BTreeMap, HashSet};
use std::fmt::Write as _;

use hypothesaes_llm::client::FEW;
use hypothesaes_llm::limits::{Known, What};
use hypothesaes_llm::question::Usage;
use hypothesaes_llm::server::Model;
use serde::Serialize;

use super::cost;
use super::plan::PlannedStage;
use super::stages::LABELS;
use super::work::{self, Corpus, Work};
use crate::Result;
use crate::annotate::{ModelAnnotator, first_words};
use crate::data::{Dataset, Split, Texts};
use crate::embed::ModelEmbedder;
use crate::interpret::Labelled;
use crate::models::{Models, Use};
use crate::options::Options;
use crate::store::{RunDir, Stage, read_json};
use crate::watch::Unwatched;

/// Rows of a pilot run.
pub const PILOT_ROWS: usize = 200;
/// Windows at least this long, in seconds, are a day's.
const DAY: f64 = 3600.0;

/// All questions of a run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Estimate {
    pub rows: Vec<EstimatedWork>,
    /// Servers elsewhere, and how many texts at most go there.
    pub leaving: BTreeMap<String, usize>,
    /// What a pilot on [`PILOT_ROWS`] rows would cost; `None` if a price is unknown.
    pub pilot_dollars: Option<f64>,
    /// What the run would cost by batch jobs; `None` if a price is unknown.
    pub batch_dollars: Option<f64>,
    /// What earlier runs of this directory have spent; `None` if a price is unknown.
    pub spent: Option<f64>,
    /// Whether batch jobs are to ask, whose answers come within a day.
    pub is_batch: bool,
    /// Where prices are from, and of what day.
    pub price_source: (String, String),
}

/// The questions of one kind.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct EstimatedWork {
    /// Name in the ledger.
    pub stage: &'static str,
    /// What is asked, in words.
    pub work: String,
    pub model: String,
    pub server: String,
    pub calls: usize,
    pub tokens: u64,
    /// At list price; `None` if the price is unknown, 0 on this machine.
    pub dollars: Option<f64>,
    /// Under the limits of the account; `None` if they are not known yet.
    pub minutes: Option<f64>,
    /// Share of the day's requests or tokens; `None` if there is no such limit, or none known.
    pub day_share: Option<f64>,
    /// Share of the answers that are kept already.
    pub kept: f64,
}

impl Estimate {
    /// Dollars for everything; `None` if a price is unknown.
    pub fn dollars(&self) -> Option<f64> {
        self.rows.iter().map(|row| row.dollars).sum()
    }

    pub fn calls(&self) -> usize {
        self.rows.iter().map(|row| row.calls).sum()
    }
}

/// How many texts there are for what.
struct Sizes {
    all: Corpus,
    validation: Corpus,
    heldout: Corpus,
}

/// What is left to ask after the stages of `plan` that stand.
///
/// Figures are upper bounds: of wordings that are not there yet it is not known whether answers are
/// kept. `run` is the directory, if there is one.
pub(super) fn estimate(
    options: &Options,
    data: &Dataset,
    plan: &[PlannedStage],
    models: &Models,
    run: Option<&RunDir>,
) -> Result<Estimate> {
    let sizes = Sizes::of(options, data);
    let made = |stage| plan.iter().any(|p| p.stage == stage && !p.reused);
    let mut estimate = Estimate::nothing(models);
    estimate.spent = run.map_or(Ok(Some(0.0)), |run| cost::spent(run, models))?;
    if let Some(model) = models.of(Use::Embed).filter(|_| made(Stage::Embed)) {
        let distinct: HashSet<&str> = data.texts.iter().collect();
        let mut distinct: Vec<&str> = distinct.into_iter().collect();
        distinct.sort_unstable();
        let embedder = ModelEmbedder::new(models.client(), model, &options.embed);
        let known = embedder.n_known(&distinct, &Unwatched)?;
        let open = 1.0 - known as f64 / distinct.len().max(1) as f64;
        let mut work = sizes.embedding().scaled(open);
        let what = format!("{} texts", distinct.len());
        let missing = distinct.len() - known;
        if models.is_batch() {
            work.calls = missing;
        }
        estimate.add(models, model, ("embed", what), (work, missing), 1.0 - open)?;
        estimate.leave(model, missing);
    }
    let n = options.select.n;
    let own = options.evaluate.hypotheses.len();
    let rounds = work::rounds(options, sizes.validation.n, sizes.heldout.n, n);
    let (words, judging) = work::interpretation(options, sizes.validation, n, rounds);
    let interprets = made(Stage::Interpret);
    if let Some(model) = models.of(Use::Interpret).filter(|_| interprets) {
        let mut what = format!("{n} neurons");
        if options.interpret.n_candidates > 1 {
            let _ = write!(what, " x {} wordings", options.interpret.n_candidates);
        }
        if rounds > 0 {
            let _ = write!(what, ", mended {rounds} times");
        }
        let at_once = n * options.interpret.n_candidates;
        estimate.add(models, model, ("interpret", what), (words, at_once), 0.0)?;
        estimate.leave(model, n * options.interpret.n_examples);
    }
    if let Some(model) = models.of(Use::Annotate) {
        if interprets && options.interpret.model().is_some() {
            let what = format!("wordings on up to {} texts", sizes.validation.n);
            estimate.add(models, model, ("fidelity", what), (judging, judging.calls), 0.0)?;
            estimate.leave(model, sizes.validation.n);
        }
        if made(Stage::Annotate) {
            let stands = run.filter(|_| !interprets && n > 0);
            let labelled = stands.map(|run| read_json(run.path(), LABELS));
            let labelled: Option<Vec<Labelled>> = labelled.transpose()?;
            let (n, kept) = match &labelled {
                Some(labelled) => kept(options, data, models, labelled)?,
                None if n == 0 => kept(options, data, models, &[])?,
                None => (n + own, 0.0),
            };
            let what = format!("{n} concepts x {} texts", sizes.heldout.n);
            let work = work::annotation(options, sizes.heldout, n).scaled(1.0 - kept);
            estimate.add(models, model, ("annotate", what), (work, work.calls), kept)?;
            if kept < 1.0 {
                estimate.leave(model, sizes.heldout.n);
            }
        }
    }
    estimate.pilot_dollars = pilot(options, &sizes, models);
    Ok(estimate)
}

/// What is left to ask if these texts are annotated with these concepts.
pub(super) fn of_annotation(
    options: &Options,
    concepts: &[String],
    texts: &Texts,
    models: &Models,
) -> Result<Estimate> {
    let mut estimate = Estimate::nothing(models);
    let Some(model) = models.of(Use::Annotate) else { return Ok(estimate) };
    let asked = Models::expect(Some(models), Use::Annotate, "annotate")?;
    let annotator = ModelAnnotator::new(asked, "annotate", &options.annotate, None)?;
    let kept = annotator.kept(concepts, texts)?;
    if kept < 1.0 {
        let corpus = Corpus::of(texts.iter(), options.annotate.max_words);
        let what = format!("{} concepts x {} texts", concepts.len(), corpus.n);
        let work = work::annotation(options, corpus, concepts.len()).scaled(1.0 - kept);
        estimate.add(models, model, ("annotate", what), (work, work.calls), kept)?;
        estimate.leave(model, corpus.n);
    }
    Ok(estimate)
}

/// How many concepts are to be annotated, and the share of their annotations that is kept.
fn kept(
    options: &Options,
    data: &Dataset,
    models: &Models,
    labelled: &[Labelled],
) -> Result<(usize, f64)> {
    let found = labelled.iter().filter_map(|l| l.concept.clone());
    let concepts: Vec<String> = found.chain(options.evaluate.hypotheses.iter().cloned()).collect();
    let asked = Models::expect(Some(models), Use::Annotate, "annotate")?;
    let annotator = ModelAnnotator::new(asked, "annotate", &options.annotate, None)?;
    let texts = data.texts.gather(&data.texts_in(Split::Heldout));
    Ok((concepts.len(), annotator.kept(&concepts, &texts)?))
}

impl Estimate {
    fn nothing(models: &Models) -> Self {
        let (source, date) = models.client().prices().source();
        Self {
            rows: Vec::new(),
            leaving: BTreeMap::new(),
            pilot_dollars: Some(0.0),
            batch_dollars: Some(0.0),
            spent: Some(0.0),
            is_batch: models.is_batch(),
            price_source: (source.into(), date.into()),
        }
    }

    fn add(
        &mut self,
        models: &Models,
        model: &Model,
        (stage, work): (&'static str, String),
        (amount, at_once): (Work, usize),
        kept: f64,
    ) -> Result<()> {
        let limits = models.client().limits(model)?;
        let (minutes, day_share) = under(&limits, amount);
        // A few questions are asked directly, whatever the user prefers.
        let by_batch = dollars(models, model, amount, at_once >= FEW);
        let direct = dollars(models, model, amount, false);
        self.batch_dollars = self.batch_dollars.zip(by_batch).map(|(sum, more)| sum + more);
        self.rows.push(EstimatedWork {
            stage,
            work,
            model: model.name.clone(),
            server: model.server.host(),
            calls: amount.calls,
            tokens: whole(amount.tokens_in + amount.tokens_out),
            dollars: if self.is_batch { by_batch } else { direct },
            minutes: minutes.filter(|_| !self.is_batch),
            day_share: day_share.filter(|_| !self.is_batch),
            kept,
        });
        Ok(())
    }

    fn leave(&mut self, model: &Model, n: usize) {
        if !model.server.is_here() && n > 0 {
            let known = self.leaving.entry(model.server.host()).or_default();
            *known = (*known).max(n);
        }
    }
}

impl Corpus {
    /// The distinct texts, each cut to so many words.
    fn of<'a>(texts: impl Iterator<Item = &'a str>, max_words: usize) -> Self {
        let distinct: HashSet<&str> = texts.collect();
        let tokens = |text: &&str| hypothesaes_llm::tokens::estimate(first_words(text, max_words));
        let tokens: u64 = distinct.iter().map(tokens).sum();
        Self { n: distinct.len(), tokens: tokens as f64 / distinct.len().max(1) as f64 }
    }
}

impl Sizes {
    fn of(options: &Options, data: &Dataset) -> Self {
        let corpus = |part: Option<Split>, max_words: usize| {
            let texts = match part {
                None => (0..data.texts.len()).collect(),
                Some(part) => data.texts_in(part),
            };
            Corpus::of(texts.into_iter().map(|i| data.texts.get(i)), max_words)
        };
        Self {
            all: corpus(None, usize::MAX),
            validation: corpus(Some(Split::Validation), options.annotate.max_words),
            heldout: corpus(Some(Split::Heldout), options.annotate.max_words),
        }
    }

    /// The same for `rows` rows.
    fn shrunk(&self, rows: usize) -> Self {
        let part = (rows as f64 / self.all.n.max(1) as f64).min(1.0);
        let shrink = |of: Corpus| Corpus { n: usize_of(of.n as f64 * part), ..of };
        Self {
            all: shrink(self.all),
            validation: shrink(self.validation),
            heldout: shrink(self.heldout),
        }
    }

    fn embedding(&self) -> Work {
        let tokens_in = self.all.n as f64 * self.all.tokens;
        let calls = self.all.n.div_ceil(256).max(usize_of((tokens_in / 75_000.0).ceil()));
        Work { calls, tokens_in, tokens_out: 0.0 }
    }
}

/// Dollars of a run on [`PILOT_ROWS`] rows, as far as a model is asked.
fn pilot(options: &Options, sizes: &Sizes, models: &Models) -> Option<f64> {
    let sizes = sizes.shrunk(PILOT_ROWS);
    let n = options.select.n;
    let own = options.evaluate.hypotheses.len();
    let rounds = work::rounds(options, sizes.validation.n, sizes.heldout.n, n);
    let (words, judging) = work::interpretation(options, sizes.validation, n, rounds);
    let annotation = work::annotation(options, sizes.heldout, n + own);
    let of = [
        (Use::Embed, sizes.embedding()),
        (Use::Interpret, words),
        (Use::Annotate, judging),
        (Use::Annotate, annotation),
    ];
    let asked = of.into_iter().filter_map(|(of, work)| Some((models.of(of)?, work)));
    asked.map(|(model, work)| dollars(models, model, work, models.is_batch())).sum()
}

fn dollars(models: &Models, model: &Model, work: Work, batch: bool) -> Option<f64> {
    let usage = Usage { input: whole(work.tokens_in), cached: 0, output: whole(work.tokens_out) };
    match models.client().prices().of(&model.name) {
        Some(price) => Some(price.cost(usage, batch)),
        // One's own machine sends no bill.
        None if model.server.is_here() => Some(0.0),
        None => None,
    }
}

/// Minutes that the tightest limit asks for, and the share of the day's.
fn under(limits: &[Known], work: Work) -> (Option<f64>, Option<f64>) {
    let amount = |limit: &Known| match limit.what {
        What::Requests => work.calls as f64,
        What::Tokens => work.tokens_in + work.tokens_out,
    };
    let minutes = |limit: &Known| amount(limit) / limit.limit * limit.window_seconds / 60.0;
    let largest = |of: &mut dyn Iterator<Item = f64>| of.reduce(f64::max);
    let (day, minute): (Vec<&Known>, Vec<&Known>) =
        limits.iter().partition(|limit| limit.window_seconds >= DAY);
    let share = largest(&mut day.iter().map(|limit| amount(limit) / limit.limit));
    let mut time = largest(&mut minute.iter().map(|limit| minutes(limit)));
    if share.is_some_and(|share| share > 1.0) {
        // What is beyond the day's quota comes as it is refilled.
        let refill = largest(&mut day.iter().map(|l| minutes(l) - l.window_seconds / 60.0));
        time = [time, refill].into_iter().flatten().reduce(f64::max);
    }
    (time, share)
}

fn whole(n: f64) -> u64 {
    usize_of(n) as u64
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "amounts are positive")]
fn usize_of(n: f64) -> usize {
    n.round().max(0.0) as usize
}
