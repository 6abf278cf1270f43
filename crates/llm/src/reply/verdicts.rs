//! Many verdicts in one answer, each with the id of what it is about.

use std::collections::BTreeMap;

use serde_json::Value;

use super::verdict::{of_value, of_word};
use super::{json, thoughts};

/// Verdicts by id, from an answer such as `{"1": true, "2": false}`.
///
/// Takes lists of objects with an id, an object inside another, and lines such as `1: yes` too. An
/// id with two verdicts that differ has none.
pub fn verdicts(text: &str) -> BTreeMap<usize, bool> {
    let mut found = BTreeMap::<usize, Option<bool>>::new();
    let mut note = |id: usize, verdict: bool| {
        let known = found.entry(id).or_insert(Some(verdict));
        *known = known.filter(|known| *known == verdict);
    };
    if let Some(text) = thoughts::strip(text) {
        match json::find(text) {
            Some(value) => in_value(&value, &mut note),
            None => text.lines().filter_map(in_line).for_each(|(id, verdict)| note(id, verdict)),
        }
    }
    found.into_iter().filter_map(|(id, verdict)| Some((id, verdict?))).collect()
}

/// For each item by its id the ids of what is true of it, from an answer such as
/// `{"answers": [{"id": 1, "present": [2, 5]}]}`. Takes `{"1": [2, 5]}` and lines such as
/// `1: 2, 5` too. An item that occurs twice has none.
pub fn matches(text: &str) -> BTreeMap<usize, Vec<usize>> {
    let mut found = BTreeMap::<usize, Option<Vec<usize>>>::new();
    let mut note = |id: usize, present: Vec<usize>| {
        found.entry(id).and_modify(|known| *known = None).or_insert(Some(present));
    };
    if let Some(text) = thoughts::strip(text) {
        match json::find(text) {
            Some(value) => lists(&value, &mut note),
            None => text.lines().filter_map(list_in_line).for_each(|(id, list)| note(id, list)),
        }
    }
    found.into_iter().filter_map(|(id, present)| Some((id, present?))).collect()
}

fn in_value(value: &Value, note: &mut dyn FnMut(usize, bool)) {
    match value {
        Value::Array(list) => list.iter().for_each(|value| in_value(value, note)),
        Value::Object(fields) => {
            let own = fields.iter().find_map(|(name, value)| id_field(name, value));
            if let Some(id) = own {
                let mut others =
                    fields.iter().filter(|(name, value)| id_field(name, value).is_none());
                if let Some(verdict) = others.find_map(|(_, value)| of_value(value)) {
                    note(id, verdict);
                }
                return;
            }
            for (name, value) in fields {
                match (id_of(name), of_value(value)) {
                    (Some(id), Some(verdict)) => note(id, verdict),
                    (Some(id), None) => {
                        // `{"1": {"answer": true, "why": "..."}}`
                        let mut inner = value.as_object().into_iter().flatten();
                        if let Some(verdict) = inner.find_map(|(_, v)| of_value(v)) {
                            note(id, verdict);
                        }
                    }
                    (None, _) => in_value(value, note),
                }
            }
        }
        _ => {}
    }
}

fn lists(value: &Value, note: &mut dyn FnMut(usize, Vec<usize>)) {
    match value {
        Value::Array(list) => list.iter().for_each(|value| lists(value, note)),
        Value::Object(fields) => {
            let own = fields.iter().find_map(|(name, value)| id_field(name, value));
            for (name, value) in fields {
                match (own.or_else(|| id_of(name)), ids(value)) {
                    (Some(id), Some(present)) => note(id, present),
                    (None, _) => lists(value, note),
                    (Some(_), None) => {}
                }
            }
        }
        _ => {}
    }
}

/// The ids in a list that holds nothing else.
fn ids(value: &Value) -> Option<Vec<usize>> {
    value.as_array()?.iter().map(id_value).collect()
}

fn id_field(name: &str, value: &Value) -> Option<usize> {
    let name = name.to_ascii_lowercase();
    (name == "id" || name.ends_with("_id") || name == "index").then(|| id_value(value)).flatten()
}

