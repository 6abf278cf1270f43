//! Whole runs: planned, carried out, asked for more.

use std::path::{Path, PathBuf};

use hypothesaes::data::Texts;
use hypothesaes::evaluate::{EvaluateOptions, Wording};
use hypothesaes::models::{Approve, Environment, Manner, Models, Use};
use hypothesaes::options::Options;
use hypothesaes::run::{self, OPTIONS_FILE, annotate_more as more, saved_options};
use hypothesaes::store::Stage;
use hypothesaes::table::{Table, Values};
use hypothesaes::watch::Watch;
use hypothesaes::{Error, Result};
use hypothesaes_llm::Error as Llm;
use hypothesaes_llm::store::Store;
use numpy::{IntoPyArray, PyArray2, PyArrayMethods, PyReadonlyArray2};
use pyo3::prelude::*;
use serde_json::{Map, Value, json};

use crate::fault;
use crate::work::{Teller, work, work_asking};

pub(crate) const ENVIRONMENT: Environment = Environment(&|name| std::env::var(name).ok());

/// How models are treated.
#[derive(Clone, Copy)]
struct Asking {
    local: bool,
    manner: Manner,
}

#[pyfunction]
#[pyo3(name = "run")]
#[pyo3(signature = (folder, assignments, last, local, frozen, batch, wait, approve, watch=None))]
pub fn carry_out(
    py: Python<'_>,
    folder: PathBuf,
    assignments: Vec<String>,
    last: String,
    local: bool,
    frozen: bool,
    batch: bool,
    wait: bool,
    approve: Option<&Bound<'_, PyAny>>,
    watch: Option<&Bound<'_, PyAny>>,
) -> PyResult<String> {
    let asking = Asking { local, manner: Manner { frozen, batch, wait } };
    work_asking(py, watch, approve, move |teller| {
        let mut options = options(&folder, &assignments)?;
        let models = models(&mut options, asking, teller)?;
        let models = models.map(|models| models.asking_first(approval(teller)));
        let last = stage(&last)?;
        let outcome = run::run(&options, &folder, last, models.as_ref(), teller)?;
        Ok(json!(outcome).to_string())
    })
}

#[pyfunction]
#[pyo3(name = "plan")]
pub fn look_ahead(
    py: Python<'_>,
    folder: PathBuf,
    assignments: Vec<String>,
    last: String,
    local: bool,
    frozen: bool,
    batch: bool,
) -> PyResult<String> {
    let asking = Asking { local, manner: Manner { frozen, batch, wait: false } };
    work(py, None, move |teller| {
        let mut options = options(&folder, &assignments)?;
        let models = models(&mut options, asking, teller)?;
        let plan = run::plan(&options, &folder, stage(&last)?, models.as_ref(), teller)?;
        Ok(json!(plan).to_string())
    })
}

#[pyfunction]
#[pyo3(name = "locate")]
pub fn folder_of(py: Python<'_>, root: PathBuf, assignments: Vec<String>) -> PyResult<String> {
    work(py, None, move |_| {
        let mut options = Options::default();
        assignments.iter().try_for_each(|assignment| options.set(assignment))?;
        Ok(run::locate(&root, &options)?.display().to_string())
    })
}

#[pyfunction]
pub fn answers_file(py: Python<'_>) -> PyResult<String> {
    answers().map(|path| path.display().to_string()).map_err(|e| fault::library(py, e))
}

#[pyfunction]
#[pyo3(signature = (folder, concepts, texts, approve, watch=None))]
pub fn annotate_more<'py>(
    py: Python<'py>,
    folder: PathBuf,
    concepts: Vec<String>,
    texts: Option<Vec<String>>,
    approve: Option<&Bound<'py, PyAny>>,
    watch: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyArray2<i8>>> {
    let n_concepts = concepts.len();
    let (values, n_texts) = work_asking(py, watch, approve, move |teller| {
        let mut options = saved_options(&folder)?;
        let asking = Asking { local: false, manner: Manner::default() };
        let models = models(&mut options, asking, teller)?;
        let models = models.map(|models| models.asking_first(approval(teller)));
        let texts: Option<Texts> = texts.map(|texts| texts.iter().map(String::as_str).collect());
        let found = more(&folder, &options, &concepts, texts.as_ref(), models.as_ref(), teller)?;
        let answers = (0..n_concepts).flat_map(|c| found.concept(c));
        let values: Vec<i8> = answers.map(|answer| answer.map_or(-1, i8::from)).collect();
        Ok((values, found.n_texts()))
    })?;
    values.into_pyarray(py).reshape([n_concepts, n_texts])
}

