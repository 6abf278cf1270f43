//! The annotator with a model that knows the truth and errs on command.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Mutex;

use hypothesaes_llm::Error as LlmError;
use hypothesaes_llm::ask::{Ask, Watch as Asked_};
use hypothesaes_llm::question::{Answer, Prompt};
use hypothesaes_llm::server::{Effort, Model, Server};
use serde_json::{Map, Value, json};

use super::*;
use crate::watch::Unwatched;

/// Answers rightly: a concept `has w` is true of texts with the word `w`. What it keeps outlives
/// an asking, as a store does.
struct Oracle {
    kept: Mutex<HashMap<AnswerKey, String>>,
    prompts: Mutex<Vec<Prompt>>,
    spoil: Spoil,
    frozen: bool,
}

type Spoil = Box<dyn Fn(&Prompt, usize, String) -> Outcome + Sync + Send>;

impl Oracle {
    fn new(spoil: impl Fn(&Prompt, usize, String) -> Outcome + Sync + Send + 'static) -> Self {
        let (kept, prompts) = (Mutex::default(), Mutex::default());
        Self { kept, prompts, spoil: Box::new(spoil), frozen: false }
    }

    fn right() -> Self {
        Self::new(|_, _, text| answer(text))
    }

    fn n_asked(&self) -> usize {
        self.prompts.lock().unwrap().len()
    }
}

fn answer(text: impl Into<String>) -> Outcome {
    Outcome::Answer(Answer { text: text.into(), ..Answer::default() })
}

fn truth(concept: &str, text: &str) -> bool {
    let word = concept.strip_prefix("has ").unwrap();
    text.split(' ').any(|w| w == word)
}

/// The right answer in the form that is asked for.
fn reply(prompt: &Prompt) -> String {
    let Ok(user) = serde_json::from_str::<Value>(&prompt.user) else {
        let quoted: Vec<&str> = prompt.user.split('"').collect();
        return if truth(quoted[1], quoted[3]) { "Yes" } else { "No" }.into();
    };
    let concepts = user["concepts"].as_array().unwrap();
    let says =
        |c: &Value, text: &Value| truth(c["concept"].as_str().unwrap(), text.as_str().unwrap());
    if let Some(texts) = user["texts"].as_array() {
        let present = |text: &Value| -> Vec<Value> {
            let true_ones = concepts.iter().filter(|c| says(c, &text["text"]));
            true_ones.map(|c| c["id"].clone()).collect()
        };
        let answers: Vec<Value> =
            texts.iter().map(|t| json!({"id": t["id"], "present": present(t)})).collect();
        return json!({"answers": answers}).to_string();
    }
    let verdict = |c: &Value| (c["id"].to_string(), Value::from(says(c, &user["text"])));
    Value::Object(concepts.iter().map(verdict).collect()).to_string()
}

impl Ask for Oracle {
    fn ask(
        &self,
        _: Task,
        calls: Vec<Call>,
        take: &mut dyn FnMut(usize, Outcome) -> Next,
        _: &dyn Asked_,
    ) -> hypothesaes_llm::Result<()> {
        assert!(!self.frozen, "a frozen run asks nothing");
        let queue = RefCell::new(calls);
        while let Some(call) = { queue.borrow_mut().pop() } {
            let n = self.n_asked();
            self.prompts.lock().unwrap().push(call.prompt.clone());
            let next = take(call.id, (self.spoil)(&call.prompt, n, reply(&call.prompt)));
            self.kept.lock().unwrap().extend(next.keep);
            queue.borrow_mut().extend(next.again);
        }
        Ok(())
    }

    fn kept(&self, keys: &[AnswerKey]) -> hypothesaes_llm::Result<Vec<Option<String>>> {
        let kept = self.kept.lock().unwrap();
        Ok(keys.iter().map(|key| kept.get(key).cloned()).collect())
    }

    fn is_frozen(&self) -> bool {
        self.frozen
    }
}

fn model(name: &str) -> Model {
    let server = Server::new("http://localhost:1", None).unwrap();
    Model {
        server,
        name: name.into(),
        effort: Effort::Default,
        temperature: None,
        dimensions: None,
        extra: Map::new(),
    }
}

const WORDS: [&str; 12] = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"];

fn concepts(n: usize) -> Vec<String> {
    WORDS[..n].iter().map(|word| format!("has {word}")).collect()
}

