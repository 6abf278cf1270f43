//! The numerics of `hypothesaes`: matrices, sparse activations, autoencoder training, L1 paths,
//! selection scores, regressions with robust inference, metrics, one random stream.
//!
//! Data are `f32`, sums are `f64`, results do not depend on the number of threads. Nothing here
//! reads files, the clock or the environment, and nothing prints.

pub mod activations;
pub mod crossfit;
pub mod error;
pub mod estimate;
mod large_pages;
pub mod lasso;
pub mod matrix;
pub mod means;
pub mod metrics;
pub mod moments;
pub mod multiplicity;
pub mod product;
pub mod proportions;
pub mod random;
pub mod regression;
pub mod ridge;
pub mod rows;
pub mod sae;
pub mod scores;
pub mod sparse;
pub mod svd;
pub mod topk;
pub mod vector;

pub use activations::Activations;
pub use error::{Error, Result};
pub use estimate::{Estimate, Level};
pub use large_pages::LargePages;
pub use matrix::Matrix;
pub use rows::{Rows, Subset, check_finite};
pub use sparse::Sparse;
