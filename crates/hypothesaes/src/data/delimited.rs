//! Rows of fields between delimiters, one at a time: CSV as in RFC 4180, and TSV, where a
//! quotation mark is a character like any other.
//!
//! Stricter than most readers, since a damaged row must not pass for data: a quoted field ends at
//! its delimiter or line, every row has as many fields as the first, no byte is zero.

use std::borrow::Cow;

use super::DataOptions;
use super::lines::Lines;
use super::row::{Cell, Column, Outcome, Row, Sink};
use super::source::Source;
use crate::error::Place;
use crate::{Error, Result};

/// How fields are told apart.
#[derive(Debug, Clone, Copy)]
pub(super) struct Syntax {
    pub delimiter: u8,
    /// Whether quotation marks enclose fields.
    pub quoted: bool,
}

/// The fields of one record, end to end.
#[derive(Debug, Default)]
pub(super) struct Fields {
    text: String,
    ends: Vec<usize>,
}

/// Text after the quotation mark that closes a field.
#[derive(Debug)]
pub(super) struct Trailing;

/// Records of a delimited file.
pub(super) struct Records<'a> {
    source: &'a Source,
    lines: Lines<'a>,
    syntax: Syntax,
    fields: Fields,
    /// Line on which the current record starts.
    line: u64,
    /// Number of the current record; the header is 0.
    row: u64,
    blank_lines: u64,
}

impl Fields {
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    pub fn get(&self, i: usize) -> &str {
        let start = if i == 0 { 0 } else { self.ends[i - 1] };
        &self.text[start..self.ends[i]]
    }

    pub fn clear(&mut self) {
        self.text.clear();
        self.ends.clear();
    }

    /// Takes the fields of a line in. `inside`: a quoted field goes on from the line before, whose
    /// end was kept. Returns whether one goes on into the next; then `end` is kept.
    pub fn split(
        &mut self,
        line: &str,
        end: &str,
        mut inside: bool,
        syntax: Syntax,
    ) -> Result<bool, Trailing> {
        let delimiter = char::from(syntax.delimiter);
        let mut rest = line;
        loop {
            if !inside && syntax.quoted && rest.starts_with('"') {
                inside = true;
                rest = &rest[1..];
            }
            if inside {
                let Some(after) = self.quoted(rest) else {
                    self.text.push_str(end);
                    return Ok(true);
                };
                inside = false;
                rest = after;
                if !rest.is_empty() && !rest.starts_with(delimiter) {
                    return Err(Trailing);
                }
            }
            let length = rest.find(delimiter);
            self.text.push_str(&rest[..length.unwrap_or(rest.len())]);
            self.ends.push(self.text.len());
            match length {
                None => return Ok(false),
                Some(length) => rest = &rest[length + 1..],
            }
        }
    }

    /// Takes the rest of a quoted field in, and returns what follows it on the line; `None` if it
    /// is not closed there.
    fn quoted<'a>(&mut self, mut rest: &'a str) -> Option<&'a str> {
        loop {
            let Some(mark) = rest.find('"') else {
                self.text.push_str(rest);
                return None;
            };
            self.text.push_str(&rest[..mark]);
            rest = &rest[mark + 1..];
            match rest.strip_prefix('"') {
                None => return Some(rest),
                Some(after) => {
                    self.text.push('"');
                    rest = after;
                }
            }
        }
    }
}

impl<'a> Records<'a> {
    pub fn new(source: &'a Source, lines: Lines<'a>, syntax: Syntax) -> Self {
        let fields = Fields::default();
        Self { source, lines, syntax, fields, line: 0, row: 0, blank_lines: 0 }
    }

    /// The names of the columns: those of the header, or those given for a file without one.
    pub fn columns(&mut self, options: &DataOptions) -> Result<Vec<String>> {
        self.row = u64::from(options.no_header);
        if !self.read()? {
            return Err(self.damage("has no row but blank lines"));
        }
        let width = self.fields.len();
        if !options.no_header {
            return Ok((0..width).map(|i| self.fields.get(i).trim().to_owned()).collect());
        }
        if options.columns.is_empty() {
            return Ok((1..=width).map(|i| i.to_string()).collect());
        }
        if options.columns.len() != width {
            let given = options.columns.join(",");
            let file = self.source.path.display();
            let why = format!("the first row of `{file}` has {width} fields; name as many");
            return Err(Error::option("columns", given, why));
        }
        Ok(options.columns.clone())
    }

