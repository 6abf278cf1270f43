//! Rows as JSON objects, one a line or all in one array; an array is taken apart as it arrives.

use std::borrow::Cow;
use std::fmt;
use std::io::{self, BufRead};

use serde::de::{
    DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor,
};
use serde_json::error::Category;

use super::lines::Lines;
use super::row::{Cell, Column, Outcome, Row, Sink};
use super::source::Source;
use crate::error::Place;
use crate::{Error, Result};

/// What the cells of a row are.
#[derive(Debug, Clone, Copy)]
pub(super) enum Take<'w> {
    /// The values of these columns, found by name.
    Values(&'w [Column]),
    /// The keys of the object.
    Keys,
}

/// Hands the object on every line to `sink`.
pub(super) fn each_line(
    source: &Source,
    mut lines: Lines,
    take: Take,
    sink: &mut Sink,
) -> Result<Outcome> {
    let mut outcome = Outcome::default();
    loop {
        let row = outcome.rows + 1;
        let number = lines.number() + 1;
        let Some(line) = lines.next(Some(row))? else { return Ok(outcome) };
        if line.text.trim().is_empty() {
            outcome.blank_lines += 1;
            continue;
        }
        let mut json = serde_json::Deserializer::from_str(line.text);
        let cells =
            Object(take).deserialize(&mut json).and_then(|cells| json.end().map(|()| cells));
        let cells = cells.map_err(|e| {
            let place = Place { row: Some(row), line: Some(number), ..Place::default() };
            source.damage(place, complaint(&e))
        })?;
        outcome.rows = row;
        if sink(&Row { number: row, line: Some(number), cells: &cells })?.is_break() {
            return Ok(outcome);
        }
    }
}

/// Hands every object of the array to `sink`.
pub(super) fn each_element(
    source: &Source,
    reader: impl BufRead,
    take: Take,
    sink: &mut Sink,
) -> Result<Outcome> {
    let mut array = Array { take, sink, rows: 0, stopped: None };
    let mut json = serde_json::Deserializer::from_reader(reader);
    let read = json.deserialize_seq(&mut array).and_then(|()| json.end());
    let rows = array.rows;
    match (read, array.stopped) {
        (_, Some(Stopped::Failed(error))) => Err(error),
        (Ok(()), None) | (_, Some(Stopped::Enough)) => Ok(Outcome { rows, blank_lines: 0 }),
        (Err(e), None) => {
            let line = (e.line() > 0).then_some(e.line() as u64);
            let place = Place { row: Some(rows + 1), line, ..Place::default() };
            if e.is_io() {
                return Err(source.fault(place, io::Error::from(e)));
            }
            Err(source.damage(place, complaint(&e)))
        }
    }
}

/// What is wrong with the JSON, with the position in its line.
fn complaint(error: &serde_json::Error) -> String {
    let said = error.to_string();
    let what = said.rsplit_once(" at line ").map_or(said.as_str(), |(what, _)| what);
    match error.classify() {
        Category::Data => what.to_owned(),
        Category::Eof => format!("cut off: {what} at byte {} of the line", error.column()),
        _ => {
            let hint = match what {
                "expected value" => " (what is missing is `null`; JSON knows no NaN)",
                "trailing characters" => " (a row is one object; rows in `[...]` need no lines)",
                _ => "",
            };
            format!("invalid JSON at byte {} of the line: {what}{hint}", error.column())
        }
    }
}

/// An array whose elements go to the sink one by one.
struct Array<'a, 's> {
    take: Take<'a>,
    sink: &'a mut Sink<'s>,
    rows: u64,
    stopped: Option<Stopped>,
}

/// Why the sink wants no more rows.
enum Stopped {
    Enough,
    Failed(Error),
}

impl<'de> Visitor<'de> for &mut Array<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("an array of objects")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<(), A::Error> {
        while let Some(cells) = elements.next_element_seed(Object(self.take))? {
            self.rows += 1;
            let row = Row { number: self.rows, line: None, cells: &cells };
            self.stopped = match (self.sink)(&row) {
                Ok(flow) if flow.is_continue() => continue,
                Ok(_) => Some(Stopped::Enough),
                Err(error) => Some(Stopped::Failed(error)),
            };
            return Err(A::Error::custom("stopped"));
        }
        Ok(())
    }
}

/// One object.
struct Object<'w>(Take<'w>);

impl<'de> DeserializeSeed<'de> for Object<'_> {
    type Value = Vec<Cell<'de>>;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Self::Value, D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Object<'_> {
    type Value = Vec<Cell<'de>>;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("an object such as `{\"text\": \"...\", \"target\": 1}`")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
        let Take::Values(wanted) = self.0 else {
            let mut keys = Vec::new();
            while let Some((key, IgnoredAny)) = map.next_entry::<String, _>()? {
                keys.push(Cell::Text(Cow::Owned(key)));
            }
            return Ok(keys);
        };
        let mut found: Vec<Option<Cell>> = vec![None; wanted.len()];
        while let Some(key) = map.next_key_seed(Key(wanted))? {
            match key {
                None => drop(map.next_value::<IgnoredAny>()?),
                Some(i) if found[i].is_some() => {
                    let name = &wanted[i].name;
                    return Err(M::Error::custom(format!("key `{name}` stands twice in the row")));
                }
                Some(i) => found[i] = Some(map.next_value_seed(Value)?),
            }
        }
        Ok(found.into_iter().map(|cell| cell.unwrap_or(Cell::Missing)).collect())
    }
}

/// A key, as the place of its column among those wanted.
struct Key<'w>(&'w [Column]);

impl<'de> DeserializeSeed<'de> for Key<'_> {
    type Value = Option<usize>;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Self::Value, D::Error> {
        json.deserialize_str(self)
    }
}

impl Visitor<'_> for Key<'_> {
    type Value = Option<usize>;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E>(self, key: &str) -> Result<Self::Value, E> {
        Ok(self.0.iter().position(|column| column.name == key))
    }
}

/// A value as a cell; borrowed from the line where it has no escapes.
struct Value;

impl<'de> DeserializeSeed<'de> for Value {
    type Value = Cell<'de>;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Self::Value, D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Value {
    type Value = Cell<'de>;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Cell<'de>, E> {
        Ok(Cell::Missing)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Cell<'de>, E> {
        Ok(Cell::Flag(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Cell<'de>, E> {
        Ok(Cell::Integer(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Cell<'de>, E> {
        Ok(Cell::Integer(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Cell<'de>, E> {
        Ok(Cell::Float(value))
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Cell<'de>, E> {
        Ok(Cell::Text(Cow::Borrowed(value)))
    }

    fn visit_str<E>(self, value: &str) -> Result<Cell<'de>, E> {
        Ok(Cell::Text(Cow::Owned(value.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Cell<'de>, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Cell::Other("a list".into()))
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Cell<'de>, M::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Cell::Other("an object".into()))
    }
}
