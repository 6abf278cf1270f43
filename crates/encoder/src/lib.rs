//! Sentence embeddings made in the program: models of the sentence-transformers ecosystem, read as they
//! are shipped, without Python and without a server.
//!
//! A text becomes tokens ([`Encoder::ids`]), these go through a stack of blocks (or, in static models,
//! through a table), and what comes out is pooled into a vector. Tokens of several texts are computed
//! together, one after the other and without padding.

mod architecture;
mod attention;
mod batches;
mod encoder;
mod error;
mod folder;
mod int8;
mod linear;
mod modules;
mod ops;
mod statics;
mod tokens;
mod transformer;
mod weights;

pub use encoder::{Encoder, EncoderOptions};
pub use error::{Error, Result};
pub use linear::Precision;
