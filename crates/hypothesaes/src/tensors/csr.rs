//! Sparse activations as scipy keeps them: `scipy.sparse.load_npz(FILE)` gives a CSR matrix.
//!
//! A zip archive of the arrays `indices`, `indptr`, `data`, `shape` and `format`.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, Write};
use std::path::Path;

use hypothesaes_math::Activations;
use npyz::{AutoSerialize, DType, NpyFile, WriteOptions, WriterBuilder};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

use crate::{Error, Result};

/// Writes the archive; equal activations give equal bytes.
///
/// # Errors
/// Those of `out`.
pub fn write(out: &mut dyn Write, z: &Activations) -> io::Result<()> {
    let mut archive = ZipWriter::new_stream(out);
    // Without the time of writing, and with room for more than 4 GB.
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Stored)
        .last_modified_time(zip::DateTime::default())
        .large_file(true);
    let rows = || (0..z.rows()).map(|i| z.row(i));
    let (n, count) = (z.rows() as u64, z.len() as u64);
    let mut end = 0;
    let ends = std::iter::once(0).chain(rows().map(|(indices, _)| {
        end += indices.len();
        end
    }));
    archive.start_file("indices.npy", options)?;
    let indices = rows().flat_map(|(indices, _)| indices).map(|&j| i64::from(j));
    array(&mut archive, &[count], indices)?;
    archive.start_file("indptr.npy", options)?;
    array(&mut archive, &[n + 1], ends.map(signed))?;
    archive.start_file("format.npy", options)?;
    format_name(&mut archive)?;
    archive.start_file("shape.npy", options)?;
    array(&mut archive, &[2], [z.rows(), z.neurons()].into_iter().map(signed))?;
    archive.start_file("data.npy", options)?;
    array(&mut archive, &[count], rows().flat_map(|(_, values)| values).copied())?;
    archive.finish()?.into_inner().flush()
}

/// Of the type that scipy takes for shapes and places.
fn signed(count: usize) -> i64 {
    i64::try_from(count).expect("what is in memory is fewer than 2^63")
}

fn array<T: AutoSerialize>(
    out: &mut dyn Write,
    shape: &[u64],
    values: impl Iterator<Item = T>,
) -> io::Result<()> {
    let mut to = WriteOptions::new().default_dtype().shape(shape).writer(out).begin_nd()?;
    to.extend(values)?;
    to.finish()
}

/// What scipy looks at first.
fn format_name(out: &mut dyn Write) -> io::Result<()> {
    let kind = DType::Plain("|S3".parse().expect("three bytes are a type"));
    let options = WriteOptions::<[u8]>::new().dtype(kind).shape(&[]);
    let mut to = options.writer(out).begin_nd()?;
    to.push(b"csr".as_slice())?;
    to.finish()
}

/// Reads what [`write()`] or `scipy.sparse.save_npz` wrote.
///
/// # Errors
/// [`Error::File`]; [`Error::Input`] if it is no such archive, or a value is not a positive number.
pub fn read(path: &Path) -> Result<Activations> {
    let file = File::open(path).map_err(Error::file("open", path))?;
    parse(BufReader::new(file)).map_err(|why| {
        let what = "not activations of an autoencoder (`sae encode` or scipy's `save_npz`)";
        Error::input(path, format!("{what}: {why}"))
    })
}

