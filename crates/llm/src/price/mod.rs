//! What tokens cost: a dated table, which the user's own rows can overrule.
//!
//! `table.json` says where its figures are from; `scripts/prices.py` made it. A model that is not
//! in it has no price, which is never taken for a price of nothing.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use crate::question::Usage;
use crate::{Error, Result};

/// Dollars per million tokens.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Price {
    pub input: f64,
    /// Of input that the server had seen before; as `input` if not given.
    pub cached: Option<f64>,
    #[serde(default)]
    pub output: f64,
    /// In a batch job; half if not given.
    pub batch_input: Option<f64>,
    pub batch_output: Option<f64>,
    /// Tokens that the model takes in.
    pub context: Option<u64>,
}

/// Prices by the names of models.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Prices {
    source: String,
    date: String,
    models: BTreeMap<String, Price>,
}

impl Prices {
    pub fn built_in() -> Self {
        serde_json::from_str(include_str!("table.json")).expect("the table is valid, see the tests")
    }

    /// The built-in table, overruled by the rows of a JSON file such as
    /// `{"my-model": {"input": 0.1, "output": 0.4}}`.
    ///
    /// # Errors
    /// [`Error::Option`] that says what is wrong with the file.
    pub fn with_file(path: &Path) -> Result<Self> {
        let refuse = |allowed: String| Error::Option {
            name: "prices".into(),
            value: path.display().to_string(),
            allowed,
        };
        let text =
            std::fs::read_to_string(path).map_err(|e| refuse(format!("cannot read it: {e}")))?;
        let rows: BTreeMap<String, Price> = serde_json::from_str(&text).map_err(|e| {
            refuse(format!("write it as `{{\"model\": {{\"input\": 0.1, \"output\": 0.4}}}}`: {e}"))
        })?;
        if let Some((name, _)) = rows.iter().find(|(_, price)| !price.is_sensible()) {
            return Err(refuse(format!("the price of `{name}` is no amount of dollars")));
        }
        let mut prices = Self::built_in();
        prices.models.extend(rows);
        Ok(prices)
    }

    /// The price of a model by its name; without the name of its provider (`openai/gpt-5-mini`),
    /// or without its date (`gpt-5-mini-2025-08-07`), if it is not listed with it.
    pub fn of(&self, model: &str) -> Option<&Price> {
        let bare = model.rsplit('/').next().unwrap_or(model);
        [model, bare, without_date(bare)].into_iter().find_map(|name| self.models.get(name))
    }

    /// All models that are listed, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.models.keys().map(String::as_str)
    }

    /// Where the table is from, and of what day.
    pub fn source(&self) -> (&str, &str) {
        (&self.source, &self.date)
    }
}

impl Price {
    /// Dollars for these tokens.
    pub fn cost(&self, usage: Usage, batch: bool) -> f64 {
        let (input, output) = if batch {
            (
                self.batch_input.unwrap_or(0.5 * self.input),
                self.batch_output.unwrap_or(0.5 * self.output),
            )
        } else {
            (self.input, self.output)
        };
        // In a batch, cached input is given as a saving nowhere in the table: not counted on.
        let cached = if batch { input } else { self.cached.unwrap_or(input) };
        let fresh = usage.input.saturating_sub(usage.cached);
        (fresh as f64 * input + usage.cached as f64 * cached + usage.output as f64 * output) / 1e6
    }

    fn is_sensible(&self) -> bool {
        let optional = [self.cached, self.batch_input, self.batch_output];
        let all = [self.input, self.output].into_iter().chain(optional.into_iter().flatten());
        all.into_iter().all(|dollars| dollars.is_finite() && dollars >= 0.0)
    }
}

/// `gpt-5-mini` of `gpt-5-mini-2025-08-07`.
fn without_date(name: &str) -> &str {
    let at = name.len().saturating_sub("-2025-08-07".len());
    let is_date = |end: &str| {
        end.bytes().enumerate().all(|(i, b)| match i {
            0 | 5 | 8 => b == b'-',
            _ => b.is_ascii_digit(),
        })
    };
    match name.split_at_checked(at) {
        Some((start, end)) if !start.is_empty() && is_date(end) => start,
        _ => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn list_prices_of_the_default_models() {
        let prices = Prices::built_in();
        for (name, input, cached, output) in [
            ("gpt-5.2", 1.75, Some(0.175), 14.0),
            ("gpt-5-mini", 0.25, Some(0.025), 2.0),
            ("gpt-5-mini-2099-01-31", 0.25, Some(0.025), 2.0),
            ("openai/gpt-5-nano", 0.05, Some(0.005), 0.4),
            ("text-embedding-3-small", 0.02, None, 0.0),
        ] {
            let price = prices.of(name).unwrap();
            assert_eq!(
                (price.input, price.cached, price.output),
                (input, cached, output),
                "{name}"
            );
        }
    }

    #[test]
    fn an_unknown_price_is_none_and_never_0() {
        let prices = Prices::built_in();
        for name in ["llama-3", "gpt-5-mini-x", "", "-2025-08-07", "gpt"] {
            assert_eq!(prices.of(name), None, "{name}");
        }
    }

    #[test]
    fn cached_tokens_and_batches_are_cheaper() {
        let price = *Prices::built_in().of("gpt-5-mini").unwrap();
        let usage = Usage { input: 1_000_000, cached: 400_000, output: 100_000 };
        assert!((price.cost(usage, false) - (0.15 + 0.01 + 0.2)).abs() < 1e-12);
        assert!((price.cost(usage, true) - (0.125 + 0.1)).abs() < 1e-12);
    }

    #[test]
    fn the_users_prices_overrule_and_bad_ones_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("prices.json");
        std::fs::write(&path, r#"{"mine": {"input": 1}, "gpt-5-mini": {"input": 9}}"#).unwrap();
        let prices = Prices::with_file(&path).unwrap();
        assert_eq!(prices.of("mine").unwrap().input, 1.0);
        assert_eq!(prices.of("gpt-5-mini").unwrap().input, 9.0);
        assert!(prices.of("gpt-5.2").is_some());
        for bad in ["[]", r#"{"m": {"input": -1}}"#, r#"{"m": {"output": 1}}"#, "no"] {
            std::fs::write(&path, bad).unwrap();
            let message = Prices::with_file(&path).unwrap_err().to_string();
            assert!(message.contains("prices.json"), "{message}");
        }
    }
}
