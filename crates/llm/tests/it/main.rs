//! The client against servers: scripted ones of our own, and a simulated service where it is there.

mod batches;
mod client;
mod dialects;
mod embedding;
mod limits;
mod server;
mod service;
mod setup;
mod simulated;
mod stopping;
