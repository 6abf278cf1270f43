//! The wordings of a concept that the embedded annotators can read: `mentions "wait" or "minutes"` and
//! `is close in meaning to "rude" and "ignored us" (0.231)`.
//!
//! Phrases in, a wording out, and back. What a phrase matches is not here.

use std::fmt;

use crate::{Error, Result};

const MENTIONS: &str = "mentions";
const NEAR: &str = "is close in meaning to";
const FORM: &str = "the embedded annotators read concepts such as `mentions \"wait\", \"waited\" or \
                    \"a long time\"` and, with a sentence model, `is close in meaning to \"rude\" and \
                    \"ignored us\" (0.231)`; word it so, or annotate with a language model";

/// A concept that says all by its wording.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wording {
    /// True of a text that has any of the phrases.
    Mentions(Vec<String>),
    /// True of a text that is at least so close to the phrases, in the mean.
    Near(Vec<String>, Closeness),
}

/// A cosine similarity in whole thousandths, rounded down: what is written is what is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Closeness(i16);

impl Wording {
    /// The wording of a concept that was written by one, or in the same way.
    ///
    /// # Errors
    /// [`Error::Option`] that shows the forms expected.
    pub fn read(concept: &str) -> Result<Self> {
        let read = after(concept, MENTIONS)
            .and_then(mentions)
            .or_else(|| after(concept, NEAR).and_then(near));
        read.ok_or_else(|| Error::option("concept", concept, FORM))
    }

    /// What it quotes.
    #[must_use]
    pub fn phrases(&self) -> &[String] {
        let (Self::Mentions(phrases) | Self::Near(phrases, _)) = self;
        phrases
    }
}

/// Backslashes and quotation marks inside a phrase are escaped, so that [`Wording::read`] gives the
/// same wording back.
impl fmt::Display for Wording {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mentions(phrases) => write!(f, "{MENTIONS} {}", quoted(phrases, "or")),
            Self::Near(phrases, least) => write!(f, "{NEAR} {} ({least})", quoted(phrases, "and")),
        }
    }
}

impl Closeness {
    /// Of a cosine, -1 to 1.
    #[must_use]
    pub fn of(cosine: f32) -> Self {
        #[expect(clippy::cast_possible_truncation, reason = "within the bounds")]
        Self((f64::from(cosine) * 1000.0).floor().clamp(-1000.0, 1000.0) as i16)
    }

    /// In thousandths.
    #[must_use]
    pub fn thousandths(self) -> i16 {
        self.0
    }

    fn read(text: &str) -> Option<Self> {
        let thousandths = (text.trim().parse::<f64>().ok()? * 1000.0).round();
        #[expect(clippy::cast_possible_truncation, reason = "within the bounds")]
        (thousandths.abs() <= 1000.0).then_some(Self(thousandths as i16))
    }
}

impl fmt::Display for Closeness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.3}", f64::from(self.0) / 1000.0)
    }
}

/// [`Error::Option`] for a concept whose quoted parts hold no word.
pub(super) fn no_word(concept: &str) -> Error {
    Error::option("concept", concept, format!("a quoted phrase in it has no word; {FORM}"))
}

/// [`Error::Option`] for a concept that only a sentence model can judge.
pub(super) fn no_meaning(concept: &str) -> Error {
    let why = "meaning is judged by a sentence model: take `--annotator meaning`, and one of those as \
               `--embedder`";
    Error::option("concept", concept, why)
}

fn quoted(phrases: &[String], link: &str) -> String {
    let quote =
        |phrase: &String| format!("\"{}\"", phrase.replace('\\', "\\\\").replace('"', "\\\""));
    let quoted: Vec<String> = phrases.iter().map(quote).collect();
    match quoted.split_last() {
        None => String::new(),
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} {link} {last}", others.join(", ")),
    }
}

/// What follows a verb, in any case, and a space.
fn after<'a>(concept: &'a str, verb: &str) -> Option<&'a str> {
    let concept = concept.trim();
    let is_it = concept.get(..verb.len())?.eq_ignore_ascii_case(verb);
    let rest = concept[verb.len()..].strip_prefix(char::is_whitespace)?;
    is_it.then(|| rest.trim_start())
}

fn mentions(text: &str) -> Option<Wording> {
    let (phrases, rest) = phrases(text, "or")?;
    rest.is_empty().then_some(Wording::Mentions(phrases))
}

fn near(text: &str) -> Option<Wording> {
    let (phrases, rest) = phrases(text, "and")?;
    let least = rest.strip_prefix('(')?.strip_suffix(')')?;
    Some(Wording::Near(phrases, Closeness::read(least)?))
}

/// The quoted phrases that `text` begins with, and what follows them.
fn phrases<'a>(mut text: &'a str, link: &str) -> Option<(Vec<String>, &'a str)> {
    let mut phrases = Vec::new();
    loop {
        let (phrase, after) = unquote(text)?;
        phrases.push(phrase);
        match after_separator(after, link) {
            Some(rest) => text = rest,
            None => return Some((phrases, after.trim())),
        }
    }
}

