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
use crate::sae::SaeOptions;
use crate::select::SelectOptions;
use crate::{Error, Result};

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
}

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
        *self = assign::assign(self, assignment)?;
        Ok(())
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
        self.evaluate.check()
    }
}

#[cfg(test)]
mod tests;
