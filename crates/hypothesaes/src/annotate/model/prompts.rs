//! The questions in words, and the verdicts in the answers.

use hypothesaes_llm::ask::AnswerKey;
use hypothesaes_llm::question::{Answer, Prompt, Schema};
use hypothesaes_llm::reply;
use hypothesaes_llm::server::Model;
use serde_json::{Value, json};

use super::pack::Unit;
use crate::Result;
use crate::annotate::{AnnotateOptions, Layout};
use crate::models::Template;

const STACKED: &str = include_str!("../prompts/stacked.txt");
const TEXTS: &str = include_str!("../prompts/texts.txt");
const SINGLE: &str = include_str!("../prompts/single.txt");

/// How a layout asks.
#[derive(Debug, Clone)]
pub(super) struct Prompts {
    layout: Layout,
    one: Template,
    several: Template,
    probabilities: bool,
}

/// A verdict and, where the model tells it, the probability of yes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Verdict {
    pub is_true: bool,
    pub p_yes: Option<f32>,
}

impl Prompts {
    pub fn new(layout: Layout, options: &AnnotateOptions) -> Result<Self> {
        let (built_in, needed) = match layout {
            Layout::Single => (SINGLE, ["concept", "text"]),
            Layout::Stacked | Layout::Economy => (STACKED, ["concepts", "text"]),
        };
        // The user's own prompt is for the layout the user chose, not for the calibration's.
        let own = options.prompt.as_deref().filter(|_| layout == options.layout);
        let several = options.texts_prompt.as_deref();
        Ok(Self {
            layout,
            one: Template::load(own, built_in, &needed)?,
            several: Template::load(several, TEXTS, &["concepts", "texts"])?,
            probabilities: options.probabilities,
        })
    }

    /// The prompts as files, by name.
    pub fn files(&self) -> Vec<(&'static str, String)> {
        let one = match self.layout {
            Layout::Single => "single",
            Layout::Stacked | Layout::Economy => "stacked",
        };
        let mut files = vec![(one, self.one.text())];
        if self.layout != Layout::Single {
            files.push(("texts", self.several.text()));
        }
        files
    }

    /// Names everything that determines a verdict but the concept and the text.
    pub fn identity(&self, model: &Model, stack: usize) -> String {
        let layout = match self.layout {
            Layout::Stacked => format!("stacked {stack}"),
            Layout::Economy => "economy".into(),
            Layout::Single => "single".into(),
        };
        let files = self.files().into_iter().map(|(_, text)| text).collect::<String>();
        format!("annotation 1\n{layout}\n{}\n{files}", model.identity())
    }

    /// The question of a unit.
    pub fn question(&self, unit: &Unit, texts: &[String], concepts: &[&str]) -> Prompt {
        match (self.layout, &unit.texts[..]) {
            (Layout::Single, [text]) => {
                let concept = concepts[unit.concepts[0]];
                let values = [("concept", concept), ("text", texts[*text].as_str())];
                let (system, user) = self.one.fill(&values);
                Prompt { system, user, schema: None, max_output: 16, logprobs: self.probabilities }
            }
            (_, [text]) => self.one_text(unit, &texts[*text], concepts),
            _ => self.several_texts(unit, texts, concepts),
        }
    }

    fn one_text(&self, unit: &Unit, text: &str, concepts: &[&str]) -> Prompt {
        let listed = listed("concept", unit.concepts.iter().map(|&c| concepts[c]));
        let values = [("concepts", listed.to_string()), ("text", Value::from(text).to_string())];
        let (system, user) = filled(&self.one, &values);
        let ids: Vec<String> = (1..=unit.concepts.len()).map(|id| id.to_string()).collect();
        let verdicts: serde_json::Map<String, Value> =
            ids.iter().map(|id| (id.clone(), json!({"type": "boolean"}))).collect();
        let schema = json!({"type": "object", "properties": verdicts, "required": ids,
            "additionalProperties": false});
        let max_output = small(16 + 6 * ids.len());
        let schema = Some(Schema { name: "verdicts".into(), schema });
        Prompt { system, user, schema, max_output, logprobs: self.probabilities }
    }

    fn several_texts(&self, unit: &Unit, texts: &[String], concepts: &[&str]) -> Prompt {
        let all = listed("text", unit.texts.iter().map(|&t| texts[t].as_str()));
        let listed = listed("concept", unit.concepts.iter().map(|&c| concepts[c]));
        let values = [("concepts", listed.to_string()), ("texts", all.to_string())];
        let (system, user) = filled(&self.several, &values);
        let ids = json!({"type": "array", "items": {"type": "integer"}});
        let answer = json!({"type": "object", "required": ["id", "present"],
            "properties": {"id": {"type": "integer"}, "present": ids},
            "additionalProperties": false});
        let schema = json!({"type": "object", "required": ["answers"],
            "properties": {"answers": {"type": "array", "items": answer}},
            "additionalProperties": false});
        let schema = Some(Schema { name: "matches".into(), schema });
        // Limits count the cap, not the answer. Room for a third of the concepts is mostly enough;
        // an answer that is cut off gets more.
        let max_output = small(16 + unit.texts.len() * (14 + unit.concepts.len()));
        Prompt { system, user, schema, max_output, logprobs: false }
    }

