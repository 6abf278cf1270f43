//! What a file holds, told by its first bytes and lines; its name decides what they leave open.

use super::Format;
use super::delimited::{Fields, Syntax};

/// How the rows of a text file are set out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Layout {
    pub format: Format,
    /// Byte between fields, if the format is delimited.
    pub delimiter: u8,
    /// Byte that ends a line: a line feed, or a carriage return where there is no line feed.
    pub terminator: u8,
}

/// What the first bytes say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Magic {
    Table(Format),
    /// A kind of file that is not read, and what to do with it.
    Foreign(&'static str),
    /// No magic bytes: text.
    Text,
}

/// Lines that are looked at.
const LINES: usize = 50;
const DELIMITERS: [u8; 4] = *b"\t,;|";

/// The format that magic bytes announce.
pub(super) fn magic(head: &[u8]) -> Magic {
    const FOREIGN: [(&[u8], &str); 13] = [
        (b"PK\x03\x04", "is a zip archive or an Excel workbook; unpack it or export it as CSV"),
        (b"\xd0\xcf\x11\xe0", "is an old Excel workbook; export it as CSV"),
        (b"\x1f\x8b", "is packed twice; unpack it once"),
        (b"\x28\xb5\x2f\xfd", "is packed twice; unpack it once"),
        (b"BZh", "is packed by bzip2; unpack it, or pack it by gzip or zstd"),
        (b"\xfd7zXZ", "is packed by xz; unpack it, or pack it by gzip or zstd"),
        (b"\x04\x22\x4d\x18", "is packed by lz4; unpack it, or pack it by gzip or zstd"),
        (b"FEA1", "is Feather version 1; write it again as version 2"),
        (b"PARE", "is an encrypted Parquet file; decrypt it"),
        (b"SQLite format 3", "is an SQLite database; export a table as CSV"),
        (b"Obj\x01", "is an Avro file; write it as Parquet"),
        (b"ORC\x00", "is an ORC file; write it as Parquet"),
        (b"%PDF-", "is a PDF; take its texts out first"),
    ];
    if head.starts_with(b"PAR1") {
        return Magic::Table(Format::Parquet);
    }
    if head.starts_with(b"ARROW1\0") || head.starts_with(b"\xff\xff\xff\xff") {
        return Magic::Table(Format::Arrow);
    }
    let foreign = FOREIGN.iter().find(|(bytes, _)| head.starts_with(bytes));
    foreign.map_or(Magic::Text, |(_, what)| Magic::Foreign(what))
}

/// The format that the ending of a name promises.
pub(super) fn by_ending(ending: &str) -> Option<Format> {
    Some(match ending {
        "csv" => Format::Csv,
        "tsv" | "tab" => Format::Tsv,
        "jsonl" | "ndjson" => Format::Jsonl,
        "json" => Format::Json,
        "parquet" | "pq" => Format::Parquet,
        "arrow" | "arrows" | "feather" | "ipc" => Format::Arrow,
        _ => return None,
    })
}

/// Layout of a text that starts with `head`, or is `head` if `whole`.
///
/// `asked` is the user's word, `named` what the name promises.
pub(super) fn layout(
    head: &str,
    whole: bool,
    asked: Option<Format>,
    named: Option<Format>,
) -> Layout {
    let terminator = if head.contains('\r') && !head.contains('\n') { b'\r' } else { b'\n' };
    let sample = sample(head, terminator, whole);
    let (format, delimiter) = match asked.or_else(|| json(head, named)) {
        Some(Format::Tsv) => (Format::Tsv, b'\t'),
        Some(Format::Csv) => (Format::Csv, sample.csv_delimiter()),
        Some(format) => (format, 0),
        None => sample.guess(named),
    };
    Layout { format, delimiter, terminator }
}

/// JSON by its first letters.
fn json(head: &str, named: Option<Format>) -> Option<Format> {
    let start = head.trim_start();
    let opens = |open: char, then: [char; 2]| {
        let rest = start.strip_prefix(open).map(str::trim_start);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(then))
    };
    if opens('{', ['"', '}']) {
        Some(Format::Jsonl)
    } else if opens('[', ['{', ']']) || named == Some(Format::Json) && start.starts_with('[') {
        Some(Format::Json)
    } else {
        None
    }
}

/// The first lines that are there in full.
fn sample(head: &str, terminator: u8, whole: bool) -> Sample<'_> {
    let mut lines: Vec<&str> = head.split(char::from(terminator)).collect();
    if !whole && lines.len() > 1 {
        lines.pop();
    }
    let whole = whole && lines.len() <= LINES;
    lines.truncate(LINES);
    for line in &mut lines {
        *line = line.strip_suffix('\r').unwrap_or(line);
    }
    Sample { lines, whole }
}

struct Sample<'a> {
    lines: Vec<&'a str>,
    /// There are no more lines.
    whole: bool,
}

