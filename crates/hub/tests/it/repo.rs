//! A model as the hub has it.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::Duration;

use hypothesaes_hub::{Fetched, Hub, HubOptions, Progress, Result, Token};
use ring::digest;

use crate::server::{Reply, Request};

pub const NAME: &str = "some/model";
pub const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";
pub const SECRET: &str = "hf_verysecret";

#[derive(Clone)]
pub struct Repo {
    pub files: BTreeMap<String, Vec<u8>>,
    /// Names beside those of files.
    pub more: Vec<String>,
}

impl Repo {
    /// A tiny model that runs, with things beside it that are not needed.
    pub fn tiny() -> Self {
        let folder =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../encoder/tests/models/bert-dense");
        let mut files = BTreeMap::new();
        gather(&folder, "", &mut files);
        for name in ["README.md", "onnx/model.onnx", "pytorch_model.bin", "tf_model.h5"] {
            files.insert(name.to_owned(), b"not needed".to_vec());
        }
        Self { files, more: Vec::new() }
    }

    /// Those of `tiny` that are needed.
    pub fn needed(&self) -> Vec<String> {
        let form = |path: &str| is_json(path) || path.ends_with(".safetensors");
        self.files.keys().filter(|path| form(path)).cloned().collect()
    }

    pub fn weights(&self) -> &[u8] {
        &self.files["model.safetensors"]
    }

    /// What the hub answers.
    pub fn answer(&self, request: &Request) -> Reply {
        let path = request.path.split('?').next().unwrap_or_default();
        let revisions = ["main", COMMIT];
        let lists = |revision| path == format!("/api/models/{NAME}/revision/{revision}");
        if revisions.into_iter().any(lists) {
            assert!(request.path.ends_with("?blobs=true"));
            return json(&self.list());
        }
        let file = path.strip_prefix(&format!("/{NAME}/resolve/{COMMIT}/"));
        match file.and_then(|file| self.files.get(file)) {
            Some(bytes) => part(request, bytes),
            None => Reply::status(404).with("x-error-code", "EntryNotFound"),
        }
    }

    fn list(&self) -> String {
        let sibling = |(path, bytes): (&String, &Vec<u8>)| {
            let large = if is_json(path) {
                String::new()
            } else {
                let (sha256, size) = (sha256(bytes), bytes.len());
                format!(r#", "lfs": {{"sha256": "{sha256}", "size": {size}, "pointerSize": 134}}"#)
            };
            let (blob, size) = (blob(bytes), bytes.len());
            format!(r#"{{"rfilename": "{path}", "size": {size}, "blobId": "{blob}"{large}}}"#)
        };
        let all: Vec<String> =
            self.files.iter().map(sibling).chain(self.more.iter().cloned()).collect();
        format!(r#"{{"id": "{NAME}", "sha": "{COMMIT}", "siblings": [{}]}}"#, all.join(", "))
    }
}

fn gather(folder: &Path, below: &str, files: &mut BTreeMap<String, Vec<u8>>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = format!("{below}{}", path.file_name().unwrap().to_str().unwrap());
        if path.is_dir() {
            gather(&path, &format!("{name}/"), files);
        } else {
            files.insert(name, std::fs::read(&path).unwrap());
        }
    }
}

pub fn is_json(path: &str) -> bool {
    path.rsplit('.').next() == Some("json")
}

/// A file, or what is asked for of it.
pub fn part(request: &Request, bytes: &[u8]) -> Reply {
    let length = bytes.len();
    match request.from() {
        None => Reply { status: 200, body: bytes.to_vec(), ..Reply::default() },
        Some(from) if from >= length => Reply::status(416),
        Some(from) => Reply { status: 206, body: bytes[from..].to_vec(), ..Reply::default() }
            .with("content-range", format!("bytes {from}-{}/{length}", length - 1)),
    }
}

pub fn json(text: &str) -> Reply {
    Reply { status: 200, body: text.as_bytes().to_vec(), ..Reply::default() }
}

fn hex(algorithm: &'static digest::Algorithm, bytes: &[u8]) -> String {
    let hash = digest::digest(algorithm, bytes);
    hash.as_ref().iter().flat_map(|b| [b >> 4, b & 15]).map(digit).collect()
}

fn digit(value: u8) -> char {
    char::from_digit(value.into(), 16).unwrap()
}

pub fn sha256(bytes: &[u8]) -> String {
    hex(&digest::SHA256, bytes)
}

/// The name that git gives to a content.
pub fn blob(bytes: &[u8]) -> String {
    let whole = [format!("blob {}\0", bytes.len()).as_bytes(), bytes].concat();
    hex(&digest::SHA1_FOR_LEGACY_USE_ONLY, &whole)
}

/// A computer with an empty cache.
pub struct Computer {
    folder: tempfile::TempDir,
    pub options: HubOptions,
}

impl Computer {
    pub fn new(endpoint: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut options = HubOptions::new(folder.path().join("hub"));
        endpoint.clone_into(&mut options.endpoint);
        options.pause = Duration::from_millis(10);
        options.stall = Duration::from_secs(5);
        Self { folder, options }
    }

    pub fn with_token(mut self) -> Self {
        self.options.token = Token::new(SECRET);
        self
    }

    pub fn hub(&self) -> Hub {
        Hub::new(self.options.clone()).unwrap()
    }

    pub fn fetch(&self, revision: &str) -> Result<Fetched> {
        self.hub().fetch(NAME, revision, &mut go_on)
    }

    pub fn repository(&self) -> PathBuf {
        self.options.cache.join("models--some--model")
    }

    pub fn incomplete(&self, bytes: &[u8]) -> PathBuf {
        self.repository().join("blobs").join(format!("{}.incomplete", sha256(bytes)))
    }

    /// Every file, with what it holds; links as where they lead to.
    pub fn everything(&self) -> BTreeMap<String, String> {
        let mut found = BTreeMap::new();
        list(self.folder.path(), self.folder.path(), &mut found);
        found
    }
}

fn list(root: &Path, folder: &Path, found: &mut BTreeMap<String, String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
        if let Ok(target) = std::fs::read_link(&path) {
            found.insert(name, format!("-> {}", target.display()));
        } else if path.is_dir() {
            list(root, &path, found);
        } else {
            let text = std::fs::read(&path).unwrap();
            found.insert(name, String::from_utf8_lossy(&text).into_owned());
        }
    }
}

pub fn go_on(_: Progress<'_>) -> ControlFlow<()> {
    ControlFlow::Continue(())
}
