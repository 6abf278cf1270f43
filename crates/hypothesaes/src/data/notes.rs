//! What reading decided and noticed, in lines for the user.

use super::SplitOptions;
use super::choose::Chosen;
use super::gather::Gathered;
use super::names::{clip, count};
use super::read::{Counts, Inputs};

/// What there is to tell of.
pub(super) struct Told<'a> {
    pub inputs: &'a Inputs<'a>,
    pub chosen: &'a Chosen,
    pub gathered: &'a Gathered<'a>,
    pub counts: &'a Counts,
    /// What the target is.
    pub target: String,
    /// What else was decided of the columns.
    pub columns: Vec<String>,
    pub shares: &'a SplitOptions,
    pub seed: u64,
}

/// A line for each thing worth knowing, in the order in which it happened.
pub(super) fn lines(told: &Told) -> Vec<String> {
    let mut lines = Vec::new();
    for ((_, input), extent) in told.inputs.iter().zip(&told.gathered.files) {
        let file = extent.path.display();
        lines.push(format!("`{file}`: {}, {} rows", input.format(), n(extent.outcome.rows)));
        lines.extend(input.notes.iter().cloned());
        if extent.outcome.blank_lines > 0 {
            lines.push(format!(
                "`{file}`: blank lines passed over: {}",
                n(extent.outcome.blank_lines)
            ));
        }
    }
    lines.push(columns(told));
    lines.extend(left_out(told));
    lines.push(told.target.clone());
    lines.extend(told.columns.iter().cloned());
    let Counts { duplicates, discover, validation, heldout, straddling_groups, .. } = *told.counts;
    if duplicates > 0 {
        let line = "texts that stand in an earlier row as well, kept in the same part";
        lines.push(format!("{line}: {}", n(duplicates)));
    }
    // Where a part has a file of its own, the shares are not those of all rows.
    let shares = if told.inputs.len() == 1 { format!(" {}", told.shares) } else { String::new() };
    lines.push(format!(
        "split{shares} by seed {}: {} to discover on, {} for validation, {} held out",
        told.seed,
        n(discover),
        n(validation),
        n(heldout)
    ));
    if straddling_groups > 0 {
        let line = "groups that the files put in more than one part";
        lines.push(format!("{line}: {}", n(straddling_groups)));
    }
    lines
}

fn columns(told: &Told) -> String {
    let Chosen { columns, roles } = told.chosen;
    let name = |place: usize| format!("`{}`", clip(&columns[place].name));
    let mut parts = vec![match roles.text_b {
        None => format!("text is column {}", name(0)),
        Some(other) => format!("pairs of columns {} and {}", name(0), name(other)),
    }];
    parts.push(format!("target {}", name(1)));
    if let (Some(groups), Some(place)) = (&told.gathered.groups, roles.group) {
        let alone = match groups.alone {
            0 => String::new(),
            rows => format!(" ({} rows without one are each by themselves)", count(rows)),
        };
        parts.push(format!("group {}: {} groups{alone}", name(place), n(groups.n.into())));
    }
    let single = [("weight", roles.weight), ("exposure", roles.exposure), ("strata", roles.strata)];
    for (role, place) in single {
        parts.extend(place.map(|place| format!("{role} {}", name(place))));
    }
    for (role, places) in [("controls", &roles.controls), ("fixed effects", &roles.fixed_effects)] {
        if !places.is_empty() {
            let names: Vec<String> = places.iter().map(|&place| name(place)).collect();
            parts.push(format!("{role} {}", names.join(" ")));
        }
    }
    parts.join(", ")
}

fn left_out(told: &Told) -> Vec<String> {
    let reasons = told.counts.left_out();
    let reasons: Vec<String> = reasons.map(|(rows, why)| format!("{} {why}", n(rows))).collect();
    let mut lines = Vec::new();
    if !reasons.is_empty() {
        lines.push(format!("rows left out: {}", reasons.join(", ")));
    }
    lines.extend(
        told.gathered
            .dropped_none()
            .map(|value| format!("no row has the target `{}` that is to be dropped", clip(value))),
    );
    lines
}

fn n(rows: u64) -> String {
    count(usize::try_from(rows).unwrap_or(usize::MAX))
}
