//! Tests through the public face of the crate.

mod embedding;
mod files;
mod formats;
mod malformed;
mod reading;
