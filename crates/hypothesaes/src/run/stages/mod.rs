//! Each stage's tie to the run directory: its identity, its files, how it is read back.

mod annotate;
mod data;
mod embed;
mod evaluate;
mod interpret;
mod report;
mod sae;
mod select;
mod signal;

pub(super) use annotate::{ANNOTATIONS, annotate};
pub(super) use data::{ROWS, data, read_summary};
pub(super) use embed::{EMBEDDINGS, embed};
pub(super) use evaluate::{Evaluated, Findings, Found, evaluate};
pub(super) use interpret::{LABELS, interpret};
pub(super) use report::report;
pub(super) use sae::{MODEL, Neurons, sae};
pub(super) use select::{SELECTION, select};
pub(super) use signal::signal;
