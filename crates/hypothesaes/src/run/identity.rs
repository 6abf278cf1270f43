//! What each stage's result follows from.

use std::path::{Path, PathBuf};

use super::stages::{ANNOTATIONS, EMBEDDINGS, LABELS, MODEL, ROWS, SELECTION};
use crate::data::{self, DataOptions};
use crate::embed::EmbedOptions;
use crate::evaluate::EvaluateOptions;
use crate::models::{Models, Use};
use crate::options::Options;
use crate::store::{Identity, RunDir, Stage};
use crate::{Error, Result};
use crate::{annotate, embed, evaluate, interpret, sae, select, signal};

/// Versions of the stages that have no module of their own to keep it.
const DATA_VERSION: u32 = 1;
const REPORT_VERSION: u32 = 2;

/// The identity of `stage`, whose earlier stages stand in `run`; `input` is the content of the
/// input files.
pub(super) fn identity(
    stage: Stage,
    options: &Options,
    run: &RunDir,
    input: &str,
    models: Option<&Models>,
) -> Identity {
    let asks = |identity: Identity, of: Use| match models.and_then(|models| models.of(of)) {
        Some(model) => identity.with(format!("{}.server", of.name()), model.server.base()),
        None => identity,
    };
    let content = |identity: Identity, name: &str, stage: Stage, file: &str| {
        identity.with(name, run.content(stage, file))
    };
    let texts = |version| content(Identity::version(version), "texts", Stage::Data, ROWS);
    let embedded = |version| content(texts(version), "embeddings", Stage::Embed, EMBEDDINGS);
    let encoded = |version| content(texts(version), "autoencoders", Stage::Sae, MODEL);
    let selected = |identity| content(identity, "selection", Stage::Select, SELECTION);
    let worded = |identity| content(identity, "hypotheses", Stage::Interpret, LABELS);
    let language = format!("{:?}", options.embed.language);
    let embedder = |identity: Identity, section: &str| {
        identity
            .with_options(section, &without_folder(&options.embed))
            .with(format!("{section}.model"), model(options.embed.sentence_model()))
    };
    // Under a name of its own: the language is part of these stages' identity anyway.
    let meaning = |identity| {
        if options.goes_by_meaning() { embedder(identity, "meaning") } else { identity }
    };
    match stage {
        Stage::Data => Identity::version(DATA_VERSION)
            .with("input", input)
            .with_options("data", &without_paths(&options.data))
            .with_options("split", &options.split)
            .with("seed", options.seed),
        Stage::Embed => {
            embedder(asks(texts(embed::VERSION), Use::Embed), "embed").with("seed", options.seed)
        }
        Stage::Signal => embedded(signal::VERSION).with("seed", options.seed),
        Stage::Sae => embedded(sae::TRAINER_VERSION)
            .with_options("sae", &options.sae)
            .with("seed", options.seed),
        Stage::Select => encoded(select::VERSION)
            .with_options("select", &options.select)
            .with("seed", options.seed),
        Stage::Interpret => asks(meaning(selected(encoded(interpret::VERSION))), Use::Interpret)
            .with(
                "interpret prompts",
                prompts(&[&options.interpret.prompt, &options.interpret.refine_prompt]),
            )
            .with(
                "annotate prompts",
                prompts(&[&options.annotate.prompt, &options.annotate.texts_prompt]),
            )
            .with("embed.language", language)
            .with_options("interpret", &options.interpret)
            .with_options("annotate", &options.annotate)
            .with("seed", options.seed),
        Stage::Annotate => asks(meaning(worded(texts(annotate::VERSION))), Use::Annotate)
            .with(
                "annotate prompts",
                prompts(&[&options.annotate.prompt, &options.annotate.texts_prompt]),
            )
            .with("embed.language", language)
            .with_options("annotate", &options.annotate)
            .with_options("evaluate.hypotheses", &options.evaluate.hypotheses),
        Stage::Evaluate => {
            let identity = worded(selected(encoded(evaluate::VERSION)));
            let identity = content(identity, "embeddings", Stage::Embed, EMBEDDINGS);
            content(identity, "annotations", Stage::Annotate, ANNOTATIONS)
                .with_options("evaluate", &without_gold_path(&options.evaluate))
                .with("evaluate.gold content", prompts(&[&options.evaluate.gold]))
                .with_options("select", &options.select)
                .with("seed", options.seed)
        }
        Stage::Report => Identity::version(REPORT_VERSION)
            .with("results", run.content_before(Stage::Report))
            .with_options("report", &options.report),
    }
}

/// A hash of the input files. A run directory that was moved to where its input is not stands by
/// itself: then what it was made from.
pub(super) fn input_content(options: &Options, run: &RunDir) -> Result<String> {
    match data::content_hash(&options.data) {
        Err(Error::File { .. } | Error::Input { .. } | Error::Missing { .. })
            if run.stands(Stage::Data) && !options.data.path.exists() =>
        {
            Ok(super::stages::read_summary(run.path())?.content_hash)
        }
        content => content,
    }
}

/// A hash of the sentence model's files; a model that cannot be read is refused by the stage.
fn model(folder: Option<&Path>) -> String {
    let content = folder.map(embed::local::content);
    content.and_then(Result::ok).unwrap_or_default()
}

fn without_folder(options: &EmbedOptions) -> EmbedOptions {
    EmbedOptions { folder: None, ..options.clone() }
}

/// A hash of the user's own files; a file that cannot be read is refused by the stage.
fn prompts(files: &[&Option<PathBuf>]) -> String {
    let mut hash = blake3::Hasher::new();
    for file in files.iter().copied().flatten() {
        hash.update(&std::fs::read(file).unwrap_or_default());
        hash.update(&[0]);
    }
    hash.finalize().to_hex().to_string()
}

/// What the file holds matters, not where it lies.
fn without_gold_path(options: &EvaluateOptions) -> EvaluateOptions {
    EvaluateOptions { gold: None, ..options.clone() }
}

/// What the files hold matters, not where they lie.
fn without_paths(options: &DataOptions) -> DataOptions {
    let file = |path: &Option<std::path::PathBuf>| path.as_ref().map(|_| Path::new("-").into());
    DataOptions {
        path: "-".into(),
        validation: file(&options.validation),
        heldout: file(&options.heldout),
        ..options.clone()
    }
}
