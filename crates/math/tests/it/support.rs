//! What the tests of this binary share.

use hypothesaes_math::regression::Columns;
use serde_json::Value;

/// The golden values `name`, made by `scripts/golden/NAME.py`.
pub fn golden(name: &str) -> Value {
    let path = format!("{}/tests/golden/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// A list.
pub fn items(value: &Value) -> &[Value] {
    value.as_array().unwrap()
}

/// A number.
pub fn number(value: &Value) -> f64 {
    value.as_f64().unwrap()
}

/// A list of numbers.
pub fn numbers(value: &Value) -> Vec<f64> {
    items(value).iter().map(number).collect()
}

/// Columns, as a regression takes them.
pub fn packed(columns: &[Vec<f64>]) -> Columns {
    Columns::new(columns.first().map_or(0, Vec::len), columns).unwrap()
}

/// Panics unless `got` and `expected` agree to `tolerance`, relative to 1 or to their size.
pub fn assert_close(got: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(got.len(), expected.len());
    for (i, (g, e)) in got.iter().zip(expected).enumerate() {
        assert!((g - e).abs() <= tolerance * e.abs().max(1.0), "entry {i}: {g} for {e}");
    }
}
