//! What the encoders say, beside sentence-transformers, and what they refuse.

mod damage;
mod parity;
