//! What a finished run is asked beyond its own hypotheses.

use std::path::Path;

use super::OPTIONS_FILE;
use super::estimate::of_annotation;
use super::stages::{LABELS, ROWS, vectors_for_meaning};
use crate::annotate::{self, Annotations, annotator};
use crate::data::{Split, Texts, read_rows};
use crate::evaluate::{self, Baselines, EvaluateOptions, Evaluation};
use crate::gold;
use crate::interpret::Labelled;
use crate::models::Models;
use crate::options::Options;
use crate::store::{self, read_json};
use crate::watch::Watch;
use crate::{Error, Result};

/// The options of a run directory.
///
/// # Errors
/// [`Error::Run`] if it is none; [`Error::File`]; [`Error::Input`] as [`Options::from_toml`].
pub fn saved_options(folder: &Path) -> Result<Options> {
    if !store::is_run(folder) {
        let message = "is no run directory: make one with `hypothesaes run FILE`".into();
        return Err(Error::Run { path: folder.into(), message });
    }
    let file = folder.join(OPTIONS_FILE);
    let text = std::fs::read_to_string(&file).map_err(Error::file("read", &file))?;
    Options::from_toml(&text, &file)
}

/// A sheet of `n` held-out texts to annotate by hand, drawn at random by `seed`, as CSV; and how many
/// texts are on it.
///
/// # Errors
/// [`Error::Run`] if the run has no hypotheses yet; [`Error::File`].
pub fn gold_sheet(folder: &Path, n: usize, seed: u64) -> Result<(Vec<u8>, usize)> {
    let options = saved_options(folder)?;
    let none = |e: Error| match e {
        Error::File { .. } | Error::Missing { .. } => Error::Run {
            path: folder.into(),
            message: "has no hypotheses to annotate texts for: let it finish first".into(),
        },
        other => other,
    };
    let data = read_rows(&folder.join(ROWS)).map_err(none)?;
    let labelled: Vec<Labelled> =
        if options.discovers() { read_json(folder, LABELS).map_err(none)? } else { Vec::new() };
    let found = labelled.into_iter().filter_map(|l| l.concept);
    let wordings: Vec<String> = found.chain(options.evaluate.hypotheses).collect();
    gold::sheet(&data, &wordings, n, seed)
}

/// Tests these annotations of the run's held-out texts, a column per hypothesis, as the run tested its
/// own: by its target, groups, weights, controls and strata.
///
/// # Errors
/// [`Error::File`] if the run has not read its data; as [`evaluate::evaluate`].
pub fn test_annotations(
    folder: &Path,
    annotations: &evaluate::Annotations,
    seed: u64,
    options: &EvaluateOptions,
) -> Result<Evaluation> {
    let data = read_rows(&folder.join(ROWS))?;
    let part = data.gather(&data.rows(Split::Heldout));
    evaluate::evaluate(&part.heldout(annotations), &Baselines::default(), seed, options)
}

/// Annotates `texts`, or the run's held-out texts in their order, as the run with these `options`
/// does. What that would ask of a model is approved first.
///
/// # Errors
/// As [`annotate::annotate`]; [`Error::File`] if the run has not read its data; [`Error::Declined`].
pub fn annotate_more(
    folder: &Path,
    options: &Options,
    concepts: &[String],
    texts: Option<&Texts>,
    models: Option<&Models>,
    watch: &dyn Watch,
) -> Result<Annotations> {
    let heldout = || -> Result<Texts> {
        let data = read_rows(&folder.join(ROWS))?;
        Ok(data.texts.gather(&data.texts_in(Split::Heldout)))
    };
    let texts = texts.map_or_else(heldout, |texts| Ok(texts.clone()))?;
    if let Some(models) = models.filter(|models| !models.is_frozen()) {
        let estimate = of_annotation(options, concepts, &texts, models)?;
        if !estimate.rows.is_empty() {
            models.approve(&estimate)?;
        }
    }
    let language = options.embed.language;
    let vectors = vectors_for_meaning(options, None)?;
    let annotator =
        annotator(&options.annotate, language, models, vectors.as_ref(), "annotate", None)?;
    annotate::annotate(&*annotator, concepts, &texts, watch)
}
