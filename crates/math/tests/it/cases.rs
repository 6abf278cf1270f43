//! Regressions as the golden files write them down.

use hypothesaes_math::Level;
use hypothesaes_math::regression::{Columns, Inference, Model, Setup};
use serde_json::Value;

use crate::support::{items, numbers};

/// The data of a golden case.
pub struct Case {
    pub model: Model,
    pub intercept: bool,
    pub columns: Vec<Vec<f64>>,
    pub y: Vec<f64>,
    pub weights: Option<Vec<f64>>,
    pub offset: Option<Vec<f64>>,
    pub clusters: Option<Vec<u32>>,
    pub absorbed: Vec<Vec<u32>>,
}

pub fn level() -> Level {
    Level::new(0.95).unwrap()
}

impl Case {
    pub fn read(value: &Value) -> Self {
        let model = match value["model"].as_str() {
            Some("logit") => Model::Logit,
            Some("poisson") => Model::Poisson,
            Some("negative_binomial") => Model::NegativeBinomial,
            _ => Model::LeastSquares,
        };
        let list = |name: &str| value.get(name).map(column);
        Self {
            model,
            intercept: value.get("intercept").is_none_or(|v| v.as_bool().unwrap()),
            columns: items(&value["columns"]).iter().map(column).collect(),
            y: column(&value["y"]),
            weights: list("weights"),
            offset: list("offset"),
            clusters: value.get("clusters").map(codes),
            absorbed: value
                .get("absorbed")
                .map_or(vec![], |v| items(v).iter().map(codes).collect()),
        }
    }

    pub fn with<T>(&self, work: impl FnOnce(&Setup) -> T) -> T {
        let absorbed: Vec<&[u32]> = self.absorbed.iter().map(Vec::as_slice).collect();
        work(&Setup {
            intercept: self.intercept,
            weights: self.weights.as_deref(),
            offset: self.offset.as_deref(),
            clusters: self.clusters.as_deref(),
            absorbed: &absorbed,
            ..Setup::new(self.model, self.columns.len(), level())
        })
    }

    pub fn infer(&self) -> Inference {
        let columns = Columns::new(self.y.len(), &self.columns).unwrap();
        self.with(|setup| setup.infer(&columns, &self.y)).unwrap()
    }
}

/// A column: numbers, or flags as text.
pub fn column(value: &Value) -> Vec<f64> {
    value.as_str().map_or_else(
        || numbers(value),
        |text| text.chars().map(|c| f64::from(u8::from(c == '1'))).collect(),
    )
}

fn codes(value: &Value) -> Vec<u32> {
    let code = |v: &Value| u32::try_from(v.as_u64().unwrap()).unwrap();
    items(value).iter().map(code).collect()
}
