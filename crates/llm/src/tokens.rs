//! Tokens: a quick estimate, and a cut where a text could be too long for a model.

use std::borrow::Cow;

use tiktoken_rs::CoreBPE;

/// A quarter of the characters, as the servers' own limiters count.
pub fn estimate(text: &str) -> u64 {
    text.chars().count().div_ceil(4) as u64
}

/// The longest prefix of `text` that has at most `max` tokens for `model`.
///
/// Names of special tokens in the text, such as `<|endoftext|>`, are plain text. The vocabulary is
/// loaded only if the text could be too long: no token stands for less than a byte, so a text of
/// at most `max` bytes never is.
pub fn truncate<'a>(model: &str, text: &'a str, max: usize) -> Cow<'a, str> {
    if text.len() <= max {
        return text.into();
    }
    let vocabulary = vocabulary(model);
    let tokens = vocabulary.encode_ordinary(text);
    if tokens.len() <= max {
        return text.into();
    }
    // A cut between tokens may be a cut inside a character: what is whole is a prefix of the text.
    let bytes: usize = tokens[..max]
        .iter()
        .map(|&token| vocabulary.decode_bytes(&[token]).map_or(0, |bytes| bytes.len()))
        .sum();
    text[..text.floor_char_boundary(bytes)].into()
}

fn vocabulary(model: &str) -> &'static CoreBPE {
    let older = ["text-embedding", "gpt-4-", "gpt-3"];
    if model == "gpt-4" || older.iter().any(|name| model.contains(name)) {
        tiktoken_rs::cl100k_base_singleton()
    } else {
        tiktoken_rs::o200k_base_singleton()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn estimates_as_limiters_do() {
        for (text, tokens) in [("", 0), ("abcd", 1), ("abcde", 2), ("äöüß", 1)] {
            assert_eq!(estimate(text), tokens);
        }
    }

    #[test]
    fn trap_28_special_tokens_are_plain_text() {
        let text = "<|endoftext|> ".repeat(50);
        let cut = truncate("text-embedding-3-small", &text, 20);
        assert!(text.starts_with(&*cut) && cut.len() < text.len());
    }

    #[test]
    fn the_cut_is_a_prefix_of_at_most_so_many_tokens() {
        for (model, text) in [
            ("text-embedding-3-small", "the waiter was slow and the food was cold ".repeat(40)),
            ("gpt-5-mini", "Grüße aus Köln, 日本語のテキスト 🍜🍜🍜 ".repeat(30)),
        ] {
            for max in [1, 7, 50] {
                let cut = truncate(model, &text, max);
                assert!(text.starts_with(&*cut));
                let tokens = vocabulary(model).encode_ordinary(&cut).len();
                assert!(tokens <= max && tokens + 3 >= max, "{tokens} of {max}");
            }
            assert_eq!(truncate(model, &text, 100_000), text);
        }
    }
}
