//! The numerics of `hypothesaes`: matrices, sparse activations, autoencoder training, L1 paths,
//! selection scores, regressions with robust inference, metrics, one random stream.
//!
//! Data are `f32`, sums are `f64`, results do not depend on the number of threads. Nothing here
//! reads files, the clock or the environment, and nothing prints.

pub mod activations;
pub mod agreement;
pub mod controls;
pub mod crossfit;
pub mod error;
pub mod estimate;
pub mod interaction;
mod large_pages;
pub mod lasso;
pub mod matching;
pub mod matrix;
pub mod means;
pub mod metrics;
pub mod moments;
pub mod multiplicity;
pub mod near_duplicates;
mod numbered;
pub mod placebo;
pub mod power;
pub mod product;
pub mod proportions;
pub mod random;
pub mod rectify;
pub mod redundancy;
pub mod regression;
pub mod resample;
pub mod ridge;
pub mod rows;
pub mod sae;
pub mod scores;
pub mod setting;
pub mod sparse;
pub mod stability;
pub mod svd;
pub mod topk;
pub mod tsne;
pub mod vector;

pub use activations::{Activations, Columns};
pub use controls::Controls;
pub use error::{Error, Result};
pub use estimate::{Estimate, Level};
pub use large_pages::LargePages;
pub use matrix::Matrix;
pub use rows::{Rows, Subset, check_finite};
pub use setting::Setting;
pub use sparse::Sparse;
