//! Tests through the public face of the crate.

mod covariates;
mod embedding;
mod files;
mod formats;
mod malformed;
mod planted;
mod python_sae;
mod reading;
