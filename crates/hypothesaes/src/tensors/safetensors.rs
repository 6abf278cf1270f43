//! Safetensors files, written without a second copy in memory.
//!
//! A file holds numbers and text only; reading it runs nothing (trap 9).

use std::borrow::Cow;
use std::io::{self, Write};

use hypothesaes_math::Matrix;
use safetensors::{Dtype, SafeTensors, tensor::TensorView};
use serde_json::{Map, Value, json};

/// A tensor to be written, its values little-endian.
pub struct Tensor<'a> {
    pub name: String,
    pub dtype: Dtype,
    pub shape: Vec<usize>,
    pub bytes: Cow<'a, [u8]>,
}

impl<'a> Tensor<'a> {
    /// Of type F32.
    pub fn floats(name: impl Into<String>, shape: &[usize], values: &'a [f32]) -> Self {
        Self { name: name.into(), dtype: Dtype::F32, shape: shape.into(), bytes: bytes(values) }
    }

    /// A matrix of type F32.
    pub fn matrix(name: impl Into<String>, x: &'a Matrix) -> Self {
        Self::floats(name, &[x.rows(), x.cols()], x.data())
    }

    /// A vector of type U64.
    pub fn integers(name: impl Into<String>, values: &[u64]) -> Self {
        let bytes = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        Self { name: name.into(), dtype: Dtype::U64, shape: vec![values.len()], bytes }
    }
}

/// Values as little-endian bytes: themselves, wherever the machine has it so.
fn bytes(values: &[f32]) -> Cow<'_, [u8]> {
    if cfg!(target_endian = "little") {
        Cow::Borrowed(bytemuck::cast_slice(values))
    } else {
        values.iter().flat_map(|v| v.to_le_bytes()).collect()
    }
}

/// Writes a file of these tensors, in this order, with one entry of metadata.
///
/// # Errors
/// Those of `out`.
pub fn write(
    out: &mut dyn Write,
    (key, value): (&str, &str),
    tensors: &[Tensor<'_>],
) -> io::Result<()> {
    let mut header = Map::new();
    header.insert("__metadata__".into(), json!({ key: value }));
    let mut at = 0;
    for Tensor { name, dtype, shape, bytes } in tensors {
        let end = at + bytes.len();
        let entry: Value = json!({ "dtype": dtype, "shape": shape, "data_offsets": [at, end] });
        header.insert(name.clone(), entry);
        at = end;
    }
    let mut header = Value::Object(header).to_string().into_bytes();
    // The format wants the data to start at a multiple of eight bytes.
    header.resize(header.len().next_multiple_of(8), b' ');
    out.write_all(&(header.len() as u64).to_le_bytes())?;
    out.write_all(&header)?;
    tensors.iter().try_for_each(|tensor| out.write_all(&tensor.bytes))
}

/// The tensor of this name and type, or what is wrong.
fn tensor<'a>(file: &SafeTensors<'a>, name: &str, dtype: Dtype) -> Result<TensorView<'a>, String> {
    let tensor = file.tensor(name).map_err(|e| e.to_string())?;
    if tensor.dtype() == dtype { Ok(tensor) } else { Err(format!("`{name}` is no {dtype:?}")) }
}

/// Values of a tensor of type F32.
///
/// # Errors
/// In words, if there is no such tensor.
pub fn floats(file: &SafeTensors<'_>, name: &str) -> Result<Vec<f32>, String> {
    let tensor = tensor(file, name, Dtype::F32)?;
    let (words, _) = tensor.data().as_chunks();
    Ok(words.iter().map(|w| f32::from_le_bytes(*w)).collect())
}

/// A tensor of type F32 and two dimensions.
///
/// # Errors
/// In words, if there is no such tensor.
pub fn matrix(file: &SafeTensors<'_>, name: &str) -> Result<Matrix, String> {
    match *tensor(file, name, Dtype::F32)?.shape() {
        [m, d] => Matrix::from_vec(m, d, floats(file, name)?).map_err(|e| e.to_string()),
        _ => Err(format!("`{name}` is no matrix")),
    }
}

/// Values of a tensor of type U64.
///
/// # Errors
/// In words, if there is no such tensor.
pub fn integers(file: &SafeTensors<'_>, name: &str) -> Result<Vec<u64>, String> {
    let tensor = tensor(file, name, Dtype::U64)?;
    let (words, _) = tensor.data().as_chunks();
    Ok(words.iter().map(|w| u64::from_le_bytes(*w)).collect())
}
