//! What the encoders say, beside sentence-transformers.

mod parity;
