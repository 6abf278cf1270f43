//! A server and its language models, as the package's own functions ask them.

use std::path::PathBuf;

use hypothesaes::annotate::{AnnotateOptions, Annotations, ModelAnnotator};
use hypothesaes::data::Texts;
use hypothesaes::embed::{self, Embed, EmbedOptions};
use hypothesaes::models::{Completion, LlmOptions, Manner, complete, completed};
use hypothesaes::watch::Watch;
use hypothesaes::{Error, Result, annotate};
use hypothesaes_llm::ask::{AnswerKey, Ask, Task};
use hypothesaes_llm::client::{Client as Asking, ClientOptions};
use hypothesaes_llm::price::Prices;
use hypothesaes_llm::question::Prompt;
use hypothesaes_llm::reply;
use hypothesaes_llm::server::{Effort, Key, Model, Server};
use hypothesaes_llm::store::Store;
use numpy::{IntoPyArray, PyArray2, PyArrayMethods, PyReadonlyArray2};
use pyo3::prelude::*;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::fault;
use crate::pool::{Keeper, Own};
use crate::work::work;

/// Room for an answer whose length the caller does not limit.
const ROOM: u32 = 1024;

/// Asks one server.
#[pyclass(frozen, module = "hypothesaes._native")]
pub struct Client {
    server: Server,
    answers: Option<PathBuf>,
    options: ClientOptions,
    /// Connections are this process's own: after a fork they are made anew.
    asking: Keeper<Asking>,
}

/// What a question is asked with, beside its words.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct CompleteOptions {
    temperature: Option<f64>,
    effort: Effort,
    max_output: Option<u32>,
    extra: Map<String, Value>,
}

#[pymethods]
impl Client {
    #[new]
    fn new(
        py: Python<'_>,
        base_url: &str,
        key: Option<&str>,
        answers: Option<PathBuf>,
        options: String,
    ) -> PyResult<Self> {
        let made = || -> Result<Self> {
            let secret = key.and_then(Key::new);
            if key.is_some() && secret.is_none() {
                return Err(Error::option("key", "***", "a key is one word"));
            }
            let options = client_options(&options)?;
            Ok(Self {
                server: Server::new(base_url, secret)?,
                answers,
                options,
                asking: Keeper::new(),
            })
        };
        made().map_err(|e| fault::library(py, e))
    }

    #[getter]
    fn base_url(&self) -> &str {
        self.server.base()
    }

    #[getter]
    fn host(&self) -> String {
        self.server.host()
    }

    #[getter]
    fn is_here(&self) -> bool {
        self.server.is_here()
    }

    #[getter]
    fn spent(&self, py: Python<'_>) -> PyResult<Option<f64>> {
        work(py, None, move |teller| Ok(self.asking(teller)?.spent()))
    }

    fn __repr__(&self) -> String {
        format!("Client('{}')", self.server.base())
    }

