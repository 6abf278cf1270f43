//! How many calls and tokens a stage will take, before anything is asked.
//!
//! Tokens are a quarter of the characters, as the servers' limiters count. The figures are those
//! of a run in which every answer arrives whole at the first attempt.

use crate::annotate::Shape;
use crate::options::Options;

/// Tokens of a prompt without texts and concepts.
const FRAME: f64 = 150.0;
/// Tokens of a concept in a list, of its verdict, and of a wording.
const CONCEPT: f64 = 16.0;
const VERDICT: f64 = 5.0;
const WORDING: f64 = 30.0;
/// Tokens of thought before a wording.
const THOUGHT: f64 = 200.0;

/// Texts that are read.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Corpus {
    pub n: usize,
    /// Tokens of a text, cut to what the model reads.
    pub tokens: f64,
}

/// Questions to a model.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Work {
    pub calls: usize,
    pub tokens_in: f64,
    pub tokens_out: f64,
}

impl Work {
    fn plus(self, other: Self) -> Self {
        Self {
            calls: self.calls + other.calls,
            tokens_in: self.tokens_in + other.tokens_in,
            tokens_out: self.tokens_out + other.tokens_out,
        }
    }

    /// The share of it that is left.
    pub fn scaled(self, share: f64) -> Self {
        let Self { calls, tokens_in, tokens_out } = self;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share")]
        let calls = (calls as f64 * share).ceil() as usize;
        Self { calls, tokens_in: tokens_in * share, tokens_out: tokens_out * share }
    }

    fn times(self, n: usize) -> Self {
        let times = n as f64;
        let Self { calls, tokens_in, tokens_out } = self;
        Self { calls: calls * n, tokens_in: tokens_in * times, tokens_out: tokens_out * times }
    }
}

/// Every text with every concept.
pub(crate) fn annotation(options: &Options, texts: Corpus, n_concepts: usize) -> Work {
    let shape = Shape::of(options.annotate.layout, options.annotate.stack);
    let calls = shape.calls(texts.n, n_concepts);
    let chunks = n_concepts.div_ceil(shape.concepts) as f64;
    let listed = calls as f64 * (n_concepts as f64 / chunks.max(1.0));
    Work {
        calls,
        tokens_in: calls as f64 * FRAME + listed * CONCEPT + texts.n as f64 * chunks * texts.tokens,
        tokens_out: (texts.n * n_concepts) as f64 * VERDICT,
    }
}

/// One wording for each of `n` neurons.
pub(crate) fn wordings(options: &Options, tokens: f64, n: usize) -> Work {
    let shown = options.interpret.n_examples as f64 * tokens;
    Work {
        calls: n,
        tokens_in: n as f64 * (2.0 * FRAME + shown),
        tokens_out: n as f64 * (WORDING + THOUGHT),
    }
}

/// One judgement of a wording for each of `n` neurons on half of the validation texts, or on all.
pub(crate) fn fidelity(options: &Options, validation: Corpus, n: usize) -> Work {
    let shape = Shape::of(options.annotate.layout, options.annotate.stack);
    let silent = options.interpret.fidelity_silent.min(validation.n);
    // A neuron that fires on one text in ten is common.
    let firing = options.interpret.fidelity_firing.min(validation.n.div_ceil(10));
    let shared = annotation(options, Corpus { n: silent, ..validation }, n);
    let together = shape.pairs.min(shape.texts).max(1);
    let own = Work {
        calls: firing.div_ceil(together),
        tokens_in: firing.div_ceil(together) as f64 * (FRAME + CONCEPT)
            + firing as f64 * validation.tokens,
        tokens_out: firing as f64 * 2.0 * VERDICT,
    };
    shared.plus(own.times(n))
}

/// What mending adds: judging on the half that is chosen on, and the rounds.
pub(crate) fn refinement(options: &Options, validation: Corpus, n: usize, rounds: usize) -> Work {
    if rounds == 0 {
        return Work::default();
    }
    let half = Corpus { n: validation.n / 2, ..validation };
    let judged = fidelity(options, half, n);
    let round = wordings(options, validation.tokens, n).plus(judged);
    judged.plus(round.times(rounds))
}

/// All that interpretation asks of the interpreter, and of the annotator.
pub(crate) fn interpretation(
    options: &Options,
    validation: Corpus,
    n: usize,
    rounds: usize,
) -> (Work, Work) {
    let candidates = options.interpret.n_candidates;
    let tokens = validation.tokens;
    let words = wordings(options, tokens, n);
    let first = words.times(candidates).plus(words.times(rounds));
    let is_chosen = rounds > 0 || candidates > 1;
    let half = Corpus { n: validation.n / if is_chosen { 2 } else { 1 }, ..validation };
    let judged = fidelity(options, half, n);
    let chosen = fidelity(options, half, n * candidates);
    let judging = match (is_chosen, candidates) {
        (false, _) => judged,
        (true, _) => judged.plus(chosen).plus(judged.times(rounds)),
    };
    (first, judging)
}

/// Rounds of mending where the user left it open: as many as add at most a tenth to the calls that
/// annotation takes.
pub(crate) fn rounds(options: &Options, n_validation: usize, n_heldout: usize, n: usize) -> usize {
    if let Some(rounds) = options.interpret.refine {
        return rounds;
    }
    if options.interpret.model().is_none() {
        return 0;
    }
    let corpus = |n| Corpus { n, tokens: 0.0 };
    let annotation = annotation(options, corpus(n_heldout), n).calls;
    let affordable = |&rounds: &usize| {
        10 * refinement(options, corpus(n_validation), n, rounds).calls <= annotation
    };
    (0..=crate::interpret::ROUNDS).rev().find(affordable).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options() -> Options {
        let mut options = Options::default();
        options.settle(true);
        options
    }

    #[test]
    fn the_calls_of_the_issue_of_cost() {
        // 2,000 texts with 20 concepts: 4,000 calls stacked, 200 in the economy.
        let mut options = options();
        let texts = Corpus { n: 2000, tokens: 134.0 };
        assert_eq!(annotation(&options, texts, 20).calls, 4000);
        options.annotate.layout = crate::annotate::Layout::Economy;
        let work = annotation(&options, texts, 20);
        assert_eq!(work.calls, 200);
        assert!((250_000.0..400_000.0).contains(&work.tokens_in), "{work:?}");
    }

    #[test]
    fn mending_is_on_where_annotation_is_large() {
        let options = options();
        assert_eq!(rounds(&options, 300, 300, 20), 0);
        assert_eq!(rounds(&options, 3000, 10_000, 20), 2);
        let mut asked = options;
        asked.interpret.refine = Some(1);
        assert_eq!(rounds(&asked, 300, 300, 20), 1);
        asked.interpret = crate::interpret::InterpretOptions::default();
        assert_eq!(rounds(&asked, 3000, 10_000, 20), 0);
    }
}