fn id_value(value: &Value) -> Option<usize> {
    match value {
        Value::Number(number) => usize::try_from(number.as_u64()?).ok(),
        Value::String(text) => id_of(text),
        _ => None,
    }
}

/// `3`, or with letters before it, as in `c3`.
fn id_of(name: &str) -> Option<usize> {
    name.trim().trim_start_matches(|c: char| c.is_ascii_alphabetic() || c == '_').parse().ok()
}

fn in_line(line: &str) -> Option<(usize, bool)> {
    let (id, rest) = split_id(line)?;
    let word = rest.split(|c: char| !c.is_alphanumeric()).find(|word| !word.is_empty())?;
    Some((id, of_word(&word.to_ascii_lowercase())?))
}

fn list_in_line(line: &str) -> Option<(usize, Vec<usize>)> {
    let (id, rest) = split_id(line)?;
    let rest = rest.trim().trim_matches(['[', ']', '.']);
    if rest.is_empty() || rest.eq_ignore_ascii_case("none") {
        return Some((id, Vec::new()));
    }
    let present = rest.split(',').map(id_of).collect::<Option<Vec<usize>>>()?;
    Some((id, present))
}

/// `(3, " yes")` of `- 3: yes`.
fn split_id(line: &str) -> Option<(usize, &str)> {
    let bare = line.trim_start_matches(|c: char| !c.is_alphanumeric());
    let at = bare.find([':', '.', ')', '='])?;
    Some((id_of(&bare[..at])?, &bare[at + 1..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trap_21_verdicts_are_read_with_their_ids_in_every_dress() {
        let expected = BTreeMap::from([(1, true), (2, false), (3, true)]);
        for text in [
            r#"{"1": true, "2": false, "3": true}"#,
            "```json\n{\"3\": \"yes\", \"1\": \"Yes\", \"2\": \"no\"}\n```",
            r#"{"answers": {"1": 1, "2": 0, "3": 1}}"#,
            r#"{"answers": [{"id": 2, "answer": "no"}, {"id": 1, "answer": "yes"}, {"id": "3", "answer": true}]}"#,
            r#"[{"concept_id": 1, "present": true}, {"concept_id": 2, "present": false}, {"concept_id": 3, "present": true}]"#,
            r#"{"c1": {"answer": true, "why": "no doubt"}, "c2": false, "c3": true}"#,
            "1: yes\n2: no\n3: yes",
            "- 1. **Yes**\n- 2. No\n- 3. Yes, it is",
            "<think>1: no</think>{'1': True, '2': False, '3': True}",
        ] {
            assert_eq!(verdicts(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_missing_or_contradicts_itself_has_no_verdict() {
        assert_eq!(
            verdicts(r#"{"1": true, "2": "perhaps", "3": null}"#),
            BTreeMap::from([(1, true)])
        );
        assert_eq!(verdicts("1: yes\n1: no\n2: yes"), BTreeMap::from([(2, true)]));
        for text in ["", "Yes", "I cannot say.", "<think>{\"1\": true}"] {
            assert!(verdicts(text).is_empty(), "{text}");
        }
    }

    #[test]
    fn lists_of_matches_are_read_with_their_ids() {
        let expected = BTreeMap::from([(1, vec![2, 5]), (2, vec![])]);
        for text in [
            r#"{"answers": [{"id": 1, "present": [2, 5]}, {"id": 2, "present": []}]}"#,
            r#"{"answers": [{"id": "2", "present": []}, {"id": "1", "present": ["2", "5"]}]}"#,
            r#"{"1": [2, 5], "2": []}"#,
            "t1: 2, 5\nt2: none",
        ] {
            assert_eq!(matches(text), expected, "{text}");
        }
        let twice = r#"{"answers": [{"id": 1, "present": [2]}, {"id": 1, "present": []}]}"#;
        assert!(matches(twice).is_empty());
        assert!(matches(r#"{"answers": [{"id": 1, "present": ["slow"]}]}"#).is_empty());
    }
}