    #[pyo3(signature = (prompts, keys, model, options, stage, watch=None))]
    fn complete(
        &self,
        py: Python<'_>,
        prompts: Vec<(String, String)>,
        keys: Vec<Vec<String>>,
        model: String,
        options: String,
        stage: String,
        watch: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Vec<(Option<String>, Option<String>)>> {
        work(py, watch, move |teller| {
            let (model, asked) = self.completions(prompts, keys, model, &options)?;
            let client = self.asking(teller)?;
            let answers = complete(&**client, &model, stage_of(&stage), &asked, teller)?;
            Ok(answers.into_iter().map(|a| (a.as_ref().ok().cloned(), a.err())).collect())
        })
    }

    fn completed(
        &self,
        py: Python<'_>,
        prompts: Vec<(String, String)>,
        keys: Vec<Vec<String>>,
        model: String,
        options: String,
    ) -> PyResult<Vec<Option<String>>> {
        work(py, None, move |teller| {
            let (model, asked) = self.completions(prompts, keys, model, &options)?;
            completed(&**self.asking(teller)?, &model, &asked)
        })
    }

    #[pyo3(signature = (texts, concepts, wanted, model, options, stage, watch=None))]
    #[expect(clippy::type_complexity, reason = "a matrix and what is missing in it")]
    fn annotate<'py>(
        &self,
        py: Python<'py>,
        texts: Vec<String>,
        concepts: Vec<String>,
        wanted: Option<Vec<Vec<usize>>>,
        model: String,
        options: String,
        stage: String,
        watch: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<(Bound<'py, PyArray2<i8>>, Vec<(usize, usize, String)>)> {
        let wanted = Wanted::new(py, concepts.len(), texts.len(), wanted)?;
        let (values, missing) = work(py, watch, |teller| {
            let (options, seed, extra) = annotate_options(&options)?;
            let model = self.annotator(model, &options, extra);
            let client = self.asking(teller)?;
            let client: &dyn Ask = &**client;
            let by = ModelAnnotator::over(client, &model, stage_of(&stage), &options, seed)?;
            let texts: Texts = texts.iter().map(String::as_str).collect();
            Watch::begin(teller, stage_of(&stage), wanted.n() as u64, "answers");
            let found =
                annotate::Annotate::annotate_where(&by, &concepts, &texts, &wanted.test(), teller)?;
            let lacking = found.missing.len();
            Watch::end(teller, &format!("{} answers, {lacking} missing", wanted.n() - lacking));
            let missing = found.missing.iter().map(|m| (m.concept, m.text, m.reason.clone()));
            Ok((wanted.values(&found), missing.collect::<Vec<_>>()))
        })?;
        Ok((values.into_pyarray(py).reshape([wanted.n_concepts, wanted.n_texts])?, missing))
    }

    fn annotated<'py>(
        &self,
        py: Python<'py>,
        texts: Vec<String>,
        concepts: Vec<String>,
        wanted: Option<Vec<Vec<usize>>>,
        model: String,
        options: String,
    ) -> PyResult<Bound<'py, PyArray2<i8>>> {
        let wanted = Wanted::new(py, concepts.len(), texts.len(), wanted)?;
        let values = work(py, None, |teller| {
            let (options, seed, extra) = annotate_options(&options)?;
            let model = self.annotator(model, &options, extra);
            let client = self.asking(teller)?;
            let by = ModelAnnotator::over(&**client, &model, "annotate", &options, seed)?;
            let texts: Texts = texts.iter().map(String::as_str).collect();
            Ok(wanted.values(&by.known(&concepts, &texts, &wanted.test())?))
        })?;
        values.into_pyarray(py).reshape([wanted.n_concepts, wanted.n_texts])
    }

    #[pyo3(signature = (texts, model, dimensions, watch=None))]
    fn embed<'py>(
        &self,
        py: Python<'py>,
        texts: Vec<String>,
        model: String,
        dimensions: Option<u32>,
        watch: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<(Bound<'py, PyArray2<f32>>, Vec<usize>)> {
        let n = texts.len();
        let (vectors, missing, d) = work(py, watch, move |teller| {
            let model = Model { dimensions, ..self.model(model) };
            let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
            Watch::begin(teller, "embed", texts.len() as u64, "texts");
            let task = Task { stage: "embed", model: &model };
            let vectors = self.asking(teller)?.embed(task, &texts, teller)?;
            let missing: Vec<usize> =
                vectors.iter().enumerate().filter(|(_, v)| v.is_none()).map(|(i, _)| i).collect();
            let d = vectors.iter().flatten().map(Vec::len).next().unwrap_or(0);
            if vectors.iter().flatten().any(|vector| vector.len() != d) {
                let name = &model.name;
                return Err(Error::Data(format!("the vectors of `{name}` differ in length")));
            }
            Watch::end(teller, &format!("{} texts, {d} dimensions", texts.len()));
            let row = |vector: Option<Vec<f32>>| vector.unwrap_or_else(|| vec![0.0; d]);
            Ok((vectors.into_iter().flat_map(row).collect::<Vec<f32>>(), missing, d))
        })?;
        Ok((vectors.into_pyarray(py).reshape([n, d])?, missing))
    }

    fn put_vectors(
        &self,
        py: Python<'_>,
        texts: Vec<String>,
        vectors: PyReadonlyArray2<'_, f32>,
        model: String,
    ) -> PyResult<()> {
        let rows: Vec<Vec<f32>> =
            vectors.as_array().rows().into_iter().map(|row| row.to_vec()).collect();
        if rows.len() != texts.len() {
            let allowed = format!("one row per text is needed, {}", texts.len());
            return Err(fault::argument(py, "vectors", rows.len(), allowed));
        }
        work(py, None, move |teller| {
            let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
            let rows: Vec<&[f32]> = rows.iter().map(Vec::as_slice).collect();
            Ok(self.asking(teller)?.keep_vectors(&self.model(model), &texts, &rows)?)
        })
    }

    fn get(&self, py: Python<'_>, keys: Vec<Vec<String>>) -> PyResult<Vec<Option<String>>> {
        let keys: Vec<AnswerKey> = keys.iter().map(|parts| own_key(parts)).collect();
        work(py, None, move |teller| Ok(self.asking(teller)?.kept(&keys)?))
    }

    fn put(&self, py: Python<'_>, items: Vec<(Vec<String>, String)>) -> PyResult<()> {
        let items = items.into_iter().map(|(parts, text)| (own_key(&parts), text)).collect();
        work(py, None, move |teller| Ok(self.asking(teller)?.keep_texts(items)?))
    }
}

