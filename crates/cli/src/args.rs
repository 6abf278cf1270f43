//! The command line. What its flags mean for the options is in `choose`.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::sae::args::SaeCommand;

/// Texts with a target in, tested plain-language hypotheses out.
#[derive(Debug, Parser)]
#[command(name = "hypothesaes", version, arg_required_else_help = true)]
#[command(after_help = "\
Start with `hypothesaes demo`, then `hypothesaes run FILE`.
A key in OPENAI_API_KEY (or OPENAI_KEY_SAE) puts language models to work; OPENAI_BASE_URL names
another server. Without them everything is done on this computer.
Exit codes: 0 done, 1 failure, 2 wrong use, 3 budget or quota reached, 4 too many answers missing,
5 batch jobs under way, 130 interrupted.")]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Do everything: from a file of texts to tested hypotheses
    Run(Box<RunArgs>),
    /// Test hypotheses of your own on a file of texts, or beside those of a run directory
    Test(Box<TestArgs>),
    /// Do everything on bundled synthetic reviews, and count the planted concepts found again
    Demo(DemoArgs),
    /// In a run directory: turn the texts into vectors, and end there
    Embed(StageArgs),
    /// In a run directory: train the autoencoders, and end there
    Train(TrainArgs),
    /// In a run directory: choose neurons by the target, and end there
    Select(SelectArgs),
    /// In a run directory: word the chosen neurons, and end there
    Interpret(StageArgs),
    /// In a run directory: say of every text which concepts are true of it, and end there
    Annotate(StageArgs),
    /// In a run directory: test the hypotheses on the held-out texts
    Evaluate(EvaluateArgs),
    /// Of a run directory: make `report.html`, one file to open, read and send
    Report(ReportArgs),
    /// Of a run directory: write its tables for papers and other programs
    Export(ExportArgs),
    /// Draw held-out texts of a run directory to annotate by hand
    Gold(GoldArgs),
    /// Try key, server, models and limits with a few tiny calls, and say what was found
    Doctor(DoctorArgs),
    /// Show or export the answers that language models have given so far, and show, check, trim, export
    /// or import the vectors that models have made
    Cache(CacheArgs),
    /// Show what the tokens of language models cost
    Prices(PricesArgs),
    /// Autoencoders on vectors of your own, without texts or a target
    #[command(subcommand)]
    Sae(SaeCommand),
}

#[derive(Debug, Args)]
pub struct RunArgs {
    /// CSV, TSV, JSON lines, JSON, Parquet or Arrow; also packed as .gz or .zst
    pub file: Option<PathBuf>,
    #[command(flatten)]
    pub data: DataArgs,
    #[command(flatten)]
    pub method: MethodArgs,
    #[command(flatten)]
    pub own: OwnArgs,
    #[command(flatten)]
    pub models: ModelArgs,
    /// Run directory [default: runs/NAME-1, or the latest on the same data]
    #[arg(long, value_name = "DIR", help_heading = "General")]
    pub out: Option<PathBuf>,
    /// Options file [default: hypothesaes.toml in the current folder, if there is one]
    #[arg(long, value_name = "FILE", help_heading = "General")]
    pub config: Option<PathBuf>,
    /// Leave all texts out of `report.html`
    #[arg(long, help_heading = "General")]
    pub no_texts: bool,
    #[command(flatten)]
    pub shared: SharedArgs,
}

#[derive(Debug, Args)]
pub struct TestArgs {
    #[command(flatten)]
    pub run: RunArgs,
}

#[derive(Debug, Args)]
pub struct ReportArgs {
    /// Leave all texts out of it
    #[arg(long)]
    pub no_texts: bool,
    #[command(flatten)]
    pub stage: StageArgs,
}

#[derive(Debug, Args)]
pub struct ExportArgs {
    /// Run directory, as in runs/reviews-1
    pub run: PathBuf,
    /// What to write (repeatable) [default: as --out ends, else markdown, latex and xlsx]
    #[arg(long = "format", value_enum)]
    pub formats: Vec<ExportArg>,
    /// A table by its name, texts (rows) and annotations among them (repeatable) [default: those of
    /// results, which have no texts; hypotheses where --out is one file]
    #[arg(long = "table", value_name = "NAME")]
    pub tables: Vec<String>,
    /// A folder, a file such as table.tex or paper.xlsx, or - for the terminal [default: RUN/exports]
    #[arg(long, value_name = "PATH")]
    pub out: Option<PathBuf>,
    /// Begin CSV with the mark by which Excel knows UTF-8
    #[arg(long)]
    pub excel: bool,
}

