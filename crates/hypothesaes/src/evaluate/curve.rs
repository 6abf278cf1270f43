//! How predictions compare with what happened: calibration by tenths, and the ROC of classes.

use hypothesaes_math::metrics::Predicted;
use serde::{Deserialize, Serialize};

use super::target::Kind;
use crate::table::{Column, Table};

/// Bins of about equally many rows; rows of one prediction stay together.
const BINS: usize = 10;
/// Points of a ROC, about: more than these nobody sees.
const POINTS: usize = 100;

/// What cross-fitted predictions by all hypotheses together are worth.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Curve {
    /// Of several classes, the one that is predicted.
    pub class: Option<String>,
    pub bins: Vec<Bin>,
    /// Shares of the others and of the class that are predicted at least so high, both rising from 0 to
    /// 1; empty but for classes.
    pub roc: Vec<[f64; 2]>,
}

/// Rows of similar predictions.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Bin {
    pub n: usize,
    /// Mean prediction, and mean target.
    pub predicted: f64,
    pub observed: f64,
}

/// `None` for levels, whose predictions are scores without a unit.
pub(super) fn curve(of: &Predicted, kind: Kind, class: Option<String>) -> Option<Curve> {
    if kind == Kind::Level || of.y.is_empty() {
        return None;
    }
    let mut order: Vec<usize> = (0..of.y.len()).collect();
    order.sort_by(|&a, &b| of.prediction[a].total_cmp(&of.prediction[b]).then(a.cmp(&b)));
    let ties: Vec<&[usize]> =
        order.chunk_by(|&a, &b| of.prediction[a] == of.prediction[b]).collect();
    let roc = if kind == Kind::Class { roc(of, &ties) } else { Vec::new() };
    Some(Curve { class, bins: bins(of, &ties), roc })
}

fn weight(of: &Predicted, i: usize) -> f64 {
    of.weights.map_or(1.0, |w| w[i])
}

fn bins(of: &Predicted, ties: &[&[usize]]) -> Vec<Bin> {
    let full = of.y.len().div_ceil(BINS);
    let mut bins = Vec::new();
    let mut open: Vec<usize> = Vec::new();
    for rows in ties {
        open.extend(*rows);
        if open.len() >= full {
            bins.push(bin(of, &open));
            open.clear();
        }
    }
    if !open.is_empty() {
        bins.push(bin(of, &open));
    }
    bins
}

fn bin(of: &Predicted, rows: &[usize]) -> Bin {
    let all: f64 = rows.iter().map(|&i| weight(of, i)).sum();
    let mean = |values: &[f64]| rows.iter().map(|&i| weight(of, i) * values[i]).sum::<f64>() / all;
    Bin { n: rows.len(), predicted: mean(of.prediction), observed: mean(of.y) }
}

fn roc(of: &Predicted, ties: &[&[usize]]) -> Vec<[f64; 2]> {
    let sums = |rows: &[usize]| {
        rows.iter().fold([0.0, 0.0], |[no, yes], &i| {
            let w = weight(of, i);
            if of.y[i] == 0.0 { [no + w, yes] } else { [no, yes + w] }
        })
    };
    let all = ties.iter().map(|rows| sums(rows)).fold([0.0; 2], |a, b| [a[0] + b[0], a[1] + b[1]]);
    if all.contains(&0.0) {
        return Vec::new();
    }
    let every = ties.len().div_ceil(POINTS);
    let (mut reached, mut points) = ([0.0; 2], vec![[0.0; 2]]);
    for (number, rows) in ties.iter().rev().enumerate() {
        let more = sums(rows);
        reached = [reached[0] + more[0], reached[1] + more[1]];
        if (number + 1).is_multiple_of(every) || number + 1 == ties.len() {
            points.push([reached[0] / all[0], reached[1] / all[1]]);
        }
    }
    points
}

