//! Sentence models on this computer: where they lie, and what they make of texts.

use std::fs;
use std::path::{Path, PathBuf};

use hypothesaes_encoder::{Encoder, EncoderOptions};
use hypothesaes_hub::HubOptions;
use hypothesaes_math::Matrix;

use super::hub::{fetch, in_cache};
use super::keep::{Keep, Rows};
use super::{Embed, EmbedOptions, TFIDF_SVD};
use crate::data::Texts;
use crate::options::AUTO;
use crate::text::about_tokens;
use crate::watch::Watch;
use crate::{Error, Result};

/// Models that are taken if one is at hand and none is named, the first that is.
const PREFERRED: [&str; 9] = [
    "nomic-ai/modernbert-embed-base",
    "sentence-transformers/all-mpnet-base-v2",
    "BAAI/bge-base-en-v1.5",
    "thenlper/gte-base",
    "intfloat/e5-base-v2",
    "nomic-ai/nomic-embed-text-v1.5",
    "BAAI/bge-small-en-v1.5",
    "sentence-transformers/all-MiniLM-L6-v2",
    "minishlab/potion-base-8M",
];

/// Prefixes of models that were trained with one, by a part of their name.
const PREFIXES: [(&str, &str); 3] = [
    ("modernbert-embed", "classification: "),
    ("nomic-embed-text", "classification: "),
    ("e5-", "query: "),
];

/// Folders of the hub's files that are the same model in another form.
const OTHER_FORMS: [&str; 4] = ["onnx", "openvino", "coreml", ".git"];

impl EmbedOptions {
    /// Finds the sentence model that the options name, in a folder, in the cache of `hub`, or on the hub
    /// itself; or, if they leave the choice and `or_any`, one that is in the cache. A line for the user
    /// tells which. What is named without an owner, or where `is_served` by a server of the user's own, may
    /// be a server's model: the hub is then not asked.
    ///
    /// # Errors
    /// [`Error::Option`] for a model that does not come, [`Error::Interrupted`].
    pub fn find(
        &mut self,
        hub: Option<&HubOptions>,
        or_any: bool,
        is_served: bool,
        watch: &dyn Watch,
    ) -> Result<Option<String>> {
        if self.folder.is_some() || self.base_url.is_some() || self.embedder == TFIDF_SVD {
            return Ok(None);
        }
        if self.embedder == AUTO {
            let at_hand = |name: &&str| Some(((*name).to_owned(), in_cache(name, hub?)?));
            let Some((name, folder)) = PREFERRED.iter().find_map(at_hand).filter(|_| or_any) else {
                return Ok(None);
            };
            let line = format!(
                "embedding with `{name}`, which is on this computer; `--embedder {TFIDF_SVD}` does \
                 without a neural model"
            );
            (self.embedder, self.folder) = (name, Some(folder));
            return Ok(Some(line));
        }
        let folder = Path::new(&self.embedder);
        if folder.is_dir() {
            self.folder = Some(folder.canonicalize().map_err(Error::file("read", folder))?);
            return Ok(None);
        }
        let Some(hub) = hub else { return Ok(None) };
        self.folder = in_cache(&self.embedder, hub);
        if self.folder.is_some() || is_served || !self.embedder.contains('/') {
            return Ok(None);
        }
        self.folder = Some(fetch(&self.embedder, hub, watch)?);
        Ok(None)
    }

    /// What is put before every text: what the user says, else what the model is known to want.
    fn prefix(&self) -> Option<String> {
        let name = self.embedder.to_lowercase();
        let known =
            PREFIXES.iter().find(|(part, _)| name.contains(part) && !name.contains("instruct"));
        self.prefix.clone().or_else(|| known.map(|(_, prefix)| (*prefix).to_owned()))
    }
}

/// A hash of the model's files.
pub(crate) fn content(folder: &Path) -> Result<String> {
    let mut files = Vec::new();
    list(folder, 2, &mut files)?;
    files.sort();
    let mut hash = blake3::Hasher::new();
    for file in files {
        hash.update(file.strip_prefix(folder).unwrap_or(&file).as_os_str().as_encoded_bytes());
        let opened = fs::File::open(&file).map_err(Error::file("read", &file))?;
        hash.update_reader(opened).map_err(Error::file("read", &file))?;
    }
    Ok(hash.finalize().to_hex().to_string())
}

fn list(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder).map_err(Error::file("read", folder))? {
        let path = entry.map_err(Error::file("read", folder))?.path();
        let is = |name: &str| path.file_name().is_some_and(|own| own == name);
        if path.is_dir() {
            if depth > 1 && !OTHER_FORMS.iter().any(|name| is(name)) {
                list(&path, depth - 1, files)?;
            }
        } else if path.extension().is_some_and(|e| e == "json" || e == "safetensors") {
            files.push(path);
        }
    }
    Ok(())
}