/// Text `i` has the words whose bit is set in `i`.
fn texts(n: usize) -> Texts {
    let text = |i: usize| -> String {
        let words = WORDS.iter().enumerate().filter(|(bit, _)| i >> bit & 1 == 1);
        format!("text {} {i}", words.map(|(_, w)| *w).collect::<Vec<_>>().join(" "))
    };
    (0..n).map(text).collect::<Vec<_>>().iter().map(String::as_str).collect()
}

fn annotate(
    oracle: &Oracle,
    options: &AnnotateOptions,
    concepts: &[String],
    texts: &Texts,
) -> Result<Annotations> {
    let model = model("m");
    let asked = Asked { ask: oracle, model: &model };
    let annotator = ModelAnnotator::new(asked, "annotate", options, Some(1))?;
    annotator.annotate(concepts, texts, &Unwatched)
}

fn all_right(got: &Annotations, concepts: &[String], texts: &Texts) {
    assert_eq!(got.n_missing(), 0);
    for (c, concept) in concepts.iter().enumerate() {
        for (t, says) in got.concept(c).iter().enumerate() {
            assert_eq!(*says, Some(truth(concept, texts.get(t))), "{concept} in {}", texts.get(t));
        }
    }
}

#[test]
fn every_layout_gives_every_answer() {
    let (concepts, texts) = (concepts(12), texts(40));
    for (layout, calls) in [(Layout::Stacked, 80), (Layout::Economy, 4), (Layout::Single, 480)] {
        let oracle = Oracle::right();
        let options = AnnotateOptions { layout, ..AnnotateOptions::default() };
        let got = annotate(&oracle, &options, &concepts, &texts).unwrap();
        all_right(&got, &concepts, &texts);
        assert_eq!(oracle.n_asked(), calls, "{layout:?}");
        annotate(&oracle, &options, &concepts, &texts).unwrap();
        assert_eq!(oracle.n_asked(), calls, "a second run asks nothing: {layout:?}");
    }
}

#[test]
fn trap_20_lost_and_unreadable_answers_are_asked_again_until_they_are_there() {
    let (concepts, texts) = (concepts(12), texts(30));
    for layout in [Layout::Stacked, Layout::Economy, Layout::Single] {
        // Every third answer is cut in half, every seventh is prose, every eleventh is refused if
        // more than one pair was asked.
        let oracle = Oracle::new(|prompt, n, text| match n {
            n if n % 11 == 0 && prompt.schema.is_some() && text.len() > 40 => {
                Outcome::Never("poisoned".into())
            }
            n if n % 7 == 0 => answer("I would rather not say."),
            n if n % 3 == 0 => answer(&text[..text.len() / 2]),
            _ => answer(text),
        });
        let options = AnnotateOptions { layout, ..AnnotateOptions::default() };
        let got = annotate(&oracle, &options, &concepts, &texts).unwrap();
        all_right(&got, &concepts, &texts);
    }
}

#[test]
fn trap_20_what_stays_missing_is_named_and_asked_again_by_the_next_run() {
    let (concepts, texts) = (concepts(3), texts(8));
    let spoiled = |prompt: &Prompt, _: usize, text: String| {
        let poisoned = prompt.user.contains("text a 1");
        if poisoned { Outcome::Never("the content filter".into()) } else { answer(text) }
    };
    let mut oracle = Oracle::new(spoiled);
    let got = annotate(&oracle, &AnnotateOptions::default(), &concepts, &texts).unwrap();
    assert_eq!(got.n_missing(), 3);
    assert!(got.missing.iter().all(|m| m.text == 1 && m.reason == "the content filter"));
    oracle.frozen = true;
    let frozen = annotate(&oracle, &AnnotateOptions::default(), &concepts, &texts).unwrap();
    assert_eq!(frozen, got);
    oracle.frozen = false;
    oracle.spoil = Box::new(|_, _, text| answer(text));
    let mended = annotate(&oracle, &AnnotateOptions::default(), &concepts, &texts).unwrap();
    all_right(&mended, &concepts, &texts);
}

#[test]
fn a_frozen_run_without_its_answers_says_how_many_are_missing() {
    let mut oracle = Oracle::right();
    oracle.frozen = true;
    let error = annotate(&oracle, &AnnotateOptions::default(), &concepts(2), &texts(3));
    assert!(matches!(error, Err(crate::Error::Llm(LlmError::Frozen { missing: 6 }))), "{error:?}");
}

