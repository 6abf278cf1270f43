//! The wording of a concept that the embedded annotator can read: `mentions "wait" or "minutes"`.
//!
//! Phrases in, a wording out, and back. What a phrase matches is not here.

use crate::{Error, Result};

const VERB: &str = "mentions";
const FORM: &str = "the embedded annotator reads concepts such as `mentions \"wait\", \"waited\" or \
                    \"a long time\"`; word it so, or annotate with a language model";

/// The concept that a text has if it mentions any of `phrases`.
///
/// Backslashes and quotation marks inside a phrase are escaped, so that [`read_wording`] gives the
/// same phrases back.
pub fn write_wording<P: AsRef<str>>(phrases: impl IntoIterator<Item = P>) -> String {
    let quoted: Vec<String> = phrases.into_iter().map(|phrase| quote(phrase.as_ref())).collect();
    match quoted.split_last() {
        None => VERB.to_owned(),
        Some((last, [])) => format!("{VERB} {last}"),
        Some((last, others)) => format!("{VERB} {} or {last}", others.join(", ")),
    }
}

/// The phrases of a concept that [`write_wording`] made, or that was worded in the same way.
///
/// # Errors
/// [`Error::Option`] that shows the form expected.
pub fn read_wording(concept: &str) -> Result<Vec<String>> {
    phrases(concept).ok_or_else(|| Error::option("concept", concept, FORM))
}

/// [`Error::Option`] for a concept whose quoted parts hold no word.
pub(super) fn no_word(concept: &str) -> Error {
    Error::option("concept", concept, format!("a quoted phrase in it has no word; {FORM}"))
}

fn quote(phrase: &str) -> String {
    format!("\"{}\"", phrase.replace('\\', "\\\\").replace('"', "\\\""))
}

fn phrases(concept: &str) -> Option<Vec<String>> {
    let concept = concept.trim();
    let verb = concept.get(..VERB.len())?;
    let mut rest = concept[VERB.len()..].strip_prefix(char::is_whitespace)?.trim_start();
    if !verb.eq_ignore_ascii_case(VERB) {
        return None;
    }
    let mut phrases = Vec::new();
    loop {
        let (phrase, after) = unquote(rest)?;
        phrases.push(phrase);
        if after.trim().is_empty() {
            return Some(phrases);
        }
        rest = after_separator(after)?;
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

/// What follows `,`, `or` or `, or`.
fn after_separator(text: &str) -> Option<&str> {
    let text = text.trim_start();
    let (comma, text) = match text.strip_prefix(',') {
        Some(rest) => (true, rest.trim_start()),
        None => (false, text),
    };
    match text.strip_prefix("or") {
        Some(rest) => Some(rest.trim_start()),
        None => comma.then_some(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_wording_reads_as_a_person_would_write_it() {
        let check = |phrases: &[&str], wording: &str| {
            assert_eq!(write_wording(phrases), wording);
            assert_eq!(read_wording(wording).unwrap(), phrases);
        };
        check(&["wait"], r#"mentions "wait""#);
        check(&["wait", "so long"], r#"mentions "wait" or "so long""#);
        check(&["wait", "waited", "minutes"], r#"mentions "wait", "waited" or "minutes""#);
        check(&[r#"say "no""#, r"a\b"], r#"mentions "say \"no\"" or "a\\b""#);
    }

    #[test]
    fn small_differences_in_form_are_read() {
        for wording in [
            r#"Mentions "a", "b", or "c""#,
            r#"  mentions  "a" , "b" or"c" "#,
            r#"mentions "a" or "b" or "c""#,
        ] {
            assert_eq!(read_wording(wording).unwrap(), ["a", "b", "c"], "{wording}");
        }
    }

    #[test]
    fn other_wordings_are_refused_with_the_form_expected() {
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
            "ménti",
        ] {
            let message = read_wording(wording).unwrap_err().to_string();
            assert!(message.contains("reads concepts such as"), "{wording}: {message}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(phrases in prop::collection::vec(any::<String>(), 1..8)) {
            prop_assert_eq!(read_wording(&write_wording(&phrases)).unwrap(), phrases);
        }

        #[test]
        fn nothing_panics(concept in any::<String>(), tail in r#"[" \\,or]{0,20}"#) {
            let _ = read_wording(&concept);
            let _ = read_wording(&format!("mentions \"{tail}"));
        }
    }
}
