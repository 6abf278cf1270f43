//! The values of an Arrow array, brought to a few types.

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type, UInt64Type};
use arrow_array::{
    Array, ArrayRef, BooleanArray, Float64Array, Int64Array, LargeBinaryArray, LargeStringArray,
    UInt64Array,
};
use arrow_cast::cast;
use arrow_schema::{ArrowError, DataType};

use super::row::Cell;

/// The values of an array.
pub(super) enum Values {
    Missing,
    Text(LargeStringArray),
    Bytes(LargeBinaryArray),
    Signed(Int64Array),
    Unsigned(UInt64Array),
    Float(Float64Array),
    Flag(BooleanArray),
    /// Decimal numbers as they are written.
    Decimal(LargeStringArray),
    /// Neither texts nor numbers: what they are, and which are there.
    Other(String, ArrayRef),
}

impl Values {
    /// Widens numbers, unpacks dictionaries and runs.
    pub fn of(array: &ArrayRef) -> Result<Self, ArrowError> {
        use DataType as D;
        let to = |kind: &DataType| cast(array, kind);
        Ok(match array.data_type() {
            D::Null => Self::Missing,
            D::Utf8 | D::LargeUtf8 | D::Utf8View => {
                Self::Text(to(&D::LargeUtf8)?.as_string().clone())
            }
            D::Binary | D::LargeBinary | D::BinaryView => {
                Self::Bytes(to(&D::LargeBinary)?.as_binary().clone())
            }
            D::Int8 | D::Int16 | D::Int32 | D::Int64 => {
                Self::Signed(to(&D::Int64)?.as_primitive::<Int64Type>().clone())
            }
            D::UInt8 | D::UInt16 | D::UInt32 | D::UInt64 => {
                Self::Unsigned(to(&D::UInt64)?.as_primitive::<UInt64Type>().clone())
            }
            D::Float16 | D::Float32 | D::Float64 => {
                Self::Float(to(&D::Float64)?.as_primitive::<Float64Type>().clone())
            }
            D::Boolean => Self::Flag(array.as_boolean().clone()),
            D::Decimal32(..) | D::Decimal64(..) | D::Decimal128(..) | D::Decimal256(..) => {
                Self::Decimal(to(&D::LargeUtf8)?.as_string().clone())
            }
            D::Dictionary(_, values) => Self::of(&to(values)?)?,
            D::RunEndEncoded(_, values) => Self::of(&to(values.data_type())?)?,
            other => Self::Other(in_words(other), array.clone()),
        })
    }

    /// Value `i`; `None` for bytes that are not UTF-8.
    pub fn get(&self, i: usize) -> Option<Cell<'_>> {
        if self.array().is_none_or(|array| array.is_null(i)) {
            return Some(Cell::Missing);
        }
        Some(match self {
            Self::Missing => Cell::Missing,
            Self::Text(values) => Cell::Text(values.value(i).into()),
            Self::Bytes(values) => Cell::Text(str::from_utf8(values.value(i)).ok()?.into()),
            Self::Signed(values) => Cell::Integer(values.value(i).into()),
            Self::Unsigned(values) => Cell::Integer(values.value(i).into()),
            Self::Float(values) => Cell::Float(values.value(i)),
            Self::Flag(values) => Cell::Flag(values.value(i)),
            Self::Decimal(values) => decimal(values.value(i)),
            Self::Other(what, _) => Cell::Other(what.as_str().into()),
        })
    }

    fn array(&self) -> Option<&dyn Array> {
        Some(match self {
            Self::Missing => return None,
            Self::Text(values) | Self::Decimal(values) => values,
            Self::Bytes(values) => values,
            Self::Signed(values) => values,
            Self::Unsigned(values) => values,
            Self::Float(values) => values,
            Self::Flag(values) => values,
            Self::Other(_, values) => values,
        })
    }
}

/// Whole numbers keep all their digits.
fn decimal(written: &str) -> Cell<'_> {
    match (written.parse(), written.parse()) {
        (Ok(integer), _) => Cell::Integer(integer),
        (_, Ok(float)) => Cell::Float(float),
        _ => Cell::Text(written.into()),
    }
}

fn in_words(kind: &DataType) -> String {
    use DataType as D;
    let words = match kind {
        D::List(_)
        | D::LargeList(_)
        | D::FixedSizeList(..)
        | D::ListView(_)
        | D::LargeListView(_) => "a list",
        D::Struct(_) => "a record of several fields",
        D::Map(..) => "a map",
        D::Date32 | D::Date64 => "a date",
        D::Timestamp(..) => "a point in time",
        other => return format!("a value of type {other}"),
    };
    words.to_owned()
}