#[test]
fn trap_18_texts_that_differ_in_the_middle_and_models_have_answers_of_their_own() {
    let pad = "x ".repeat(100);
    let both = [format!("{pad}a {pad}"), format!("{pad}b {pad}")];
    let texts: Texts = both.iter().map(String::as_str).collect();
    let oracle = Oracle::right();
    let options = AnnotateOptions { max_words: 1000, ..AnnotateOptions::default() };
    let got = annotate(&oracle, &options, &concepts(1), &texts).unwrap();
    assert_eq!(got.concept(0), [Some(true), Some(false)]);
    let before = oracle.n_asked();
    let other = model("another");
    let asked = Asked { ask: &oracle, model: &other };
    let annotator = ModelAnnotator::new(asked, "annotate", &options, None).unwrap();
    annotator.annotate(&concepts(1), &texts, &Unwatched).unwrap();
    assert!(oracle.n_asked() > before, "another model answers for itself");
}

#[test]
fn trap_27_equal_texts_and_concepts_are_asked_once_and_keep_their_places() {
    let texts: Texts = ["a b", "c", "a b"].into_iter().collect();
    let twice = ["has a", "has a", "has c"].map(str::to_owned);
    let oracle = Oracle::right();
    let got = annotate(&oracle, &AnnotateOptions::default(), &twice, &texts).unwrap();
    assert_eq!(got.concept(0), [Some(true), Some(false), Some(true)]);
    assert_eq!(got.concept(1), got.concept(0));
    assert_eq!(oracle.n_asked(), 1);
    let prompt = &oracle.prompts.lock().unwrap()[0];
    assert_eq!(prompt.user.matches("a b").count(), 1);
}

#[test]
fn a_stack_that_answers_worse_than_single_shrinks() {
    // With more than four concepts at once, every answer is no.
    let oracle = Oracle::new(|prompt, _, text| {
        let many = prompt.user.matches("\"id\"").count() > 4;
        answer(if many { text.replace("true", "false") } else { text })
    });
    let options = AnnotateOptions { calibrate: Some(60), ..AnnotateOptions::default() };
    let (concepts, texts) = (concepts(12), texts(200));
    let got = annotate(&oracle, &options, &concepts, &texts).unwrap();
    all_right(&got, &concepts, &texts);
    let tried: Vec<(usize, bool)> = got.calibrations.iter().map(|c| (c.stack, c.stands)).collect();
    assert_eq!(tried, [(10, false), (5, true)]);
    assert_eq!(got.calibrations[0].n, 60);
    assert!(got.calibrations[0].agreement < 0.7 && got.calibrations[1].agreement == 1.0);
}

#[test]
fn small_runs_are_not_calibrated_unless_asked_to() {
    let oracle = Oracle::right();
    let got = annotate(&oracle, &AnnotateOptions::default(), &concepts(12), &texts(30)).unwrap();
    assert_eq!((got.calibrations.len(), oracle.n_asked()), (0, 60));
}

#[test]
fn only_wanted_pairs_are_asked() {
    let oracle = Oracle::right();
    let model = model("m");
    let asked = Asked { ask: &oracle, model: &model };
    let options = AnnotateOptions::default();
    let annotator = ModelAnnotator::new(asked, "fidelity", &options, None).unwrap();
    let (concepts, texts) = (concepts(4), texts(20));
    let wanted = |c: usize, t: usize| t % 4 == c;
    let got = annotator.annotate_where(&concepts, &texts, &wanted, &Unwatched).unwrap();
    assert_eq!((oracle.n_asked(), got.missing.len()), (4, 0));
    for (c, concept) in concepts.iter().enumerate() {
        for (t, says) in got.concept(c).iter().enumerate() {
            let expected = wanted(c, t).then(|| truth(concept, texts.get(t)));
            assert_eq!(*says, expected);
        }
    }
}

#[test]
fn long_texts_are_cut_after_their_words() {
    for (text, max, expected) in
        [("one  two three", 2, "one  two"), ("one", 2, "one"), (" é ü ", 1, " é"), ("", 1, "")]
    {
        assert_eq!(first_words(text, max), expected);
    }
}

#[test]
fn a_model_that_answers_nothing_legible_is_not_asked_again_and_again() {
    let oracle = Oracle::new(|_, _, _| answer("Sure, happy to help!"));
    let (concepts, texts) = (concepts(10), texts(200));
    let got = annotate(&oracle, &AnnotateOptions::default(), &concepts, &texts).unwrap();
    assert_eq!(got.n_missing(), 2000);
    // Once each, after the few that were asked until it was clear.
    assert!(oracle.n_asked() < 400, "{} calls", oracle.n_asked());
    let legible = Oracle::right();
    all_right(
        &annotate(&legible, &AnnotateOptions::default(), &concepts, &texts).unwrap(),
        &concepts,
        &texts,
    );
}
