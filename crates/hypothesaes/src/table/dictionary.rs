//! The data dictionary: one row per column of every table of a run.

use serde::{Deserialize, Serialize};

use super::{Column, Table, Values};

/// What the dictionary says of one column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    pub table: String,
    pub column: String,
    pub r#type: String,
    pub unit: String,
    pub description: String,
}

/// Entries of all columns of `table`.
pub fn entries(table: &Table) -> Vec<Entry> {
    let entry = |c: &Column| Entry {
        table: table.name.into(),
        column: c.name.into(),
        r#type: type_name(&c.values).into(),
        unit: c.unit.into(),
        description: c.description.into(),
    };
    table.columns.iter().map(entry).collect()
}

/// The dictionary as a table itself.
pub fn dictionary(entries: &[Entry]) -> Table {
    let column = |name, description, get: fn(&Entry) -> &String| Column {
        name,
        unit: "",
        description,
        values: Values::Text(entries.iter().map(|e| Some(get(e).clone())).collect()),
    };
    Table {
        name: "dictionary",
        columns: vec![
            column("table", "table of the run", |e| &e.table),
            column("column", "column of that table", |e| &e.column),
            column("type", "text, number, integer or flag (0/1)", |e| &e.r#type),
            column("unit", "unit of the values; empty if none", |e| &e.unit),
            column("description", "what the column holds", |e| &e.description),
        ],
    }
}

fn type_name(values: &Values) -> &'static str {
    match values {
        Values::Text(_) => "text",
        Values::Number(_) => "number",
        Values::Integer(_) => "integer",
        Values::Flag(_) => "flag",
    }
}