impl Sample<'_> {
    /// Content first: a delimiter that gives every row equally many fields. Else the name.
    fn guess(&self, named: Option<Format>) -> (Format, u8) {
        let format_of = |d| if d == b'\t' { Format::Tsv } else { Format::Csv };
        let by_name = match named {
            Some(Format::Csv) => Some(b','),
            Some(Format::Tsv) => Some(b'\t'),
            _ => None,
        };
        let mut order = by_name.into_iter().chain(DELIMITERS);
        if let Some(fits) = order.find(|&d| self.is_table(d, d != b'\t')) {
            return (format_of(fits), fits);
        }
        if let Some(format @ (Format::Json | Format::Jsonl)) = named {
            return (format, 0);
        }
        let cuts = by_name.filter(|&d| self.first_width(d) > 1);
        let delimiter = cuts.unwrap_or_else(|| self.widest(by_name.unwrap_or(b',')));
        (format_of(delimiter), delimiter)
    }

    /// For a file that the user calls CSV: quotation marks count, whatever the delimiter.
    fn csv_delimiter(&self) -> u8 {
        let fits = b",;\t|".iter().copied().find(|&d| self.is_table(d, true));
        fits.unwrap_or_else(|| self.widest(b','))
    }

    /// Whether all rows have the same number of fields, two or more.
    fn is_table(&self, delimiter: u8, quoted: bool) -> bool {
        let syntax = Syntax { delimiter, quoted };
        let mut fields = Fields::default();
        let mut inside = false;
        let mut width = None;
        for line in self.lines.iter().filter(|line| !line.is_empty()) {
            if !inside {
                fields.clear();
            }
            match fields.split(line, "\n", inside, syntax) {
                Ok(open) => inside = open,
                Err(_) => return false,
            }
            if !inside && *width.get_or_insert(fields.len()) != fields.len() {
                return false;
            }
        }
        width.is_some_and(|w| w > 1) && !(inside && self.whole)
    }

    /// Fields of the first line.
    fn first_width(&self, delimiter: u8) -> usize {
        let first = self.lines.iter().find(|line| !line.is_empty());
        first.map_or(0, |line| line.split(char::from(delimiter)).count())
    }

    /// The delimiter that cuts the first line into most fields; `default` if none cuts it.
    fn widest(&self, default: u8) -> u8 {
        let wider = |best: u8, d: u8| {
            if self.first_width(d) > self.first_width(best) { d } else { best }
        };
        DELIMITERS.into_iter().fold(default, wider)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_decides_before_the_name() {
        use Format::{Csv, Json, Jsonl, Tsv};
        let check = |head: &str, named: Option<Format>, format: Format, delimiter: u8| {
            let layout = layout(head, true, None, named);
            assert_eq!((layout.format, layout.delimiter), (format, delimiter), "{head:?}");
        };
        check("a,b\n1,2\n", Some(Csv), Csv, b',');
        check("a\tb\n1\t2\n", Some(Csv), Tsv, b'\t');
        check("a;b\n1,5;2\n", Some(Csv), Csv, b';');
        check("a|b\n1,5|2\n", None, Csv, b'|');
        check("a,b\n\"x, y\n z\",2\n", Some(Tsv), Csv, b',');
        check("pos\tone, two\nneg\tthree\n", None, Tsv, b'\t');
        check("text\nno delimiter\n", Some(Tsv), Tsv, b'\t');
        check("text\nno delimiter\n", None, Csv, b',');
        check(" \n{\"a\": 1}\n", Some(Csv), Jsonl, 0);
        check("[\n {\"a\": 1}]", None, Json, 0);
        check("[]", None, Json, 0);
        check("[a],b\n[c],d\n", Some(Csv), Csv, b',');
        check("[1, 2]", Some(Json), Json, 0);
        check("a,b\n1,2\n", Some(Jsonl), Csv, b',');
        check("garbage", Some(Jsonl), Jsonl, 0);
    }

    #[test]
    fn damaged_tables_keep_the_layout_of_their_name_or_first_line() {
        let check = |head: &str, named: Option<Format>, delimiter: u8| {
            assert_eq!(layout(head, true, None, named).delimiter, delimiter, "{head:?}");
        };
        check("a,b\n1,2,3\n", Some(Format::Csv), b',');
        check("a;b\n1;2;3\n", Some(Format::Csv), b';');
        check("ham\tone, two, three\nspam\n", Some(Format::Tsv), b'\t');
        check("a,b\n\"open,2\n", Some(Format::Csv), b',');
    }

    #[test]
    fn old_line_ends_and_asked_formats() {
        assert_eq!(layout("a,b\r1,2\r", true, None, None).terminator, b'\r');
        assert_eq!(layout("a,b\r\n1,2\r\n", true, None, None).terminator, b'\n');
        let tabs = layout("a\tb\n\"x\ty\"\t2\n", true, Some(Format::Csv), Some(Format::Tsv));
        assert_eq!((tabs.format, tabs.delimiter), (Format::Csv, b'\t'));
    }

    #[test]
    fn magic_bytes() {
        assert_eq!(magic(b"PAR1.."), Magic::Table(Format::Parquet));
        assert_eq!(magic(b"ARROW1\0\0"), Magic::Table(Format::Arrow));
        assert_eq!(magic(b"\xff\xff\xff\xff\x10"), Magic::Table(Format::Arrow));
        assert_eq!(magic(b"\xff\xfea\0"), Magic::Text);
        assert!(matches!(magic(b"PK\x03\x04"), Magic::Foreign(_)));
    }
}