impl Client {
    fn asking(&self, watch: &dyn Watch) -> Result<std::sync::Arc<Own<Asking>>> {
        self.asking.get(|| {
            let store = match &self.answers {
                Some(path) => {
                    let (store, note) = Store::open(path)?;
                    if let Some(note) = note {
                        watch.say(&note);
                    }
                    store
                }
                None => Store::in_memory()?,
            };
            Ok(Asking::new(self.options.clone(), store, Prices::built_in())?)
        })
    }

    fn model(&self, name: String) -> Model {
        let server = self.server.clone();
        let effort = Effort::Default;
        let extra = Map::new();
        Model { server, name, effort, temperature: None, dimensions: None, extra }
    }

    fn completions(
        &self,
        prompts: Vec<(String, String)>,
        keys: Vec<Vec<String>>,
        model: String,
        options: &str,
    ) -> Result<(Model, Vec<Completion>)> {
        let options: CompleteOptions = parsed(options)?;
        let max_output = options.max_output.unwrap_or(ROOM);
        let CompleteOptions { temperature, effort, extra, .. } = options;
        let model = Model { temperature, effort, extra, ..self.model(model) };
        if prompts.len() != keys.len() {
            let allowed = format!("one key per prompt is needed, {}", prompts.len());
            return Err(Error::option("keys", keys.len(), allowed));
        }
        let asked = prompts.into_iter().zip(keys).map(|((system, user), key)| Completion {
            prompt: Prompt { system, user, schema: None, max_output, logprobs: false },
            key,
        });
        Ok((model, asked.collect()))
    }

    fn annotator(
        &self,
        name: String,
        options: &AnnotateOptions,
        extra: Map<String, Value>,
    ) -> Model {
        let &AnnotateOptions { effort, temperature, .. } = options;
        Model { effort, temperature, extra, ..self.model(name) }
    }
}

/// The pairs that are asked for.
struct Wanted {
    n_concepts: usize,
    n_texts: usize,
    /// Concept by concept; `None`: all.
    pairs: Option<Vec<bool>>,
}

impl Wanted {
    fn new(
        py: Python<'_>,
        n_concepts: usize,
        n_texts: usize,
        wanted: Option<Vec<Vec<usize>>>,
    ) -> PyResult<Self> {
        let Some(wanted) = wanted else { return Ok(Self { n_concepts, n_texts, pairs: None }) };
        if wanted.len() != n_texts {
            let allowed = format!("one list of concepts per text is needed, {n_texts}");
            return Err(fault::argument(py, "wanted", wanted.len(), allowed));
        }
        let mut pairs = vec![false; n_concepts * n_texts];
        for (text, concepts) in wanted.into_iter().enumerate() {
            for concept in concepts {
                if concept >= n_concepts {
                    let allowed = format!("there are {n_concepts} concepts, counted from 0");
                    return Err(fault::argument(py, "wanted", concept, allowed));
                }
                pairs[concept * n_texts + text] = true;
            }
        }
        Ok(Self { n_concepts, n_texts, pairs: Some(pairs) })
    }

