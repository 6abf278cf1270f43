//! Yes or no.

use serde_json::Value;

use super::{json, thoughts};

/// Words between which a verdict may stand.
const LEAD_INS: [&str; 6] = ["answer", "the", "is", "final", "verdict", "label"];

/// The verdict of an answer that was to be yes or no; `None` if it is neither, or both.
///
/// Takes `**Yes**`, `"yes"`, `Answer: Yes`, `{"answer": "Yes"}`, `1`, `true`, and what follows
/// them; not `not`, `maybe`, or `yes or no`.
pub fn yes_no(text: &str) -> Option<bool> {
    let text = thoughts::strip(text)?;
    if let Some(Value::Object(fields)) = json::find(text) {
        let mut verdicts = fields.values().filter_map(of_value);
        return verdicts.next();
    }
    let mut words = text
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_ascii_lowercase)
        .skip_while(|word| LEAD_INS.contains(&word.as_str()));
    let verdict = of_word(&words.next()?)?;
    let is_both = words.next().is_some_and(|word| matches!(word.as_str(), "or" | "and"))
        && words.next().is_some_and(|word| of_word(&word) == Some(!verdict));
    (!is_both).then_some(verdict)
}

/// A verdict as a JSON value.
pub fn of_value(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(verdict) => Some(*verdict),
        Value::Number(number) => match number.as_f64()? {
            0.0 => Some(false),
            1.0 => Some(true),
            _ => None,
        },
        Value::String(text) => yes_no(text),
        _ => None,
    }
}

pub(super) fn of_word(word: &str) -> Option<bool> {
    match word {
        "yes" | "true" | "1" | "y" => Some(true),
        "no" | "false" | "0" | "n" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trap_21_a_verdict_is_read_in_every_dress() {
        for text in [
            "Yes",
            "yes.",
            "**Yes**",
            "\"yes\"",
            "Answer: Yes",
            "{\"answer\": \"Yes\"}",
            "1",
            "True",
            "Yes, because there is no waiter",
            "- yes",
            "<think>no</think> Yes",
            "The answer is yes.",
            "{\"answer\": true, \"why\": \"no doubt\"}",
        ] {
            assert_eq!(yes_no(text), Some(true), "{text}");
        }
        for text in ["No", "no, it does not", "**No.**", "{\"answer\": 0}", "Final answer: NO"] {
            assert_eq!(yes_no(text), Some(false), "{text}");
        }
        for text in ["", "Maybe", "yes or no", "not sure", "Nothing", "<think>yes", "2", "{}"] {
            assert_eq!(yes_no(text), None, "{text}");
        }
    }
}
