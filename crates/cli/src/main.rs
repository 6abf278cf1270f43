//! The `hypothesaes` program: arguments in, progress on stderr, the answer on stdout, an exit code.
//!
//! What is computed is in the library `hypothesaes`.

mod args;
mod ask;
mod choose;
mod command;
mod consent;
mod demo;
mod doctor;
mod exit;
mod export;
mod interrupt;
mod ledger;
mod models;
mod progress;
mod sae;
mod show;
mod vectors;

use std::process::ExitCode;

use clap::Parser;
use hypothesaes_math::LargePages;

#[global_allocator]
static ALLOCATOR: LargePages = LargePages;

fn main() -> ExitCode {
    exit::after(|| command::carry_out(args::Cli::parse().command))
}
