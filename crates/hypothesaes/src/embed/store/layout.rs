//! Where keys and vectors lie in a segment's bytes.
//!
//! Arrow's own tables are read through the verifier of its flatbuffers and every place they name is
//! checked against the file, so that nothing in a damaged or foreign file can end in a panic. The
//! columns are then used where they lie.

use std::ops::Range;

use arrow_ipc::{
    Block, Endianness, Field, MessageHeader, Precision, Schema, Type, root_as_footer,
    root_as_message,
};

use super::space::{Element, Space};

/// Key of the schema's metadata: version of this format.
pub(super) const VERSION_NAME: &str = "hypothesaes.vectors";
pub(super) const VERSION: u32 = 1;
/// Key of the schema's metadata: the [`Space`], as JSON.
pub(super) const SPACE_NAME: &str = "hypothesaes.space";
/// Key of the footer's metadata: hash of all keys and vectors, see [`Sum`].
pub(super) const SUM_NAME: &str = "hypothesaes.blake3";

const MAGIC: &[u8] = b"ARROW1";
/// In front of a message: a mark, then its length.
const MARK: [u8; 4] = [0xFF; 4];

/// The contents of a segment.
#[derive(Debug)]
pub(super) struct Layout {
    pub space: Space,
    pub batches: Vec<Batch>,
    pub sum: String,
}

/// Consecutive rows; places are bytes from the file's beginning.
#[derive(Debug)]
pub(super) struct Batch {
    pub keys: Range<usize>,
    pub vectors: Range<usize>,
}

/// Why a file is no segment.
#[derive(Debug)]
pub(super) enum Fault {
    /// A later version of this program wrote it.
    Newer,
    Damaged(String),
}

/// Hash of a segment's content: of the hashes of its batches, so that they can be read in parallel.
#[derive(Default)]
pub(super) struct Sum(blake3::Hasher);

impl Sum {
    pub(super) fn of_batch(keys: &[u8], vectors: &[u8]) -> blake3::Hash {
        blake3::Hasher::new().update(keys).update(vectors).finalize()
    }

    pub(super) fn add(&mut self, batch: blake3::Hash) {
        self.0.update(batch.as_bytes());
    }

    pub(super) fn finish(self) -> String {
        self.0.finalize().to_hex().to_string()
    }
}

/// Finds the contents of a file.
pub(super) fn read(file: &[u8]) -> Result<Layout, Fault> {
    let damaged = |why: &str| Fault::Damaged(why.into());
    let inner = file.strip_prefix(MAGIC).and_then(|f| f.strip_suffix(MAGIC));
    let inner = inner.ok_or_else(|| damaged("it is not a whole Arrow file"))?;
    let (inner, length) = inner.split_last_chunk().ok_or_else(|| damaged("it has no footer"))?;
    let start = usize::try_from(i32::from_le_bytes(*length)).ok();
    let start = start.and_then(|n| inner.len().checked_sub(n));
    let start = start.ok_or_else(|| damaged("its footer is damaged"))?;
    let footer = root_as_footer(&inner[start..]).map_err(|e| damaged(&e.to_string()))?;
    let schema = footer.schema().ok_or_else(|| damaged("it has no schema"))?;
    let space = read_space(schema)?;
    let pairs = footer.custom_metadata().into_iter().flatten();
    let sum = pairs.filter(|p| p.key() == Some(SUM_NAME)).find_map(|p| p.value());
    let sum = sum.ok_or_else(|| damaged("it has no checksum"))?.to_owned();
    let blocks = footer.recordBatches().into_iter().flatten();
    let batches: Option<Vec<_>> = blocks.map(|block| read_batch(file, block, &space)).collect();
    let batches = batches.ok_or_else(|| damaged("a batch of rows is damaged"))?;
    Ok(Layout { space, batches, sum })
}

fn read_space(schema: Schema) -> Result<Space, Fault> {
    let foreign = || Fault::Damaged("it is not a file of this store".into());
    let named = |name| {
        let mut pairs = schema.custom_metadata().into_iter().flatten();
        pairs.find(|p| p.key() == Some(name)).and_then(|p| p.value())
    };
    let version: u32 = named(VERSION_NAME).and_then(|v| v.parse().ok()).ok_or_else(foreign)?;
    if version > VERSION {
        return Err(Fault::Newer);
    }
    let space = named(SPACE_NAME).and_then(|v| serde_json::from_str(v).ok());
    let space: Space = space.ok_or_else(foreign)?;
    let fits = space.check().is_ok()
        && schema.endianness() == Endianness::Little
        && columns_fit(schema, &space) == Some(true);
    if fits { Ok(space) } else { Err(foreign()) }
}

/// `key: FixedSizeBinary(16)`, `vector: FixedSizeList<element>[dim]`.
fn columns_fit(schema: Schema, space: &Space) -> Option<bool> {
    let fields = schema.fields().filter(|f| f.len() == 2)?;
    let (key, vector) = (fields.get(0), fields.get(1));
    let item: Field = vector.children().filter(|c| c.len() == 1)?.get(0);
    let precision = match space.element {
        Element::F32 => Precision::SINGLE,
        Element::F16 => Precision::HALF,
    };
    let right = key.name() == Some("key")
        && key.type_type() == Type::FixedSizeBinary
        && key.type_as_fixed_size_binary()?.byteWidth() == 16
        && vector.name() == Some("vector")
        && vector.type_type() == Type::FixedSizeList
        && usize::try_from(vector.type_as_fixed_size_list()?.listSize()) == Ok(space.dim)
        && item.type_type() == Type::FloatingPoint
        && item.type_as_floating_point()?.precision() == precision;
    Some(right)
}

/// `None` if it is damaged, compressed, or has missing values.
fn read_batch(file: &[u8], block: &Block, space: &Space) -> Option<Batch> {
    let start = usize::try_from(block.offset()).ok()?;
    let body = start.checked_add(usize::try_from(block.metaDataLength()).ok()?)?;
    let end = body.checked_add(usize::try_from(block.bodyLength()).ok()?)?;
    let header = file.get(..end)?.get(start..body)?.strip_prefix(&MARK)?;
    let (length, message) = header.split_first_chunk()?;
    let length = usize::try_from(i32::from_le_bytes(*length)).ok()?;
    let message = root_as_message(message.get(..length)?).ok()?;
    if message.header_type() != MessageHeader::RecordBatch {
        return None;
    }
    let batch = message.header_as_record_batch()?;
    // Depth first: keys, vectors, their numbers; a buffer of missing values before each.
    let nodes = batch.nodes().filter(|n| n.len() == 3 && n.iter().all(|n| n.null_count() == 0))?;
    let buffers = batch.buffers().filter(|b| b.len() == 5)?;
    let rows = usize::try_from(batch.length()).ok().filter(|&n| u32::try_from(n).is_ok())?;
    let numbers = rows.checked_mul(space.dim)?;
    let lengths = [rows, rows, numbers].map(i64::try_from);
    if batch.compression().is_some()
        || !nodes.iter().zip(lengths).all(|(n, length)| Ok(n.length()) == length)
    {
        return None;
    }
    let place = |buffer: usize, bytes: usize| {
        let buffer = buffers.get(buffer);
        let held = usize::try_from(buffer.length()).ok().filter(|&held| held >= bytes)?;
        let from = body.checked_add(usize::try_from(buffer.offset()).ok()?)?;
        (from.checked_add(held)? <= end).then(|| from..from + bytes)
    };
    let keys = place(1, rows.checked_mul(16)?)?;
    let vectors = place(4, numbers.checked_mul(space.element.bytes())?)?;
    Some(Batch { keys, vectors })
}
