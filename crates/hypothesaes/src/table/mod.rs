//! Tables as values: named, described columns, written as CSV and Parquet by the run directory.

pub mod csv;
pub mod dictionary;
pub mod parquet;

/// A table; all columns have equally many rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// File name without ending, such as `hypotheses`.
    pub name: &'static str,
    pub columns: Vec<Column>,
}

/// A column and what the data dictionary says of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// `snake_case`, at most 32 letters (Stata's limit).
    pub name: &'static str,
    /// Unit, such as `share`, `target` (the target's own unit), `count`; empty if none.
    pub unit: &'static str,
    pub description: &'static str,
    pub values: Values,
}

/// Values of a column; `None` is a missing one (an empty field in CSV, a null in Parquet).
#[derive(Debug, Clone, PartialEq)]
pub enum Values {
    Text(Vec<Option<String>>),
    Number(Vec<Option<f64>>),
    Integer(Vec<Option<i64>>),
    /// 0 / 1 in CSV.
    Flag(Vec<Option<bool>>),
}

impl Values {
    /// Number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Text(v) => v.len(),
            Self::Number(v) => v.len(),
            Self::Integer(v) => v.len(),
            Self::Flag(v) => v.len(),
        }
    }

    /// Whether there is no row.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Puts `more` below; of another kind, which columns of one table are not, it stays out.
    pub fn append(&mut self, more: Self) {
        match (self, more) {
            (Self::Text(v), Self::Text(more)) => v.extend(more),
            (Self::Number(v), Self::Number(more)) => v.extend(more),
            (Self::Integer(v), Self::Integer(more)) => v.extend(more),
            (Self::Flag(v), Self::Flag(more)) => v.extend(more),
            _ => {}
        }
    }

    /// The value of a row for people to read: numbers to four significant digits, nothing for a missing
    /// one.
    #[must_use]
    pub fn shown(&self, row: usize) -> String {
        match self {
            Self::Text(v) => v[row].clone().unwrap_or_default(),
            Self::Number(v) => v[row].map(significant).unwrap_or_default(),
            Self::Integer(v) => v[row].map(|n| n.to_string()).unwrap_or_default(),
            Self::Flag(v) => match v[row] {
                Some(true) => "yes".into(),
                Some(false) => "no".into(),
                None => String::new(),
            },
        }
    }
}

/// Four significant digits, as a person writes them.
fn significant(value: f64) -> String {
    if value == 0.0 || !value.is_finite() {
        return format!("{value}");
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 9")]
    let digits = (3.0 - value.abs().log10().floor()).clamp(0.0, 9.0) as usize;
    let text = format!("{value:.digits$}");
    if text.contains('.') {
        return text.trim_end_matches('0').trim_end_matches('.').to_owned();
    }
    text
}

impl Column {
    /// A column of texts.
    pub fn text(
        name: &'static str,
        description: &'static str,
        values: impl IntoIterator<Item = Option<String>>,
    ) -> Self {
        Self { name, unit: "", description, values: Values::Text(values.into_iter().collect()) }
    }

    /// A column of numbers in `unit`.
    pub fn number(
        name: &'static str,
        unit: &'static str,
        description: &'static str,
        values: impl IntoIterator<Item = Option<f64>>,
    ) -> Self {
        Self { name, unit, description, values: Values::Number(values.into_iter().collect()) }
    }

    /// A column of whole numbers in `unit`; one beyond `i64` becomes missing.
    pub fn integer(
        name: &'static str,
        unit: &'static str,
        description: &'static str,
        values: impl IntoIterator<Item = Option<usize>>,
    ) -> Self {
        let whole = |value: Option<usize>| value.and_then(|v| i64::try_from(v).ok());
        let values = Values::Integer(values.into_iter().map(whole).collect());
        Self { name, unit, description, values }
    }

    /// The side of a pair that a row is about.
    pub fn side(values: impl IntoIterator<Item = &'static str>) -> Self {
        let values = values.into_iter().map(|side| Some(side.to_owned()));
        Self::text("side", "text of the pair: a, the first, or b", values)
    }

    /// A column of yes and no.
    pub fn flag(
        name: &'static str,
        description: &'static str,
        values: impl IntoIterator<Item = Option<bool>>,
    ) -> Self {
        Self { name, unit: "", description, values: Values::Flag(values.into_iter().collect()) }
    }
}

impl Column {
    /// The column so many times over, one below the other.
    #[must_use]
    pub fn repeated(self, times: usize) -> Self {
        let values = match self.values {
            Values::Text(v) => Values::Text(vec![v; times].concat()),
            Values::Number(v) => Values::Number(v.repeat(times)),
            Values::Integer(v) => Values::Integer(v.repeat(times)),
            Values::Flag(v) => Values::Flag(v.repeat(times)),
        };
        Self { values, ..self }
    }
}

impl Table {
    /// Number of rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.columns.first().map_or(0, |c| c.values.len())
    }

    /// The column of this name.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|c| c.name == name)
    }
}
