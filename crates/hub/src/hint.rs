//! What the user may have meant.

use serde::Deserialize;

use crate::Error;
use crate::name::Model;
use crate::transport::Transport;
use crate::watch::Watch;

const MOST: usize = 5;

#[derive(Deserialize)]
struct Refs {
    branches: Vec<Ref>,
    tags: Vec<Ref>,
}

#[derive(Deserialize)]
struct Ref {
    name: String,
}

#[derive(Deserialize)]
struct Known {
    id: String,
}

/// Adds to an error what the hub has instead. If it cannot be asked, the error is good without.
pub(crate) async fn add(
    mut error: Error,
    transport: &Transport,
    model: &Model,
    watch: &mut Watch<'_>,
) -> Error {
    let (hint, known) = match &mut error {
        Error::NoRevision { hint, .. } => (hint, revisions(transport, model, watch).await),
        Error::NoModel { hint, .. } => (hint, models(transport, model, watch).await),
        _ => return error,
    };
    if let Some(known) = known.filter(|known| !known.is_empty()) {
        *hint = format!("it has {}", known.join(", "));
    }
    error
}

async fn revisions(
    transport: &Transport,
    model: &Model,
    watch: &mut Watch<'_>,
) -> Option<Vec<String>> {
    let parts = ["api", "models"].into_iter().chain(model.name.split('/')).chain(["refs"]);
    let body = transport.text(transport.address(parts), model, watch).await.ok()?;
    let refs: Refs = serde_json::from_slice(&body).ok()?;
    let names = refs.branches.into_iter().chain(refs.tags).map(|found| found.name);
    Some(shown(names))
}

async fn models(
    transport: &Transport,
    model: &Model,
    watch: &mut Watch<'_>,
) -> Option<Vec<String>> {
    let mut url = transport.address(["api", "models"]);
    let name = model.name.rsplit('/').next().unwrap_or_default();
    url.query_pairs_mut().append_pair("search", name).append_pair("limit", &MOST.to_string());
    let body = transport.text(url, model, watch).await.ok()?;
    let known: Vec<Known> = serde_json::from_slice(&body).ok()?;
    Some(shown(known.into_iter().map(|found| found.id)))
}

fn shown(names: impl Iterator<Item = String>) -> Vec<String> {
    let fit = |name: &String| name.len() < 100 && !name.contains(char::is_control);
    names.filter(fit).take(MOST).map(|name| format!("`{name}`")).collect()
}