    /// The verdicts that an answer holds, by pair.
    pub fn read(&self, unit: &Unit, answer: &Answer) -> Vec<((usize, usize), Verdict)> {
        match (self.layout, &unit.texts[..]) {
            (Layout::Single, [text]) => {
                let Some(is_true) = reply::yes_no(&answer.text) else { return Vec::new() };
                let p_yes = reply::p_yes(&answer.logprobs).map(single);
                vec![((*text, unit.concepts[0]), Verdict { is_true, p_yes })]
            }
            (_, [text]) => {
                let verdicts = reply::verdicts(&answer.text).into_iter();
                let known = verdicts.filter_map(|(id, is_true)| {
                    let concept = unit.concepts.get(id.checked_sub(1)?)?;
                    let p_yes = reply::p_yes_of(id, &answer.logprobs).map(single);
                    Some(((*text, *concept), Verdict { is_true, p_yes }))
                });
                known.collect()
            }
            _ => matrix(unit, &answer.text),
        }
    }
}

/// A text whose list names a concept that was not asked about has no verdict at all.
fn matrix(unit: &Unit, text: &str) -> Vec<((usize, usize), Verdict)> {
    let mut verdicts = Vec::new();
    for (id, present) in reply::matches(text) {
        let Some(&text) = id.checked_sub(1).and_then(|place| unit.texts.get(place)) else {
            continue;
        };
        if present.iter().any(|id| !(1..=unit.concepts.len()).contains(id)) {
            continue;
        }
        for (place, &concept) in unit.concepts.iter().enumerate() {
            let is_true = present.contains(&(place + 1));
            verdicts.push(((text, concept), Verdict { is_true, p_yes: None }));
        }
    }
    verdicts
}

impl Verdict {
    /// As it is kept.
    pub fn kept(self) -> String {
        let verdict = if self.is_true { "yes" } else { "no" };
        self.p_yes.map_or_else(|| verdict.into(), |p| format!("{verdict} {p}"))
    }

    pub fn from_kept(kept: &str) -> Option<Self> {
        let mut words = kept.split(' ');
        let is_true = match words.next()? {
            "yes" => true,
            "no" => false,
            _ => return None,
        };
        Some(Self { is_true, p_yes: words.next().and_then(|p| p.parse().ok()) })
    }
}

/// The key of the verdict of a pair.
pub(super) fn key(identity: &str, concept: &str, text: &str) -> AnswerKey {
    AnswerKey::new([identity, concept, text])
}

/// The key under which is kept that a pair has no verdict, for replays.
pub(super) fn failure_key(identity: &str, concept: &str, text: &str) -> AnswerKey {
    AnswerKey::new([identity, concept, text, "without"])
}

fn filled(template: &Template, values: &[(&str, String)]) -> (String, String) {
    let values: Vec<(&str, &str)> = values.iter().map(|(k, v)| (*k, v.as_str())).collect();
    template.fill(&values)
}

/// `[{"id": 1, "concept": "..."}, ...]`
fn listed<'a>(name: &str, items: impl Iterator<Item = &'a str>) -> Value {
    (1..).zip(items).map(|(id, item)| json!({"id": id, name: item})).collect()
}

fn small(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

#[expect(clippy::cast_possible_truncation, reason = "a share needs no more digits")]
fn single(p: f64) -> f32 {
    p as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prompts(layout: Layout) -> Prompts {
        Prompts::new(layout, &AnnotateOptions { layout, ..AnnotateOptions::default() }).unwrap()
    }

    fn unit(texts: &[usize], concepts: &[usize]) -> Unit {
        Unit { texts: texts.into(), concepts: concepts.into(), tries: 0 }
    }

    fn read(layout: Layout, unit: &Unit, text: &str) -> Vec<(usize, usize, bool)> {
        let answer = Answer { text: text.into(), ..Answer::default() };
        let read = prompts(layout).read(unit, &answer);
        read.into_iter().map(|((t, c), verdict)| (t, c, verdict.is_true)).collect()
    }

    #[test]
    fn a_text_and_its_concepts_are_exact_json() {
        let texts = ["no \"quote\"\n{concepts}".to_owned()];
        let prompt = prompts(Layout::Stacked).question(&unit(&[0], &[1, 0]), &texts, &["a", "b"]);
        let user: Value = serde_json::from_str(&prompt.user).unwrap();
        assert_eq!(user["text"], texts[0]);
        assert_eq!(user["concepts"][0], json!({"id": 1, "concept": "b"}));
        assert_eq!(prompt.schema.unwrap().schema["required"], json!(["1", "2"]));
        assert!(prompt.system.contains("JSON"));
    }

    #[test]
    fn verdicts_return_to_their_pairs() {
        let one = unit(&[4], &[7, 3]);
        let text = r#"{"1": false, "2": true, "3": true}"#;
        assert_eq!(read(Layout::Stacked, &one, text), [(4, 7, false), (4, 3, true)]);
        assert_eq!(read(Layout::Stacked, &one, "{\"2\": true}"), [(4, 3, true)]);
        assert_eq!(read(Layout::Single, &unit(&[4], &[7]), "**Yes**."), [(4, 7, true)]);
        let several = unit(&[4, 5], &[7, 3]);
        let text = r#"{"answers": [{"id": 2, "present": [1]}, {"id": 1, "present": [9]}]}"#;
        assert_eq!(read(Layout::Economy, &several, text), [(5, 7, true), (5, 3, false)]);
    }

    #[test]
    fn kept_verdicts_read_back() {
        for verdict in
            [Verdict { is_true: true, p_yes: Some(0.875) }, Verdict { is_true: false, p_yes: None }]
        {
            assert_eq!(Verdict::from_kept(&verdict.kept()), Some(verdict));
        }
        assert_eq!(Verdict::from_kept("maybe"), None);
    }
}