#[derive(Debug, Args)]
pub struct GoldArgs {
    /// Run directory, as in runs/reviews-1
    pub run: PathBuf,
    /// How many texts to draw
    #[arg(short = 'n', long = "texts", value_name = "N", default_value_t = 100)]
    pub n: usize,
    /// File to write, as CSV
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// Which texts are drawn follows from it
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
}

#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Test")]
pub struct OwnArgs {
    /// A hypothesis of your own to test, as in "complains about a long wait" (repeatable)
    #[arg(long = "hypothesis", value_name = "WORDS")]
    pub own: Vec<String>,
    /// A file of them, one a line
    #[arg(long, value_name = "FILE")]
    pub hypotheses_file: Option<PathBuf>,
    /// A file of annotations by hand, to correct effects for the annotator's errors
    #[arg(long, value_name = "FILE")]
    pub gold: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct DemoArgs {
    #[command(flatten)]
    pub method: MethodArgs,
    /// Run directory [default: runs/demo-1]
    #[arg(long, value_name = "DIR", help_heading = "General")]
    pub out: Option<PathBuf>,
    #[command(flatten)]
    pub shared: SharedArgs,
}

#[derive(Debug, Args)]
pub struct StageArgs {
    /// Run directory, as in runs/reviews-1
    pub run: PathBuf,
    #[command(flatten)]
    pub shared: SharedArgs,
}

#[derive(Debug, Args)]
pub struct EvaluateArgs {
    #[command(flatten)]
    pub own: OwnArgs,
    #[command(flatten)]
    pub stage: StageArgs,
}

#[derive(Debug, Args)]
pub struct TrainArgs {
    #[command(flatten)]
    pub sae: SaeArgs,
    #[command(flatten)]
    pub stage: StageArgs,
}

#[derive(Debug, Args)]
pub struct SelectArgs {
    #[command(flatten)]
    pub choice: ChoiceArgs,
    #[command(flatten)]
    pub stage: StageArgs,
}

#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Data")]
pub struct DataArgs {
    /// Column of the texts, by name or 1-based number
    #[arg(long, value_name = "COLUMN")]
    pub text: Option<String>,
    /// Column of the other text of each row, where the target says which of the two won
    #[arg(long, value_name = "COLUMN")]
    pub text_b: Option<String>,
    /// Column of what is to be explained
    #[arg(long, visible_alias = "label", value_name = "COLUMN")]
    pub target: Option<String>,
    /// Column whose equal values stay on one side of the split
    #[arg(long, value_name = "COLUMN")]
    pub group: Option<String>,
    /// Column to hold constant, of numbers or words (repeatable)
    #[arg(long = "control", value_name = "COLUMN")]
    pub controls: Vec<String>,
    /// Column whose every value has a level of its own, held constant (repeatable)
    #[arg(long = "fixed-effect", value_name = "COLUMN")]
    pub fixed_effects: Vec<String>,
    /// Column within whose values neurons are chosen, and between which effects are compared
    #[arg(long, value_name = "COLUMN")]
    pub strata: Option<String>,
    /// Column of the weight of each row
    #[arg(long, value_name = "COLUMN")]
    pub weight: Option<String>,
    /// Column of what counts are divided by
    #[arg(long, value_name = "COLUMN")]
    pub exposure: Option<String>,
    /// This value of the target against all others
    #[arg(long, value_name = "VALUE", allow_hyphen_values = true)]
    pub positive: Option<String>,
    /// What the target is [default: its values decide]
    #[arg(long, value_enum)]
    pub task: Option<TaskArg>,
    /// The words of an ordered target, as in low,middle,high
    #[arg(long, value_name = "WORDS", value_delimiter = ',')]
    pub levels: Vec<String>,
    /// Leave out rows with this target (repeatable)
    #[arg(long, value_name = "VALUE", allow_hyphen_values = true)]
    pub drop_target: Vec<String>,
    /// The first row is data
    #[arg(long)]
    pub no_header: bool,
    /// Names for the columns of a file without header, as in target,text
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub columns: Vec<String>,
    /// Format of the files [default: their content decides]
    #[arg(long, value_enum)]
    pub format: Option<FormatArg>,
    /// Encoding of text files, such as windows-1252 [default: UTF-8]
    #[arg(long, value_name = "NAME")]
    pub encoding: Option<String>,
    /// A file of its own for the validation part
    #[arg(long, value_name = "FILE")]
    pub validation: Option<PathBuf>,
    /// A file of its own for the held-out part
    #[arg(long, value_name = "FILE")]
    pub heldout: Option<PathBuf>,
    /// Shares of discover, validation and held-out [default: 70/15/15]
    #[arg(long, value_name = "A/B/C")]
    pub split: Option<String>,
}

#[derive(Debug, Default, Args)]
pub struct MethodArgs {
    #[command(flatten)]
    pub sae: SaeArgs,
    #[command(flatten)]
    pub choice: ChoiceArgs,
}

#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Method")]
pub struct SaeArgs {
    /// Neurons and how many are active per text, as in 64:4; several stand side by side
    /// (repeatable) [default: by the number of texts]
    #[arg(long, value_name = "M:K")]
    pub sae: Vec<String>,
}

#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Method")]
pub struct ChoiceArgs {
    /// How neurons are chosen [default: lasso]
    #[arg(long, value_enum, value_name = "METHOD")]
    pub select: Option<SelectArg>,
    /// Leave out neurons that are more than this like a better one [default: twins are shown only]
    #[arg(long, value_name = "SHARE")]
    pub max_redundancy: Option<f64>,
    /// How many hypotheses to make [default: 20]
    #[arg(short = 'n', long, value_name = "N")]
    pub hypotheses: Option<usize>,
}

#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "General")]
pub struct SharedArgs {
    /// Set any option, as in select.n=10; docs/options.toml lists them (repeatable)
    #[arg(short = 'o', long = "option", value_name = "KEY=VALUE")]
    pub options: Vec<String>,
    /// Everything random follows from it [default: 0]
    #[arg(long)]
    pub seed: Option<u64>,
    /// Threads; they change the time, never the result [default: one per core]
    #[arg(long, value_name = "N")]
    pub threads: Option<NonZeroUsize>,
    /// Print the result as one JSON document
    #[arg(long)]
    pub json: bool,
    /// Print the result only
    #[arg(long)]
    pub quiet: bool,
    /// Say which stages would be done and what they would cost, and do none that costs anything
    #[arg(long)]
    pub dry_run: bool,
    #[command(flatten)]
    pub asking: AskingArgs,
}

#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Language models")]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub struct AskingArgs {
    /// Ask nothing of anybody: all is done on this computer
    #[arg(long)]
    pub local: bool,
    /// Go on without asking what it may cost
    #[arg(long)]
    pub yes: bool,
    /// Stop before more than so many dollars are spent
    #[arg(long, value_name = "DOLLARS")]
    pub max_cost: Option<f64>,
    /// Ask by batch jobs: half the price, answers within a day; the same command fetches them
    #[arg(long, conflicts_with_all = ["local", "frozen"])]
    pub batch: bool,
    /// Wait for the answers of batch jobs instead of leaving
    #[arg(long, conflicts_with_all = ["local", "frozen"])]
    pub wait: bool,
    /// Use only answers that are kept from earlier runs
    #[arg(long, conflicts_with = "local")]
    pub frozen: bool,
}

