//! Vectors in a file, one row each, read as they are wanted: `.npy`, or safetensors with one matrix.

use std::fs::File;
use std::io::{self, Read, Seek};
use std::path::{Path, PathBuf};

use half::f16;
use hypothesaes_math::{Matrix, Rows};
use safetensors::Dtype;
use safetensors::tensor::Metadata;

use super::npy;
use crate::{Error, Result};

/// Longest header of a safetensors file that is read.
const LONGEST_HEADER: u64 = 1 << 24;

/// Numbers that are read at a time where all are.
const PIECE: usize = 1 << 20;

/// What a number is stored as, little-endian.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    F16,
    F32,
    F64,
}

/// A file of vectors that stays where it is. Rows are read at their place, in any order and by
/// several threads at once: unlike memory that is mapped, they take no more of it than is asked
/// for, and a file that is cut short meanwhile is an error.
#[derive(Debug)]
pub struct VectorFile {
    path: PathBuf,
    file: File,
    kind: Kind,
    /// Where the first row begins.
    start: u64,
    rows: usize,
    cols: usize,
}

impl VectorFile {
    /// Opens a file; the content decides what it is.
    ///
    /// # Errors
    /// [`Error::File`]; [`Error::Input`] if it holds no matrix of floating-point numbers, or fewer
    /// than it says.
    pub fn open(path: &Path) -> Result<Self> {
        let mut file = File::open(path).map_err(Error::file("open", path))?;
        let size = file.metadata().map_err(Error::file("open", path))?.len();
        let wrong = |why: String| {
            let what = "not a file of vectors (.npy, or safetensors with one matrix)";
            Error::input(path, format!("{what}: {why}"))
        };
        let mut magic = [0; 6];
        let is_npy = file.read_exact(&mut magic).is_ok() && magic == *b"\x93NUMPY";
        file.rewind().map_err(Error::file("read", path))?;
        let header = if is_npy { npy_header(&mut file) } else { safetensors_header(&mut file) };
        let (kind, start, rows, cols) = header.map_err(wrong)?;
        let bytes = rows.checked_mul(cols).and_then(|n| n.checked_mul(kind.bytes() as u64));
        if bytes.and_then(|b| b.checked_add(start)).is_none_or(|end| end > size) {
            let message = format!("it is cut short: {rows} rows of {cols} numbers do not fit into");
            return Err(wrong(format!("{message} {size} bytes")));
        }
        let whole = |n: u64| usize::try_from(n).map_err(|e| wrong(e.to_string()));
        let (rows, cols) = (whole(rows)?, whole(cols)?);
        Ok(Self { path: path.into(), file, kind, start, rows, cols })
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Bytes of all rows in memory.
    #[must_use]
    pub fn bytes_in_memory(&self) -> u64 {
        (self.rows * self.cols * size_of::<f32>()) as u64
    }

    /// All rows.
    ///
    /// # Errors
    /// [`Error::Math`] with the path if they cannot be read.
    pub fn load(&self) -> Result<Matrix> {
        let mut data = vec![0.0; self.rows * self.cols];
        // A piece at a time, for types that are converted need a buffer.
        let rows = (PIECE / self.cols.max(1)).max(1);
        for (piece, out) in data.chunks_mut((rows * self.cols).max(1)).enumerate() {
            self.read(piece * rows, out)?;
        }
        Ok(Matrix::from_vec(self.rows, self.cols, data)?)
    }

    /// In memory if all rows take at most so many bytes there, else where they are.
    ///
    /// # Errors
    /// As [`Self::load`].
    pub fn within(self, bytes: u64) -> Result<Vectors> {
        if self.bytes_in_memory() <= bytes {
            Ok(Vectors::Loaded(self.load()?))
        } else {
            Ok(Vectors::OnDisk(self))
        }
    }

    /// # Errors
    /// [`Error::Input`] unless rows have `dim` numbers, as those of another file.
    pub fn check_dim(&self, dim: usize, other: &Path) -> Result<()> {
        if self.cols == dim {
            return Ok(());
        }
        let other = other.display();
        let message = format!("its vectors have {} numbers, those of `{other}` {dim}", self.cols);
        Err(Error::input(&self.path, message))
    }

    /// Reads all rows once.
    ///
    /// # Errors
    /// [`Error::Input`] with the place of the first number that is NaN or infinite.
    pub fn check_finite(&self) -> Result<()> {
        hypothesaes_math::check_finite("vectors", self).map_err(|e| match e {
            hypothesaes_math::Error::NotFinite { row, column, .. } => Error::input(
                &self.path,
                format!(
                    "the number in row {row}, column {column} (both counted from 0) is NaN or \
                     infinite: mend it or leave the row out"
                ),
            ),
            other => other.into(),
        })
    }

    /// Fills `out` with consecutive rows from `first` on.
    fn read(&self, first: usize, out: &mut [f32]) -> hypothesaes_math::Result<()> {
        let at = self.start + (first * self.cols * self.kind.bytes()) as u64;
        self.kind.read(&self.file, at, out).map_err(|e| {
            let last = first + out.len() / self.cols.max(1);
            let (path, last) = (self.path.display(), last.saturating_sub(1));
            let message = format!("cannot read rows {first} to {last} of `{path}`: {e}");
            hypothesaes_math::Error::Unreadable(message)
        })
    }
}

/// Vectors of a file, in memory or not.
#[derive(Debug)]
pub enum Vectors {
    Loaded(Matrix),
    OnDisk(VectorFile),
}

impl Vectors {
    fn rows(&self) -> &dyn Rows {
        match self {
            Self::Loaded(x) => x,
            Self::OnDisk(x) => x,
        }
    }
}

impl Rows for Vectors {
    fn n_rows(&self) -> usize {
        self.rows().n_rows()
    }

