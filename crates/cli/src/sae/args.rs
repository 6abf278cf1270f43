//! The words after `hypothesaes sae`.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use bytesize::ByteSize;
use clap::{Args, Subcommand};

#[derive(Debug, Subcommand)]
pub enum SaeCommand {
    /// Train autoencoders on the vectors of a file, and keep them in another
    Train(Train),
    /// Say which neurons fire on the vectors of a file, and how strongly
    Encode(Encode),
    /// Turn what fires back into vectors
    Decode(Decode),
    /// Show how good autoencoders are and which of their neurons can be trusted
    Health(Health),
    /// Take over an autoencoder that the Python package saved; nothing in its file is run
    Import(Import),
}

#[derive(Debug, Args)]
pub struct Train {
    /// Vectors, a row each: .npy or safetensors with one matrix, of 16, 32 or 64 bits
    pub vectors: PathBuf,
    /// Neurons and how many are active per row, as in 64:4; several are trained side by side
    /// (repeatable) [default: by the number of rows]
    #[arg(long, value_name = "M:K")]
    pub sae: Vec<String>,
    /// Vectors on which training stops early [default: a tenth of the rows, drawn by the seed]
    #[arg(long, value_name = "FILE")]
    pub validation: Option<PathBuf>,
    /// Where the autoencoders go, a safetensors file
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// Memory to use, about; vectors that do not fit are read again in every pass
    #[arg(long, value_name = "SIZE", default_value = "2GB")]
    pub memory: ByteSize,
    /// Set an option of the training, as in sae.patience=5; docs/options.toml lists them
    /// (repeatable)
    #[arg(short = 'o', long = "option", value_name = "KEY=VALUE")]
    pub options: Vec<String>,
    /// Everything random follows from it
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
    #[command(flatten)]
    pub shared: Shared,
}

#[derive(Debug, Args)]
pub struct Encode {
    /// Autoencoders that `sae train` or a run kept
    pub model: PathBuf,
    /// Vectors, a row each: .npy or safetensors with one matrix
    pub vectors: PathBuf,
    /// Where the activations go, for `scipy.sparse.load_npz`: a row for each vector, a column for
    /// each neuron
    #[arg(long, value_name = "FILE.npz")]
    pub out: PathBuf,
    #[command(flatten)]
    pub shared: Shared,
}

#[derive(Debug, Args)]
pub struct Decode {
    /// Autoencoders that `sae train` or a run kept
    pub model: PathBuf,
    /// Activations, as `sae encode` writes them
    pub activations: PathBuf,
    /// Which autoencoder, if there are several, as in 64:4
    #[arg(long, value_name = "M:K")]
    pub sae: Option<String>,
    /// Where the vectors go
    #[arg(long, value_name = "FILE.npy")]
    pub out: PathBuf,
    #[command(flatten)]
    pub shared: Shared,
}

#[derive(Debug, Args)]
pub struct Health {
    /// Autoencoders that `sae train` or a run kept
    pub model: PathBuf,
    /// Vectors to judge them by [default: what was found after the training]
    pub vectors: Option<PathBuf>,
    /// A table of every neuron
    #[arg(long, value_name = "FILE.csv")]
    pub neurons: Option<PathBuf>,
    #[command(flatten)]
    pub shared: Shared,
}

#[derive(Debug, Args)]
pub struct Import {
    /// What the package's `save` wrote, as in `SAE_M=256_K=8.pt`
    pub file: PathBuf,
    /// Vectors to judge it by: those it was trained on, or others like them
    pub vectors: PathBuf,
    /// Where the autoencoder goes, a safetensors file
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    #[command(flatten)]
    pub shared: Shared,
}

#[derive(Debug, Args)]
pub struct Shared {
    /// Threads; they change the time, never the result [default: one per core]
    #[arg(long, value_name = "N")]
    pub threads: Option<NonZeroUsize>,
    /// Print the result as one JSON document
    #[arg(long)]
    pub json: bool,
    /// Print the result only
    #[arg(long)]
    pub quiet: bool,
}
