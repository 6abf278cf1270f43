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

use hypothesaes_math::Matrix;

use crate::Result;
use crate::data::Texts;
use crate::embed::Vectors;
use crate::options::Options;

pub(super) use annotate::{ANNOTATIONS, annotate};
pub(super) use data::{ROWS, data, read_summary};
pub(super) use embed::{EMBEDDINGS, Embedded, embed};
pub(super) use evaluate::{Evaluated, Findings, Found, evaluate};
pub(super) use interpret::{LABELS, interpret};
pub(super) use report::report;
pub(super) use sae::{MODEL, Neurons, sae};
pub(super) use select::{SELECTION, select};
pub(super) use signal::signal;

/// Where the stages that go by meaning have vectors from; `None` if none does. Those of the `known` texts
/// are not made again.
pub(super) fn vectors_for_meaning<'a>(
    options: &Options,
    known: Option<(&'a Texts, &'a Matrix)>,
) -> Result<Option<Vectors<'a>>> {
    if !options.goes_by_meaning() {
        return Ok(None);
    }
    let vectors = Vectors::open(&options.embed)?;
    Ok(Some(match known {
        Some((texts, x)) => vectors.knowing(texts, x),
        None => vectors,
    }))
}