    /// Hands every row to `sink`.
    pub fn each_row(
        mut self,
        options: &DataOptions,
        wanted: &[Column],
        sink: &mut Sink,
    ) -> Result<Outcome> {
        let width = self.columns(options)?.len();
        let mut more = options.no_header || self.advance()?;
        while more {
            if self.fields.len() != width {
                return Err(self.ragged(width));
            }
            let text = |c: &Column| Cell::Text(Cow::Borrowed(self.fields.get(c.index)));
            let cells: Vec<Cell> = wanted.iter().map(text).collect();
            if sink(&Row { number: self.row, line: Some(self.line), cells: &cells })?.is_break() {
                return Ok(Outcome { rows: self.row, blank_lines: self.blank_lines });
            }
            more = self.advance()?;
        }
        Ok(Outcome { rows: self.row - 1, blank_lines: self.blank_lines })
    }

    fn advance(&mut self) -> Result<bool> {
        self.row += 1;
        self.read()
    }

    /// Reads the fields of the current record; `false` at the end of the file.
    fn read(&mut self) -> Result<bool> {
        self.fields.clear();
        let mut inside = false;
        let row = (self.row > 0).then_some(self.row);
        loop {
            let Some(line) = self.lines.next(row)? else {
                let unclosed = "a quotation mark opens a field and none closes it";
                return if inside { Err(self.damage(unclosed)) } else { Ok(false) };
            };
            if line.text.is_empty() && !inside {
                self.blank_lines += 1;
                continue;
            }
            let split = self.fields.split(line.text, line.end, inside, self.syntax);
            if !inside {
                self.line = self.lines.number();
            }
            match split {
                Ok(false) => return Ok(true),
                Ok(true) => inside = true,
                Err(Trailing) => {
                    let text = "text follows the quotation mark that closes a field; a quotation \
                                mark inside a quoted field is written twice";
                    return Err(self.damage(text));
                }
            }
        }
    }

    fn ragged(&self, width: usize) -> Error {
        let n = self.fields.len();
        let s = if n == 1 { "" } else { "s" };
        let mut message = format!("has {n} field{s}, {width} expected");
        if !self.syntax.quoted && self.fields.text.contains('"') {
            message += "; in TSV a quotation mark encloses nothing, with `--format csv` it does";
        }
        self.damage(message)
    }

    /// Damage in the current record.
    fn damage(&self, message: impl Into<String>) -> Error {
        let row = (self.row > 0).then_some(self.row);
        let line = (self.line > 0).then_some(self.line);
        self.source.damage(Place { row, line, ..Place::default() }, message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(lines: &[&str], quoted: bool) -> Option<Vec<String>> {
        let syntax = Syntax { delimiter: b',', quoted };
        let mut fields = Fields::default();
        let mut inside = false;
        for line in lines {
            inside = fields.split(line, "\n", inside, syntax).ok()?;
        }
        (!inside).then(|| (0..fields.len()).map(|i| fields.get(i).to_owned()).collect())
    }

    #[test]
    fn fields_are_quoted_as_in_rfc_4180() {
        let check = |lines: &[&str], fields: &[&str]| {
            assert_eq!(split(lines, true).unwrap(), fields, "{lines:?}");
        };
        check(&["a,b"], &["a", "b"]);
        check(&[",,"], &["", "", ""]);
        check(&["\"a,b\",\"\",\"say \"\"yes\"\"\""], &["a,b", "", "say \"yes\""]);
        check(&["\"one", "two\",b"], &["one\ntwo", "b"]);
        check(&["\"one\"\"", "\"\"\"\"\",b"], &["one\"\n\"\"", "b"]);
        check(&["5\" pipe, \"x\""], &["5\" pipe", " \"x\""]);
        assert_eq!(split(&["\"a\"b,c"], true), None);
        assert_eq!(split(&["\"open,c"], true), None);
        assert_eq!(split(&["\"a,b\",c"], false).unwrap(), ["\"a", "b\"", "c"]);
    }
}
