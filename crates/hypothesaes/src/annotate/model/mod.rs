//! A language model as annotator.
//!
//! The unit of work is a text with the concepts that are still unknown of it. Every verdict is kept
//! by itself, under everything that determines it, so that nothing is asked twice; what is missing
//! in an answer is asked again at half the size, at last singly.

mod calibrate;
mod pack;
mod prompts;

use std::collections::{BTreeMap, HashMap};

use hypothesaes_llm::ask::{AnswerKey, Ask, Call, Next, Outcome, Task};
use hypothesaes_llm::server::Model;

pub use calibrate::Calibration;
pub(crate) use pack::Shape;
use pack::{Unit, pack_open};
use prompts::{Prompts, Verdict, failure_key, key};

use super::{Annotate, AnnotateOptions, Annotations, Layout, Missing};
use crate::Result;
use crate::data::Texts;
use crate::models::{Asked, Asking};
use crate::watch::{Unwatched, Watch};

/// Times that a single pair is asked whose answer cannot be read.
const TRIES: u8 = 3;

/// Pairs given up, and no verdict read, after which nothing is asked twice.
const HOPELESS: usize = 10;

/// Asks a language model.
pub struct ModelAnnotator<'a> {
    asked: Asked<'a>,
    /// Name in the ledger.
    stage: &'static str,
    options: AnnotateOptions,
    prompts: Prompts,
    /// Seed of the calibration; `None` if there is to be none.
    seed: Option<u64>,
}

/// # Errors
/// [`crate::Error::File`] or [`crate::Error::Input`] for a prompt of the user's that cannot be used.
pub(crate) fn check_prompts(options: &AnnotateOptions) -> Result<()> {
    Prompts::new(options.layout, options).map(drop)
}

/// How one asking is done; calibration compares several.
#[derive(Clone, Copy)]
struct Manner<'a> {
    prompts: &'a Prompts,
    shape: Shape,
    /// Everything but text and concept that determines a verdict.
    identity: &'a str,
}

/// Verdicts on distinct texts and concepts, while they arrive.
struct Answers {
    n_texts: usize,
    /// Concept by concept.
    known: Vec<Option<Verdict>>,
    /// Why a pair has none.
    without: BTreeMap<(usize, usize), String>,
    /// Whether any answer could be read.
    any_read: bool,
}

/// Texts and concepts without repetitions, texts cut to what the model reads.
struct Distinct<'a> {
    texts: Vec<String>,
    concepts: Vec<&'a str>,
    /// Where the asker's texts and concepts are among them.
    text_of: Vec<usize>,
    concept_of: Vec<usize>,
    /// Pairs that are asked for, concepts by text.
    wanted: Vec<Vec<usize>>,
}

impl<'a> ModelAnnotator<'a> {
    /// `stage` is the name in the ledger; with a `seed` it calibrates where that is worth it.
    ///
    /// # Errors
    /// [`crate::Error::File`] or [`crate::Error::Input`] for a prompt of the user's that cannot be used.
    pub(crate) fn new(
        asked: Asked<'a>,
        stage: &'static str,
        options: &AnnotateOptions,
        seed: Option<u64>,
    ) -> Result<Self> {
        let prompts = Prompts::new(options.layout, options)?;
        Ok(Self { asked, stage, options: options.clone(), prompts, seed })
    }

    /// Asks `model` through `client`. `stage` is the name in the ledger; with a `seed` it
    /// calibrates where that is worth it.
    ///
    /// # Errors
    /// [`crate::Error::File`] or [`crate::Error::Input`] for a prompt of the user's that cannot be used.
    pub fn over(
        client: &'a dyn Ask,
        model: &'a Model,
        stage: &'static str,
        options: &AnnotateOptions,
        seed: Option<u64>,
    ) -> Result<Self> {
        Self::new(Asked { ask: client, model }, stage, options, seed)
    }