#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Language models")]
pub struct ModelArgs {
    /// What the texts are, as in "Restaurant reviews on Yelp"
    #[arg(long, value_name = "SENTENCE")]
    pub context: Option<String>,
    /// What the interpreter should heed, in a file
    #[arg(long, value_name = "FILE")]
    pub instructions_file: Option<PathBuf>,
    /// Model that embeds: a server's, the folder or hub name of a sentence model, which is brought here, or
    /// tfidf-svd [default: text-embedding-3-small if there is a key]
    #[arg(long, value_name = "MODEL")]
    pub embedder: Option<String>,
    /// What a sentence model reads before every text [default: what it was trained with]
    #[arg(long, value_name = "TEXT")]
    pub prefix: Option<String>,
    /// Cut long texts into pieces of whole sentences: `mean` embeds them piece by piece, `rows` makes each
    /// piece a row in the group of its text; `mean:200` says how many tokens at most [default: 256]
    #[arg(long, value_name = "MODE[:TOKENS]")]
    pub chunk: Option<Chunk>,
    /// Model that words neurons, or phrases, or meaning, by the sentence model that embeds [default: gpt-5.2
    /// if there is a key]
    #[arg(long, value_name = "MODEL")]
    pub interpreter: Option<String>,
    /// Model that annotates, or phrases, or meaning [default: gpt-5-mini if there is a key]
    #[arg(long, value_name = "MODEL")]
    pub annotator: Option<String>,
    /// Annotate several texts in one call, which costs least
    #[arg(long, conflicts_with = "single")]
    pub economy: bool,
    /// Annotate one text with one concept a call, which costs most
    #[arg(long)]
    pub single: bool,
    /// Rounds in which wordings are mended by their mistakes [default: 2 where they are cheap]
    #[arg(long, value_name = "ROUNDS")]
    pub refine: Option<usize>,
}