/// A sentence model, run here.
pub struct LocalEmbedder {
    encoder: Encoder,
    id: String,
    /// Tokens of a text without words: the prefix and those that the model puts around it.
    around: usize,
    keep: Option<Keep>,
}

impl LocalEmbedder {
    /// The model in `folder`, used as the options say.
    ///
    /// # Errors
    /// [`Error::File`] and [`Error::Input`] for files that are missing, damaged, do not fit or are of a
    /// kind that is not known.
    pub fn open(folder: &Path, options: &EmbedOptions) -> Result<Self> {
        let used = EncoderOptions {
            prefix: options.prefix(),
            max_tokens: options.max_tokens,
            dimensions: options.dimensions.map(|dim| dim as usize),
            precision: options.precision,
        };
        let encoder = Encoder::open(folder, &used)?;
        let id = format!(
            "{} {} prefix {:?} tokens {:?} dimensions {} {:?}",
            options.embedder,
            content(folder)?,
            encoder.prefix(),
            encoder.max_tokens(),
            encoder.dim(),
            options.precision
        );
        let around = encoder.ids("")?.len();
        Ok(Self { encoder, id, around, keep: Keep::of(options) })
    }
}

impl Embed for LocalEmbedder {
    fn id(&self) -> String {
        self.id.clone()
    }

    fn tokens(&self, text: &str) -> usize {
        let own = self.encoder.ids(text).map(|ids| ids.len().saturating_sub(self.around));
        own.unwrap_or_else(|_| about_tokens(text))
    }

    fn max_tokens(&self) -> Option<usize> {
        // A sentence that was cut must be seen to be too long.
        self.encoder.max_tokens().map(|most| most.saturating_sub(self.around + 1).max(1))
    }

    fn embed(&self, texts: &Texts, watch: &dyn Watch) -> Result<Matrix> {
        let texts: Vec<&str> = texts.iter().collect();
        let (id, dim) = (self.id(), Some(self.encoder.dim()));
        let mut rows = Rows::of(&texts, id, dim, self.keep.as_ref(), watch)?;
        watch.advance(rows.known() as u64);
        let missing = rows.missing.clone();
        let asked: Vec<&str> = missing.iter().map(|&i| texts[i]).collect();
        let made = self.encoder.encode(&asked, |at, vector| {
            rows.put(missing[at], vector, watch)?;
            watch.advance(1);
            watch.check()
        });
        // What is there is kept before anything else is done, as when the user wants to stop.
        rows.flush()?;
        made?;
        rows.finish(watch)
    }
}

