//! Golden values from other people's code, laws and simulations.

mod agreement;
mod cases;
mod clustered;
mod comparisons;
mod coverage;
mod draws;
mod effects;
mod error_rates;
mod laws;
mod matching;
mod metrics;
mod near_duplicates;
mod ordinal;
mod placebo;
mod power;
mod predictions;
mod rectify;
mod regression;
mod resample;
mod sae;
mod selection;
mod simulation;
mod support;
mod svd;
mod tsne;