fn parse(from: impl Read + Seek) -> Result<Activations, String> {
    let mut archive = ZipArchive::new(from).map_err(|e| e.to_string())?;
    let format = values_of::<Vec<u8>>(&mut archive, "format")?;
    if format.first().is_none_or(|name| name.as_slice() != b"csr") {
        return Err("it is no CSR matrix: save `x.tocsr()`".into());
    }
    let shape = wholes(&mut archive, "shape")?;
    let (ends, indices) = (wholes(&mut archive, "indptr")?, wholes(&mut archive, "indices")?);
    let values = floats(&mut archive, "data")?;
    let &[n, neurons] = shape.as_slice() else { return Err("it is no matrix".into()) };
    if ends.len().checked_sub(1) != Some(n) || indices.len() != values.len() {
        return Err("its arrays do not fit together".into());
    }
    let mut z = Activations::new(neurons);
    for (i, ends) in ends.windows(2).enumerate() {
        let span = ends[0]..ends[1];
        let (Some(row), Some(values)) = (indices.get(span.clone()), values.get(span)) else {
            return Err(format!("row {i} (counted from 0) lies outside the arrays"));
        };
        let row = row.iter().map(|&j| u32::try_from(j).unwrap_or(u32::MAX));
        let mut row: Vec<(u32, f32)> = row.zip(values.iter().copied()).collect();
        row.sort_by_key(|(j, _)| *j);
        let fits = |(j, v): &(u32, f32)| (*j as usize) < neurons && v.is_finite() && *v > 0.0;
        if !row.iter().all(fits) || !row.is_sorted_by(|a, b| a.0 < b.0) {
            let message = "has a value that is not above 0 and finite, or a wrong column";
            return Err(format!("row {i} (counted from 0) {message}"));
        }
        z.push_row(row);
    }
    Ok(z)
}

fn values_of<T: npyz::Deserialize>(
    archive: &mut ZipArchive<impl Read + Seek>,
    name: &str,
) -> Result<Vec<T>, String> {
    let told = |e: &dyn std::fmt::Display| format!("`{name}`: {e}");
    let mut entry = archive.by_name(&format!("{name}.npy")).map_err(|e| told(&e))?;
    let values = NpyFile::new(&mut entry).and_then(NpyFile::into_vec).map_err(|e| told(&e))?;
    // The checksum is looked at when the end is reached.
    match entry.read(&mut [0]).map_err(|e| told(&e))? {
        0 => Ok(values),
        _ => Err(told(&"it goes on after its last value")),
    }
}

/// Of either width, as scipy writes them.
fn wholes(archive: &mut ZipArchive<impl Read + Seek>, name: &str) -> Result<Vec<usize>, String> {
    let wide = values_of::<i64>(archive, name).or_else(|_| {
        Ok::<_, String>(values_of::<i32>(archive, name)?.into_iter().map(i64::from).collect())
    });
    let wide = wide?.into_iter().map(usize::try_from).collect::<Result<_, _>>();
    wide.map_err(|e| format!("`{name}`: {e}"))
}

fn floats(archive: &mut ZipArchive<impl Read + Seek>, name: &str) -> Result<Vec<f32>, String> {
    #[expect(clippy::cast_possible_truncation, reason = "activations are of f32")]
    values_of::<f32>(archive, name)
        .or_else(|_| Ok(values_of::<f64>(archive, name)?.into_iter().map(|v| v as f32).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows() -> Activations {
        let rows = [vec![0.0, 1.5, 0.0, 0.25], vec![0.0; 4], vec![3.0, 0.0, 0.0, 0.0]];
        Activations::from_dense(4, &rows).unwrap()
    }

    fn written(z: &Activations) -> Vec<u8> {
        let mut bytes = Vec::new();
        write(&mut bytes, z).unwrap();
        bytes
    }

    #[test]
    fn what_is_written_is_read_again() {
        for z in [rows(), Activations::new(7)] {
            let read = parse(io::Cursor::new(written(&z))).unwrap();
            assert_eq!((&read, read.neurons(), read.rows()), (&z, z.neurons(), z.rows()));
        }
        assert_eq!(written(&rows()), written(&rows()));
    }

    #[test]
    fn other_files_are_refused() {
        let bytes = written(&rows());
        assert!(parse(io::Cursor::new(&bytes[..bytes.len() - 30])).is_err());
        assert!(parse(io::Cursor::new(b"text")).is_err());
        let value = bytes.windows(4).position(|w| w == 1.5_f32.to_le_bytes()).unwrap();
        let mut negative = bytes.clone();
        negative[value..value + 4].copy_from_slice(&(-1.5_f32).to_le_bytes());
        // Its checksum finds that, before the value is looked at.
        assert!(parse(io::Cursor::new(negative)).unwrap_err().contains("data"));
    }
}
