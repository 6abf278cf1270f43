//! From a word to its surface and its stem.

use std::fmt;

use rust_stemmers::Stemmer;
use unicode_normalization::UnicodeNormalization;

use super::Language;
use super::words::{each_word, is_apostrophe};

/// Words longer than this many bytes (addresses, encoded data) are not stemmed.
const LONGEST_STEMMED: usize = 64;

/// Splits texts into words and finds their stems, by the rules of one language.
pub struct Analyzer {
    language: Language,
    stemmer: Option<Stemmer>,
}

/// A word, analysed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// Lower case, compatibility forms composed (NFKC), apostrophes straight; accents kept.
    pub surface: String,
    /// What inflections of the word share, without accents. Never empty.
    pub stem: String,
}

impl Analyzer {
    /// An analyzer for texts in `language`.
    #[must_use]
    pub fn new(language: Language) -> Self {
        Self { language, stemmer: language.stemmer() }
    }

    /// The stems of `text` in order.
    #[must_use]
    pub fn stems(&self, text: &str) -> Vec<String> {
        let mut stems = Vec::new();
        self.each_word(text, |word| stems.push(self.word(word).stem));
        stems
    }

    /// Calls `found` with each word of `text` as written, in order.
    pub fn each_word<'a>(&self, text: &'a str, found: impl FnMut(&'a str)) {
        each_word(text, self.language.elides(), found);
    }

    /// Surface and stem of a word that [`Analyzer::each_word`] found.
    #[must_use]
    pub fn word(&self, written: &str) -> Word {
        let surface = surface(written);
        let stem = if self.language.folds_first() {
            self.cut(&without_accents(&surface))
        } else {
            without_accents(&self.cut(&surface))
        };
        let stem = if stem.is_empty() { surface.clone() } else { stem };
        Word { surface, stem }
    }

    fn cut(&self, word: &str) -> String {
        match &self.stemmer {
            Some(stemmer) if word.len() <= LONGEST_STEMMED => stemmer.stem(word).into_owned(),
            _ => word.to_owned(),
        }
    }
}

impl fmt::Debug for Analyzer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Analyzer").field("language", &self.language).finish_non_exhaustive()
    }
}

fn surface(written: &str) -> String {
    if written.is_ascii() {
        return written.to_ascii_lowercase();
    }
    let surface: String = written
        .nfkc()
        .flat_map(char::to_lowercase)
        .filter(|&c| !is_invisible(c))
        .map(|c| if is_apostrophe(c) { '\'' } else { c })
        .nfc()
        .collect();
    if surface.is_empty() { written.to_owned() } else { surface }
}

/// Letters decomposed (NFKD), the marks of Latin, Greek, Cyrillic, Hebrew and Arabic dropped, and
/// the rest composed again: other scripts use marks as letters.
fn without_accents(word: &str) -> String {
    if word.is_ascii() {
        return word.to_owned();
    }
    word.nfkd().filter(|&c| !is_accent(c)).nfc().collect()
}

fn is_accent(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}' | '\u{591}'..='\u{5bd}' | '\u{64b}'..='\u{65f}' | '\u{670}')
}

/// White space, soft hyphens, directional marks, joiners of nothing, and the variants of a
/// pictograph that leave its meaning alone (colour of skin, text or picture).
fn is_invisible(c: char) -> bool {
    c.is_whitespace()
        || matches!(
            c,
            '\u{ad}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'
                | '\u{fe0e}' | '\u{fe0f}' | '\u{feff}' | '\u{1f3fb}'..='\u{1f3ff}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(language: Language, texts: &[&str], stems: &[&str]) {
        for text in texts {
            assert_eq!(Analyzer::new(language).stems(text), stems, "{text:?}");
        }
    }

    #[test]
    fn case_accents_apostrophes_and_inflection_do_not_matter() {
        use Language::{English, French, German, None, Russian, Spanish, Turkish};
        check(English, &["don't", "Don\u{2019}t", "DON\u{2018}T", "don\u{2bc}t"], &["don't"]);
        check(English, &["wait", "Waited", "WAITING", "waits"], &["wait"]);
        check(English, &["waiter's", "waiter\u{2019}s", "Waiters"], &["waiter"]);
        check(English, &["clichés", "cliche\u{301}s", "cliches", "CLICHÉ"], &["clich"]);
        check(English, &["ｆｒｅｅ", "fr\u{ad}ee", "\u{200f}free\u{200f}"], &["free"]);
        check(English, &["👍🏽", "👍"], &["👍"]);
        check(English, &["not worth it"], &["not", "worth", "it"]);
        check(French, &["l'été", "L\u{2019}ÉTÉ"], &["l", "ete"]);
        check(German, &["Straßen", "strasse"], &["strass"]);
        check(Spanish, &["canción", "canciones"], &["cancion"]);
        check(Russian, &["хорошей", "Хороший"], &["хорош"]);
        check(Turkish, &["\u{130}yi"], &["iyi"]);
        check(None, &["Waited naïve"], &["waited", "naive"]);
    }

    #[test]
    fn marks_that_are_letters_stay() {
        check(Language::None, &["हिन्दी"], &["हिन्दी"]);
        check(Language::None, &["ラーメン", "ﾗｰﾒﾝ"], &["ラーメン"]);
        check(Language::None, &["が"], &["が"]);
        check(Language::None, &["한국"], &["한국"]);
    }

    #[test]
    fn the_surface_keeps_accents() {
        let word = Analyzer::new(Language::English).word("Caf\u{e9}\u{2019}s");
        assert_eq!(word, Word { surface: "caf\u{e9}'s".into(), stem: "cafe".into() });
    }

    proptest! {
        #[test]
        fn no_text_breaks_a_stemmer(text in any::<String>(), tail in "[a-z'éöüğıßñçа-яα-ωء-يஅ-ஹ]{0,20}") {
            for language in ALL {
                let analyzer = Analyzer::new(language);
                for stem in analyzer.stems(&format!("{text} {tail}")) {
                    prop_assert!(!stem.is_empty());
                }
            }
        }
    }

    const ALL: [Language; 19] = {
        use Language::*;
        [
            Arabic, Danish, Dutch, English, Finnish, French, German, Greek, Hungarian, Italian,
            Norwegian, Portuguese, Romanian, Russian, Spanish, Swedish, Tamil, Turkish, None,
        ]
    };
}
