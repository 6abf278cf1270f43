//! Numbers on disk: safetensors files, and rows read from files larger than memory.

pub mod csr;
pub mod npy;
pub mod safetensors;
mod sealed;
pub mod torch;
mod vectors;

pub use sealed::{Sealed, seal};
pub use vectors::{VectorFile, Vectors};
