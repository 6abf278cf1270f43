//! Sentence models of the Hugging Face hub, brought into the cache that the hub's own programs share.
//!
//! [`find`] looks without asking anyone. [`Hub::fetch`] brings what is missing; what was broken off is
//! gone on with, and nothing has its name before its checksum fits. [`Hub::plan`] says before how much
//! will come. The environment is the caller's to read.

mod cache;
mod digest;
mod download;
mod error;
mod hint;
mod hub;
mod listing;
mod lock;
mod name;
mod retry;
mod select;
mod stored;
mod token;
mod transport;
mod watch;

pub use cache::{Found, find};
pub use error::{Error, Result};
pub use hub::{Fetched, Hub, HubOptions, Plan};
pub use token::Token;
pub use watch::{Progress, Step};

/// The hub that everyone means if none is named.
pub const ENDPOINT: &str = "https://huggingface.co";