/// Table `deciles`: mean prediction and mean target of tenths of the rows; `None` without predictions.
#[must_use]
pub fn deciles_table(curves: &[Curve]) -> Option<Table> {
    let all =
        || curves.iter().flat_map(|c| (1..).zip(&c.bins).map(move |(k, bin)| (&c.class, k, bin)));
    let columns = vec![
        Column::integer(
            "bin",
            "",
            "number of the tenth, from 1, lowest first",
            all().map(|b| Some(b.1)),
        ),
        Column::integer("n", "count", "held-out rows in it", all().map(|b| Some(b.2.n))),
        Column::number(
            "predicted",
            "target",
            "mean of their predictions by all hypotheses, each by a fit without its group",
            all().map(|b| Some(b.2.predicted)),
        ),
        Column::number(
            "observed",
            "target",
            "mean of their targets",
            all().map(|b| Some(b.2.observed)),
        ),
    ];
    of_classes("deciles", curves, columns, all().map(|b| b.0.clone()))
}

/// Table `roc`: how many of a class are found, and how many others with them; `None` but for classes.
#[must_use]
pub fn roc_table(curves: &[Curve]) -> Option<Table> {
    let all = || curves.iter().flat_map(|c| c.roc.iter().map(move |point| (&c.class, point)));
    let columns = vec![
        Column::number(
            "false_positive_rate",
            "share",
            "share of the others whose prediction is at least so high",
            all().map(|p| Some(p.1[0])),
        ),
        Column::number(
            "true_positive_rate",
            "share",
            "share of the class whose prediction is at least so high",
            all().map(|p| Some(p.1[1])),
        ),
    ];
    of_classes("roc", curves, columns, all().map(|p| p.0.clone()))
}

fn of_classes(
    name: &'static str,
    curves: &[Curve],
    mut columns: Vec<Column>,
    classes: impl Iterator<Item = Option<String>>,
) -> Option<Table> {
    if curves.iter().any(|c| c.class.is_some()) {
        columns.insert(0, super::table::class(classes));
    }
    let table = Table { name, columns };
    (table.rows() > 0).then_some(table)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn predicted<'a>(
        y: &'a [f64],
        prediction: &'a [f64],
        weights: Option<&'a [f64]>,
    ) -> Predicted<'a> {
        Predicted { y, prediction, weights, exposure: None, fold: None }
    }

    #[test]
    fn equal_predictions_share_a_bin_and_means_are_weighted() {
        let y: Vec<f64> = (0..20).map(f64::from).collect();
        let prediction: Vec<f64> = (0..20).map(|i| f64::from(i / 5)).collect();
        let weights: Vec<f64> = (0..20).map(|i| if i == 0 { 0.0 } else { 1.0 }).collect();
        let found = curve(&predicted(&y, &prediction, Some(&weights)), Kind::Number, None).unwrap();
        let bins: Vec<(usize, f64, f64)> =
            found.bins.iter().map(|b| (b.n, b.predicted, b.observed)).collect();
        assert_eq!(bins, [(5, 0.0, 2.5), (5, 1.0, 7.0), (5, 2.0, 12.0), (5, 3.0, 17.0)]);
        assert_eq!(found.roc, Vec::<[f64; 2]>::new());
        assert_eq!(curve(&predicted(&y, &prediction, None), Kind::Level, None), None);
    }

    #[test]
    fn a_roc_rises_to_one_and_its_area_is_the_auc() {
        let y: Vec<f64> = (0..500).map(|i| f64::from(u8::from(i * 7 % 11 < 4))).collect();
        let prediction: Vec<f64> = (0..500).map(|i| (i * 13 % 17) as f64 + 3.0 * y[i]).collect();
        let of = predicted(&y, &prediction, None);
        let found = curve(&of, Kind::Class, Some("a".into())).unwrap();
        let area: f64 = found
            .roc
            .windows(2)
            .map(|p| (p[1][0] - p[0][0]) * f64::midpoint(p[0][1], p[1][1]))
            .sum();
        let auc =
            hypothesaes_math::metrics::score(hypothesaes_math::metrics::Metric::Concordance, &of);
        assert!((area - auc.unwrap().unwrap().value).abs() < 1e-12);
        assert_eq!((found.roc[0], found.roc.last()), ([0.0; 2], Some(&[1.0; 2])));
        let table = roc_table(&[found]).unwrap();
        assert_eq!((table.columns.len(), table.columns[0].name), (3, "class"));
        assert_eq!(
            curve(&predicted(&[1.0, 1.0], &[0.1, 0.2], None), Kind::Class, None).unwrap().roc,
            Vec::<[f64; 2]>::new()
        );
        assert_eq!(deciles_table(&[]), None);
    }
}
