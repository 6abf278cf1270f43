//! Golden values from other people's code, laws and simulations.

mod metrics;
mod support;
