//! Every option of a run: one section per stage, as in `hypothesaes.toml`.

mod assign;
mod write;

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::annotate::AnnotateOptions;
use crate::data::{DataOptions, SplitOptions};
use crate::embed::EmbedOptions;
use crate::error::Place;
use crate::evaluate::EvaluateOptions;
use crate::interpret::InterpretOptions;
use crate::models::LlmOptions;
use crate::report::ReportOptions;
use crate::sae::SaeOptions;
use crate::select::SelectOptions;
use crate::{Error, Result, annotate, embed, interpret};

/// All options; each section is the options struct of its stage.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// Everything random follows from it.
    pub seed: u64,
    pub data: DataOptions,
    pub split: SplitOptions,
    pub embed: EmbedOptions,
    pub sae: SaeOptions,
    pub select: SelectOptions,
    pub interpret: InterpretOptions,
    pub annotate: AnnotateOptions,
    pub evaluate: EvaluateOptions,
    pub report: ReportOptions,
    pub llm: LlmOptions,
}

/// The name that leaves the choice to the program.
pub const AUTO: &str = "auto";

/// The largest seed that an options file can hold.
const MAX_SEED: u64 = i64::MAX as u64;

impl Options {
    /// From the text of an options file; what it does not name keeps its default.
    ///
    /// # Errors
    /// [`Error::Input`] that names the file, the line and the key.
    pub fn from_toml(text: &str, path: &Path) -> Result<Self> {
        toml::from_str(text).map_err(|e| {
            let line = e.span().map(|span| 1 + text[..span.start].matches('\n').count() as u64);
            let place = Place { file: path.into(), line, ..Place::default() };
            Error::Input { place, message: e.message().to_owned() }
        })
    }

    /// As an options file, every default written out.
    pub fn to_toml(&self) -> String {
        write::toml(self)
    }

    /// Sets one option from `section.key=value`, as in `sae.k=4`.
    ///
    /// # Errors
    /// [`Error::Option`] for a key that does not exist, with the nearest one, or a value that it
    /// does not take.
    pub fn set(&mut self, assignment: &str) -> Result<()> {
        let mut assigned = assign::assign(self, assignment)?;
        // The folder that was found is that of the model named before.
        if assigned.embed.embedder != self.embed.embedder {
            assigned.embed.folder = None;
        }
        *self = assigned;
        Ok(())
    }

    /// Settles what is left open: language models where some can be asked, else what is embedded,
    /// which goes by meaning if a sentence model embeds.
    pub fn settle(&mut self, has_models: bool) {
        let [words, answers] = match self.embed.sentence_model() {
            Some(_) => [interpret::MEANING, annotate::MEANING],
            None => [interpret::PHRASES, annotate::PHRASES],
        };
        let choices = [
            (&mut self.embed.embedder, embed::DEFAULT_MODEL, embed::TFIDF_SVD),
            (&mut self.interpret.interpreter, interpret::DEFAULT_MODEL, words),
            (&mut self.annotate.annotator, annotate::DEFAULT_MODEL, answers),
        ];
        for (choice, model, embedded) in choices {
            if choice == AUTO {
                *choice = if has_models { model } else { embedded }.into();
            }
        }
    }

    /// Whether any stage asks a language model.
    pub fn asks_models(&self) -> bool {
        self.embed.model().is_some()
            || self.interpret.model().is_some()
            || self.annotate.model().is_some()
    }

    /// Whether a sentence model finds or judges what concepts mean.
    pub(crate) fn goes_by_meaning(&self) -> bool {
        self.interpret.interpreter == interpret::MEANING
            || self.annotate.annotator == annotate::MEANING
    }

    /// Whether hypotheses are looked for, and not only the user's own tested.
    #[must_use]
    pub fn discovers(&self) -> bool {
        self.select.n > 0
    }

    /// # Errors
    /// The first option that is out of range or contradicts another.
    pub fn check(&self) -> Result<()> {
        if self.seed > MAX_SEED {
            return Err(Error::option("seed", self.seed, format!("use at most {MAX_SEED}")));
        }
        self.data.check()?;
        self.split.check()?;
        self.embed.check()?;
        self.sae.check()?;
        self.select.check()?;
        self.interpret.check()?;
        self.annotate.check()?;
        self.evaluate.check()?;
        self.report.check()?;
        self.llm.check()?;
        if !self.discovers() && self.evaluate.hypotheses.is_empty() {
            let why = "choose at least 1, or bring hypotheses of your own by `--hypothesis`";
            return Err(Error::option("select.n", 0, why));
        }
        if self.discovers() && self.split.is_all_heldout() {
            let why = "leave texts to discover on, or test hypotheses of your own only, by \
                       `hypothesaes test`";
            return Err(Error::option("split", &self.split, why));
        }
        self.check_judges()
    }

    /// Whether who annotates can read what the interpreter writes.
    fn check_judges(&self) -> Result<()> {
        if self.goes_by_meaning() && self.embed.sentence_model().is_none() {
            return Err(embed::no_sentence_model(match self.annotate.annotator.as_str() {
                annotate::MEANING => "annotate.annotator",
                _ => "interpret.interpreter",
            }));
        }
        let name = &self.annotate.annotator;
        if self.interpret.model().is_some() && self.annotate.model().is_none() {
            let why = "the wordings of a language model are free: only a model can judge them; \
                       name one with `--annotator`, or take the interpreter `phrases`";
            return Err(Error::option("annotate.annotator", name, why));
        }
        if self.interpret.interpreter == interpret::MEANING && name == annotate::PHRASES {
            let why = "it looks for words, but `meaning`, the interpreter, words what texts mean: \
                       take `--annotator meaning`, or a language model";
            return Err(Error::option("annotate.annotator", name, why));
        }
        Ok(())
    }
}

/// Refuses a number outside `least..=most`; `usize::MAX` is no bound.
pub(crate) fn within(name: &str, value: usize, least: usize, most: usize) -> Result<()> {
    if (least..=most).contains(&value) {
        return Ok(());
    }
    let allowed = match most {
        usize::MAX => format!("choose at least {least}"),
        most => format!("choose {least} to {most}"),
    };
    Err(Error::option(name, value, allowed))
}

/// Refuses a number outside `least..=most`, or that is none.
pub(crate) fn between(name: &str, value: f64, least: f64, most: f64) -> Result<()> {
    if (least..=most).contains(&value) {
        return Ok(());
    }
    Err(Error::option(name, value, format!("choose from {least} to {most}")))
}

#[cfg(test)]
mod tests;
