//! Golden values from other people's code, laws and simulations.

mod comparisons;
mod metrics;
mod regression;
mod sae;
mod selection;
mod simulation;
mod support;
mod svd;
