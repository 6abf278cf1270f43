//! Tests through the public face of the crate.

mod files;
mod formats;
mod malformed;
mod reading;
