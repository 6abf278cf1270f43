//! Tables as CSV: RFC 4180, UTF-8, `.` decimal, empty = missing, flags 0/1, full precision.

use std::io::{self, Write};

use super::{Table, Values};

/// Writes `table` with a header line.
///
/// Numbers are written as the shortest text that reads back to the same `f64`.
pub fn write(table: &Table, to: impl Write) -> io::Result<()> {
    let mut csv = csv::Writer::from_writer(to);
    csv.write_record(table.columns.iter().map(|c| c.name))?;
    let columns: Vec<&Values> = table.columns.iter().map(|c| &c.values).collect();
    write_rows(&columns, &mut csv)?;
    csv.flush()
}

/// Writes the rows of these columns, which are equally long.
pub fn write_rows(columns: &[&Values], csv: &mut csv::Writer<impl Write>) -> io::Result<()> {
    let mut record = csv::StringRecord::new();
    for row in 0..columns.first().map_or(0, |values| values.len()) {
        record.clear();
        for values in columns {
            record.push_field(&field(values, row));
        }
        csv.write_record(&record)?;
    }
    Ok(())
}

fn field(values: &Values, row: usize) -> String {
    match values {
        Values::Text(v) => v[row].clone().unwrap_or_default(),
        Values::Number(v) => v[row].map_or_else(String::new, |x| x.to_string()),
        Values::Integer(v) => v[row].map_or_else(String::new, |x| x.to_string()),
        Values::Flag(v) => v[row].map_or_else(String::new, |x| u8::from(x).to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::Column;

    #[test]
    fn missing_is_empty_and_text_is_quoted() {
        let column = |name, values| Column { name, unit: "", description: "", values };
        let table = Table {
            name: "t",
            columns: vec![
                column("a", Values::Text(vec![Some("x, \"y\"\n".into()), None])),
                column("b", Values::Number(vec![Some(0.1 + 0.2), Some(1e300)])),
                column("c", Values::Integer(vec![None, Some(-3)])),
                column("d", Values::Flag(vec![Some(true), Some(false)])),
            ],
        };
        let mut out = Vec::new();
        write(&table, &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        let big = format!("1{}", "0".repeat(300));
        assert_eq!(
            text,
            format!("a,b,c,d\n\"x, \"\"y\"\"\n\",0.30000000000000004,,1\n,{big},-3,0\n")
        );
    }
}
