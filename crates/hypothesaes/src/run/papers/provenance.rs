//! What the page says of where the results come from.

use std::fs;
use std::path::Path;

use crate::report::Provenance;
use crate::run::{Outcome, cost};
use crate::store::RunDir;
use crate::{Error, Result};

/// Read from the finished stages' files.
pub(in crate::run) fn provenance(
    run: &RunDir,
    outcome: &Outcome,
    (options, seed): (String, u64),
) -> Result<Provenance> {
    let mut prompts = Vec::new();
    for (name, _) in run.files() {
        let is_text = Path::new(name).extension().is_some_and(|ending| ending == "txt");
        if is_text && ["annotate/", "interpret/"].iter().any(|stage| name.starts_with(stage)) {
            let path = run.path().join(name);
            let text = fs::read_to_string(&path).map_err(Error::file("read", &path))?;
            prompts.push((name.clone(), text));
        }
    }
    let (cost_head, cost) = cost::shown(run)?;
    Ok(Provenance {
        input: outcome.data.as_ref().map(|d| d.content_hash.clone()).unwrap_or_default(),
        seed,
        platform: format!("{}-{}", std::env::consts::ARCH, std::env::consts::OS),
        cost_head,
        cost,
        prompts,
        files: run.files().map(|(name, d)| (name.clone(), d.blake3.clone())).collect(),
        options,
    })
}
