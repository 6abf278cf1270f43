//! Which options a command means: flags before `-o`, before the options file, before the defaults.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use anyhow::Result;
use hypothesaes::Error;
use hypothesaes::annotate::Layout;
use hypothesaes::data::{DataOptions, Format, TaskChoice};
use hypothesaes::options::Options;
use hypothesaes::run::{self, OPTIONS_FILE};
use hypothesaes::select::Method;

use crate::args::{
    ChoiceArgs, Chunk, DataArgs, DoctorArgs, FormatArg, MethodArgs, ModelArgs, OwnArgs, RunArgs,
    SaeArgs, SelectArg, SharedArgs, TaskArg,
};
use crate::exit::Usage;
use crate::progress::line;

/// The options of `run`.
pub fn for_run(args: &RunArgs) -> Result<Options> {
    let mut options = match &args.config {
        Some(file) => read(file)?,
        None => read_if_there(Path::new(OPTIONS_FILE), args.shared.quiet)?,
    };
    shared(&mut options, &args.shared)?;
    if let Some(file) = &args.file {
        options.data.path.clone_from(file);
    }
    if let Some(split) = &args.data.split {
        options.split = split.parse()?;
    }
    data(&mut options.data, &args.data);
    method(&mut options, &args.method)?;
    own(&mut options, &args.own)?;
    models(&mut options, &args.models)?;
    options.report.texts &= !args.no_texts;
    Ok(options)
}

/// Hypotheses of the user's own, and annotations by hand.
pub fn own(options: &mut Options, args: &OwnArgs) -> Result<()> {
    let mut hypotheses: Vec<String> = args.own.iter().map(|h| h.trim().to_owned()).collect();
    if let Some(file) = &args.hypotheses_file {
        let text = fs::read_to_string(file).map_err(Error::file("read", file))?;
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        hypotheses.extend(lines.map(str::to_owned));
    }
    if !hypotheses.is_empty() {
        options.evaluate.hypotheses = hypotheses;
    }
    set(&mut options.evaluate.gold, args.gold.as_ref());
    Ok(())
}

/// The options of `doctor`.
pub fn for_doctor(args: &DoctorArgs) -> Result<Options> {
    let mut options = match &args.config {
        Some(file) => read(file)?,
        None => read_if_there(Path::new(OPTIONS_FILE), false)?,
    };
    for assignment in &args.options {
        options.set(assignment)?;
    }
    models(&mut options, &args.models)?;
    Ok(options)
}

fn models(options: &mut Options, args: &ModelArgs) -> Result<()> {
    let named = [
        (&mut options.embed.embedder, &args.embedder),
        (&mut options.interpret.interpreter, &args.interpreter),
        (&mut options.annotate.annotator, &args.annotator),
        (&mut options.interpret.context, &args.context),
    ];
    for (option, given) in named {
        if let Some(given) = given {
            option.clone_from(given);
        }
    }
    if args.embedder.is_some() {
        // What the file says of another model is overruled too.
        options.embed.folder = None;
    }
    if args.prefix.is_some() {
        options.embed.prefix.clone_from(&args.prefix);
    }
    match args.chunk {
        Some(Chunk { rows: true, tokens }) => options.data.chunk = Some(tokens),
        Some(Chunk { rows: false, tokens }) => options.embed.chunk = Some(tokens),
        None => {}
    }
    if let Some(file) = &args.instructions_file {
        options.interpret.instructions =
            fs::read_to_string(file).map_err(Error::file("read", file))?;
    }
    if args.economy {
        options.annotate.layout = Layout::Economy;
    }
    if args.single {
        options.annotate.layout = Layout::Single;
    }
    set(&mut options.interpret.refine, args.refine.as_ref());
    Ok(())
}

/// The options of a run directory.
pub fn of_folder(folder: &Path, args: &SharedArgs) -> Result<Options> {
    let mut options = run::saved_options(folder)?;
    shared(&mut options, args)?;
    Ok(options)
}

pub fn method(options: &mut Options, args: &MethodArgs) -> Result<()> {
    sae(options, &args.sae)?;
    choice(options, &args.choice);
    Ok(())
}

pub fn shared(options: &mut Options, args: &SharedArgs) -> Result<()> {
    for assignment in &args.options {
        options.set(assignment)?;
    }
    if let Some(seed) = args.seed {
        options.seed = seed;
    }
    set(&mut options.llm.max_cost, args.asking.max_cost.as_ref());
    Ok(())
}

pub fn sae(options: &mut Options, args: &SaeArgs) -> Result<()> {
    if !args.sae.is_empty() {
        let sizes = args.sae.iter().map(|size| size.parse());
        options.sae.sizes = sizes.collect::<hypothesaes::Result<_>>()?;
        // What the file says of a single size is overruled too.
        (options.sae.n_neurons, options.sae.k) = (None, None);
    }
    Ok(())
}

