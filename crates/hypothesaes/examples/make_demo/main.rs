//! Writes the demo's data: 2,000 synthetic restaurant reviews whose stars depend on ten planted
//! concepts, and the list of these concepts.
//!
//! Run it with `cargo run --release -p hypothesaes --example make_demo`. The seed is fixed, and a
//! test holds the committed files equal to what this program writes. No sentence is a person's.

mod phrases;

use hypothesaes_math::random::{Stream, stream};
use phrases::{CLOSERS, CONCEPTS, DISHES, DISHES_EATEN, OPENERS, TOPICS};
use rand::Rng;
use serde_json::json;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

const REVIEWS: usize = 2000;
const SEED: u64 = 20_261_123;
const RESTAURANTS: usize = 60;
/// Stars of a review without any concept.
const BASE_STARS: f64 = 3.3;
/// Standard deviation of what a restaurant adds to all its reviews.
const RESTAURANT_SD: f64 = 0.2;
/// Standard deviation of a reviewer's mood.
const MOOD_SD: f64 = 0.6;

fn main() -> std::io::Result<()> {
    let (reviews, concepts) = demo();
    std::fs::write(folder().join("reviews.jsonl"), reviews)?;
    std::fs::write(folder().join("concepts.json"), concepts)
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("demo")
}

/// The two files: reviews, one JSON object per line, and the planted concepts.
fn demo() -> (String, String) {
    let mut draw = Draw(stream(SEED, "demo reviews"));
    let restaurants: Vec<f64> = (0..RESTAURANTS).map(|_| RESTAURANT_SD * draw.normal()).collect();
    let mut rows = vec![Vec::new(); CONCEPTS.len()];
    let mut lines = String::new();
    for i in 0..REVIEWS {
        let restaurant = draw.below(RESTAURANTS);
        let present = draw.concepts();
        let text = draw.review(&present);
        let mut points = BASE_STARS + restaurants[restaurant] + MOOD_SD * draw.normal();
        for (c, concept) in CONCEPTS.iter().enumerate().filter(|&(c, _)| present[c]) {
            points += concept.effect;
            rows[c].push(i);
        }
        let id = format!("d{i:04}");
        let restaurant = format!("r{restaurant:02}");
        let stars = stars(points);
        let review = json!({ "id": id, "restaurant": restaurant, "stars": stars, "text": text });
        writeln!(lines, "{review}").expect("a string takes every write");
    }
    (lines, concepts_file(&rows))
}

/// The nearest whole number of stars, 1 to 5.
fn stars(points: f64) -> u8 {
    (1..5).find(|&s| points < f64::from(s) + 0.5).unwrap_or(5)
}

fn concepts_file(rows: &[Vec<usize>]) -> String {
    let concepts: Vec<String> = CONCEPTS
        .iter()
        .zip(rows)
        .map(|(c, rows)| {
            json!({ "effect": c.effect, "name": c.name, "phrases": c.phrases, "rows": rows })
                .to_string()
        })
        .collect();
    format!("[\n{}\n]\n", concepts.join(",\n"))
}

/// Random choices; integers only, so that every machine draws the same.
struct Draw(Stream);

impl Draw {
    fn below(&mut self, n: usize) -> usize {
        let n = u64::try_from(n).expect("small");
        usize::try_from(self.0.next_u64() % n).expect("below n")
    }

    fn chance(&mut self, share: f64) -> bool {
        self.uniform() < share
    }

    fn uniform(&mut self) -> f64 {
        f64::from(self.0.next_u32()) / f64::from(u32::MAX)
    }

