//! One input file, understood: its format, encoding and columns, and a way through its rows.

use std::io::Read;
use std::ops::ControlFlow::{Break, Continue};
use std::path::Path;
use std::rc::Rc;

use encoding_rs::{Encoding, UTF_8};

use super::delimited::{Records, Syntax};
use super::json::Take;
use super::lines::Lines;
use super::row::{Cell, Column, Outcome, Sink};
use super::sniff::{self, Layout, Magic};
use super::source::{Meter, Source};
use super::{DataOptions, Format, arrow, decode, json, parquet};
use crate::error::Place;
use crate::watch::Watch;
use crate::{Error, Result};

/// A file whose rows can be read, any number of times.
#[derive(Debug)]
pub(super) struct Input<'o> {
    pub source: Source,
    options: &'o DataOptions,
    layout: Layout,
    encoding: &'static Encoding,
    /// Where the contents are not what the name says.
    pub notes: Vec<String>,
}

/// Bytes that are looked at to tell the format.
const HEAD: u64 = 1 << 16;
/// Rows of JSON whose keys make the columns, unless a column is not among them.
const SAMPLE: u64 = 1000;

impl<'o> Input<'o> {
    /// Tells the format by the first bytes and lines.
    ///
    /// # Errors
    /// [`Error::Missing`] if there is no such file; [`Error::Input`] if there is nothing in it that holds rows;
    /// [`Error::Option`] if the options do not fit it.
    pub fn inspect(path: &Path, options: &'o DataOptions) -> Result<Self> {
        let source = Source::find(path)?;
        let head = head(&source)?;
        let whole = (head.len() as u64) < HEAD;
        let (ending, _) = source.ending();
        let named = sniff::by_ending(&ending);
        let mark = decode::by_mark(&head);
        let encoding = mark.or(options.encoding()?).unwrap_or(UTF_8);
        let layout = match sniff::magic(&head) {
            Magic::Table(format) => binary(&source, format, options)?,
            Magic::Foreign(what) => return Err(source.damage(Place::default(), what)),
            Magic::Text => {
                check_text(&source, &head, options, encoding, named)?;
                let (text, _, _) = encoding.decode(&head);
                if whole && text.trim().is_empty() {
                    return Err(source.damage(Place::default(), "is empty"));
                }
                sniff::layout(&text, whole, options.format, named)
            }
        };
        if options.no_header && !layout.is_delimited() {
            let file = path.display();
            let why = format!("`{file}` is {}, which names its columns itself", layout.format);
            return Err(Error::option("no_header", "true", why));
        }
        let mut input = Self { source, options, layout, encoding, notes: Vec::new() };
        input.compare_with_name(named, mark)?;
        Ok(input)
    }

    pub fn format(&self) -> Format {
        self.layout.format
    }

    /// The columns in their order; of JSON, the keys that occur in the first rows.
    pub fn columns(&self, watch: &dyn Watch) -> Result<Vec<String>> {
        match self.layout.format {
            Format::Parquet => parquet::columns(&self.source, watch),
            Format::Arrow => arrow::columns(&self.source),
            Format::Json | Format::Jsonl => self.keys(SAMPLE),
            Format::Csv | Format::Tsv => self.records(&Rc::default())?.columns(self.options),
        }
    }

    /// As [`Self::columns`], but with the keys of all rows of JSON.
    pub fn all_columns(&self, watch: &dyn Watch) -> Result<Vec<String>> {
        match self.layout.format {
            Format::Json | Format::Jsonl => self.keys(u64::MAX),
            _ => self.columns(watch),
        }
    }

    /// Hands the cells of the wanted columns to `sink`, row by row.
    pub fn each_row(
        &self,
        wanted: &[Column],
        meter: &Rc<Meter>,
        watch: &dyn Watch,
        sink: &mut Sink,
    ) -> Result<Outcome> {
        match self.layout.format {
            Format::Parquet => parquet::each_row(&self.source, wanted, meter, watch, sink),
            Format::Arrow => arrow::each_row(&self.source, wanted, meter, sink),
            Format::Json | Format::Jsonl => self.each_object(Take::Values(wanted), meter, sink),
            Format::Csv | Format::Tsv => self.records(meter)?.each_row(self.options, wanted, sink),
        }
    }

    /// Whether a first row of data may have been taken for a header.
    pub fn has_header(&self) -> bool {
        self.layout.is_delimited() && !self.options.no_header
    }

