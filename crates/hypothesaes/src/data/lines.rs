//! The lines of a text file, one at a time, counted.

use std::io::BufRead;
use std::rc::Rc;

use encoding_rs::Encoding;

use super::decode::{Decoded, decoded};
use super::source::{Meter, Source};
use crate::error::Place;
use crate::{Error, Result};

/// Lines of a file.
pub(super) struct Lines<'a> {
    source: &'a Source,
    reader: Decoded,
    terminator: u8,
    buffer: Vec<u8>,
    number: u64,
}

/// A line, and the bytes that ended it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line<'a> {
    pub text: &'a str,
    pub end: &'a str,
}

impl<'a> Lines<'a> {
    pub fn open(
        source: &'a Source,
        encoding: &'static Encoding,
        terminator: u8,
        meter: &Rc<Meter>,
    ) -> Result<Self> {
        let reader = decoded(source.open(meter)?, encoding);
        Ok(Self { source, reader, terminator, buffer: Vec::new(), number: 0 })
    }

    /// Lines read so far, which is the 1-based number of the last one.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// The next line; `row` is the one it belongs to, for messages.
    pub fn next(&mut self, row: Option<u64>) -> Result<Option<Line<'_>>> {
        self.buffer.clear();
        let place = Place { row, line: Some(self.number + 1), ..Place::default() };
        match self.reader.read_until(self.terminator, &mut self.buffer) {
            Err(e) => return Err(self.source.fault(place, e)),
            Ok(0) => return Ok(None),
            Ok(_) => self.number += 1,
        }
        if let Some(byte) = self.buffer.iter().position(|&b| b == 0) {
            return Err(self.zero(place, byte));
        }
        let line = str::from_utf8(&self.buffer).expect("the decoder yields UTF-8");
        let text = line.strip_suffix(char::from(self.terminator)).unwrap_or(line);
        let text = text.strip_suffix('\r').unwrap_or(text);
        Ok(Some(Line { text, end: &line[text.len()..] }))
    }

    fn zero(&self, place: Place, byte: usize) -> Error {
        let message = format!(
            "byte {} of the line is zero (NUL), which no text has; the file is damaged, or in an \
             encoding to be named, such as `--encoding utf-16le`",
            byte + 1
        );
        self.source.damage(place, message)
    }
}
