//! What texts are made of in the eyes of the embedded embedder: stems, pairs of stems and
//! character n-grams, each with the weight of its rarity.

use hypothesaes_math::Sparse;
use rayon::prelude::*;
use rustc_hash::FxHashMap;

use super::grams::each_gram;
use super::{as_id, spread};
use crate::text::{Tokens, Word};

/// Lengths of the three blocks of a text's row: stems, pairs, n-grams. Chosen by measurement.
const WEIGHTS: [f64; 3] = [1.0, 0.4, 0.7];

/// The most widespread features of each block are kept, this many at most.
const MAX_FEATURES: [usize; 3] = [20_000, 20_000, 40_000];

/// The known features. Stems are numbered first, then pairs, then n-grams.
#[derive(Debug, Clone, Default)]
pub(super) struct Features {
    stems: FxHashMap<String, u32>,
    pairs: FxHashMap<(u32, u32), u32>,
    grams: FxHashMap<String, u32>,
    /// Of every feature: `ln((1 + n) / (1 + n_with)) + 1`, as scikit-learn has it.
    idf: Vec<f32>,
}

/// A text's terms: a column and a value each.
type Row = Vec<(u32, f32)>;

/// Sums per number, forgotten after each use at the cost of what was touched.
struct Tally {
    sums: Vec<f32>,
    touched: Vec<u32>,
}

impl Features {
    /// The features of `tokens` that are worth knowing.
    pub fn new(tokens: &Tokens) -> Self {
        let n = tokens.len();
        let [max_stems, max_pairs, max_grams] = MAX_FEATURES;
        let mut features = Self::default();
        for (stem, n_with) in spread::stems(tokens).most_widespread(max_stems, n) {
            let feature = features.add(n_with, n);
            features.stems.insert(stem.to_owned(), feature);
        }
        let stem_of = features.stems_of(tokens);
        for (pair, n_with) in spread::pairs(tokens, &stem_of).most_widespread(max_pairs, n) {
            let feature = features.add(n_with, n);
            features.pairs.insert(pair, feature);
        }
        for (gram, n_with) in spread::grams(tokens).most_widespread(max_grams, n) {
            let feature = features.add(n_with, n);
            features.grams.insert(gram, feature);
        }
        features
    }

    /// Number of features.
    pub fn len(&self) -> usize {
        self.idf.len()
    }

    /// The texts as a product of two sparse matrices: texts x (stems, pairs, words of `tokens`),
    /// and the latter x features, which gives each word its n-grams.
    ///
    /// A term weighs `(1 + ln count) idf`, and each block is scaled to its length in [`WEIGHTS`].
    /// An n-gram counts as the words that hold it do, so that it is spelt out once per distinct
    /// word and not once per text.
    pub fn matrices(&self, tokens: &Tokens) -> (Sparse, Sparse) {
        let stem_of = self.stems_of(tokens);
        let grams_of: Vec<Row> = tokens.words.par_iter().map(|word| self.grams_of(word)).collect();
        let rows: Vec<Row> = (0..tokens.len())
            .into_par_iter()
            .map_init(
                || Tally::new(self.len().max(tokens.words.len())),
                |tally, i| {
                    let doc = tokens.doc(i);
                    let mut row = self.stem_terms(doc, &stem_of, tally);
                    row.extend(self.pair_terms(doc, &stem_of, tally));
                    let words = word_terms(doc, &grams_of, tally);
                    row.extend(words.into_iter().map(|(word, v)| (self.n_whole() + word, v)));
                    row
                },
            )
            .collect();
        let mut texts = Sparse::new(self.n_whole() as usize + tokens.words.len());
        for row in rows {
            texts.push_row(row);
        }
        let mut parts = Sparse::new(self.len());
        for feature in 0..self.n_whole() {
            parts.push_row([(feature, 1.0)]);
        }
        for grams in grams_of {
            parts.push_row(grams);
        }
        (texts, parts)
    }

