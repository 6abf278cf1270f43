//! Rows of Arrow IPC files and streams, a batch at a time.
//!
//! A file is read as the stream that it contains, and then compared with its footer; a stream must
//! have its end mark. So a damaged file cannot pass for a shorter one. The messages are taken apart
//! here rather than by `arrow_ipc`'s own stream reader, since that one trusts the lengths which a
//! message states and panics, or asks for any amount of memory, where they are wrong.

use std::io::{self, BufReader, Read};
use std::rc::Rc;
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_ipc::convert::try_fb_to_schema;
use arrow_ipc::reader::{FileDecoder, read_footer_length};
use arrow_ipc::{Block, Message, MessageHeader, root_as_footer, root_as_message};
use arrow_schema::SchemaRef;

use super::batches::{Rows, names};
use super::row::{Column, Outcome, Sink};
use super::source::{Meter, Source};
use crate::error::Place;
use crate::{Error, Result};

const BUFFER: usize = 1 << 17;
const MAGIC: &[u8; 6] = b"ARROW1";
const CONTINUATION: [u8; 4] = [0xff; 4];
/// Largest buffer that is unpacked.
const MAX_UNPACKED: i64 = 1 << 32;

/// The columns of an Arrow file or stream.
pub(super) fn columns(source: &Source) -> Result<Vec<String>> {
    Ok(names(&Stream::open(source, &Rc::default())?.schema))
}

/// Hands every row of an Arrow file or stream to `sink`.
pub(super) fn each_row(
    source: &Source,
    wanted: &[Column],
    meter: &Rc<Meter>,
    sink: &mut Sink,
) -> Result<Outcome> {
    let mut rows = Rows::new(source, "Arrow", wanted);
    let mut stream = Stream::open(source, meter)?;
    stream.decoder = stream.decoder.with_projection(rows.indices.clone());
    loop {
        match stream.next().map_err(|fault| fault.error(source, &rows))? {
            None => break,
            Some(batch) if rows.hand_on(&batch, sink)? => return Ok(rows.outcome()),
            Some(_) => {}
        }
    }
    stream.check_end(source)?;
    Ok(rows.outcome())
}

/// Why the stream cannot be read on.
enum Fault {
    Bytes(io::Error),
    Message(String),
}

impl Fault {
    fn message(error: impl std::fmt::Display) -> Self {
        Self::Message(error.to_string())
    }

    fn error(self, source: &Source, rows: &Rows) -> Error {
        match self {
            Self::Message(message) => rows.damaged(&message),
            Self::Bytes(e) => source.fault(Place::default(), e),
        }
    }
}

/// An open stream, alone or inside a file.
struct Stream {
    bytes: BufReader<Box<dyn Read>>,
    is_file: bool,
    schema: SchemaRef,
    decoder: FileDecoder,
    /// Batches of rows read so far.
    batches: usize,
}

impl Stream {
    /// Opens the stream and reads its schema.
    fn open(source: &Source, meter: &Rc<Meter>) -> Result<Self> {
        let bytes = BufReader::with_capacity(BUFFER, source.open(meter)?);
        Self::start(bytes).map_err(|fault| fault.error(source, &Rows::new(source, "Arrow", &[])))
    }

    fn start(mut bytes: BufReader<Box<dyn Read>>) -> Result<Self, Fault> {
        let mut word: [u8; 8] = read_word(&mut bytes)?;
        let is_file = word.starts_with(MAGIC);
        // The magic bytes are padded, by some writers to more than one word.
        while is_file && (word.starts_with(MAGIC) || word == [0; 8]) {
            word = read_word(&mut bytes)?;
        }
        let rest = io::Cursor::new(word).chain(bytes);
        let mut bytes = BufReader::with_capacity(BUFFER, Box::new(rest) as Box<dyn Read>);
        let framed = Framed::read(&mut bytes)?.ok_or(Fault::message("there is no schema"))?;
        let message = framed.message()?;
        let schema = message.header_as_schema().ok_or(Fault::message("there is no schema"))?;
        if !schema.endianness().equals_to_target_endianness() {
            return Err(Fault::message("the bytes of its numbers are in the other order"));
        }
        let schema = Arc::new(try_fb_to_schema(schema).map_err(Fault::message)?);
        let decoder = FileDecoder::new(Arc::clone(&schema), message.version());
        Ok(Self { bytes, is_file, schema, decoder, batches: 0 })
    }

    /// The next batch of rows; `None` at the end mark.
    fn next(&mut self) -> Result<Option<RecordBatch>, Fault> {
        loop {
            let Some(framed) = Framed::read(&mut self.bytes)? else { return Ok(None) };
            let message = framed.message()?;
            framed.check(&message)?;
            let (kind, block) = (message.header_type(), framed.block);
            let bytes = framed.bytes.into();
            if kind == MessageHeader::DictionaryBatch {
                self.decoder.read_dictionary(&block, &bytes).map_err(Fault::message)?;
                continue;
            }
            self.batches += 1;
            return self.decoder.read_record_batch(&block, &bytes).map_err(Fault::message);
        }
    }

