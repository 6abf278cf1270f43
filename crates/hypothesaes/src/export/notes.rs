//! What is said below a table: what is compared, where errors come from, what p-values are adjusted for.

use std::path::Path;

use serde_json::Value;

use super::display::Room;
use super::shapes::Part;
use super::source::Sheet;
use crate::Result;
use crate::store::read_json;

/// What the run knows of its test.
#[derive(Debug, Default)]
pub(super) struct About {
    pub target: String,
    evaluation: Value,
    /// The value of a binary target whose share is compared.
    positive: Option<String>,
}

impl About {
    pub fn of(folder: &Path) -> Result<Self> {
        let read = |name: &str| -> Result<Value> {
            if folder.join(name).is_file() { read_json(folder, name) } else { Ok(Value::Null) }
        };
        let data = read("data/summary.json")?;
        Ok(Self {
            target: data["target"].as_str().unwrap_or("the target").to_owned(),
            positive: data["task"]["positive"].as_str().map(str::to_owned),
            evaluation: read("evaluate/evaluation.json")?,
        })
    }

    /// Below the hypotheses; `effects` tells where the errors come from.
    pub fn of_hypotheses(&self, sheet: &Sheet, effects: Option<&Sheet>, room: Room) -> Vec<String> {
        let about = &self.evaluation;
        let number = |name: &str| about[name].as_u64().unwrap_or_default();
        let is_adjusted = sheet.column("adjusted_separation").is_some();
        let things = if about["is_paired"] == true { "pairs" } else { "texts" };
        let option = |name: &str, default: f64| about["options"][name].as_f64().unwrap_or(default);
        let mut notes = vec![format!(
            "With - without: {}, {} held equal, on {} held-out {things}; a hypothesis holds if its \
             p-value is below {}.",
            self.difference(),
            if is_adjusted { "the controls" } else { "nothing else" },
            number("n"),
            option("alpha", 0.05)
        )];
        if room == Room::Screen {
            notes.push(self.beside_others(sheet));
        }
        notes.push(format!(
            "In brackets: intervals that cover {:.0} %. P-values are two-sided and adjusted after Holm, \
             over all hypotheses.",
            100.0 * option("conf_level", 0.95)
        ));
        let alone = if is_adjusted { "adjusted" } else { "single" };
        notes.extend(effects.and_then(|effects| errors(effects, alone, room)));
        notes.push(match about["n_groups"].as_u64() {
            Some(n) => format!("Texts of one group count as one cluster ({n} groups)."),
            None => "Texts count as independent.".into(),
        });
        notes.push("Present: share of the texts of which it is true.".into());
        if sheet.column("fidelity_f1").is_some() {
            notes.push("F1: fidelity of the wording to its neuron, on validation texts.".into());
        }
        notes
    }

    fn beside_others(&self, sheet: &Sheet) -> String {
        let unit = sheet.column("estimate").map_or("", |c| c.unit.as_str());
        format!(
            "Beside the others: effect in one regression ({}) on all hypotheses, in {}.",
            self.evaluation["model"].as_str().unwrap_or("unknown").replace('_', " "),
            if unit == "target" { format!("units of {}", self.target) } else { unit.into() }
        )
    }

    fn difference(&self) -> String {
        let has_classes = self.evaluation["hypotheses"][0]["class"].is_string();
        if self.evaluation["is_paired"] == true {
            "share of wins minus losses, or mean gain, of the text that alone has it".into()
        } else if has_classes {
            "difference of the shares of the class".into()
        } else if let Some(positive) = &self.positive {
            format!("difference of the shares of {positive}")
        } else {
            format!("difference of the means of {}", self.target)
        }
    }
}

/// Where standard errors and tests come from.
fn errors(effects: &Sheet, alone: &str, room: Room) -> Option<String> {
    let of = |model: &str| {
        let sources = effects.different("vcov", |row| effects.text("model", row) == Some(model));
        let sources: Vec<&str> = sources.into_iter().map(in_words).collect();
        (!sources.is_empty()).then(|| sources.join(", "))
    };
    let joint = if room == Room::Screen { of("joint") } else { None };
    let alone = of(alone);
    match (alone, joint) {
        (Some(alone), Some(joint)) => {
            Some(format!("Standard errors: with - without {alone}; beside the others {joint}."))
        }
        (Some(one), None) | (None, Some(one)) => Some(format!("Standard errors: {one}.")),
        (None, None) => None,
    }
}

fn in_words(source: &str) -> &str {
    match source {
        "welch" => "Welch's",
        "pooled" => "pooled (where larger than Welch's)",
        "newcombe" => "Newcombe's interval with Fisher's mid-p test",
        "binomial" => "Wilson's interval with the binomial mid-p test",
        "hc1" => "HC1",
        "hc2" => "HC2",
        "hc3" => "HC3",
        "cr1" => "CR1 by group",
        "cr2" => "CR2 by group",
        "cr3" => "CR3 by group",
        "classical" => "classical (where larger than the robust one)",
        "wild_cluster" => "wild cluster bootstrap",
        "score_cluster" => "score bootstrap by group",
        "sandwich" => "sandwich",
        "profile" => "profile likelihood (Firth)",
        other => other,
    }
}

/// Below any other table: what each column is, by the data dictionary.
pub(super) fn of_columns(sheet: &Sheet, parts: &[(String, Option<Part>)]) -> Vec<String> {
    let note = |(head, part): &(String, Option<Part>)| {
        let name = part.map_or(head.as_str(), |part| part.columns()[0]);
        let column = sheet.column(name).filter(|column| !column.description.is_empty())?;
        let unit =
            if column.unit.is_empty() { String::new() } else { format!(" ({})", column.unit) };
        let brackets = match part {
            Some(Part::Effect(..) | Part::Measure(..)) => ", with its interval",
            _ => "",
        };
        Some(format!("{head}: {}{unit}{brackets}.", column.description))
    };
    parts.iter().filter_map(note).collect()
}