    fn test(&self) -> impl Fn(usize, usize) -> bool + Sync + '_ {
        |c, t| self.pairs.as_ref().is_none_or(|pairs| pairs[c * self.n_texts + t])
    }

    fn n(&self) -> usize {
        let all = self.n_concepts * self.n_texts;
        self.pairs.as_ref().map_or(all, |pairs| pairs.iter().filter(|pair| **pair).count())
    }

    /// Yes 1, no 0, missing -1, not wanted -2.
    fn values(&self, annotations: &Annotations) -> Vec<i8> {
        let wanted = self.test();
        let mut values = Vec::with_capacity(self.n_concepts * self.n_texts);
        for c in 0..self.n_concepts {
            let answers = annotations.concept(c).iter().enumerate();
            values.extend(answers.map(|(t, answer)| match answer {
                Some(yes) => i8::from(*yes),
                None if wanted(c, t) => -1,
                None => -2,
            }));
        }
        values
    }
}

/// Vectors of the embedded embedder, fitted on the texts themselves.
#[pyfunction]
#[pyo3(signature = (texts, dim=None, watch=None))]
pub fn tfidf_svd<'py>(
    py: Python<'py>,
    texts: Vec<String>,
    dim: Option<usize>,
    watch: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyArray2<f32>>> {
    let x = work(py, watch, move |teller| {
        let mut options = EmbedOptions { embedder: embed::TFIDF_SVD.into(), ..Default::default() };
        options.dim = dim.unwrap_or(options.dim);
        let texts: Texts = texts.iter().map(String::as_str).collect();
        let embedder = embed::fit(&texts, &options, None, 0, teller)?;
        Ok(embed::embed(&*embedder as &dyn Embed, &texts, options.chunk, teller)?.0)
    })?;
    let (n, d) = (x.rows(), x.cols());
    x.into_vec().into_pyarray(py).reshape([n, d])
}

/// Yes or no, as a model wrote it, thoughts left out.
#[pyfunction]
pub fn yes_no(answer: &str) -> Option<bool> {
    reply::yes_no(answer)
}

/// The first `n` wordings in what a model wrote, thoughts left out.
#[pyfunction]
pub fn wordings(answer: &str, n: usize) -> Vec<String> {
    reply::wordings(answer, n)
}

/// Keys of Python's own do not meet those of answers.
fn own_key(parts: &[String]) -> AnswerKey {
    AnswerKey::new(["python"].into_iter().chain(parts.iter().map(String::as_str)))
}

fn client_options(json: &str) -> Result<ClientOptions> {
    let mut value: Value = parsed(json)?;
    let frozen = value.as_object_mut().and_then(|options| options.remove("frozen"));
    let options: LlmOptions =
        serde_json::from_value(value).map_err(|e| Error::option("options", json, e.to_string()))?;
    options.check()?;
    let frozen = frozen == Some(Value::Bool(true));
    Ok(options.client(Manner { frozen, ..Manner::default() }))
}

/// Options of the stage, the seed of the calibration, what else the model is told.
fn annotate_options(json: &str) -> Result<(AnnotateOptions, Option<u64>, Map<String, Value>)> {
    let mut value: Value = parsed(json)?;
    let mut taken = |name: &str| value.as_object_mut().and_then(|options| options.remove(name));
    let seed = taken("seed").and_then(|seed| seed.as_u64());
    let extra = match taken("extra") {
        Some(Value::Object(extra)) => extra,
        _ => Map::new(),
    };
    let options: AnnotateOptions =
        serde_json::from_value(value).map_err(|e| Error::option("options", json, e.to_string()))?;
    options.check()?;
    Ok((options, seed, extra))
}

fn parsed<T: for<'de> Deserialize<'de>>(json: &str) -> Result<T> {
    serde_json::from_str(json).map_err(|e| Error::option("options", json, e.to_string()))
}

/// Stages have names that the ledger knows.
fn stage_of(name: &str) -> &'static str {
    ["embed", "interpret", "annotate", "score"]
        .into_iter()
        .find(|known| *known == name)
        .unwrap_or("complete")
}