    /// Checks that nothing follows a stream, and that the footer of a file fits it.
    fn check_end(mut self, source: &Source) -> Result<()> {
        let damage = |message| source.damage(Place::default(), message);
        let mut rest = Vec::new();
        self.bytes.read_to_end(&mut rest).map_err(|e| source.fault(Place::default(), e))?;
        if !self.is_file {
            return match rest.len() {
                0 => Ok(()),
                n => Err(damage(format!("damaged: {n} bytes follow the end of the Arrow stream"))),
            };
        }
        match batches_in_footer(&rest) {
            Some(announced) if announced == self.batches => Ok(()),
            Some(announced) => {
                let found = self.batches;
                Err(damage(format!("damaged: {announced} batches are announced, {found} found")))
            }
            None => {
                Err(damage("damaged or cut off: the Arrow file has no valid footer".to_owned()))
            }
        }
    }
}

/// Batches that the footer of a file lists; `rest` is what follows the stream in it.
fn batches_in_footer(rest: &[u8]) -> Option<usize> {
    let (body, tail) = rest.split_last_chunk::<10>()?;
    let start = body.len().checked_sub(read_footer_length(*tail).ok()?)?;
    Some(root_as_footer(&body[start..]).ok()?.recordBatches()?.len())
}

/// The bytes of one message: its length, its description, and the buffers that this describes.
struct Framed {
    bytes: Vec<u8>,
    /// Length of what stands before the description.
    prefix: usize,
    /// Lengths of the parts, as the decoder wants them.
    block: Block,
}

impl Framed {
    /// Reads the next message; `None` for the end mark.
    fn read(from: &mut impl Read) -> Result<Option<Self>, Fault> {
        let mut word = read_word(from)?;
        let mut bytes = word.to_vec();
        if word == CONTINUATION {
            word = read_word(from)?;
            bytes.extend(word);
        }
        let described = i32::from_le_bytes(word);
        if described == 0 {
            return Ok(None);
        }
        let prefix = bytes.len();
        read_on(from, described.into(), &mut bytes)?;
        let metadata = i32::try_from(bytes.len()).map_err(Fault::message)?;
        let body = root_as_message(&bytes[prefix..]).map_err(Fault::message)?.bodyLength();
        read_on(from, body, &mut bytes)?;
        Ok(Some(Self { bytes, prefix, block: Block::new(0, metadata, body) }))
    }

    fn message(&self) -> Result<Message<'_>, Fault> {
        root_as_message(&self.bytes[self.prefix..]).map_err(Fault::message)
    }

    /// Checks that every buffer lies inside the body and unpacks to a size that can be meant.
    fn check(&self, message: &Message) -> Result<(), Fault> {
        let dictionary = message.header_as_dictionary_batch();
        let batch = message.header_as_record_batch().or_else(|| dictionary?.data());
        let batch = batch.ok_or(Fault::message("a message holds no rows"))?;
        let start = usize::try_from(self.block.metaDataLength()).map_err(Fault::message)?;
        let body = &self.bytes[start..];
        let packed = batch.compression().is_some();
        for buffer in batch.buffers().into_iter().flatten() {
            let bytes = slice(body, buffer.offset(), buffer.length())
                .ok_or(Fault::message("a buffer lies outside its message"))?;
            let unpacked = match bytes.first_chunk() {
                Some(length) if packed => i64::from_le_bytes(*length),
                _ => 0,
            };
            if unpacked > MAX_UNPACKED {
                return Err(Fault::message(format!("a buffer unpacks to {unpacked} bytes")));
            }
        }
        Ok(())
    }
}

fn read_word<const N: usize>(from: &mut impl Read) -> Result<[u8; N], Fault> {
    let mut word = Vec::with_capacity(N);
    from.take(N as u64).read_to_end(&mut word).map_err(Fault::Bytes)?;
    word.try_into().map_err(|_| Fault::message("the data end without their end mark"))
}

/// Appends the next `length` bytes, taking memory only as they arrive.
fn read_on(from: &mut impl Read, length: i64, bytes: &mut Vec<u8>) -> Result<(), Fault> {
    let length = u64::try_from(length).map_err(Fault::message)?;
    let read = from.take(length).read_to_end(bytes).map_err(Fault::Bytes)?;
    if read as u64 == length {
        return Ok(());
    }
    Err(Fault::Message(format!("the data end {} bytes too early", length - read as u64)))
}

fn slice(body: &[u8], offset: i64, length: i64) -> Option<&[u8]> {
    let (start, length) = (usize::try_from(offset).ok()?, usize::try_from(length).ok()?);
    body.get(start..start.checked_add(length)?)
}
