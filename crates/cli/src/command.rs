//! Each command: options together, the library called, the answer shown.

use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::OnceLock;

use anyhow::{Context, Result};
use hypothesaes::Error;
use hypothesaes::data::SplitOptions;
use hypothesaes::options::Options;
use hypothesaes::run::{self, Outcome};
use hypothesaes::store::{self, Stage};
use hypothesaes::watch::Unwatched;

use crate::args::{AskingArgs, Command, GoldArgs, ReportArgs, RunArgs, SharedArgs, StageArgs};
use crate::consent::{self, Wish};
use crate::exit::{Missing, Usage};
use crate::progress::{Progress, line};
use crate::{ask, choose, demo, doctor, export, interrupt, ledger, models, sae, show};

/// Folder of the run directories whose place the user does not name.
pub const RUNS: &str = "runs";

/// Does what the command line asks for.
pub fn carry_out(command: Command) -> Result<()> {
    interrupt::listen()?;
    match command {
        Command::Run(args) => run_file(&args),
        Command::Test(args) => test(&args.run),
        Command::Gold(args) => gold(&args),
        Command::Export(args) => export::export(&args),
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
        Command::Evaluate(args) => {
            stage(&args.stage, Stage::Report, |options| choose::own(options, &args.own))
        }
        Command::Report(args) => report(&args),
        Command::Doctor(args) => doctor::doctor(&args),
        Command::Cache(args) => ledger::cache(&args),
        Command::Prices(args) => ledger::prices(&args),
        Command::Sae(command) => sae::carry_out(command),
    }
}

/// Runs the stages up to `last`, telling how it goes; `None` if only the plan was asked for, or if
/// the user does not want to spend what it costs.
pub fn execute(
    options: &Options,
    folder: &Path,
    last: Stage,
    shared: &SharedArgs,
) -> Result<Option<Outcome>> {
    let mut options = options.clone();
    let progress = Progress::new(shared.quiet);
    let models = models::prepare(&mut options, &shared.asking, &progress)?;
    options.check()?;
    if shared.dry_run {
        let plan = run::plan(&options, folder, last, models.as_ref(), &Unwatched)?;
        show::print(&if shared.json { show::json(&plan)? } else { show::plan(&plan, folder) })?;
        return Ok(None);
    }
    use_threads(shared.threads)?;
    if !shared.quiet {
        line(&format!("hypothesaes {}: {}", env!("CARGO_PKG_VERSION"), folder.display()));
    }
    interrupt::kept_in(folder.display().to_string());
    let Some(models) = models else {
        let outcome = run::run(&options, folder, last, None, &progress)?;
        return Ok(Some(told(outcome, shared)));
    };
    let (models, wish) = consent::asking_first(models, shared);
    match run::run(&options, folder, last, Some(&models), &progress) {
        Err(Error::Declined) => declined(wish.get(), &options, folder, last, shared),
        outcome => Ok(Some(told(outcome?, shared))),
    }
}

fn told(outcome: Outcome, shared: &SharedArgs) -> Outcome {
    if !shared.quiet
        && let Some(reused) = show::reused(&outcome.stages)
    {
        line(&reused);
    }
    outcome
}

/// What follows if the user did not say yes.
fn declined(
    wish: Wish,
    options: &Options,
    folder: &Path,
    last: Stage,
    shared: &SharedArgs,
) -> Result<Option<Outcome>> {
    match wish {
        Wish::Pilot => {
            let mut options = options.clone();
            options.data.sample = Some(run::PILOT_ROWS);
            let mut name = folder.as_os_str().to_owned();
            name.push("-pilot");
            let asking = AskingArgs { yes: true, ..shared.asking.clone() };
            let shared = SharedArgs { asking, ..shared.clone() };
            execute(&options, Path::new(&name), last, &shared)
        }
        Wish::Batch => {
            let asking = AskingArgs { yes: true, batch: true, ..shared.asking.clone() };
            execute(options, folder, last, &SharedArgs { asking, ..shared.clone() })
        }
        Wish::Unsaid => Err(Usage {
            message: "language models are to be asked, and there is nobody to say yes".into(),
            hint: "add `--yes`, with `--max-cost DOLLARS` as a ceiling; `--dry-run` shows the \
                   costs, `--local` asks no model"
                .into(),
        }
        .into()),
        Wish::Go | Wish::No => {
            line("nothing was asked and nothing spent");
            Ok(None)
        }
    }
}

