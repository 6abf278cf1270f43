//! `hypothesaes.lock`: what the results follow from, and a hash of each of them.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::options::Options;
use crate::run::Outcome;
use crate::store::RunDir;

#[derive(Serialize)]
struct Lock<'a> {
    version: &'a str,
    target: String,
    seed: u64,
    input: BTreeMap<&'a str, String>,
    files: BTreeMap<&'a str, &'a str>,
}

/// TOML text: the program's version and platform, the seed, hashes of input and files (BLAKE3).
pub(in crate::run) fn lock(options: &Options, run: &RunDir, outcome: &Outcome) -> String {
    let mut input = BTreeMap::from([("path", options.data.path.display().to_string())]);
    if let Some(data) = &outcome.data {
        input.insert("blake3", data.content_hash.clone());
        input.insert("rows", data.counts.rows.to_string());
    }
    let lock = Lock {
        version: env!("CARGO_PKG_VERSION"),
        target: format!("{}-{}", std::env::consts::ARCH, std::env::consts::OS),
        seed: options.seed,
        input,
        files: run.files().map(|(name, d)| (name.as_str(), d.blake3.as_str())).collect(),
    };
    let head = "# Written by hypothesaes: what the results of this run follow from.\n";
    format!("{head}{}", toml::to_string(&lock).expect("a lock is plain data"))
}
