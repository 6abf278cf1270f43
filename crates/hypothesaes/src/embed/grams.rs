//! The character n-grams of a word: what it shares with words of the same root, misspelt or new.

/// Lengths of the n-grams in letters, the marks of beginning and end included.
const LENGTHS: std::ops::RangeInclusive<usize> = 3..=5;

/// Letters of a word that are looked at; what is longer is data rather than a word.
const LONGEST: usize = 64;

/// Calls `found` with the n-grams of `<word>`, in order; those that repeat are repeated.
pub(super) fn each_gram(word: &str, mut found: impl FnMut(&str)) {
    let marked: String =
        std::iter::once('<').chain(word.chars().take(LONGEST)).chain(['>']).collect();
    let starts: Vec<usize> =
        marked.char_indices().map(|(at, _)| at).chain([marked.len()]).collect();
    for length in LENGTHS {
        for ends in starts.windows(length + 1) {
            found(&marked[ends[0]..ends[length]]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(word: &str, expected: &[&str]) {
        let mut grams = Vec::new();
        each_gram(word, |gram| grams.push(gram.to_owned()));
        assert_eq!(grams, expected);
    }

    #[test]
    fn grams_are_letters_not_bytes() {
        check("", &[]);
        check("a", &["<a>"]);
        check("né", &["<né", "né>", "<né>"]);
        check("好吃", &["<好吃", "好吃>", "<好吃>"]);
        check("cat", &["<ca", "cat", "at>", "<cat", "cat>", "<cat>"]);
    }

    #[test]
    fn long_words_are_cut() {
        let mut n = 0;
        each_gram(&"x".repeat(1_000_000), |_| n += 1);
        assert_eq!(n, 64 + 63 + 62);
    }
}