fn run_file(args: &RunArgs) -> Result<()> {
    run_with(choose::for_run(args)?, args)
}

fn run_with(mut options: Options, args: &RunArgs) -> Result<()> {
    let ask = ask::somebody() && !args.shared.json && !args.shared.quiet;
    ask::complete(&mut options.data, ask)?;
    let folder = match &args.out {
        Some(folder) => folder.clone(),
        None => run::locate(Path::new(RUNS), &options)?,
    };
    let outcome = execute(&options, &folder, Stage::Report, &args.shared)?;
    outcome.map_or(Ok(()), |outcome| answer(&outcome, &args.shared))
}

/// Hypotheses of the user's own: of a run directory beside its own ones, of a file alone and on all
/// of its texts, for none of them served to find a hypothesis.
fn test(args: &RunArgs) -> Result<()> {
    if let Some(folder) = args.file.as_ref().filter(|file| store::is_run(file)) {
        let stage = StageArgs { run: folder.clone(), shared: args.shared.clone() };
        return self::stage(&stage, Stage::Report, |options| {
            choose::own(options, &args.own)?;
            brought(options)
        });
    }
    let mut options = choose::for_run(args)?;
    brought(&options)?;
    options.select.n = 0;
    options.split = SplitOptions::ALL_HELDOUT;
    run_with(options, args)
}

fn brought(options: &Options) -> Result<()> {
    if options.evaluate.hypotheses.is_empty() {
        let message = "there is no hypothesis to test".into();
        let hint =
            "bring one by `--hypothesis \"complains about a long wait\"`, or a file of them by \
                    `--hypotheses-file FILE`"
                .into();
        return Err(Usage { message, hint }.into());
    }
    Ok(())
}

fn gold(args: &GoldArgs) -> Result<()> {
    let (sheet, n) = run::gold_sheet(&args.run, args.n, args.seed)?;
    if args.out.exists() {
        let message = format!("`{}` is there already", args.out.display());
        let hint = "name another file: annotations by hand are not written over".into();
        return Err(Usage { message, hint }.into());
    }
    store::write_atomically(&args.out, |out| out.write_all(&sheet))?;
    show::print(&format!(
        "{n} held-out texts to annotate in {}: write 1 where a hypothesis is true of a text, 0 where \
         it is not.\nThen: hypothesaes evaluate {} --gold {}",
        args.out.display(),
        args.run.display(),
        args.out.display()
    ))
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

/// The report of a run directory, with or without texts, and where it lies.
fn report(args: &ReportArgs) -> Result<()> {
    let ReportArgs { no_texts, stage } = args;
    let mut options = choose::of_folder(&stage.run, &stage.shared)?;
    options.report.texts = !no_texts;
    let Some(outcome) = execute(&options, &stage.run, Stage::Report, &stage.shared)? else {
        return Ok(());
    };
    let page = stage.run.join("report.html");
    let shown =
        if stage.shared.json { show::json(&outcome)? } else { format!("{}\n", page.display()) };
    show::print(&shown)?;
    too_many_missing(&outcome)
}

fn answer(outcome: &Outcome, shared: &SharedArgs) -> Result<()> {
    show::print(&if shared.json { show::json(outcome)? } else { show::answer(outcome) })?;
    too_many_missing(outcome)
}

/// An answer that lacks more than the user allows is an error, though all of it is there.
pub fn too_many_missing(outcome: &Outcome) -> Result<()> {
    match outcome.too_many_missing {
        Some((missing, all)) => Err(Missing { missing, all }.into()),
        None => Ok(()),
    }
}

/// Starts the threads, unless a choice of the user's has led here a second time.
pub fn use_threads(threads: Option<NonZeroUsize>) -> Result<()> {
    static STARTED: OnceLock<()> = OnceLock::new();
    if STARTED.get().is_none() {
        let threads = threads.map_or(0, NonZeroUsize::get);
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
        pool.build_global().context("cannot start the threads")?;
        STARTED.get_or_init(|| ());
    }
    Ok(())
}
