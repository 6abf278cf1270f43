//! A model's folder as sentence-transformers writes it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{Error, Result};

/// One of `modules.json`: what is done, one after the other, to a text.
#[derive(Debug, Deserialize)]
pub(crate) struct Module {
    /// Where its files are, below the folder.
    pub path: String,
    /// The name of a Python class.
    #[serde(rename = "type")]
    pub class: String,
}

impl Module {
    /// The class without the modules that hold it.
    pub fn name(&self) -> &str {
        self.class.rsplit('.').next().unwrap_or(&self.class)
    }
}

/// The modules, if `modules.json` is there.
pub(crate) fn modules(folder: &Path) -> Result<Option<Vec<Module>>> {
    optional(&folder.join("modules.json"))
}

/// `prompts` of `config_sentence_transformers.json`.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Prompts {
    #[serde(default)]
    pub prompts: BTreeMap<String, String>,
    pub default_prompt_name: Option<String>,
}

pub(crate) fn prompts(folder: &Path) -> Result<Prompts> {
    Ok(optional(&folder.join("config_sentence_transformers.json"))?.unwrap_or_default())
}

/// How texts are read, `sentence_bert_config.json` and older names.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Reading {
    pub max_seq_length: Option<usize>,
    #[serde(default)]
    pub do_lower_case: bool,
}

pub(crate) fn reading(folder: &Path) -> Result<Reading> {
    for kind in ["bert", "roberta", "distilbert", "camembert", "albert", "xlm-roberta", "xlnet"] {
        if let Some(found) = optional(&folder.join(format!("sentence_{kind}_config.json")))? {
            return Ok(found);
        }
    }
    Ok(Reading::default())
}

/// `model_max_length` of `tokenizer_config.json`, if it is a length at all.
pub(crate) fn tokenizer_length(folder: &Path) -> Result<Option<usize>> {
    let config: Option<Value> = optional(&folder.join("tokenizer_config.json"))?;
    let length = config.as_ref().and_then(|config| config.get("model_max_length"));
    Ok(length.and_then(Value::as_u64).and_then(|n| usize::try_from(n).ok()))
}

/// The files of the weights in a folder.
pub(crate) fn weights(folder: &Path) -> Result<Vec<PathBuf>> {
    let path = folder.join("model.safetensors");
    if path.is_file() {
        return Ok(vec![path]);
    }
    let index = folder.join("model.safetensors.index.json");
    if let Some(Index { weight_map }) = optional(&index)? {
        let names: BTreeSet<String> = weight_map.into_values().collect();
        if let Some(name) = names.iter().find(|name| !is_plain(name)) {
            return Err(Error::model(index, format!("`{name}` is no file's name")));
        }
        return Ok(names.iter().map(|name| folder.join(name)).collect());
    }
    let message = if folder.join("pytorch_model.bin").is_file() {
        "there is no such file: the weights are there as a pickle, `pytorch_model.bin`, alone; saving the \
         model with `safe_serialization=True` converts them"
    } else {
        "there is no such file: is this the folder of a model?"
    };
    Err(Error::model(path, message))
}

/// `model.safetensors.index.json`: in which file a tensor is.
#[derive(Deserialize)]
struct Index {
    weight_map: BTreeMap<String, String>,
}

/// Whether this names a file of the folder itself.
fn is_plain(name: &str) -> bool {
    Path::new(name).file_name().is_some_and(|own| own == name)
}

pub(crate) fn required<T: DeserializeOwned>(path: &Path) -> Result<T> {
    let missing = || Error::model(path, "there is no such file: is this the folder of a model?");
    optional(path)?.ok_or_else(missing)
}

fn optional<T: DeserializeOwned>(path: &Path) -> Result<Option<T>> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(Error::file(path)(e)),
    };
    let parsed = serde_json::from_str(&text);
    parsed.map(Some).map_err(|e| Error::model(path, e.to_string()))
}
