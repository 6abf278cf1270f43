//! Vectors of all texts in one safetensors file.

use std::path::Path;

use hypothesaes_math::Matrix;

use super::Outputs;
use crate::Result;
use crate::tensors::VectorFile;
use crate::tensors::safetensors::{self, Tensor};

/// Name of the one tensor in the file.
const TENSOR: &str = "embeddings";

/// Writes `x` (n x d, f32, little-endian) as the file `name`; `about` goes into its header.
pub fn write(out: &mut Outputs, name: &str, x: &Matrix, about: &str) -> Result<()> {
    out.file(name, |to| {
        safetensors::write(&mut *to, ("embedder", about), &[Tensor::matrix(TENSOR, x)])
    })
}

/// Reads what [`write()`] wrote.
pub fn read(folder: &Path, name: &str) -> Result<Matrix> {
    VectorFile::open(&folder.join(name))?.load()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_back_what_was_written() {
        let dir = tempfile::tempdir().unwrap();
        let x = Matrix::from_vec(2, 3, vec![0.0, -1.5, f32::MIN_POSITIVE, 3.0, 4.0, 5.0]).unwrap();
        let mut out = Outputs::new(dir.path());
        write(&mut out, "x.safetensors", &x, "test").unwrap();
        assert_eq!(read(dir.path(), "x.safetensors").unwrap(), x);
        std::fs::write(dir.path().join("x.safetensors"), b"no").unwrap();
        assert!(read(dir.path(), "x.safetensors").is_err());
    }
}
