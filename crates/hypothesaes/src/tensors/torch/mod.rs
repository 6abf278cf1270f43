//! Files of `torch.save`: a zip archive of a pickle and of the tensors' bytes.
//!
//! A pickle is a program, and loading one in Python runs whatever it names. Here it is read by an
//! interpreter that knows dictionaries, numbers, texts and tensors, calls nothing, and refuses
//! everything else by name (trap 9).

pub mod pickle;

use std::io::{Cursor, Read};

pub use pickle::{Tensor, Value};
use zip::{CompressionMethod, ZipArchive};

/// Longest pickle that is read; that of an autoencoder has some hundred bytes.
const LONGEST_PICKLE: u64 = 1 << 20;

/// A file of `torch.save`, and where its tensors lie.
pub struct TorchFile<'a> {
    archive: ZipArchive<Cursor<&'a [u8]>>,
    /// Folder of all entries, with a slash.
    folder: String,
    /// What was saved.
    pub value: Value,
}

impl<'a> TorchFile<'a> {
    /// Reads the pickle; tensors are read when they are asked for.
    ///
    /// # Errors
    /// In words, if it is no such file or holds what is not known here.
    pub fn open(bytes: &'a [u8]) -> Result<Self, String> {
        let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|e| {
            format!("{e}; torch before 1.6 wrote another format: load and save it with a newer one")
        })?;
        let mut folders = archive.file_names().flatten().filter_map(|name| {
            let folder = name.strip_suffix("data.pkl")?;
            folder.ends_with('/').then(|| folder.to_owned())
        });
        let folder = folders.next().ok_or("there is no `data.pkl` in it")?;
        drop(folders);
        if let Ok(order) = entry(&mut archive, &format!("{folder}byteorder"), 16)
            && order != b"little"
        {
            return Err("its numbers are not little-endian".into());
        }
        let program = entry(&mut archive, &format!("{folder}data.pkl"), LONGEST_PICKLE)?;
        let value = pickle::read(&program)?;
        Ok(Self { archive, folder, value })
    }

    /// The values of a tensor of type float32, row by row.
    ///
    /// # Errors
    /// In words, if its bytes are not there, or lie otherwise.
    pub fn floats(&mut self, tensor: &Tensor) -> Result<Vec<f32>, String> {
        if tensor.kind != "FloatStorage" {
            return Err(format!("a tensor is a torch.{}, not float32", tensor.kind));
        }
        let n = tensor.n_values().ok_or("a tensor is larger than memory can be")?;
        let name = format!("{}data/{}", self.folder, tensor.storage);
        let bytes = entry(&mut self.archive, &name, u64::MAX)?;
        let (words, _) = bytes.as_chunks();
        let words = tensor.start.checked_add(n).and_then(|end| words.get(tensor.start..end));
        let words = words.ok_or_else(|| format!("`{name}` is too short for its tensor"))?;
        let values = words.iter().map(|word| f32::from_le_bytes(*word));
        match (tensor.shape.as_slice(), tensor.stride.as_slice()) {
            (_, stride) if stride == tensor.rows_first() => Ok(values.collect()),
            // Column by column, as a transposed matrix is stored.
            (&[rows, cols], &[1, step]) if step == rows => Ok((0..n)
                .map(|at| f32::from_le_bytes(words[at % cols * rows + at / cols]))
                .collect()),
            (shape, stride) => Err(format!(
                "a tensor of shape {shape:?} has strides {stride:?}: save it contiguous"
            )),
        }
    }
}

/// A file of the archive, of at most so many bytes.
fn entry(
    archive: &mut ZipArchive<Cursor<&[u8]>>,
    name: &str,
    longest: u64,
) -> Result<Vec<u8>, String> {
    let file = archive.by_name(name).map_err(|e| format!("`{name}`: {e}"))?;
    if file.size() > longest {
        return Err(format!("`{name}` has {} bytes", file.size()));
    }
    // So that nothing can grow beyond the file's own size.
    if file.compression() != CompressionMethod::Stored {
        return Err(format!("`{name}` is compressed, which torch does not do"));
    }
    let mut bytes = Vec::new();
    file.take(longest).read_to_end(&mut bytes).map_err(|e| format!("`{name}`: {e}"))?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use zip::ZipWriter;
    use zip::write::SimpleFileOptions;

    fn archive(method: CompressionMethod) -> Vec<u8> {
        let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
        let options = SimpleFileOptions::default().compression_method(method);
        archive.start_file("saved/data.pkl", options).unwrap();
        archive.write_all(b"\x80\x02N.").unwrap();
        archive.finish().unwrap().into_inner()
    }

    #[test]
    fn what_could_grow_in_memory_is_refused() {
        let value = TorchFile::open(&archive(CompressionMethod::Stored)).unwrap().value;
        assert_eq!(value, Value::None);
        let compressed = archive(CompressionMethod::Deflated);
        let refusal = TorchFile::open(&compressed).err().unwrap();
        assert!(refusal.contains("`saved/data.pkl` is compressed"), "{refusal}");
    }
}