    /// Share of the pairs of `concepts` and `texts` whose verdicts are kept, 0 to 1, unless a
    /// calibration changes how they are asked.
    ///
    /// # Errors
    /// [`crate::Error::Llm`] if the answers cannot be read.
    pub(crate) fn kept(&self, concepts: &[String], texts: &Texts) -> Result<f64> {
        let of = Distinct::new(concepts, texts, self.options.max_words, &|_, _| true);
        let identity = self.identity(&self.prompts, self.options.stack);
        let (mut known, mut all) = (0, 0);
        for (text, concepts) in of.texts.iter().zip(&of.wanted) {
            let key = |&c: &usize| key(&identity, of.concepts[c], text);
            let keys: Vec<AnswerKey> = concepts.iter().map(key).collect();
            known += self.asked.ask.kept(&keys)?.iter().flatten().count();
            all += keys.len();
        }
        Ok(known as f64 / all.max(1) as f64)
    }

    /// What is kept of the wanted pairs, `None` for the others; nothing is asked.
    ///
    /// # Errors
    /// [`crate::Error::Llm`] if the answers cannot be read, or are frozen and do not suffice.
    pub fn known(
        &self,
        concepts: &[String],
        texts: &Texts,
        wanted: &(dyn Fn(usize, usize) -> bool + Sync),
    ) -> Result<Annotations> {
        let of = Distinct::new(concepts, texts, self.options.max_words, wanted);
        let identity = self.identity(&self.prompts, self.options.stack);
        let shape = Shape::of(self.options.layout, self.options.stack);
        let manner = Manner { prompts: &self.prompts, shape, identity: &identity };
        let mut answers = Answers::new(&of);
        self.look_up(&of, &of.wanted, manner, &mut answers, &Unwatched)?;
        answers.annotations(&of, wanted)
    }

    fn identity(&self, prompts: &Prompts, stack: usize) -> String {
        prompts.identity(self.asked.model, stack)
    }

    /// Asks for the wanted pairs that are not known, in the given manner.
    fn ask(
        &self,
        of: &Distinct,
        wanted: &[Vec<usize>],
        manner: Manner,
        watch: &dyn Watch,
    ) -> Result<Answers> {
        let mut answers = Answers::new(of);
        let open = self.look_up(of, wanted, manner, &mut answers, watch)?;
        if open.is_empty() {
            return Ok(answers);
        }
        let mut units = pack_open(wanted, open, manner.shape);
        let question = |units: &[Unit], id: usize| Call {
            id,
            prompt: manner.prompts.question(&units[id], &of.texts, &of.concepts),
        };
        let calls = (0..units.len()).map(|id| question(&units, id)).collect();
        let mut take = |id: usize, outcome: Outcome| {
            let mut next = Next::default();
            let unit = units[id].clone();
            let left = answers.take(&unit, &outcome, of, manner, &mut next);
            if left.is_empty() {
                return next;
            }
            let again = match follow(&unit, &left, &outcome, manner.shape) {
                Ok(_) if answers.is_hopeless() => {
                    answers.give_up(
                        &left,
                        "this model answers nothing that can be read",
                        of,
                        manner,
                        &mut next,
                    );
                    return next;
                }
                Ok(again) => again,
                Err(why) => {
                    answers.give_up(&left, &why, of, manner, &mut next);
                    return next;
                }
            };
            for unit in again {
                units.push(unit);
                next.again.push(question(&units, units.len() - 1));
            }
            next
        };
        let task = Task { stage: self.stage, model: self.asked.model };
        self.asked.ask.ask(task, calls, &mut take, &Asking(watch))?;
        Ok(answers)
    }

    /// Takes in the verdicts that are kept; the pairs that are not, by text.
    fn look_up(
        &self,
        of: &Distinct,
        wanted: &[Vec<usize>],
        manner: Manner,
        answers: &mut Answers,
        watch: &dyn Watch,
    ) -> Result<Vec<(usize, Vec<usize>)>> {
        let ask = self.asked.ask;
        let mut open = Vec::new();
        let mut unknown = 0;
        for (text, concepts) in wanted.iter().enumerate() {
            watch.check()?;
            let keys = |key: fn(&str, &str, &str) -> AnswerKey, concepts: &[usize]| {
                let key = |&c: &usize| key(manner.identity, of.concepts[c], &of.texts[text]);
                concepts.iter().map(key).collect::<Vec<_>>()
            };
            let mut left = Vec::new();
            for (&c, kept) in concepts.iter().zip(ask.kept(&keys(key, concepts))?) {
                match kept.as_deref().and_then(Verdict::from_kept) {
                    Some(verdict) => answers.note(text, c, verdict),
                    None => left.push(c),
                }
            }
            watch.advance((concepts.len() - left.len()) as u64);
            if ask.is_frozen() && !left.is_empty() {
                // What had no answer then has none now.
                for (&c, why) in left.iter().zip(ask.kept(&keys(failure_key, &left))?) {
                    match why {
                        Some(why) => drop(answers.without.insert((text, c), why)),
                        None => unknown += 1,
                    }
                }
                left.clear();
            }
            if !left.is_empty() {
                open.push((text, left));
            }
        }
        if unknown > 0 {
            return Err(hypothesaes_llm::Error::Frozen { missing: unknown }.into());
        }
        Ok(open)
    }

