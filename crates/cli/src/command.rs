//! Each command: options together, the library called, the answer shown.

use std::num::NonZeroUsize;
use std::path::Path;

use anyhow::{Context, Result};
use hypothesaes::options::Options;
use hypothesaes::run::{self, Outcome};
use hypothesaes::store::Stage;

use crate::args::{Command, RunArgs, SharedArgs, StageArgs};
use crate::progress::{Progress, line};
use crate::{ask, choose, demo, interrupt, show};

/// Folder of the run directories whose place the user does not name.
pub const RUNS: &str = "runs";

/// Does what the command line asks for.
pub fn carry_out(command: Command) -> Result<()> {
    interrupt::listen()?;
    match command {
        Command::Run(args) => run_file(&args),
        Command::Demo(args) => demo::demo(&args),
        Command::Embed(args) => stage(&args, Stage::Embed, |_| Ok(())),
        Command::Train(args) => stage(&args.stage, Stage::Sae, |o| choose::sae(o, &args.sae)),
        Command::Select(args) => stage(&args.stage, Stage::Select, |options| {
            choose::choice(options, &args.choice);
            Ok(())
        }),
        Command::Interpret(args) => stage(&args, Stage::Interpret, |_| Ok(())),
        Command::Annotate(args) => stage(&args, Stage::Annotate, |_| Ok(())),
        // The report is what the evaluation looks like to a reader.
        Command::Evaluate(args) => stage(&args, Stage::Report, |_| Ok(())),
    }
}

/// Runs the stages up to `last`, telling how it goes; `None` if only the plan was asked for.
pub fn execute(
    options: &Options,
    folder: &Path,
    last: Stage,
    shared: &SharedArgs,
) -> Result<Option<Outcome>> {
    options.check()?;
    if shared.dry_run {
        let plan = run::plan(options, folder, last)?;
        show::print(&if shared.json { show::json(&plan)? } else { show::plan(&plan, folder) })?;
        return Ok(None);
    }
    use_threads(shared.threads)?;
    if !shared.quiet {
        line(&format!("hypothesaes {}: {}", env!("CARGO_PKG_VERSION"), folder.display()));
    }
    interrupt::kept_in(folder.display().to_string());
    let outcome = run::run(options, folder, last, &Progress::new(shared.quiet))?;
    if !shared.quiet
        && let Some(reused) = show::reused(&outcome.stages)
    {
        line(&reused);
    }
    Ok(Some(outcome))
}

fn run_file(args: &RunArgs) -> Result<()> {
    let mut options = choose::for_run(args)?;
    let ask = ask::somebody() && !args.shared.json && !args.shared.quiet;
    ask::complete(&mut options.data, ask)?;
    let folder = match &args.out {
        Some(folder) => folder.clone(),
        None => run::locate(Path::new(RUNS), &options)?,
    };
    let outcome = execute(&options, &folder, Stage::Report, &args.shared)?;
    outcome.map_or(Ok(()), |outcome| answer(&outcome, &args.shared))
}

fn stage(
    args: &StageArgs,
    last: Stage,
    set: impl FnOnce(&mut Options) -> Result<()>,
) -> Result<()> {
    let mut options = choose::of_folder(&args.run, &args.shared)?;
    set(&mut options)?;
    let outcome = execute(&options, &args.run, last, &args.shared)?;
    outcome.map_or(Ok(()), |outcome| answer(&outcome, &args.shared))
}

fn answer(outcome: &Outcome, shared: &SharedArgs) -> Result<()> {
    show::print(&if shared.json { show::json(outcome)? } else { show::answer(outcome) })
}

fn use_threads(threads: Option<NonZeroUsize>) -> Result<()> {
    let threads = threads.map_or(0, NonZeroUsize::get);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
    pool.build_global().context("cannot start the threads")
}
