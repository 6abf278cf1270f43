//! Where words begin and end.

use unicode_segmentation::UnicodeSegmentation;

/// Calls `found` with each word of `text`, in order.
///
/// Words are those of Unicode's annex 29 that hold a letter or a digit, cut further at `.`, `:`
/// and `_` unless between digits, so that a space forgotten after a full stop joins nothing.
/// An apostrophe joins letters (`don't`) unless `elides`. A pictograph is a word by itself.
/// Scripts without spaces come as single ideographs or as unbroken runs of letters.
pub(super) fn each_word<'a>(text: &'a str, elides: bool, mut found: impl FnMut(&'a str)) {
    // White space always ends a word; annex 29 is needed only where a piece is not ASCII.
    for piece in text.split_ascii_whitespace() {
        if piece.is_ascii() {
            split(piece, elides, &mut found);
        } else {
            for segment in piece.split_word_bounds() {
                if segment.contains(char::is_alphanumeric) {
                    split(segment, elides, &mut found);
                } else if segment.starts_with(is_pictograph) {
                    found(segment);
                }
            }
        }
    }
}

/// Whether the letter is an apostrophe of any kind.
pub(super) fn is_apostrophe(c: char) -> bool {
    matches!(c, '\'' | '\u{2019}' | '\u{2018}' | '\u{2bc}' | '\u{ff07}')
}

/// Cuts a segment without white space into words. Within it, letters that are not ASCII (marks,
/// joiners) stay with the word that annex 29 put them in.
fn split<'a>(segment: &'a str, elides: bool, found: &mut impl FnMut(&'a str)) {
    let mut start = None;
    let mut before = ' ';
    let mut letters = segment.char_indices().peekable();
    while let Some((at, c)) = letters.next() {
        let after = letters.peek().map_or(' ', |&(_, c)| c);
        let joins = if is_apostrophe(c) {
            !elides && before.is_alphabetic() && after.is_alphabetic()
        } else if c == '.' || c == ',' {
            before.is_ascii_digit() && after.is_ascii_digit()
        } else {
            c.is_alphanumeric() || (!c.is_ascii() && start.is_some())
        };
        match start {
            None if joins => start = Some(at),
            Some(from) if !joins => {
                found(&segment[from..at]);
                start = None;
            }
            _ => {}
        }
        before = c;
    }
    if let Some(from) = start {
        found(&segment[from..]);
    }
}

/// Emoji and the older pictographs of the symbol and dingbat blocks.
fn is_pictograph(c: char) -> bool {
    matches!(c, '\u{1f000}'..='\u{1faff}' | '\u{2600}'..='\u{27bf}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn words(text: &str, elides: bool) -> Vec<&str> {
        let mut words = Vec::new();
        each_word(text, elides, |word| words.push(word));
        words
    }

    fn check(text: &str, expected: &[&str]) {
        assert_eq!(words(text, false), expected, "{text:?}");
    }

    #[test]
    fn words_end_where_a_reader_ends_them() {
        check("", &[]);
        check(" \t\n--!?_ ", &[]);
        check("Great food.The staff, too", &["Great", "food", "The", "staff", "too"]);
        check("don't 'quote' dogs' rock'n'roll", &["don't", "quote", "dogs", "rock'n'roll"]);
        check("don\u{2019}t na\u{ef}ve", &["don\u{2019}t", "na\u{ef}ve"]);
        check("$3.50, 1,000 at 10:30 (5/5)", &["3.50", "1,000", "at", "10", "30", "5", "5"]);
        check("_well_-known e.g. x_y", &["well", "known", "e", "g", "x", "y"]);
        check("<|endoftext|> </s>", &["endoftext", "s"]);
        check("好吃的 ラーメン", &["好", "吃", "的", "ラーメン"]);
        check("안녕하세요 세계", &["안녕하세요", "세계"]);
        check("हिन्दी में", &["हिन्दी", "में"]);
        check("love\u{2764}\u{fe0f}it 👍🏽👨‍👩‍👧", &["love", "\u{2764}\u{fe0f}", "it", "👍🏽", "👨‍👩‍👧"]);
        assert_eq!(words("l'homme d\u{2019}été", true), ["l", "homme", "d", "été"]);
    }

    proptest! {
        #[test]
        fn any_text_is_cut_in_order_into_parts_of_itself(text in any::<String>(), elides: bool) {
            let mut rest = text.as_str();
            for word in words(&text, elides) {
                prop_assert!(!word.is_empty() && !word.contains(' '));
                rest = &rest[rest.find(word).unwrap() + word.len()..];
            }
        }

        #[test]
        fn ascii_is_cut_as_annex_29_and_the_further_cuts_say(text in "[ -~]{0,40}") {
            let mut slow = Vec::new();
            for segment in text.unicode_words() {
                split(segment, false, &mut |word| slow.push(word));
            }
            prop_assert_eq!(words(&text, false), slow);
        }
    }
}
