//! How far hypotheses are true of the same texts.

use kodama::{Method, linkage};
use serde_json::json;

use super::spec::{self, chart, tooltip};
use super::{Chart, tested};
use crate::evaluate::Overlap;
use crate::run::Outcome;
use crate::table::{Column, Table};

/// Hypotheses that are shown at most: their pairs grow with the square.
const MOST: usize = 40;

/// How far hypotheses are true of the same texts.
pub(super) fn overlap(outcome: &Outcome, overlap: &[Overlap]) -> Option<Chart> {
    let mut ids: Vec<&str> = Vec::new();
    for hypothesis in tested(outcome) {
        if !ids.contains(&hypothesis.tested.id.as_str()) {
            ids.push(&hypothesis.tested.id);
        }
    }
    let n_all = ids.len();
    ids.truncate(MOST);
    let ids = alike_together(&ids, overlap);
    let known = |o: &&Overlap| {
        o.phi.is_some() && [&o.id_1, &o.id_2].iter().all(|id| ids.contains(&id.as_str()))
    };
    let pairs: Vec<&Overlap> = overlap.iter().filter(known).collect();
    let most = pairs.iter().max_by(|a, b| {
        a.phi.unwrap_or_default().abs().total_cmp(&b.phi.unwrap_or_default().abs())
    })?;
    let rows = || {
        let both = |o: &&'_ Overlap| {
            let o: &Overlap = o;
            [
                (o.id_1.clone(), o.id_2.clone(), o.phi, o.n_both),
                (o.id_2.clone(), o.id_1.clone(), o.phi, o.n_both),
            ]
        };
        pairs.iter().flat_map(both)
    };
    let table = Table {
        name: "overlap",
        columns: vec![
            Column::text("hypothesis_1", "one hypothesis", rows().map(|r| Some(r.0))),
            Column::text("hypothesis_2", "the other", rows().map(|r| Some(r.1))),
            Column::number("phi", "", "correlation of their annotations", rows().map(|r| r.2)),
            Column::integer("n_both", "count", "texts with both", rows().map(|r| Some(r.3))),
        ],
    };
    let side = 18 * ids.len();
    let axis = |field: &str, angle: i32| json!({"field": field, "type": "nominal", "sort": ids, "title": null, "axis": {"grid": false, "labelAngle": angle}});
    let marks = json!({
        "width": side.max(120),
        "mark": {"type": "rect"},
        "encoding": {
            "x": axis("hypothesis_1", -90), "y": axis("hypothesis_2", 0),
            "color": {"field": "phi", "type": "quantitative", "title": "correlation", "scale": {"domain": [-1, 0, 1], "range": [spec::VERMILION, "#f4f4f4", spec::BLUE]}},
            "tooltip": tooltip(&[("hypothesis_1", ""), ("hypothesis_2", ""), ("phi", "correlation"), ("n_both", "texts with both")])
        }
    });
    let title = format!(
        "{} and {} are most alike: their annotations correlate with {:.2}",
        most.id_1,
        most.id_2,
        most.phi.unwrap_or_default()
    );
    let left_out = match n_all.saturating_sub(MOST) {
        0 => String::new(),
        n => format!(" The {n} smallest effects are left out; the table `overlap` has them."),
    };
    let caption = format!(
        "Blue pairs are true of the same texts, orange ones of different texts; those alike stand \
         together. Above 0.8 the second counts as a duplicate of the first.{left_out}"
    );
    let spec = chart(&table, side.max(120), marks);
    Some(Chart { name: "overlap".into(), about: None, title, caption, table, spec })
}

/// The hypotheses in the order of the leaves of a dendrogram: average linkage of one minus their
/// correlation.
fn alike_together<'a>(ids: &[&'a str], overlap: &[Overlap]) -> Vec<&'a str> {
    let n = ids.len();
    if n < 3 {
        return ids.to_vec();
    }
    let place = |id: &str| ids.iter().position(|known| *known == id);
    // Above the diagonal, row by row, as `linkage` has it; pairs without a correlation are strangers.
    let mut distances = vec![1.0; n * (n - 1) / 2];
    for pair in overlap {
        let (Some(a), Some(b)) = (place(&pair.id_1), place(&pair.id_2)) else { continue };
        let (a, b) = (a.min(b), a.max(b));
        if a < b {
            distances[a * (2 * n - a - 3) / 2 + b - 1] = 1.0 - pair.phi.unwrap_or(0.0);
        }
    }
    let tree = linkage(&mut distances, n, Method::Average);
    let mut branches: Vec<Vec<usize>> = (0..n).map(|leaf| vec![leaf]).collect();
    for step in tree.steps() {
        let first = std::mem::take(&mut branches[step.cluster1]);
        let second = std::mem::take(&mut branches[step.cluster2]);
        // The branch with the larger effect, which comes first among the leaves, stays first.
        let (mut joined, then) = if first.iter().min() < second.iter().min() {
            (first, second)
        } else {
            (second, first)
        };
        joined.extend(then);
        branches.push(joined);
    }
    branches.pop().unwrap_or_default().into_iter().map(|leaf| ids[leaf]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hypotheses_alike_stand_together() {
        let pair = |a: &str, b: &str, phi| Overlap {
            id_1: a.into(),
            id_2: b.into(),
            phi,
            jaccard: None,
            n_both: 0,
        };
        let overlap = [
            pair("H1", "H2", Some(0.1)),
            pair("H1", "H3", Some(0.9)),
            pair("H4", "H2", Some(0.8)),
            pair("H1", "H4", None),
            pair("H9", "H1", Some(1.0)),
        ];
        assert_eq!(alike_together(&["H1", "H2", "H3", "H4"], &overlap), ["H1", "H3", "H2", "H4"]);
        assert_eq!(alike_together(&["H2", "H1"], &overlap), ["H2", "H1"]);
        assert!(alike_together(&[], &overlap).is_empty());
    }
}