    /// The manner of the run, calibrated if it is to be.
    fn settle<'m>(
        &self,
        of: &Distinct,
        identity: &'m mut String,
        prompts: &'m Prompts,
        watch: &dyn Watch,
    ) -> Result<(Manner<'m>, Vec<Calibration>)> {
        let mut stack = self.options.stack;
        let mut calibrations = Vec::new();
        if let Some(seed) = self.seed
            && self.options.layout != Layout::Single
        {
            (stack, calibrations) = calibrate::calibrate(self, of, seed, watch)?;
        }
        *identity = self.identity(prompts, stack);
        let shape = match (self.options.layout, stack) {
            // Economy that did not stand its calibration falls back to stacks.
            (Layout::Economy, stack) if calibrations.iter().any(|c| !c.stands) => {
                Shape::of(Layout::Stacked, stack)
            }
            (layout, stack) => Shape::of(layout, stack),
        };
        Ok((Manner { prompts, shape, identity }, calibrations))
    }
}

impl Annotate for ModelAnnotator<'_> {
    fn annotate_where(
        &self,
        concepts: &[String],
        texts: &Texts,
        wanted: &(dyn Fn(usize, usize) -> bool + Sync),
        watch: &dyn Watch,
    ) -> Result<Annotations> {
        let of = Distinct::new(concepts, texts, self.options.max_words, wanted);
        let mut identity = String::new();
        let (manner, calibrations) = self.settle(&of, &mut identity, &self.prompts, watch)?;
        let answers = self.ask(&of, &of.wanted, manner, watch)?;
        let mut annotations = answers.annotations(&of, wanted)?;
        annotations.calibrations = calibrations;
        annotations.prompts = self.prompts.files();
        Ok(annotations)
    }

    fn is_costly(&self) -> bool {
        true
    }
}

/// What is asked after an answer that left pairs without a verdict, or why no more is asked.
fn follow(
    unit: &Unit,
    left: &[(usize, usize)],
    outcome: &Outcome,
    shape: Shape,
) -> Result<Vec<Unit>, String> {
    let single = unit.n_pairs() == 1;
    match outcome {
        _ if !single => Ok(unit.halved(left, shape)),
        Outcome::Answer(_) | Outcome::Cut(_) if unit.tries + 1 < TRIES => {
            Ok(vec![Unit { tries: unit.tries + 1, ..unit.clone() }])
        }
        Outcome::Answer(_) => Err("the answers are neither yes nor no".into()),
        Outcome::Cut(_) => Err("the answers are cut off".into()),
        Outcome::TooLong(why) | Outcome::Never(why) => Err(why.clone()),
    }
}

impl Answers {
    fn new(of: &Distinct) -> Self {
        let known = vec![None; of.texts.len() * of.concepts.len()];
        Self { n_texts: of.texts.len(), known, without: BTreeMap::new(), any_read: false }
    }

    fn get(&self, text: usize, concept: usize) -> Option<Verdict> {
        self.known[concept * self.n_texts + text]
    }

    fn note(&mut self, text: usize, concept: usize, verdict: Verdict) {
        self.known[concept * self.n_texts + text] = Some(verdict);
    }

