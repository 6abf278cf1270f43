//! The whole run on one screen: the stages in order, each made or read back.

mod identity;
mod locate;
mod outcome;
mod papers;
mod plan;
mod stages;

use std::path::Path;

pub use locate::locate;
pub use outcome::{DataSummary, Heldout, Hypothesis, Outcome, SaeSummary, TestSummary, Unlabelled};
pub use plan::{PlannedStage, plan};
use stages::Findings;

use crate::options::Options;
use crate::store::{self, Identity, RunDir, Stage};
use crate::watch::Watch;
use crate::{Error, Result, data};

/// Name of the options file, in a run directory and in the user's folder.
pub const OPTIONS_FILE: &str = "hypothesaes.toml";

/// Runs the stages up to `last` in the run directory `folder`, reusing what stands.
///
/// What later stages had made from something else is removed.
///
/// # Errors
/// Whatever a stage refuses; [`Error::Interrupted`] if the user asked to stop. Every finished
/// stage stays on disk; a new directory whose data were refused does not.
pub fn run(options: &Options, folder: &Path, last: Stage, watch: &dyn Watch) -> Result<Outcome> {
    options.check()?;
    let is_new = !store::is_run(folder);
    if is_new {
        // A file that cannot be read at all leaves no folder behind.
        data::content_hash(&options.data)?;
    }
    let run = RunDir::open(folder)?;
    run.write(OPTIONS_FILE, &options.to_toml())?;
    let input = identity::input_content(options, &run)?;
    let mut context = Context { run, options, watch, input };
    let mut outcome = Outcome { folder: folder.to_owned(), ..Outcome::default() };
    let result = through(&mut context, last, &mut outcome);
    let event = match &result {
        Ok(()) => "finished",
        Err(Error::Interrupted) => "interrupted",
        Err(_) => "failed",
    };
    context.run.log(event, last.name())?;
    if event == "failed" && is_new && !context.run.stands(Stage::Data) {
        context.run.discard();
        return result.map(|()| outcome);
    }
    outcome.stages = context.run.reports().to_vec();
    result.map(|()| outcome)
}

/// What the stages share.
struct Context<'a> {
    run: RunDir,
    options: &'a Options,
    watch: &'a dyn Watch,
    /// Hash of the input files.
    input: String,
}

impl Context<'_> {
    fn identity(&self, stage: Stage) -> Identity {
        identity::identity(stage, self.options, &self.run, &self.input)
    }
}

fn through(context: &mut Context, last: Stage, outcome: &mut Outcome) -> Result<()> {
    let data = stages::data(context)?;
    outcome.data = Some(data.summary);
    let data = data.dataset;
    if last == Stage::Data {
        return Ok(());
    }
    let x = stages::embed(context, &data)?;
    if last == Stage::Embed {
        return Ok(());
    }
    outcome.signal = Some(stages::signal(context, &data, &x)?);
    if last == Stage::Signal {
        return Ok(());
    }
    let neurons = stages::sae(context, &data, &x)?;
    outcome.saes = neurons.models.iter().map(SaeSummary::of).collect();
    if last == Stage::Sae {
        return Ok(());
    }
    let selection = stages::select(context, &data, &neurons)?;
    outcome.messages.extend(selection.messages.clone());
    if last == Stage::Select {
        return Ok(());
    }
    let labelled = stages::interpret(context, &data, &neurons, &selection)?;
    if last == Stage::Interpret {
        return Ok(());
    }
    let annotations = stages::annotate(context, &data, &labelled)?;
    if last == Stage::Annotate {
        return Ok(());
    }
    let findings = Findings { labelled: &labelled, selection: &selection, neurons: &neurons };
    let evaluation = stages::evaluate(context, &data, &findings, &annotations)?;
    outcome.conclude(&findings, evaluation, annotations, &data);
    if last == Stage::Evaluate {
        return Ok(());
    }
    stages::report(context, outcome)
}
