//! Segments as Arrow files.

use std::io;
use std::path::Path;
use std::sync::Arc;

use arrow_array::{FixedSizeBinaryArray, FixedSizeListArray, RecordBatch};
use arrow_ipc::writer::FileWriter;
use arrow_schema::{ArrowError, DataType, Field, Schema};

use super::layout::{SPACE_NAME, SUM_NAME, Sum, VERSION, VERSION_NAME};
use super::numbers::{Numbers, Values};
use super::space::{Element, Key, Space};
use crate::Result;
use crate::store::write_atomically;

/// Bytes of vectors in a batch; so much is copied while a segment is written.
const BATCH: usize = 32 << 20;

/// Writes the file `to`: `rows` in ascending order of their keys, each once, with the vectors that
/// `vector` gives.
pub(super) fn write<'a, P: Copy>(
    to: &Path,
    space: &Space,
    rows: &[(Key, P)],
    vector: impl Fn(P) -> Numbers<'a>,
) -> Result<()> {
    write_atomically(to, |out| fill(out, space, rows, vector).map_err(into_io)).map(|_| ())
}

fn fill<'a, P: Copy>(
    out: impl io::Write,
    space: &Space,
    rows: &[(Key, P)],
    vector: impl Fn(P) -> Numbers<'a>,
) -> Result<(), ArrowError> {
    let schema = Arc::new(schema(space));
    let mut writer = FileWriter::try_new(out, &schema)?;
    let mut sum = Sum::default();
    let in_batch = (BATCH / (space.dim * space.element.bytes())).max(1);
    for rows in rows.chunks(in_batch) {
        let keys: Vec<u8> = rows.iter().flat_map(|(key, _)| key.0).collect();
        let mut values = Values::new(space.element, rows.len() * space.dim);
        for &(_, place) in rows {
            values.extend(vector(place));
        }
        sum.add(Sum::of_batch(&keys, values.as_bytes()));
        let keys = FixedSizeBinaryArray::try_new(16, keys.into(), None)?;
        let (item, dim) = (item(space), list_size(space));
        let vectors = FixedSizeListArray::try_new(item, dim, values.into_array(), None)?;
        let columns = vec![Arc::new(keys) as _, Arc::new(vectors) as _];
        writer.write(&RecordBatch::try_new(schema.clone(), columns)?)?;
    }
    writer.write_metadata(SUM_NAME, sum.finish());
    writer.finish()
}

fn schema(space: &Space) -> Schema {
    let vector = DataType::FixedSizeList(item(space), list_size(space));
    let key = Field::new("key", DataType::FixedSizeBinary(16), false);
    let about = [(VERSION_NAME.to_owned(), VERSION.to_string()), (SPACE_NAME.into(), space.json())];
    Schema::new(vec![key, Field::new("vector", vector, false)]).with_metadata(about)
}

fn item(space: &Space) -> Arc<Field> {
    let kind = match space.element {
        Element::F32 => DataType::Float32,
        Element::F16 => DataType::Float16,
    };
    Arc::new(Field::new("item", kind, false))
}

/// [`Space::check`] keeps it far below the limit.
fn list_size(space: &Space) -> i32 {
    i32::try_from(space.dim).unwrap_or(i32::MAX)
}

/// The disk's own words, such as that it is full.
fn into_io(error: ArrowError) -> io::Error {
    match error {
        ArrowError::IoError(_, e) => e,
        other => io::Error::other(other),
    }
}