    /// Takes in an outcome and what of it is to be kept; the pairs that it leaves open.
    fn take(
        &mut self,
        unit: &Unit,
        outcome: &Outcome,
        of: &Distinct,
        manner: Manner,
        next: &mut Next,
    ) -> Vec<(usize, usize)> {
        let verdicts = match outcome {
            Outcome::Answer(answer) | Outcome::Cut(answer) => manner.prompts.read(unit, answer),
            Outcome::TooLong(_) | Outcome::Never(_) => Vec::new(),
        };
        for ((text, concept), verdict) in verdicts {
            let key = key(manner.identity, of.concepts[concept], &of.texts[text]);
            next.keep.push((key, verdict.kept()));
            next.done += 1;
            self.any_read = true;
            self.note(text, concept, verdict);
        }
        unit.pairs().filter(|&(text, concept)| self.get(text, concept).is_none()).collect()
    }

    /// Whether asking again has never helped: not even single pairs are answered legibly.
    fn is_hopeless(&self) -> bool {
        !self.any_read && self.without.len() >= HOPELESS
    }

    fn give_up(
        &mut self,
        left: &[(usize, usize)],
        why: &str,
        of: &Distinct,
        manner: Manner,
        next: &mut Next,
    ) {
        for &(text, concept) in left {
            let key = failure_key(manner.identity, of.concepts[concept], &of.texts[text]);
            next.keep.push((key, why.to_owned()));
            next.done += 1;
            self.without.insert((text, concept), why.to_owned());
        }
    }

    /// For the asker's own texts and concepts.
    fn annotations(
        &self,
        of: &Distinct,
        wanted: &(dyn Fn(usize, usize) -> bool + Sync),
    ) -> Result<Annotations> {
        let n = of.text_of.len();
        let mut values = Vec::with_capacity(of.concept_of.len());
        let mut p_yes = Vec::with_capacity(of.concept_of.len());
        let mut missing = Vec::new();
        for (c, &concept) in of.concept_of.iter().enumerate() {
            let (mut column, mut shares) = (Vec::with_capacity(n), Vec::with_capacity(n));
            for (t, &text) in of.text_of.iter().enumerate() {
                let verdict = wanted(c, t).then(|| self.get(text, concept));
                if let Some(None) = verdict {
                    let reason = self.without.get(&(text, concept)).cloned().unwrap_or_default();
                    missing.push(Missing { concept: c, text: t, reason });
                }
                column.push(verdict.flatten().map(|v| v.is_true));
                shares.push(verdict.flatten().and_then(|v| v.p_yes));
            }
            values.push(column);
            p_yes.push(shares);
        }
        let mut annotations = Annotations::new(n, values)?;
        annotations.p_yes = p_yes;
        annotations.missing = missing;
        Ok(annotations)
    }
}

impl<'a> Distinct<'a> {
    fn new(
        concepts: &'a [String],
        texts: &Texts,
        max_words: usize,
        wanted: &(dyn Fn(usize, usize) -> bool + Sync),
    ) -> Self {
        let (texts, text_of) = distinct(texts.iter().map(|text| first_words(text, max_words)));
        let (concepts, concept_of) = distinct(concepts.iter().map(String::as_str));
        let mut pairs = vec![Vec::new(); texts.len()];
        for (t, &text) in text_of.iter().enumerate() {
            let of_text = concept_of.iter().enumerate().filter(|&(c, _)| wanted(c, t));
            pairs[text].extend(of_text.map(|(_, &concept)| concept));
        }
        for concepts in &mut pairs {
            concepts.sort_unstable();
            concepts.dedup();
        }
        let texts = texts.into_iter().map(str::to_owned).collect();
        Self { texts, concepts, text_of, concept_of, wanted: pairs }
    }
}

/// The distinct items in order of appearance, and the place of each item among them.
fn distinct<'a>(items: impl Iterator<Item = &'a str>) -> (Vec<&'a str>, Vec<usize>) {
    let mut places = HashMap::new();
    let mut all = Vec::new();
    let of = items.map(|item| {
        *places.entry(item).or_insert_with(|| {
            all.push(item);
            all.len() - 1
        })
    });
    let of = of.collect();
    (all, of)
}

/// The text up to the end of its `max`-th word.
pub(crate) fn first_words(text: &str, max: usize) -> &str {
    let mut in_word = false;
    let mut words = 0;
    for (at, c) in text.char_indices() {
        let starts = !c.is_whitespace() && !in_word;
        if starts && words == max {
            return text[..at].trim_end();
        }
        words += usize::from(starts);
        in_word = !c.is_whitespace();
    }
    text
}

#[cfg(test)]
mod tests;
