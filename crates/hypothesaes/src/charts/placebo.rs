//! How much holds where there is nothing.

use std::collections::BTreeMap;

use serde_json::json;

use super::Chart;
use super::spec::{self, ROW, chart, tooltip};
use crate::run::Outcome;
use crate::table::{Column, Table};

/// Shares that hold on shuffled targets, beside that on the real one.
pub(super) fn placebo(outcome: &Outcome) -> Option<Chart> {
    let test = outcome.test.as_ref()?;
    let placebo = test.placebo.as_ref().filter(|placebo| !placebo.runs.is_empty())?;
    let mut equal: BTreeMap<(usize, usize), usize> = BTreeMap::new();
    for run in &placebo.runs {
        *equal.entry((run.n_hold, run.n_tested)).or_default() += 1;
    }
    let shuffled = equal.into_iter().map(|((hold, all), runs)| ("shuffled", hold, all, runs));
    let rows: Vec<(&str, usize, usize, usize)> =
        shuffled.chain([("real", test.n_hold, test.n_hypotheses, 1)]).collect();
    let share = |hold: usize, all: usize| hold as f64 / all.max(1) as f64;
    let table = Table {
        name: "placebo",
        columns: vec![
            Column::text("target", "real, or shuffled", rows.iter().map(|r| Some(r.0.into()))),
            Column::integer(
                "n_hold",
                "count",
                "of those tested, how many hold",
                rows.iter().map(|r| Some(r.1)),
            ),
            Column::integer(
                "n_tested",
                "count",
                "neurons, or hypotheses, that were tested",
                rows.iter().map(|r| Some(r.2)),
            ),
            Column::number(
                "share",
                "share",
                "the one divided by the other",
                rows.iter().map(|r| Some(share(r.1, r.2))),
            ),
            Column::integer(
                "n_runs",
                "count",
                "targets of which this is so",
                rows.iter().map(|r| Some(r.3)),
            ),
        ],
    };
    let marks = json!({
        "mark": {"type": "point", "filled": true, "opacity": 0.9},
        "encoding": {
            "y": {"field": "target", "type": "nominal", "sort": null, "title": null, "axis": {"grid": false, "ticks": false, "offset": 12}},
            "x": {"field": "share", "type": "quantitative", "title": "share of the tested that hold", "scale": {"domain": [0, 1]}, "axis": {"format": "~%"}},
            "size": {"field": "n_runs", "type": "quantitative", "legend": null, "scale": {"range": [60, 400], "zero": false}},
            "color": {"condition": {"test": "datum.target === 'real'", "value": spec::BLUE}, "value": spec::VERMILION},
            "shape": {"field": "target", "type": "nominal", "legend": null, "scale": {"domain": ["real", "shuffled"], "range": ["circle", "diamond"]}},
            "tooltip": tooltip(&[("target", "target"), ("n_hold", "hold"), ("n_tested", "tested"), ("n_runs", "targets")])
        }
    });
    let (tested, hold, _) = placebo.totals();
    let title = format!(
        "On the real target {} of {} hypotheses hold, on {} shuffled ones {hold} of {tested} neurons",
        test.n_hold,
        test.n_hypotheses,
        placebo.runs.len()
    );
    let caption = "Selection and tests were done again with the target shuffled among the texts, so that \
                   there is nothing to find. Whatever holds there holds by chance; large marks are several \
                   shuffled targets."
        .into();
    let spec = chart(&table, 2 * ROW, marks);
    Some(Chart { name: "placebo".into(), about: None, title, caption, table, spec })
}