impl From<hypothesaes_encoder::Error> for Error {
    fn from(error: hypothesaes_encoder::Error) -> Self {
        use hypothesaes_encoder::Error as Own;
        match error {
            Own::File { path, source } => Self::File { doing: "read", path, source },
            Own::Model { path, message } => Self::input(path, message),
            Own::Dimensions { asked, most, .. } => Self::option(
                "embed.dimensions",
                asked,
                format!("the model's vectors have {most} numbers"),
            ),
            Own::Unknown { path, kind, known } => {
                let known = known.join(", ");
                let message =
                    format!("models of the kind `{kind}` are not known here; known are {known}");
                Self::input(path, message)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::embed::store::{Element, Space, VectorStore};
    use crate::watch::Unwatched;

    fn tiny() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../encoder/tests/models/bert-mean")
    }

    fn named(embedder: &str) -> EmbedOptions {
        EmbedOptions { embedder: embedder.into(), ..EmbedOptions::default() }
    }

    const CACHED: &str = "models--sentence-transformers--all-MiniLM-L6-v2";

    /// The hub's cache with one model, as its own programs lay it out.
    fn hub() -> (tempfile::TempDir, HubOptions) {
        let cache = tempfile::tempdir().unwrap();
        let repository = cache.path().join(CACHED);
        let files = repository.join("snapshots/abc123");
        fs::create_dir_all(files.join("1_Pooling")).unwrap();
        fs::create_dir_all(repository.join("refs")).unwrap();
        fs::write(repository.join("refs/main"), "abc123\n").unwrap();
        for file in ["config.json", "tokenizer.json", "modules.json", "model.safetensors"]
            .into_iter()
            .chain(["1_Pooling/config.json"])
        {
            fs::copy(tiny().join(file), files.join(file)).unwrap();
        }
        let options = HubOptions { offline: true, ..HubOptions::new(cache.path()) };
        (cache, options)
    }

    fn found(embedder: &str, hub: &HubOptions, or_any: bool) -> Option<PathBuf> {
        let mut options = named(embedder);
        options.find(Some(hub), or_any, true, &Unwatched).unwrap();
        options.folder
    }

    #[test]
    fn models_are_found_by_folder_and_by_name() {
        let (cache, hub) = hub();
        let files = cache.path().join(CACHED).join("snapshots/abc123");
        for name in ["all-MiniLM-L6-v2", "sentence-transformers/all-MiniLM-L6-v2@abc123", "auto"] {
            assert_eq!(found(name, &hub, true), Some(files.clone()), "{name}");
        }
        for name in
            ["tfidf-svd", "text-embedding-3-small", "all-MiniLM-L6-v2@other", "../x", "a/../b"]
        {
            assert_eq!(found(name, &hub, true), None, "{name}");
        }
        assert_eq!(found("auto", &hub, false), None);
        let folder = tiny();
        let by_path = found(folder.to_str().unwrap(), &hub, false);
        assert_eq!(by_path, Some(folder.canonicalize().unwrap()));
        // What was broken off is no model.
        fs::remove_file(files.join("model.safetensors")).unwrap();
        assert_eq!(found("auto", &hub, true), None);
    }

    #[test]
    fn a_model_that_does_not_come_has_three_ways_to_come() {
        let (_cache, hub) = hub();
        let refused = named("BAAI/bge-m3@main").find(Some(&hub), true, false, &Unwatched);
        let refused = refused.unwrap_err().to_string();
        for way in ["hf download BAAI/bge-m3`", "--embedder FOLDER", "embed.base_url", "offline"] {
            assert!(refused.contains(way), "{refused}");
        }
    }

    #[test]
    fn a_model_named_anew_is_looked_for_anew() {
        let mut options = crate::options::Options::default();
        options.embed.folder = Some(tiny());
        options.set("embed.dim=64").unwrap();
        assert!(options.embed.folder.is_some());
        options.set("embed.embedder=tfidf-svd").unwrap();
        assert_eq!(options.embed.folder, None);
    }

    #[test]
    fn known_prefixes_give_way_to_the_users() {
        assert_eq!(named("intfloat/multilingual-e5-small").prefix().as_deref(), Some("query: "));
        assert_eq!(named("intfloat/e5-mistral-7b-instruct").prefix(), None);
        let own = EmbedOptions { prefix: Some(String::new()), ..named("intfloat/e5-small") };
        assert_eq!(own.prefix().as_deref(), Some(""));
    }

    /// Stops after so many texts.
    struct Impatient(std::sync::atomic::AtomicU64);

    impl Watch for Impatient {
        fn begin(&self, _: &'static str, _: u64, _: &'static str) {}
        fn advance(&self, done: u64) {
            self.0.fetch_sub(done, std::sync::atomic::Ordering::Relaxed);
        }
        fn say(&self, _: &str) {}
        fn end(&self, _: &str) {}
        fn interrupted(&self) -> bool {
            self.0.load(std::sync::atomic::Ordering::Relaxed) == 0
        }
    }

    #[test]
    fn what_was_embedded_before_an_interruption_is_kept() {
        let kept = tempfile::tempdir().unwrap();
        let options = EmbedOptions { kept_in: Some(kept.path().into()), ..named("tiny") };
        let embedder = LocalEmbedder::open(&tiny(), &options).unwrap();
        let texts: Vec<String> = (0..500).map(|i| format!("text number {i}")).collect();
        let texts: Texts = texts.iter().map(String::as_str).collect();
        let stopped = embedder.embed(&texts, &Impatient(200.into()));
        assert!(matches!(stopped, Err(Error::Interrupted)));
        let space =
            Space { embedder: embedder.id(), dim: embedder.encoder.dim(), element: Element::F32 };
        let rows = || VectorStore::open(kept.path(), &space).unwrap().0.rows();
        assert_eq!(rows(), 200);
        let x = embedder.embed(&texts, &Unwatched).unwrap();
        assert_eq!(rows(), 500);
        let anew = LocalEmbedder::open(&tiny(), &named("tiny")).unwrap();
        assert_eq!(x, anew.embed(&texts, &Unwatched).unwrap());
        assert_eq!(x, embedder.embed(&texts, &Unwatched).unwrap());
    }

    #[test]
    fn texts_become_rows_of_length_1() {
        let (folder, options) = (tiny(), named("tiny"));
        let embedder = LocalEmbedder::open(&folder, &options).unwrap();
        let texts: Texts = ["good soup", "", "slow staff"].into_iter().collect();
        let x = embedder.embed(&texts, &Unwatched).unwrap();
        for i in 0..3 {
            let length: f32 = x.row(i).iter().map(|v| v * v).sum();
            assert!((length - 1.0).abs() < 1e-5);
        }
        let prefixed = EmbedOptions { prefix: Some("query: ".into()), ..options };
        let other = LocalEmbedder::open(&folder, &prefixed).unwrap();
        assert_ne!(embedder.id(), other.id());
        assert_ne!(other.embed(&texts, &Unwatched).unwrap(), x);
    }
}