/// The phrase that `text` begins with, and what follows its closing quotation mark.
fn unquote(text: &str) -> Option<(String, &str)> {
    let mut phrase = String::new();
    let mut chars = text.strip_prefix('"')?.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some((phrase, &text[at + 2..])),
            '\\' => phrase.push(chars.next()?.1),
            c => phrase.push(c),
        }
    }
    None
}

/// What follows `,`, the link such as `or`, or both.
fn after_separator<'a>(text: &'a str, link: &str) -> Option<&'a str> {
    let text = text.trim_start();
    let (comma, text) = match text.strip_prefix(',') {
        Some(rest) => (true, rest.trim_start()),
        None => (false, text),
    };
    match text.strip_prefix(link) {
        Some(rest) => Some(rest.trim_start()),
        None => comma.then_some(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn strings(phrases: &[&str]) -> Vec<String> {
        phrases.iter().map(|&phrase| phrase.into()).collect()
    }

    fn check(wording: &Wording, written: &str) {
        assert_eq!(wording.to_string(), written);
        assert_eq!(Wording::read(written).unwrap(), *wording);
    }

    #[test]
    fn a_wording_reads_as_a_person_would_write_it() {
        let mentions =
            |phrases: &[&str], written| check(&Wording::Mentions(strings(phrases)), written);
        mentions(&["wait"], r#"mentions "wait""#);
        mentions(&["wait", "so long"], r#"mentions "wait" or "so long""#);
        mentions(&["wait", "waited", "minutes"], r#"mentions "wait", "waited" or "minutes""#);
        mentions(&[r#"say "no""#, r"a\b"], r#"mentions "say \"no\"" or "a\\b""#);
        let near = |phrases: &[&str], least, written| {
            check(&Wording::Near(strings(phrases), Closeness::of(least)), written);
        };
        near(&["rude"], 0.5, r#"is close in meaning to "rude" (0.500)"#);
        near(&["rude", "avoid"], 0.1239, r#"is close in meaning to "rude" and "avoid" (0.123)"#);
        near(&["a", "b", "c"], -0.0001, r#"is close in meaning to "a", "b" and "c" (-0.001)"#);
    }

    #[test]
    fn small_differences_in_form_are_read() {
        for wording in [
            r#"Mentions "a", "b", or "c""#,
            r#"  mentions  "a" , "b" or"c" "#,
            r#"mentions "a" or "b" or "c""#,
            r#"Is close in meaning to "a" and "b", and "c"(.2)"#,
        ] {
            assert_eq!(Wording::read(wording).unwrap().phrases(), ["a", "b", "c"], "{wording}");
        }
    }

    #[test]
    fn other_wordings_are_refused_with_the_forms_expected() {
        for wording in [
            "",
            "mentions",
            "mentions wait",
            r#"mentions"wait""#,
            r#"complains of "waiting""#,
            r#"mentions "wait"#,
            r#"mentions "wait" "minutes""#,
            r#"mentions "wait" and "minutes""#,
            r#"mentions "wait","#,
            r#"mentions "wait\"#,
            r#"mentions "wait" (0.2)"#,
            r#"is close in meaning to "wait""#,
            r#"is close in meaning to "wait" (1.2)"#,
            r#"is close in meaning to "wait" (much)"#,
            r#"is close in meaning to "wait" or "minutes" (0.2)"#,
            "ménti",
        ] {
            let message = Wording::read(wording).unwrap_err().to_string();
            assert!(message.contains("read concepts such as"), "{wording}: {message}");
        }
    }

    #[test]
    fn closeness_is_rounded_down_so_that_what_is_written_is_what_is_meant() {
        for (cosine, thousandths) in [(0.2319, 231), (0.231, 231), (-0.2311, -232), (7.0, 1000)] {
            let closeness = Closeness::of(cosine);
            assert_eq!(closeness.thousandths(), thousandths, "{cosine}");
            assert_eq!(Closeness::read(&closeness.to_string()), Some(closeness));
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(
            phrases in prop::collection::vec(any::<String>(), 1..8),
            cosine in -1.0_f32..=1.0,
        ) {
            let mentions = Wording::Mentions(phrases.clone());
            prop_assert_eq!(&Wording::read(&mentions.to_string()).unwrap(), &mentions);
            let near = Wording::Near(phrases, Closeness::of(cosine));
            prop_assert_eq!(&Wording::read(&near.to_string()).unwrap(), &near);
        }

        #[test]
        fn nothing_panics(concept in any::<String>(), tail in r#"[" \\,orand().1]{0,20}"#) {
            let _ = Wording::read(&concept);
            let _ = Wording::read(&format!("mentions \"{tail}"));
            let _ = Wording::read(&format!("is close in meaning to \"{tail}"));
        }
    }
}
