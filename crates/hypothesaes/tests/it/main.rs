//! Tests through the public face of the crate.

mod covariates;
mod embedding;
mod files;
mod formats;
mod honesty;
mod malformed;
mod python_sae;
mod reading;