#[pyfunction]
#[pyo3(name = "evaluate")]
pub fn test_annotations(
    py: Python<'_>,
    folder: PathBuf,
    annotations: PyReadonlyArray2<'_, i8>,
    seed: u64,
    options: String,
) -> PyResult<String> {
    let answer = |value: &i8| match value {
        1 => Some(true),
        0 => Some(false),
        _ => None,
    };
    let columns: Vec<Vec<Option<bool>>> =
        annotations.as_array().rows().into_iter().map(|r| r.iter().map(answer).collect()).collect();
    work(py, None, move |_| {
        let options: EvaluateOptions = serde_json::from_str(&options)
            .map_err(|e| Error::option("options", &options, e.to_string()))?;
        let evaluation = run::test_annotations(&folder, &columns, seed, &options)?;
        let wordings = vec![Wording::default(); columns.len()];
        let tables = json!({
            "hypotheses": rows(&evaluation.hypotheses_table(&wordings, Vec::new())?),
            "effects": rows(&evaluation.effects_table()),
            "models": rows(&evaluation.models_table()),
            "messages": evaluation.messages,
        });
        Ok(tables.to_string())
    })
}

/// The assignments, over the options of the folder unless they name data of their own.
fn options(folder: &Path, assignments: &[String]) -> Result<Options> {
    let is_new = assignments.iter().any(|assignment| assignment.starts_with("data.path="));
    let mut options = if is_new || !folder.join(OPTIONS_FILE).exists() {
        Options::default()
    } else {
        saved_options(folder)?
    };
    assignments.iter().try_for_each(|assignment| options.set(assignment))?;
    Ok(options)
}

fn stage(name: &str) -> Result<Stage> {
    let names = || Stage::ALL.map(Stage::name).join(", ");
    let found = Stage::ALL.into_iter().find(|stage| stage.name() == name);
    found.ok_or_else(|| Error::option("last", name, format!("choose one of {}", names())))
}

fn models(options: &mut Options, asking: Asking, watch: &dyn Watch) -> Result<Option<Models>> {
    let Asking { local, manner } = asking;
    let has_server = ENVIRONMENT.address(options);
    let has_key = ENVIRONMENT.key(None).is_some();
    let has_models = !local && (manner.frozen || has_server || has_key);
    let folders = [dirs::home_dir(), dirs::cache_dir()];
    let found = ENVIRONMENT.sentence_model(options, folders, !has_models, watch)?;
    found.inspect(|line| watch.say(line));
    options.settle(has_models);
    if !options.asks_models() {
        return Ok(None);
    }
    let (store, note) = Store::open(&answers()?)?;
    if let Some(note) = note {
        watch.say(&note);
    }
    let key = |variable: Option<&str>| ENVIRONMENT.key(variable);
    let models = Models::new(options, store, manner, &key)?;
    for of in Use::ALL {
        check(&models, of, local, manner.frozen)?;
    }
    Ok(Some(models))
}

/// Refuses what would fail at the first call, or send texts where they must not go.
fn check(models: &Models, of: Use, local: bool, frozen: bool) -> Result<()> {
    let Some(model) = models.of(of) else { return Ok(()) };
    let server = &model.server;
    if local && !server.is_here() {
        let allowed = "`local` keeps all texts on this computer, and this model is on another: \
                       leave it out";
        return Err(Error::option(of.name(), &model.name, allowed));
    }
    // Only OpenAI's own server is known to answer nobody without a key.
    if server.key().is_none() && !frozen && server.host() == "api.openai.com" {
        let why = "there is none: set OPENAI_API_KEY, or OPENAI_BASE_URL for a server of your own";
        return Err(Llm::Key { server: server.host(), why: why.into() }.into());
    }
    Ok(())
}

fn approval(teller: &Teller) -> Approve {
    let questions = teller.questions();
    Box::new(move |estimate| {
        if questions.approve(json!(estimate).to_string()) { Ok(()) } else { Err(Error::Declined) }
    })
}

fn answers() -> Result<PathBuf> {
    ENVIRONMENT.answers(dirs::cache_dir()).ok_or_else(|| {
        let allowed = "this system names no cache folder: set it to one";
        Error::option("HYPOTHESAES_CACHE", "", allowed)
    })
}

/// A table as a list of objects.
fn rows(table: &Table) -> Vec<Value> {
    let row = |i: usize| -> Value {
        let cells = table.columns.iter().map(|column| {
            let value = match &column.values {
                Values::Text(v) => json!(v[i]),
                Values::Number(v) => json!(v[i]),
                Values::Integer(v) => json!(v[i]),
                Values::Flag(v) => json!(v[i]),
            };
            (column.name.to_owned(), value)
        });
        Value::Object(cells.collect::<Map<_, _>>())
    };
    (0..table.rows()).map(row).collect()
}