#[derive(Debug, Args)]
pub struct DoctorArgs {
    #[command(flatten)]
    pub models: ModelArgs,
    /// Options file [default: hypothesaes.toml in the current folder, if there is one]
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Set any option, as in `llm.timeout=60` (repeatable)
    #[arg(short = 'o', long = "option", value_name = "KEY=VALUE")]
    pub options: Vec<String>,
}

#[derive(Debug, Args)]
pub struct CacheArgs {
    /// Write every answer to this file, as JSON lines
    #[arg(long, value_name = "FILE")]
    pub export: Option<PathBuf>,
    /// Read all vectors; those that are damaged are set aside, and made anew when they are needed
    #[arg(long, group = "vectors", conflicts_with = "export")]
    pub verify: bool,
    /// Remove the vectors that were used longest ago, until this many megabytes are left
    #[arg(long, value_name = "MB", group = "vectors", conflicts_with = "export")]
    pub trim_vectors: Option<u64>,
    /// Write the vectors into this folder, an Arrow file for each embedder
    #[arg(long, value_name = "FOLDER", group = "vectors", conflicts_with = "export")]
    pub export_vectors: Option<PathBuf>,
    /// Take vectors over from files that `--export-vectors` wrote
    #[arg(long, value_name = "FILE", num_args = 1.., group = "vectors", conflicts_with = "export")]
    pub import_vectors: Vec<PathBuf>,
}

#[derive(Debug, Args)]
pub struct PricesArgs {
    /// Only these models
    pub models: Vec<String>,
    /// A JSON file of prices beside the built-in ones
    #[arg(long, value_name = "FILE")]
    pub prices: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum TaskArg {
    Continuous,
    Binary,
    Multiclass,
    Count,
    Ordinal,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum FormatArg {
    Csv,
    Tsv,
    Jsonl,
    Json,
    Parquet,
    Arrow,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum ExportArg {
    Csv,
    Parquet,
    Markdown,
    Latex,
    Xlsx,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum SelectArg {
    Lasso,
    Correlation,
    Separation,
    Stability,
}

/// What becomes of long texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chunk {
    /// Whether pieces become rows; else their vectors are averaged.
    pub rows: bool,
    /// Of a piece at most.
    pub tokens: usize,
}

impl std::str::FromStr for Chunk {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (mode, tokens) = text.split_once(':').unwrap_or((text, "256"));
        let tokens = tokens.parse().map_err(|_| format!("`{tokens}` is no number of tokens"))?;
        match mode {
            "mean" => Ok(Self { rows: false, tokens }),
            "rows" => Ok(Self { rows: true, tokens }),
            other => Err(format!("`{other}` is neither `mean` nor `rows`")),
        }
    }
}
