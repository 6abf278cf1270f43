//! Long texts in pieces that a model reads whole.

use unicode_segmentation::UnicodeSegmentation;

/// What is left of a text to be cut: its sentences, with their tokens.
struct Piece {
    start: usize,
    end: usize,
    tokens: usize,
}

/// The pieces of a text, each with its tokens: as many whole sentences as `budget` tokens hold. Of a
/// sentence that is longer by itself as many words, of a word as many characters. There is at least
/// one piece; those of blanks alone are left out where there are others.
///
/// Sentences and words: Unicode Standard Annex 29.
pub(crate) fn chunks(
    text: &str,
    budget: usize,
    tokens: impl Fn(&str) -> usize,
) -> Vec<(&str, usize)> {
    let budget = budget.max(1);
    let mut open = Piece { start: 0, end: 0, tokens: 0 };
    let mut all = Vec::new();
    let mut add = |part: &str, cost: usize| {
        if open.tokens + cost > budget && open.end > open.start {
            all.push((&text[open.start..open.end], open.tokens));
            open = Piece { start: open.end, end: open.end, tokens: 0 };
        }
        open.end += part.len();
        open.tokens += cost;
    };
    for sentence in text.split_sentence_bounds() {
        let cost = tokens(sentence);
        if cost <= budget {
            add(sentence, cost);
            continue;
        }
        for word in sentence.split_word_bounds() {
            let cost = tokens(word);
            if cost <= budget {
                add(word, cost);
            } else {
                by_characters(word, budget).for_each(|part| add(part, budget));
            }
        }
    }
    all.push((&text[open.start..open.end], open.tokens));
    let mut trimmed: Vec<(&str, usize)> =
        all.into_iter().map(|(piece, tokens)| (piece.trim(), tokens)).collect();
    let blank = trimmed.iter().all(|(piece, _)| piece.is_empty());
    trimmed.retain(|(piece, _)| !piece.is_empty());
    if blank { vec![(text, 0)] } else { trimmed }
}

/// About the tokens of a text, as servers count them beforehand.
pub(crate) fn about_tokens(text: &str) -> usize {
    text.chars().count().div_ceil(4)
}

/// Parts of so many characters.
fn by_characters(word: &str, characters: usize) -> impl Iterator<Item = &str> {
    let mut rest = word;
    std::iter::from_fn(move || {
        let end = rest.char_indices().nth(characters).map_or(rest.len(), |(at, _)| at);
        let (part, other) = rest.split_at(end);
        rest = other;
        (!part.is_empty()).then_some(part)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(text: &str, budget: usize) -> Vec<&str> {
        let words = |part: &str| part.split_whitespace().count();
        chunks(text, budget, words).into_iter().map(|(piece, _)| piece).collect()
    }

    #[test]
    fn sentences_stay_whole_where_they_fit() {
        let text = "The soup was cold. We waited an hour! Would I come again? No.";
        assert_eq!(
            pieces(text, 9),
            ["The soup was cold. We waited an hour!", "Would I come again? No."]
        );
        assert_eq!(pieces(text, 5).len(), 3);
        assert_eq!(pieces(text, 100), [text]);
    }

    #[test]
    fn a_long_sentence_is_cut_between_words_and_a_long_word_between_characters() {
        assert_eq!(pieces("one two three four five", 2), ["one two", "three four", "five"]);
        let by_letter = |part: &str| part.trim().chars().count();
        let found = chunks("äöüß0123 ab", 3, by_letter);
        let found: Vec<&str> = found.into_iter().map(|(piece, _)| piece).collect();
        assert_eq!(found, ["äöü", "ß01", "23", "ab"]);
    }

    #[test]
    fn nothing_is_lost_but_blanks() {
        let text = "  First one. \n\n Second one, longer than it should be by far...   ";
        for budget in 1..20 {
            let all: String = pieces(text, budget).concat();
            let kept = |text: &str| text.split_whitespace().collect::<String>();
            assert_eq!(kept(&all), kept(text), "{budget}");
        }
        assert_eq!(pieces("   ", 5), ["   "]);
        assert_eq!(pieces("", 5), [""]);
    }

    #[test]
    fn tokens_are_counted() {
        let text = "The soup was cold. We waited an hour!";
        let counts: Vec<usize> = chunks(text, 4, |s| s.split_whitespace().count())
            .into_iter()
            .map(|(_, tokens)| tokens)
            .collect();
        assert_eq!(counts, [4, 4]);
        assert_eq!(about_tokens("abcde"), 2);
    }
}