    /// Names and weights of all features, to be hashed.
    pub fn each(&self, mut found: impl FnMut(&str, f32)) {
        let stems = self.stems.iter().map(|(stem, &id)| (id, stem.clone()));
        let pairs = self.pairs.iter().map(|((a, b), &id)| (id, format!("{a} {b}")));
        let grams = self.grams.iter().map(|(gram, &id)| (id, gram.clone()));
        let mut all: Vec<(u32, String)> = stems.chain(pairs).chain(grams).collect();
        all.sort_unstable();
        all.iter().zip(&self.idf).for_each(|((_, name), &idf)| found(name, idf));
    }

    /// Stems and pairs: the features that are not n-grams.
    fn n_whole(&self) -> u32 {
        as_id(self.stems.len() + self.pairs.len())
    }

    #[expect(clippy::cast_possible_truncation, reason = "data are f32")]
    fn add(&mut self, n_with: u32, n_texts: usize) -> u32 {
        let rarity = (1.0 + n_texts as f64) / (1.0 + f64::from(n_with));
        self.idf.push((rarity.ln() + 1.0) as f32);
        as_id(self.idf.len() - 1)
    }

    fn stems_of(&self, tokens: &Tokens) -> Vec<Option<u32>> {
        tokens.words.iter().map(|word| self.stems.get(&word.stem).copied()).collect()
    }

    fn grams_of(&self, word: &Word) -> Row {
        let mut grams = Vec::new();
        each_gram(&word.surface, |gram| grams.extend(self.grams.get(gram)));
        grams.sort_unstable();
        grams.dedup();
        grams.into_iter().map(|gram| (gram, self.idf[gram as usize])).collect()
    }

    fn stem_terms(&self, doc: &[u32], stem_of: &[Option<u32>], tally: &mut Tally) -> Row {
        for &word in doc {
            if let Some(stem) = stem_of[word as usize] {
                tally.add(stem, 1.0);
            }
        }
        self.weighed(tally, WEIGHTS[0])
    }

    fn pair_terms(&self, doc: &[u32], stem_of: &[Option<u32>], tally: &mut Tally) -> Row {
        for two in doc.windows(2) {
            if let (Some(a), Some(b)) = (stem_of[two[0] as usize], stem_of[two[1] as usize])
                && let Some(&pair) = self.pairs.get(&(a, b))
            {
                tally.add(pair, 1.0);
            }
        }
        self.weighed(tally, WEIGHTS[1])
    }

    fn weighed(&self, tally: &mut Tally, length: f64) -> Row {
        let mut row = Row::new();
        tally.drain(|feature, n| row.push((feature, (1.0 + n.ln()) * self.idf[feature as usize])));
        let norm = row.iter().map(|&(_, v)| f64::from(v).powi(2)).sum::<f64>().sqrt();
        scaled(row, length / norm)
    }
}

/// The words that have known n-grams, scaled so that the sums over their n-grams have the length of
/// the last block.
fn word_terms(doc: &[u32], grams_of: &[Row], tally: &mut Tally) -> Row {
    for &word in doc.iter().filter(|&&word| !grams_of[word as usize].is_empty()) {
        tally.add(word, 1.0);
    }
    let mut row = Row::new();
    tally.drain(|word, n| row.push((word, 1.0 + n.ln())));
    for &(word, weight) in &row {
        for &(gram, idf) in &grams_of[word as usize] {
            tally.add(gram, weight * idf);
        }
    }
    let mut squares = 0.0;
    tally.drain(|_, sum| squares += f64::from(sum).powi(2));
    scaled(row, WEIGHTS[2] / squares.sqrt())
}

#[expect(clippy::cast_possible_truncation, reason = "data are f32")]
fn scaled(mut row: Row, factor: f64) -> Row {
    for (_, value) in &mut row {
        *value *= factor as f32;
    }
    row
}

impl Tally {
    fn new(len: usize) -> Self {
        Self { sums: vec![0.0; len], touched: Vec::new() }
    }

    /// Adds a value above 0.
    fn add(&mut self, number: u32, value: f32) {
        let sum = &mut self.sums[number as usize];
        if *sum == 0.0 {
            self.touched.push(number);
        }
        *sum += value;
    }

    /// Calls `found` with every number and its sum, in the order in which they came up.
    fn drain(&mut self, mut found: impl FnMut(u32, f32)) {
        for number in self.touched.drain(..) {
            found(number, std::mem::take(&mut self.sums[number as usize]));
        }
    }
}
