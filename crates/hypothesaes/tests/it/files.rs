//! One small table, written in every format and packing.

use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

use arrow_array::{Float64Array, RecordBatch, StringArray};
use arrow_ipc::writer::{FileWriter, StreamWriter};
use hypothesaes::data::{DataOptions, Loaded, SplitOptions, read};
use hypothesaes::watch::Unwatched;
use parquet::arrow::ArrowWriter;
use tempfile::TempDir;

pub const ROWS: usize = 120;

/// A folder that goes when the test ends.
pub struct Folder(TempDir);

impl Folder {
    pub fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        // Some file systems wait for the disk when a file is written over, not when it is new.
        drop(std::fs::remove_file(&path));
        std::fs::write(&path, bytes).unwrap();
        path
    }

    /// Names of all files in it.
    pub fn files(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.0.path()).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }
}

/// Options for a file with the usual columns.
pub fn options(path: impl Into<PathBuf>) -> DataOptions {
    DataOptions { path: path.into(), ..DataOptions::default() }
}

pub fn load(options: &DataOptions) -> hypothesaes::Result<Loaded> {
    read(options, &SplitOptions::default(), 0, &Unwatched)
}

/// What a refusal says.
pub fn refusal(options: &DataOptions) -> String {
    load(options).unwrap_err().to_string()
}

/// Texts with commas, quotation marks and letters beyond ASCII, and targets from 0 to 9.
pub fn table() -> Vec<(String, f64)> {
    let text = |i: usize| match i % 4 {
        0 => format!("plain words, number {i}"),
        1 => format!("he said \"no\" {i} times"),
        2 => format!("caf\u{e9} \u{2014} n\u{b0} {i} \u{1f600}"),
        _ => format!("a {i} \\n that is no line end {{\"a\": [1]}}"),
    };
    (0..ROWS).map(|i| (text(i), (i * 7 % 10) as f64)).collect()
}

/// One after the other.
pub fn concat(header: &str, rows: impl Iterator<Item = String>) -> String {
    std::iter::once(header.to_owned()).chain(rows).collect()
}

/// Every format under the name of its ending.
pub fn in_all_formats(table: &[(String, f64)]) -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("csv", csv(table)),
        ("tsv", tsv(table)),
        ("jsonl", jsonl(table)),
        ("json", json(table)),
        ("parquet", parquet(&batch(table))),
        ("arrow", arrow_file(&batch(table))),
        ("arrows", arrow_stream(&batch(table))),
    ]
}

pub fn csv(table: &[(String, f64)]) -> Vec<u8> {
    let quoted = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
    let rows = table.iter().map(|(text, y)| format!("{},{y}\n", quoted(text)));
    concat("text,target\n", rows).into_bytes()
}

pub fn tsv(table: &[(String, f64)]) -> Vec<u8> {
    let rows = table.iter().map(|(text, y)| format!("{text}\t{y}\n"));
    concat("text\ttarget\n", rows).into_bytes()
}

fn object((text, y): &(String, f64)) -> String {
    serde_json::json!({ "text": text, "target": y, "more": { "nested": [1, null] } }).to_string()
}

pub fn jsonl(table: &[(String, f64)]) -> Vec<u8> {
    concat("", table.iter().map(|row| object(row) + "\n")).into_bytes()
}

pub fn json(table: &[(String, f64)]) -> Vec<u8> {
    let rows: Vec<String> = table.iter().map(object).collect();
    format!("[\n{}\n]\n", rows.join(",\n")).into_bytes()
}

pub fn batch(table: &[(String, f64)]) -> RecordBatch {
    let texts = StringArray::from_iter_values(table.iter().map(|(text, _)| text));
    let y: Float64Array = table.iter().map(|(_, y)| Some(*y)).collect();
    RecordBatch::try_from_iter([("text", Arc::new(texts) as _), ("target", Arc::new(y) as _)])
        .unwrap()
}

pub fn parquet(batch: &RecordBatch) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), None).unwrap();
    writer.write(batch).unwrap();
    writer.close().unwrap();
    bytes
}

/// In two batches.
pub fn arrow_file(batch: &RecordBatch) -> Vec<u8> {
    let half = batch.num_rows() / 2;
    let mut writer = FileWriter::try_new(Vec::new(), &batch.schema()).unwrap();
    writer.write(&batch.slice(0, half)).unwrap();
    writer.write(&batch.slice(half, batch.num_rows() - half)).unwrap();
    writer.into_inner().unwrap()
}

/// In two batches.
pub fn arrow_stream(batch: &RecordBatch) -> Vec<u8> {
    let half = batch.num_rows() / 2;
    let mut writer = StreamWriter::try_new(Vec::new(), &batch.schema()).unwrap();
    writer.write(&batch.slice(0, half)).unwrap();
    writer.write(&batch.slice(half, batch.num_rows() - half)).unwrap();
    writer.into_inner().unwrap()
}

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// With a checksum, as the command line tool writes it.
pub fn zstd(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = zstd::Encoder::new(Vec::new(), 3).unwrap();
    encoder.include_checksum(true).unwrap();
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}
