//! The program from end to end.

mod asking;
mod demo;
mod designs;
mod errors;
mod exporting;
mod help;
mod interrupting;
mod models;
mod papers;
mod program;
mod real;
mod resuming;
mod running;
mod sae;
mod sentence_models;
#[path = "../../../llm/tests/it/service.rs"]
mod service;
