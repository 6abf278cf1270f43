//! Vectors of all texts in one safetensors file, written without a second copy in memory.

use std::io;
use std::path::Path;

use hypothesaes_math::Matrix;
use safetensors::{Dtype, SafeTensors};

use super::Outputs;
use crate::{Error, Result};

/// Name of the one tensor in the file.
const TENSOR: &str = "embeddings";

/// Writes `x` (n x d, f32, little-endian) as the file `name`; `about` goes into its header.
pub fn write(out: &mut Outputs, name: &str, x: &Matrix, about: &str) -> Result<()> {
    let bytes = std::mem::size_of_val(x.data());
    let tensor = serde_json::json!({
        "dtype": "F32", "shape": [x.rows(), x.cols()], "data_offsets": [0, bytes]
    });
    let header = serde_json::json!({ "__metadata__": { "embedder": about }, TENSOR: tensor });
    out.file(name, |to| {
        let mut header = header.to_string().into_bytes();
        // The format wants the data to start at a multiple of eight bytes.
        header.resize(header.len().next_multiple_of(8), b' ');
        to.write_all(&(header.len() as u64).to_le_bytes())?;
        to.write_all(&header)?;
        x.data().iter().try_for_each(|v| to.write_all(&v.to_le_bytes()))
    })
}

/// Reads what [`write()`] wrote.
pub fn read(folder: &Path, name: &str) -> Result<Matrix> {
    let path = folder.join(name);
    let bytes = std::fs::read(&path).map_err(Error::file("read", &path))?;
    parse(&bytes).map_err(|why| Error::file("read", &path)(io::Error::other(why)))
}

fn parse(bytes: &[u8]) -> Result<Matrix, String> {
    let file = SafeTensors::deserialize(bytes).map_err(|e| e.to_string())?;
    let tensor = file.tensor(TENSOR).map_err(|e| e.to_string())?;
    let &[rows, cols] = tensor.shape() else { return Err("not a matrix".into()) };
    if tensor.dtype() != Dtype::F32 {
        return Err("not of type F32".into());
    }
    let (values, _) = tensor.data().as_chunks::<4>();
    let data = values.iter().map(|b| f32::from_le_bytes(*b)).collect();
    Matrix::from_vec(rows, cols, data).map_err(|e| e.to_string())
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
