//! Files of numpy's format `.npy`.

use std::io::{self, Read, Write};

use hypothesaes_math::Matrix;
use npyz::{DType, NpyHeader, Order, WriterBuilder};

use super::vectors::Kind;

/// Type, number of rows and of columns of the matrix whose values follow in `from`.
///
/// # Errors
/// In words, if it is no matrix of floating-point numbers, row by row, little-endian.
pub(super) fn header(from: impl Read) -> Result<(Kind, u64, u64), String> {
    let header = NpyHeader::from_reader(from).map_err(|e| e.to_string())?;
    let DType::Plain(kind) = header.dtype() else {
        return Err("its rows are records, not numbers".into());
    };
    let kind = match kind.to_string().as_str() {
        "<f2" => Kind::F16,
        "<f4" => Kind::F32,
        "<f8" => Kind::F64,
        other => return Err(format!("its type is {other}; float16, float32 or float64 is needed")),
    };
    let &[rows, cols] = header.shape() else {
        return Err(format!("it has {} dimensions, and 2 are needed", header.shape().len()));
    };
    if header.order() == Order::Fortran && rows > 1 && cols > 1 {
        return Err("it is stored column by column: save `numpy.ascontiguousarray(x)`".into());
    }
    Ok((kind, rows, cols))
}

/// Writes a matrix of float32 given in parts of some rows each, `rows` x `cols` in all.
///
/// # Errors
/// Those of `out` and of the parts.
pub fn write(
    out: &mut dyn Write,
    (rows, cols): (usize, usize),
    parts: impl Iterator<Item = io::Result<Matrix>>,
) -> io::Result<()> {
    let mut writer = npyz::WriteOptions::new()
        .default_dtype()
        .shape(&[rows as u64, cols as u64])
        .writer(out)
        .begin_nd()?;
    for part in parts {
        writer.extend(part?.into_vec())?;
    }
    writer.finish()
}
