//! A model that turns texts into vectors.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::attention::Space;
use crate::folder::{self, Module};
use crate::modules::{Pooling, Step};
use crate::ops::normalise;
use crate::statics::Static;
use crate::tokens::Tokens;
use crate::transformer::Transformer;
use crate::weights::Weights;
use crate::{Error, Precision, Result, architecture, batches};

/// How a model is used.
#[derive(Debug, Clone, Default)]
pub struct EncoderOptions {
    /// What is put before every text; by default what the model itself names.
    pub prefix: Option<String>,
    /// Tokens of a text at most, if fewer than the model allows.
    pub max_tokens: Option<usize>,
    /// The first so many numbers of a vector, brought to length 1 again, of a model that was trained
    /// for that (Matryoshka).
    pub dimensions: Option<usize>,
    pub precision: Precision,
}

/// A model in memory.
pub struct Encoder {
    stages: Stages,
    tokens: Tokens,
    prefix: String,
    prompts: Vec<(String, String)>,
    dimensions: Option<usize>,
    dim: usize,
    max_tokens: Option<usize>,
}

enum Stages {
    Transformer { transformer: Box<Transformer>, steps: Vec<Step>, skipped: usize },
    Static { table: Static, steps: Vec<Step> },
}

impl Encoder {
    /// Reads a folder as sentence-transformers writes it, or with a model of transformers or model2vec
    /// alone.
    ///
    /// # Errors
    /// [`Error::File`], [`Error::Model`], [`Error::Unknown`].
    pub fn open(folder: &Path, options: &EncoderOptions) -> Result<Self> {
        let modules = folder::modules(folder)?;
        let prompts = folder::prompts(folder)?;
        let prefix = match (&options.prefix, &prompts.default_prompt_name) {
            (Some(prefix), _) => prefix.clone(),
            (None, Some(name)) => prompts.prompts.get(name).cloned().unwrap_or_default(),
            (None, None) => String::new(),
        };
        let first = modules.as_ref().and_then(|modules| modules.first());
        let is_static = match first {
            Some(module) => module.name() == "StaticEmbedding",
            None => kind(folder)?.as_deref() == Some("model2vec"),
        };
        let own = first.map_or_else(|| folder.to_owned(), |module| folder.join(&module.path));
        let steps = steps(folder, modules.as_deref(), is_static)?;
        let (stages, tokens, max_tokens, width) = if is_static {
            let (table, tokens) = Static::open(&own)?;
            let width = table.width();
            (Stages::Static { table, steps }, tokens, None, width)
        } else {
            let (transformer, tokens, most) = transformer(&own, options)?;
            let skipped = skipped(&steps, &tokens, &prefix)?;
            let width = transformer.h;
            let transformer = Box::new(transformer);
            (Stages::Transformer { transformer, steps, skipped }, tokens, Some(most), width)
        };
        let all = stages.steps().iter().fold(width, |width, step| step.width(width));
        if let Some(asked) = options.dimensions.filter(|dim| *dim == 0 || *dim > all) {
            return Err(Error::Dimensions { path: folder.into(), asked, most: all });
        }
        Ok(Self {
            stages,
            tokens,
            prefix,
            prompts: prompts.prompts.into_iter().collect(),
            dimensions: options.dimensions,
            dim: options.dimensions.unwrap_or(all),
            max_tokens,
        })
    }

    /// Numbers of a vector.
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// What is put before every text.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// Prefixes that the model names, by name.
    pub fn prompts(&self) -> &[(String, String)] {
        &self.prompts
    }

    /// Tokens of a text at most; the rest of it is not read.
    pub fn max_tokens(&self) -> Option<usize> {
        self.max_tokens
    }

    /// The tokens of a text, prefix and special ones included.
    ///
    /// # Errors
    /// [`Error::Model`] if the tokenizer cannot read it.
    pub fn ids(&self, text: &str) -> Result<Vec<u32>> {
        let ids = match self.prefix.as_str() {
            "" => self.tokens.ids(text)?,
            prefix => self.tokens.ids(&format!("{prefix}{text}"))?,
        };
        Ok(match &self.stages {
            Stages::Static { table, .. } => table.known(ids),
            Stages::Transformer { .. } => ids,
        })
    }

