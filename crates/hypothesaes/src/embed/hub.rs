//! Sentence models by their names on the hub: found in its cache, or brought there.

use std::ops::ControlFlow;
use std::path::PathBuf;

use hypothesaes_hub::{Error as HubError, Found, Hub, HubOptions, Progress, find};

use crate::watch::Watch;
use crate::{Error, Result};

/// The owner of models whose name stands alone.
const OWNER: &str = "sentence-transformers";

/// `NAME` or `OWNER/NAME`, and the revision that may follow it.
struct Named<'a> {
    model: String,
    revision: &'a str,
}

impl<'a> Named<'a> {
    fn of(name: &'a str) -> Self {
        let (model, revision) = name.split_once('@').unwrap_or((name, "main"));
        let model = if model.contains('/') { model.into() } else { format!("{OWNER}/{model}") };
        Self { model, revision }
    }
}

/// The model's folder in the cache, if it is there whole.
pub(super) fn in_cache(name: &str, hub: &HubOptions) -> Option<PathBuf> {
    let Named { model, revision } = Named::of(name);
    match find(&hub.cache, &model, revision) {
        Ok(Some(Found { folder, is_whole: true, .. })) => Some(folder),
        _ => None,
    }
}

/// Brings the model into the cache, and gives its folder.
///
/// # Errors
/// [`Error::Interrupted`]; [`Error::Option`] with the reason why it does not come and what to do.
pub(super) fn fetch(name: &str, hub: &HubOptions, watch: &dyn Watch) -> Result<PathBuf> {
    let Named { model, revision } = Named::of(name);
    let refused = |error: HubError| match error {
        HubError::Interrupted => Error::Interrupted,
        error if error.is_of_network() => {
            Error::option("embed.embedder", name, format!("{error}. {}", ways(&model, hub)))
        }
        error => Error::option("embed.embedder", name, error.to_string()),
    };
    let (mut done, mut begun) = (0, false);
    let mut each = |progress: Progress| {
        if progress.total > 0 && !begun {
            begun = true;
            watch.begin("download", progress.total, "bytes");
        }
        // A file that came damaged comes once more.
        if begun && progress.done > done {
            watch.advance(progress.done - done);
            done = progress.done;
        }
        if watch.interrupted() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let place = hub.cache.display();
    watch
        .say(&format!("`{model}` is not on this computer: the hub is asked for it, for `{place}`"));
    let fetched = Hub::new(hub.clone()).and_then(|hub| hub.fetch(&model, revision, &mut each));
    let fetched = fetched.map_err(refused)?;
    match &fetched.stale {
        Some(error) => watch.say(&format!("{error}; what is in the cache is taken")),
        None => watch.end(&format!("`{model}` at {}", fetched.commit)),
    }
    Ok(fetched.folder)
}

fn ways(model: &str, hub: &HubOptions) -> String {
    let cached = format!("models--{}", model.replace('/', "--"));
    format!(
        "Three ways to get it: on a computer with a network `hf download {model}`, and copy `{cached}` from \
         the cache there to `{}`; `--embedder FOLDER` with its files (config.json, tokenizer.json, \
         model.safetensors, modules.json, 1_Pooling); a server that has it, by `-o \
         embed.base_url=http://localhost:8080/v1`",
        hub.cache.display()
    )
}
