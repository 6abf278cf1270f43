//! Which files of a model are needed to run it here.

use crate::listing::RemoteFile;
use crate::{Error, Result};

const NAMES: [&str; 8] = [
    "config.json",
    "modules.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "config_sentence_transformers.json",
    WEIGHTS,
    INDEX,
];
pub(crate) const WEIGHTS: &str = "model.safetensors";
/// Of weights in several files.
pub(crate) const INDEX: &str = "model.safetensors.index.json";
const TOKENIZER: &str = "tokenizer.json";

/// Whether a file is of the model itself or of one of its modules, and in a form that is read.
fn is_wanted(path: &str) -> bool {
    match path.split_once('/') {
        None => is_known(path),
        Some((folder, name)) => is_module(folder) && is_known(name),
    }
}

fn is_known(name: &str) -> bool {
    let between = |a, b| name.starts_with(a) && name.ends_with(b) && !name.contains('/');
    NAMES.contains(&name)
        || between("sentence_", "_config.json")
        || between("model-", ".safetensors")
}

/// `1_Pooling` and its like; other folders are the model in other forms.
fn is_module(folder: &str) -> bool {
    folder.split_once('_').is_some_and(|(number, name)| {
        !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()) && !name.is_empty()
    })
}

fn folder(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

fn at(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
}

/// The wanted among all, small ones first, so that a refusal comes early.
pub(crate) fn wanted(files: &[RemoteFile]) -> Vec<RemoteFile> {
    let has = |folder: &str, name: &str| files.iter().any(|file| file.path == at(folder, name));
    // Parts beside the whole are the same once more, and without an index they are something else.
    let is_needed = |path: &str| {
        let folder = folder(path);
        let is_part = path != at(folder, WEIGHTS) && path.ends_with(".safetensors");
        let is_index = path.ends_with(INDEX);
        !(is_part || is_index) || has(folder, INDEX) && !has(folder, WEIGHTS)
    };
    let of_use = |file: &&RemoteFile| is_wanted(&file.path) && is_needed(&file.path);
    let mut wanted: Vec<RemoteFile> = files.iter().filter(of_use).cloned().collect();
    wanted.sort_by(|a, b| (a.size, &a.path).cmp(&(b.size, &b.path)));
    wanted
}

/// That a model can be run, before its hundreds of megabytes come; `all` are its files, `wanted` those
/// of use.
pub(crate) fn check(model: &str, all: &[RemoteFile], wanted: &[RemoteFile]) -> Result<()> {
    let has = |folder: &str, name: &str| wanted.iter().any(|file| file.path == at(folder, name));
    // Those of later modules are not the model's own.
    let is_first = |folder: &&str| folder.is_empty() || folder.starts_with("0_");
    let weights: Vec<&str> = wanted
        .iter()
        .map(|file| folder(&file.path))
        .filter(is_first)
        .filter(|folder| has(folder, WEIGHTS) || has(folder, INDEX))
        .collect();
    let refuse = |lacks, hint| Err(Error::Unsuitable { model: model.to_owned(), lacks, hint });
    if weights.is_empty() {
        let pickled = all.iter().any(|file| file.path == "pytorch_model.bin");
        let hint = if pickled {
            ", only `pytorch_model.bin`, which runs code when it is read; saving the model with \
             `safe_serialization=True` converts it"
        } else {
            ""
        };
        return refuse(WEIGHTS, hint);
    }
    if !weights.iter().any(|folder| has(folder, TOKENIZER)) {
        let hint = "; saving its tokenizer with a recent version of `transformers` makes one";
        return refuse(TOKENIZER, hint);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Digest;

    fn files(paths: &[&str]) -> Vec<RemoteFile> {
        let digest = Digest::git(&"0".repeat(40)).unwrap();
        let file =
            |path: &&str| RemoteFile { path: (*path).to_owned(), size: 1, digest: digest.clone() };
        paths.iter().map(file).collect()
    }

    fn chosen(paths: &[&str]) -> Vec<String> {
        wanted(&files(paths)).into_iter().map(|file| file.path).collect()
    }

    #[test]
    fn other_forms_of_the_model_stay_there() {
        let paths = [
            ".gitattributes",
            "1_Pooling/config.json",
            "2_Dense/config.json",
            "2_Dense/model.safetensors",
            "2_Dense/pytorch_model.bin",
            "README.md",
            "config.json",
            "model.fp16.safetensors",
            "model.safetensors",
            "modules.json",
            "onnx/config.json",
            "onnx/model.onnx",
            "openvino/openvino_model.xml",
            "pytorch_model.bin",
            "sentence_bert_config.json",
            "tf_model.h5",
            "tokenizer.json",
            "train_script.py",
            "1_Pooling/deep/config.json",
        ];
        let kept = [
            "1_Pooling/config.json",
            "2_Dense/config.json",
            "2_Dense/model.safetensors",
            "config.json",
            "model.safetensors",
            "modules.json",
            "sentence_bert_config.json",
            "tokenizer.json",
        ];
        assert_eq!(chosen(&paths), kept);
    }

    #[test]
    fn parts_come_only_where_the_whole_is_not() {
        let parts = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors", INDEX];
        assert_eq!(chosen(&parts), parts);
        assert_eq!(chosen(&[parts[0], parts[1], WEIGHTS, INDEX]), [WEIGHTS]);
        assert!(chosen(&parts[..2]).is_empty());
    }

    #[test]
    fn what_cannot_be_run_is_refused_before() {
        let refusal = |paths: &[&str]| {
            let all = files(paths);
            check("a/b", &all, &wanted(&all)).map_err(|e| e.to_string())
        };
        assert_eq!(refusal(&["config.json", "tokenizer.json", WEIGHTS]), Ok(()));
        let nested = [
            "modules.json",
            "0_StaticEmbedding/tokenizer.json",
            "0_StaticEmbedding/model.safetensors",
        ];
        assert_eq!(refusal(&nested), Ok(()));
        let pickled = refusal(&["config.json", "tokenizer.json", "pytorch_model.bin"]);
        assert!(pickled.unwrap_err().contains("safe_serialization"));
        assert!(refusal(&["vocab.txt", WEIGHTS]).unwrap_err().contains("no tokenizer.json"));
        let of_a_module = refusal(&["tokenizer.json", "2_Dense/model.safetensors"]);
        assert!(of_a_module.unwrap_err().contains("no model.safetensors"));
    }
}
