//! From texts with a target to tested hypotheses: the pipeline of `hypothesaes`.
//!
//! ```text
//! data -> embed -> sae -> select -> interpret -> annotate -> evaluate -> report
//! ```
//!
//! A stage is a function in the module of its name. Nothing here prints, exits or reads the
//! environment; progress goes to a [`watch::Watch`].

pub mod annotate;
pub mod charts;
pub mod data;
pub mod demo;
pub mod embed;
pub mod error;
pub mod evaluate;
pub mod export;
pub mod gold;
pub mod interpret;
pub mod leakage;
pub mod models;
pub mod options;
pub mod placebo;
pub mod report;
pub mod run;
pub mod sae;
pub mod select;
pub mod signal;
pub mod store;
pub mod subgroups;
pub mod table;
pub mod tensors;
pub mod text;
pub mod watch;

pub use error::{Error, Result};