pub fn choice(options: &mut Options, args: &ChoiceArgs) {
    if let Some(method) = args.select {
        options.select.method = match method {
            SelectArg::Lasso => Method::Lasso,
            SelectArg::Correlation => Method::Correlation,
            SelectArg::Separation => Method::Separation,
            SelectArg::Stability => Method::Stability,
        };
    }
    if let Some(n) = args.hypotheses {
        options.select.n = n;
    }
    set(&mut options.select.max_redundancy, args.max_redundancy.as_ref());
}

fn read(file: &Path) -> Result<Options> {
    let text = fs::read_to_string(file).map_err(Error::file("read", file))?;
    parse(&text, file)
}

fn read_if_there(file: &Path, quiet: bool) -> Result<Options> {
    match fs::read_to_string(file) {
        Ok(text) => {
            if !quiet {
                line(&format!("options from `{}`", file.display()));
            }
            parse(&text, file)
        }
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(Options::default()),
        Err(e) => Err(Error::file("read", file)(e).into()),
    }
}

fn parse(text: &str, file: &Path) -> Result<Options> {
    Options::from_toml(text, file).map_err(|e| {
        let hint = "docs/options.toml lists every option with its default".into();
        Usage { message: e.to_string(), hint }.into()
    })
}

/// A flag that is given wins over what the file says.
fn data(options: &mut DataOptions, args: &DataArgs) {
    set(&mut options.text, args.text.as_ref());
    set(&mut options.target, args.target.as_ref());
    set(&mut options.text_b, args.text_b.as_ref());
    set(&mut options.group, args.group.as_ref());
    set(&mut options.strata, args.strata.as_ref());
    set(&mut options.weight, args.weight.as_ref());
    set(&mut options.exposure, args.exposure.as_ref());
    set(&mut options.positive, args.positive.as_ref());
    set(&mut options.encoding, args.encoding.as_ref());
    set(&mut options.validation, args.validation.as_ref());
    set(&mut options.heldout, args.heldout.as_ref());
    options.no_header |= args.no_header;
    let lists = [
        (&mut options.columns, &args.columns),
        (&mut options.drop_target, &args.drop_target),
        (&mut options.controls, &args.controls),
        (&mut options.fixed_effects, &args.fixed_effects),
        (&mut options.levels, &args.levels),
    ];
    for (option, given) in lists {
        if !given.is_empty() {
            option.clone_from(given);
        }
    }
    if let Some(task) = args.task {
        options.task = Some(match task {
            TaskArg::Continuous => TaskChoice::Continuous,
            TaskArg::Binary => TaskChoice::Binary,
            TaskArg::Multiclass => TaskChoice::Multiclass,
            TaskArg::Count => TaskChoice::Count,
            TaskArg::Ordinal => TaskChoice::Ordinal,
        });
    }
    if let Some(format) = args.format {
        options.format = Some(match format {
            FormatArg::Csv => Format::Csv,
            FormatArg::Tsv => Format::Tsv,
            FormatArg::Jsonl => Format::Jsonl,
            FormatArg::Json => Format::Json,
            FormatArg::Parquet => Format::Parquet,
            FormatArg::Arrow => Format::Arrow,
        });
    }
}

fn set<T: Clone>(option: &mut Option<T>, given: Option<&T>) {
    if given.is_some() {
        *option = given.cloned();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::{Cli, Command};
    use clap::{CommandFactory, Parser};

    fn options(words: &[&str]) -> Result<Options> {
        let words = ["hypothesaes", "run"].iter().chain(words);
        let Command::Run(args) = Cli::parse_from(words).command else { unreachable!() };
        for_run(&args)
    }

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn flags_win_over_assignments_and_these_over_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("o.toml");
        fs::write(&file, "seed = 1\n[select]\nn = 2\n[data]\ntext = 'a'\ntarget = 'b'\n").unwrap();
        let config = ["--config", file.to_str().unwrap()];
        let with = |more: &[&str]| options(&[&config, more].concat()).unwrap();
        assert_eq!(with(&[]).select.n, 2);
        assert_eq!(with(&["-o", "select.n=3"]).select.n, 3);
        assert_eq!(with(&["-o", "select.n=3", "-n", "4"]).select.n, 4);
        let all = with(&["f.csv", "--text", "c", "--seed", "9"]);
        assert_eq!((all.seed, all.data.path.to_str()), (9, Some("f.csv")));
        assert_eq!(all.data.text.as_deref(), Some("c"));
        assert_eq!(all.data.target.as_deref(), Some("b"));
    }

    #[test]
    fn lists_are_given_by_repeating_or_by_commas() {
        let all = options(&[
            "f.tsv",
            "--no-header",
            "--columns",
            "target,text",
            "--drop-target",
            "-1",
            "--drop-target",
            "0",
            "--label",
            "target",
            "--split",
            "45/5/50",
        ])
        .unwrap();
        assert_eq!(all.data.columns, ["target", "text"]);
        assert_eq!(all.data.drop_target, ["-1", "0"]);
        assert_eq!(all.data.target.as_deref(), Some("target"));
        assert!((all.split.discover - 45.0).abs() < 1e-12);
        assert!(options(&["f.tsv", "--split", "45"]).is_err());
    }
}
