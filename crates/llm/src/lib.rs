//! Questions to language models, through any server that speaks OpenAI's protocol.
//!
//! In go prompts and texts to embed, out come answers: paced to the account's limits, retried where
//! that helps, written to a store before they are used, and counted in tokens and money. What the
//! questions are about is not known here.

pub mod ask;
pub mod client;
pub mod error;
pub mod failure;
pub mod limits;
pub mod price;
pub mod question;
pub mod reply;
pub mod server;
pub mod store;
pub mod tokens;
mod wire;

pub use error::{Error, Result};