    fn records(&self, meter: &Rc<Meter>) -> Result<Records<'_>> {
        let quoted = self.layout.format == Format::Csv;
        let syntax = Syntax { delimiter: self.layout.delimiter, quoted };
        Ok(Records::new(&self.source, self.lines(meter)?, syntax))
    }

    fn lines(&self, meter: &Rc<Meter>) -> Result<Lines<'_>> {
        Lines::open(&self.source, self.encoding, self.layout.terminator, meter)
    }

    fn each_object(&self, take: Take, meter: &Rc<Meter>, sink: &mut Sink) -> Result<Outcome> {
        if self.layout.format == Format::Jsonl {
            return json::each_line(&self.source, self.lines(meter)?, take, sink);
        }
        let text = decode::decoded(self.source.open(meter)?, self.encoding);
        json::each_element(&self.source, text, take, sink)
    }

    /// Keys of the first `limit` objects in the order in which they first occur.
    fn keys(&self, limit: u64) -> Result<Vec<String>> {
        let mut keys: Vec<String> = Vec::new();
        let mut seen = rustc_hash::FxHashSet::default();
        self.each_object(Take::Keys, &Rc::default(), &mut |row| {
            for cell in row.cells {
                if let Cell::Text(key) = cell
                    && !seen.contains(key.as_ref())
                {
                    seen.insert(key.to_string());
                    keys.push(key.to_string());
                }
            }
            Ok(if row.number < limit { Continue(()) } else { Break(()) })
        })?;
        Ok(keys)
    }

    /// Notes where the name promises something else than the contents hold.
    fn compare_with_name(
        &mut self,
        named: Option<Format>,
        mark: Option<&'static Encoding>,
    ) -> Result<()> {
        let file = self.source.path.display();
        let (_, packing) = self.source.ending();
        if packing != self.source.packing {
            let is = self.source.packing.map_or("not packed", |p| p.name());
            self.notes.push(format!("`{file}` is {is} by its content, whatever its name says"));
        }
        let format = self.layout.format;
        if self.options.format.is_none() && named.is_some_and(|named| named != format) {
            self.notes.push(format!("`{file}` is {format} by its content, whatever its name says"));
        }
        if format == Format::Csv && self.layout.delimiter != b',' {
            let delimiter = match self.layout.delimiter {
                b'\t' => "tab",
                b';' => "`;`",
                _ => "`|`",
            };
            self.notes.push(format!("`{file}` has a {delimiter} between its fields"));
        }
        if let (Some(mark), Some(asked)) = (mark, self.options.encoding()?)
            && mark != asked
        {
            let (mark, asked) = (mark.name(), asked.name());
            self.notes.push(format!("`{file}` is {mark} by its byte-order mark, not {asked}"));
        }
        Ok(())
    }
}

impl Layout {
    fn is_delimited(self) -> bool {
        matches!(self.format, Format::Csv | Format::Tsv)
    }
}

/// The first bytes of the contents.
fn head(source: &Source) -> Result<Vec<u8>> {
    let mut head = Vec::new();
    let read = source.open(&Rc::default())?.take(HEAD).read_to_end(&mut head);
    read.map_err(|e| source.fault(Place::default(), e))?;
    Ok(head)
}

/// The layout of a Parquet or Arrow file.
fn binary(source: &Source, format: Format, options: &DataOptions) -> Result<Layout> {
    if let Some(asked) = options.format.filter(|&asked| asked != format) {
        let message = format!("is {format} by its first bytes, not {asked} as asked for");
        return Err(source.damage(Place::default(), message));
    }
    if let Some(encoding) = &options.encoding {
        let why = format!("`{}` is {format}, whose texts are UTF-8", source.path.display());
        return Err(Error::option("encoding", encoding, why));
    }
    Ok(Layout { format, delimiter: 0, terminator: 0 })
}

/// Refuses bytes that are no text in this encoding.
fn check_text(
    source: &Source,
    head: &[u8],
    options: &DataOptions,
    encoding: &'static Encoding,
    named: Option<Format>,
) -> Result<()> {
    let is_binary = |format| matches!(format, Format::Parquet | Format::Arrow);
    let asked = options.format.filter(|&f| is_binary(f));
    let looks_binary = head.contains(&0) && decode::by_mark(head).is_none();
    let named = named.filter(|&f| is_binary(f) && (looks_binary || head.is_empty()));
    if let Some(format) = asked.or(named) {
        let message = format!("does not begin as {format} does: damaged, or something else");
        return Err(source.damage(Place::default(), message));
    }
    if looks_binary
        && encoding == UTF_8
        && let Some(other) = decode::looks_like_utf16(head)
    {
        let label = other.name().to_lowercase();
        let message =
            format!("is {} without a byte-order mark; add `--encoding {label}`", other.name());
        return Err(source.damage(Place::default(), message));
    }
    Ok(())
}