    fn dim(&self) -> usize {
        self.rows().dim()
    }

    fn fetch<'a>(
        &'a self,
        index: &[usize],
        buffer: &'a mut Vec<f32>,
    ) -> hypothesaes_math::Result<Vec<&'a [f32]>> {
        self.rows().fetch(index, buffer)
    }
}

impl Rows for VectorFile {
    fn n_rows(&self) -> usize {
        self.rows
    }

    fn dim(&self) -> usize {
        self.cols
    }

    fn fetch<'a>(
        &'a self,
        index: &[usize],
        buffer: &'a mut Vec<f32>,
    ) -> hypothesaes_math::Result<Vec<&'a [f32]>> {
        let d = self.cols;
        buffer.resize(index.len() * d, 0.0);
        let mut rest = buffer.as_mut_slice();
        for run in index.chunk_by(|a, b| a + 1 == *b) {
            let (out, after) = rest.split_at_mut(run.len() * d);
            self.read(run[0], out)?;
            rest = after;
        }
        Ok(buffer.chunks_exact(d.max(1)).collect())
    }
}

impl Kind {
    fn bytes(self) -> usize {
        match self {
            Self::F16 => 2,
            Self::F32 => 4,
            Self::F64 => 8,
        }
    }

    fn read(self, file: &File, at: u64, out: &mut [f32]) -> io::Result<()> {
        if self == Self::F32 {
            read_at(file, bytemuck::cast_slice_mut(out), at)?;
            if cfg!(target_endian = "big") {
                for v in out {
                    *v = f32::from_bits(v.to_bits().swap_bytes());
                }
            }
            return Ok(());
        }
        let mut bytes = vec![0; out.len() * self.bytes()];
        read_at(file, &mut bytes, at)?;
        for (out, word) in out.iter_mut().zip(bytes.chunks_exact(self.bytes())) {
            *out = match *word {
                [a, b] => f16::from_le_bytes([a, b]).to_f32(),
                #[expect(clippy::cast_possible_truncation, reason = "training is in f32")]
                [a, b, c, d, e, f, g, h] => f64::from_le_bytes([a, b, c, d, e, f, g, h]) as f32,
                _ => unreachable!("two or eight bytes"),
            };
        }
        Ok(())
    }
}

#[cfg(unix)]
fn read_at(file: &File, out: &mut [u8], at: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, out, at)
}

#[cfg(windows)]
fn read_at(file: &File, mut out: &mut [u8], mut at: u64) -> io::Result<()> {
    while !out.is_empty() {
        match std::os::windows::fs::FileExt::seek_read(file, out, at)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            n => {
                out = &mut out[n..];
                at += n as u64;
            }
        }
    }
    Ok(())
}

/// Type, place of the first row, number of rows, of columns.
type Header = (Kind, u64, u64, u64);

fn npy_header(file: &mut File) -> Result<Header, String> {
    let (kind, rows, cols) = npy::header(&mut *file)?;
    let start = file.stream_position().map_err(|e| e.to_string())?;
    Ok((kind, start, rows, cols))
}

fn safetensors_header(file: &mut File) -> Result<Header, String> {
    let mut bytes = Vec::new();
    file.take(8).read_to_end(&mut bytes).map_err(|e| e.to_string())?;
    let length = bytes.as_slice().try_into().map(u64::from_le_bytes);
    let length = length.ok().filter(|&n| n <= LONGEST_HEADER).ok_or("it is neither")?;
    file.take(length).read_to_end(&mut bytes).map_err(|e| e.to_string())?;
    let metadata: Metadata = serde_json::from_slice(&bytes[8..]).map_err(|e| e.to_string())?;
    let tensors = metadata.tensors();
    let mut matrices = tensors.values().filter(|t| t.shape.len() == 2);
    let (Some(tensor), None) = (matrices.next(), matrices.next()) else {
        return Err("it does not have one matrix".into());
    };
    let kind = match tensor.dtype {
        Dtype::F16 => Kind::F16,
        Dtype::F32 => Kind::F32,
        Dtype::F64 => Kind::F64,
        other => return Err(format!("its type is {other:?}; F16, F32 or F64 is needed")),
    };
    let start = 8 + length + tensor.data_offsets.0 as u64;
    Ok((kind, start, tensor.shape[0] as u64, tensor.shape[1] as u64))
}

#[cfg(test)]
mod tests;