    /// Gives the vector of every text, with its place among `texts`, as it is made: in no certain
    /// order, but the same vectors whatever the number of threads (those of the surrounding pool).
    ///
    /// # Errors
    /// Those of [`Self::ids`], and whatever `each` returns.
    pub fn encode<E: From<Error>>(
        &self,
        texts: &[&str],
        each: impl FnMut(usize, &[f32]) -> Result<(), E>,
    ) -> Result<(), E> {
        batches::run(self, texts, each)
    }

    /// The vectors of texts that are computed together.
    pub(crate) fn vectors(&self, ids: &[&[u32]], space: &mut Space) -> Vec<Vec<f32>> {
        let mut all = match &self.stages {
            Stages::Static { table, .. } => ids.iter().map(|ids| table.mean(ids)).collect(),
            Stages::Transformer { transformer, steps, skipped } => {
                let x = transformer.run(ids, space);
                pooled(&x, ids, transformer.h, steps, *skipped)
            }
        };
        for vector in &mut all {
            self.stages.steps().iter().for_each(|step| step.apply(vector));
            if let Some(dim) = self.dimensions {
                vector.truncate(dim);
                normalise(vector);
            }
        }
        all
    }
}

impl Stages {
    fn steps(&self) -> &[Step] {
        match self {
            Self::Transformer { steps, .. } | Self::Static { steps, .. } => steps,
        }
    }
}

fn pooled(x: &[f32], ids: &[&[u32]], h: usize, steps: &[Step], skipped: usize) -> Vec<Vec<f32>> {
    let mut start = 0;
    ids.iter()
        .map(|ids| {
            let rows = &x[start * h..(start + ids.len()) * h];
            start += ids.len();
            match steps.first() {
                Some(Step::Pool(pooling)) if !pooling.with_prompt && skipped < ids.len() => {
                    pooling.pool(&rows[skipped * h..], h)
                }
                Some(Step::Pool(pooling)) => pooling.pool(rows, h),
                _ => Pooling::usual().pool(rows, h),
            }
        })
        .collect()
}

/// What follows the model itself; without modules the mean of the tokens, as sentence-transformers has
/// it.
fn steps(folder: &Path, modules: Option<&[Module]>, is_static: bool) -> Result<Vec<Step>> {
    let Some(modules) = modules else {
        return Ok(if is_static { Vec::new() } else { vec![Step::Pool(Pooling::usual())] });
    };
    let mut steps = Vec::new();
    for module in modules.iter().skip(1) {
        steps.extend(Step::read(folder, module)?);
    }
    let pools = steps.iter().position(|step| matches!(step, Step::Pool(_)));
    if !is_static && pools != Some(0) {
        let message =
            "the tokens' vectors are to be pooled first; this order of modules is not known here";
        return Err(Error::model(folder.join("modules.json"), message));
    }
    Ok(steps)
}

fn transformer(folder: &Path, options: &EncoderOptions) -> Result<(Transformer, Tokens, usize)> {
    let path = folder.join("config.json");
    let config: Value = folder::required(&path)?;
    let mut weights = Weights::open(folder, options.precision)?;
    let transformer = architecture::read(&config, &path, &mut weights)?;
    let reading = folder::reading(folder)?;
    let own = match reading.max_seq_length {
        Some(most) => most,
        None => folder::tokenizer_length(folder)?.unwrap_or(transformer.positions),
    };
    let most = own.min(transformer.positions).min(options.max_tokens.unwrap_or(usize::MAX)).max(1);
    let tokens = Tokens::open(folder, Some(most), reading.do_lower_case, true)?;
    tokens.check(transformer.embeddings.words.len() / transformer.embeddings.width)?;
    Ok((transformer, tokens, most))
}

/// Tokens of the prefix, where the model does not count them.
fn skipped(steps: &[Step], tokens: &Tokens, prefix: &str) -> Result<usize> {
    let counts = |step: &Step| matches!(step, Step::Pool(pooling) if !pooling.with_prompt);
    if prefix.is_empty() || !steps.iter().any(counts) {
        return Ok(0);
    }
    // Without the one at the end.
    Ok(tokens.ids(prefix)?.len().saturating_sub(1))
}

/// `model_type` of `config.json`.
fn kind(folder: &Path) -> Result<Option<String>> {
    let path: PathBuf = folder.join("config.json");
    let config: Value = folder::required(&path)?;
    Ok(config.get("model_type").and_then(Value::as_str).map(str::to_owned))
}
