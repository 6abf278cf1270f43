//! Language models for a run: keys and addresses from the environment, answers in the user's cache
//! folder.

use std::env;
use std::path::PathBuf;

use anyhow::{Context, Result};
use hypothesaes::models::{Environment, Manner, Models, Use};
use hypothesaes::options::{AUTO, Options};
use hypothesaes::watch::Watch;
use hypothesaes_llm::server::{Key, Server};
use hypothesaes_llm::store::Store;

use crate::args::AskingArgs;
use crate::exit::Usage;
use crate::progress::line;

const NO_FOLDER: &str = "this system names no cache folder: set HYPOTHESAES_CACHE to one";
const ENVIRONMENT: Environment = Environment(&|name| env::var(name).ok());

/// Settles in `options` what models do, and makes them ready; `None` if none does anything.
///
/// # Errors
/// [`Usage`] if a model is to be asked and there is no key for it; whatever [`Models::new`] and
/// the store refuse.
pub fn prepare(
    options: &mut Options,
    args: &AskingArgs,
    watch: &dyn Watch,
) -> Result<Option<Models>> {
    let has_server = address(options);
    let has_models = !args.local && (args.frozen || has_server || key(None).is_some());
    let folders = [dirs::home_dir(), dirs::cache_dir()];
    if let Some(found) = ENVIRONMENT.sentence_model(options, folders, !has_models, watch)? {
        line(&found);
    }
    options.settle(has_models);
    if !options.asks_models() {
        return Ok(None);
    }
    let (store, note) = Store::open(&answers()?).map_err(hypothesaes::Error::from)?;
    if let Some(note) = note {
        line(&note);
    }
    let manner = Manner { frozen: args.frozen, batch: args.batch, wait: args.wait };
    let models = Models::new(options, store, manner, &key)?;
    for of in Use::ALL {
        check(&models, of, args)?;
    }
    Ok(Some(models))
}

/// Takes the address from the environment if the options name none; whether there is one.
pub fn address(options: &mut Options) -> bool {
    ENVIRONMENT.address(options)
}

/// The key in this environment variable, or in the usual ones.
pub fn key(variable: Option<&str>) -> Option<Key> {
    ENVIRONMENT.key(variable)
}

/// The file of answers.
pub fn answers() -> Result<PathBuf> {
    ENVIRONMENT.answers(dirs::cache_dir()).context(NO_FOLDER)
}

/// The folder of sentence models' vectors.
pub fn vectors() -> Result<PathBuf> {
    ENVIRONMENT.vectors(dirs::cache_dir()).context(NO_FOLDER)
}

/// Refuses what would fail at the first call, or send texts where they must not go.
fn check(models: &Models, of: Use, args: &AskingArgs) -> Result<()> {
    let Some(model) = models.of(of) else { return Ok(()) };
    let (server, section) = (&model.server, of.name());
    if args.local && !server.is_here() {
        return Err(Usage {
            message: format!(
                "`--local` keeps all texts on this computer, but the options have `{}` at `{}` \
                 {section} them",
                model.name,
                server.host()
            ),
            hint: format!("leave the model out, or set it to `{AUTO}` in the options file"),
        }
        .into());
    }
    if server.key().is_none() && !server.is_here() && !args.frozen && wants_key(server) {
        return Err(Usage {
            message: format!(
                "`{}` at `{}` is to {section}, but there is no key for it",
                model.name,
                server.host()
            ),
            hint: "export OPENAI_API_KEY=..., or OPENAI_BASE_URL=... for a server of your own; \
                   `--local` does without"
                .into(),
        }
        .into());
    }
    Ok(())
}

/// Only OpenAI's own server is known to answer nobody without a key.
fn wants_key(server: &Server) -> bool {
    server.host() == "api.openai.com"
}