    /// Mean 0, standard deviation 1: the sum of twelve uniform numbers, less six.
    fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.uniform()).sum::<f64>() - 6.0
    }

    fn pick<T: Copy>(&mut self, items: &[T]) -> T {
        items[self.below(items.len())]
    }

    /// Which concepts a review has. They are independent but for two: staff that is rude gives no
    /// warm welcome, and a long wait brings rudeness with it more often than not waiting does.
    fn concepts(&mut self) -> Vec<bool> {
        let mut present: Vec<bool> = CONCEPTS.iter().map(|c| self.chance(c.share)).collect();
        let at = |name| CONCEPTS.iter().position(|c| c.name == name).expect("a concept");
        let (wait, rude, welcome) = (at("long wait"), at("rude staff"), at("warm welcome"));
        present[rude] |= present[wait] && self.chance(0.1);
        present[welcome] &= !present[rude];
        present
    }

    /// The sentences of the concepts that are present, among others, in random order.
    fn review(&mut self, present: &[bool]) -> String {
        let mut templates = Vec::new();
        for (concept, _) in CONCEPTS.iter().zip(present).filter(|&(_, &here)| here) {
            for _ in 0..self.pick(&[1, 2, 2, 3]) {
                templates.push(self.pick(concept.sentences));
            }
        }
        for (share, sentences) in TOPICS {
            if self.chance(*share) {
                templates.push(self.pick(sentences));
            }
        }
        templates.push(self.pick(DISHES_EATEN));
        if self.chance(0.3) {
            let concept = self.below(CONCEPTS.len());
            templates.push(self.pick(CONCEPTS[concept].decoys));
        }
        for last in (1..templates.len()).rev() {
            let other = self.below(last + 1);
            templates.swap(last, other);
        }
        if self.chance(0.6) {
            templates.insert(0, self.pick(OPENERS));
        }
        if self.chance(0.4) {
            templates.push(self.pick(CLOSERS));
        }
        // The same sentence twice would read oddly; a different filling of it is kept.
        let mut sentences: Vec<String> = Vec::new();
        for template in templates {
            let sentence = self.fill(template);
            if !sentences.contains(&sentence) {
                sentences.push(sentence);
            }
        }
        self.write(&sentences.join(" "))
    }

    /// A template with its choices made.
    fn fill(&mut self, template: &str) -> String {
        let mut sentence = String::new();
        let mut rest = template;
        while let Some((before, after)) = rest.split_once('[') {
            let (choices, after) = after.split_once(']').expect("every `[` is closed");
            let choices: Vec<&str> = choices.split('|').collect();
            sentence += before;
            sentence += self.pick(&choices);
            rest = after;
        }
        sentence += rest;
        while sentence.contains("{dish}") {
            sentence = sentence.replacen("{dish}", self.pick(DISHES), 1);
        }
        sentence
    }

    /// The habits of people who write: some never press shift, some shout.
    fn write(&mut self, text: &str) -> String {
        match self.below(40) {
            0 | 1 => text.to_lowercase(),
            2 => text.to_uppercase(),
            3 | 4 => text.replace('.', "!"),
            _ => text.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_files_are_what_this_program_writes() {
        let (reviews, concepts) = demo();
        for (name, written) in [("reviews.jsonl", reviews), ("concepts.json", concepts)] {
            let committed = std::fs::read_to_string(folder().join(name)).unwrap();
            assert!(committed == written, "demo/{name} differs: run the example make_demo");
        }
    }

    #[test]
    fn every_template_is_well_formed() {
        let concepts = CONCEPTS.iter().flat_map(|c| c.sentences.iter().chain(c.decoys));
        let topics = TOPICS.iter().flat_map(|(_, sentences)| sentences.iter());
        let others = OPENERS.iter().chain(DISHES_EATEN).chain(CLOSERS);
        for template in concepts.chain(topics).chain(others) {
            let count = |c| template.matches(c).count();
            assert_eq!(count('['), count(']'), "{template}");
            assert!(count('|') >= count('['), "a choice of one: {template}");
            assert!(template.ends_with('.'), "{template}");
        }
    }

    #[test]
    fn phrases_cover_most_but_not_all_sentences_of_their_concept() {
        for concept in CONCEPTS {
            let spoken = |s: &&&str| {
                let s = s.to_lowercase();
                concept.phrases.iter().any(|p| s.contains(p))
            };
            let covered = concept.sentences.iter().filter(spoken).count();
            assert!(covered * 10 >= concept.sentences.len() * 8, "{}", concept.name);
            assert!(covered < concept.sentences.len(), "{} is trivial", concept.name);
            assert!(!concept.decoys.is_empty() && concept.decoys.iter().any(|d| spoken(&d)));
        }
    }
}
