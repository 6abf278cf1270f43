//! The whole run on one screen: the stages in order, each made or read back.

mod cost;
mod estimate;
mod identity;
mod locate;
mod more;
mod outcome;
mod papers;
mod plan;
mod stages;
mod work;

use std::path::Path;

pub use estimate::{Estimate, EstimatedWork, PILOT_ROWS};
use hypothesaes_llm::Error as Llm;
pub use locate::locate;
pub use more::{annotate_more, gold_sheet, saved_options, test_annotations};
pub use outcome::{DataSummary, Heldout, Hypothesis, Outcome, SaeSummary, TestSummary, Unlabelled};
pub use plan::{Plan, PlannedStage, plan};
use stages::{Findings, Found};

use crate::annotate::check_concept;
use crate::data::{Dataset, read_sheet};
use crate::models::Models;
use crate::options::Options;
use crate::store::{self, Identity, RunDir, Stage};
use crate::watch::Watch;
use crate::{Error, Result, data};

/// Name of the options file, in a run directory and in the user's folder.
pub const OPTIONS_FILE: &str = "hypothesaes.toml";

/// Runs the stages up to `last` in the run directory `folder`, reusing what stands. Whatever the
/// options leave to the program is done by `models`, if there are any, else by what is embedded.
///
/// What later stages had made from something else is removed.
///
/// # Errors
/// Whatever a stage refuses; [`Error::Llm`] if a model cannot be asked on; [`Error::Interrupted`]
/// if the user asked to stop. Every finished
/// stage stays on disk; a new directory whose data were refused does not.
pub fn run(
    options: &Options,
    folder: &Path,
    last: Stage,
    models: Option<&Models>,
    watch: &dyn Watch,
) -> Result<Outcome> {
    let options = &settled(options, models);
    options.check()?;
    check_brought(options)?;
    let is_new = !store::is_run(folder);
    if is_new {
        // A file that cannot be read at all leaves no folder behind.
        data::content_hash(&options.data)?;
    }
    let mut run = RunDir::open(folder)?;
    if models.is_none_or(Models::is_frozen) {
        run.ask_no_more();
    }
    run.write(OPTIONS_FILE, &options.to_toml())?;
    let input = identity::input_content(options, &run)?;
    let mut context = Context { run, options, watch, input, models };
    let annotator = options.annotate.annotator.clone();
    let mut outcome = Outcome { folder: folder.to_owned(), annotator, ..Outcome::default() };
    let result = through(&mut context, last, &mut outcome);
    let event = match &result {
        Ok(()) => "finished",
        Err(Error::Interrupted | Error::Declined | Error::Llm(Llm::Batched { .. })) => {
            "interrupted"
        }
        Err(_) => "failed",
    };
    context.run.log(event, last.name())?;
    if let Some(models) = models {
        cost::write(&context.run, models)?;
    }
    if event == "failed" && is_new && !context.run.stands(Stage::Data) {
        context.run.discard();
        return result.map(|()| outcome);
    }
    outcome.stages = context.run.reports().to_vec();
    result.map(|()| outcome)
}

/// Whether what the user brings to the test can be used: found out before anything costs time.
fn check_brought(options: &Options) -> Result<()> {
    options.evaluate.hypotheses.iter().try_for_each(|own| check_concept(&options.annotate, own))?;
    match &options.evaluate.gold {
        Some(gold) => read_sheet(gold).map(drop),
        None => Ok(()),
    }
}

/// What the stages share.
struct Context<'a> {
    run: RunDir,
    options: &'a Options,
    watch: &'a dyn Watch,
    /// Hash of the input files.
    input: String,
    models: Option<&'a Models>,
}

/// `options` with nothing left open.
fn settled(options: &Options, models: Option<&Models>) -> Options {
    let mut options = options.clone();
    options.settle(models.is_some());
    options
}

impl Context<'_> {
    fn identity(&self, stage: Stage) -> Identity {
        identity::identity(stage, self.options, &self.run, &self.input, self.models)
    }
}

/// Asks the user before anything is asked of a model.
fn approve(context: &Context, last: Stage, data: &Dataset) -> Result<()> {
    let Some(models) = context.models.filter(|models| !models.is_frozen()) else { return Ok(()) };
    let plan = plan::stages(context.options, &context.run, &context.input, last, Some(models))?;
    let estimate = estimate::estimate(context.options, data, &plan, models, Some(&context.run))?;
    if estimate.rows.is_empty() { Ok(()) } else { models.approve(&estimate) }
}

/// From texts to wordings; `None` if that is not asked for.
fn discover(
    context: &mut Context,
    last: Stage,
    data: &Dataset,
    outcome: &mut Outcome,
) -> Result<Option<Found>> {
    let x = stages::embed(context, data)?;
    if last == Stage::Embed {
        return Ok(None);
    }
    outcome.signal = Some(stages::signal(context, data, &x)?);
    if last == Stage::Signal {
        return Ok(None);
    }
    let neurons = stages::sae(context, data, &x)?;
    outcome.saes = neurons.models.iter().map(SaeSummary::of).collect();
    if last == Stage::Sae {
        return Ok(None);
    }
    let selection = stages::select(context, (data, &x), &neurons)?;
    outcome.messages.extend(selection.messages.clone());
    if last == Stage::Select {
        return Ok(None);
    }
    let labelled = stages::interpret(context, (data, &x), &neurons, &selection)?;
    Ok((last != Stage::Interpret).then_some(Found { x, neurons, selection, labelled }))
}

fn through(context: &mut Context, last: Stage, outcome: &mut Outcome) -> Result<()> {
    let data = stages::data(context)?;
    outcome.data = Some(data.summary);
    let data = data.dataset;
    if last == Stage::Data {
        return Ok(());
    }
    approve(context, last, &data)?;
    let found = if context.options.discovers() {
        match discover(context, last, &data, outcome)? {
            Some(found) => Some(found),
            None => return Ok(()),
        }
    } else {
        None
    };
    let findings = Findings { found, own: &context.options.evaluate.hypotheses };
    let annotations = stages::annotate(context, &data, &findings)?;
    if last == Stage::Annotate {
        return Ok(());
    }
    let (missing, all) =
        (annotations.n_missing(), annotations.n_concepts() * annotations.n_texts());
    if missing as f64 > context.options.llm.max_failed * all as f64 {
        outcome.too_many_missing = Some((missing, all));
    }
    let evaluated = stages::evaluate(context, &data, &findings, &annotations)?;
    outcome.conclude(&findings, evaluated, annotations, &data);
    if last == Stage::Evaluate {
        return Ok(());
    }
    // Nothing is asked from here on, and the page says what was.
    if let Some(models) = context.models {
        cost::write(&context.run, models)?;
    }
    stages::report(context, outcome, (&data, &findings))
}
