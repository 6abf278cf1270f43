//! Vectors of all texts in one safetensors file.

use hypothesaes_math::Matrix;

use super::Outputs;
use crate::Result;
use crate::tensors::safetensors::{self, Tensor};

/// Name of the one tensor in the file.
const TENSOR: &str = "embeddings";

/// Writes `x` (n x d, f32, little-endian) as the file `name`; `about` goes into its header.
pub fn write(out: &mut Outputs, name: &str, x: &Matrix, about: &str) -> Result<()> {
    out.file(name, |to| {
        safetensors::write(&mut *to, ("embedder", about), &[Tensor::matrix(TENSOR, x)])
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tensors::VectorFile;

    #[test]
    fn reads_back_what_was_written() {
        let dir = tempfile::tempdir().unwrap();
        let x = Matrix::from_vec(2, 3, vec![0.0, -1.5, f32::MIN_POSITIVE, 3.0, 4.0, 5.0]).unwrap();
        let mut out = Outputs::new(dir.path());
        write(&mut out, "x.safetensors", &x, "test").unwrap();
        let file = dir.path().join("x.safetensors");
        assert_eq!(VectorFile::open(&file).unwrap().load().unwrap(), x);
        std::fs::write(&file, b"no").unwrap();
        assert!(VectorFile::open(&file).is_err());
    }
}
