//! How a question is written for a server, and how its reply is read.

mod body;
mod dialect;
mod read;
mod vectors;

pub(crate) use body::{embeddings, prompt};
pub(crate) use dialect::{Dialect, Face};
pub(crate) use read::{Read, read};
pub(crate) use vectors::read as read_vectors;
