//! The language models that a run may ask.
//!
//! Which stage asks which model of which server is in the options; keys come from the caller, who
//! alone reads the environment. What is asked is in the stages' own modules.

mod ask;
mod complete;
mod environment;
mod options;
mod template;
mod watch;

use hypothesaes_llm::ask::Ask;
use hypothesaes_llm::client::Client;
use hypothesaes_llm::price::Prices;
use hypothesaes_llm::server::{Key, Model, Server};
use hypothesaes_llm::store::Store;
use serde_json::Map;

pub(crate) use ask::{Question, ask};
pub use complete::{Completion, complete, completed};
pub use environment::Environment;
pub use options::LlmOptions;
pub(crate) use options::ModelOptions;
pub(crate) use template::Template;
pub(crate) use watch::Asking;

use crate::options::Options;
use crate::run::Estimate;
use crate::{Error, Result};

/// The stages that may ask a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Use {
    Embed,
    Interpret,
    Annotate,
}

impl Use {
    pub const ALL: [Self; 3] = [Self::Embed, Self::Interpret, Self::Annotate];

    /// Name of the section of the options.
    pub fn name(self) -> &'static str {
        match self {
            Self::Embed => "embed",
            Self::Interpret => "interpret",
            Self::Annotate => "annotate",
        }
    }
}

/// A client, and the model that each stage asks.
pub struct Models {
    client: Client,
    uses: Vec<(Use, Model)>,
    approve: Option<Approve>,
}

/// Told what a run will ask before it asks anything; an error is a no.
pub type Approve = Box<dyn Fn(&Estimate) -> Result<()>>;

/// How this run, and no other, treats the models.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Manner {
    /// Only answers that are kept are used.
    pub frozen: bool,
    /// Questions are sent as batch jobs, at half the price.
    pub batch: bool,
    /// Wait for batch jobs instead of coming back for them.
    pub wait: bool,
}

impl Models {
    /// The models that `options` name, with answers kept in `store`. `key` gives the key of a use
    /// by the name of its environment variable, if one is named; a server on this machine needs
    /// none.
    ///
    /// # Errors
    /// [`Error::Option`] for an address or price file that cannot be used; [`Error::File`] or
    /// [`Error::Input`] for a prompt of the user's that cannot; [`Error::Llm`] if no connection
    /// could be made at all.
    pub fn new(
        options: &Options,
        store: Store,
        manner: Manner,
        key: &dyn Fn(Option<&str>) -> Option<Key>,
    ) -> Result<Self> {
        let llm = &options.llm;
        let prices = match &llm.prices {
            Some(file) => Prices::with_file(file)?,
            None => Prices::built_in(),
        };
        let client = Client::new(llm.client(manner), store, prices)?;
        let mut uses = Vec::new();
        for of in Use::ALL {
            if let Some(model) = model(of, options, key)? {
                check_prompts(of, options)?;
                uses.push((of, model));
            }
        }
        Ok(Self { client, uses, approve: None })
    }

    /// Has `approve` asked before a run asks anything.
    #[must_use]
    pub fn asking_first(mut self, approve: Approve) -> Self {
        self.approve = Some(approve);
        self
    }

    pub(crate) fn approve(&self, estimate: &Estimate) -> Result<()> {
        self.approve.as_ref().map_or(Ok(()), |approve| approve(estimate))
    }

    /// Whether calls are sent as batch jobs, at their price.
    pub fn is_batch(&self) -> bool {
        self.client.options().batch
    }

    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Whether only kept answers may be used.
    pub fn is_frozen(&self) -> bool {
        self.client.is_frozen()
    }

    /// The model that a stage asks; `None` if it works by itself.
    pub fn of(&self, of: Use) -> Option<&Model> {
        self.uses.iter().find(|(known, _)| *known == of).map(|(_, model)| model)
    }

    /// The same, for a stage whose options name a model.
    ///
    /// # Errors
    /// [`Error::Option`] if they do not.
    pub(crate) fn expect<'a>(models: Option<&'a Self>, of: Use, name: &str) -> Result<Asked<'a>> {
        let found = models.and_then(|m| Some(Asked { ask: m.client(), model: m.of(of)? }));
        found.ok_or_else(|| no_model(of, name))
    }
}

/// A model and who asks it.
#[derive(Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub ask: &'a dyn Ask,
    pub model: &'a Model,
}

pub(crate) fn no_model(of: Use, name: &str) -> Error {
    let section = of.name();
    let allowed = format!(
        "a language model is to {section}, but there is neither a key (OPENAI_API_KEY) nor a \
         server of your own (`llm.base_url`); `--local` does without"
    );
    Error::option(section, name, allowed)
}

/// A prompt that cannot be used is refused before anything is paid for.
fn check_prompts(of: Use, options: &Options) -> Result<()> {
    match of {
        Use::Embed => Ok(()),
        Use::Interpret => crate::interpret::check_prompts(&options.interpret),
        Use::Annotate => crate::annotate::check_prompts(&options.annotate),
    }
}

fn model(
    of: Use,
    options: &Options,
    key: &dyn Fn(Option<&str>) -> Option<Key>,
) -> Result<Option<Model>> {
    let own = match of {
        Use::Embed => options.embed.model(),
        Use::Interpret => options.interpret.model(),
        Use::Annotate => options.annotate.model(),
    };
    let Some(own) = own else { return Ok(None) };
    let base = own.base_url.unwrap_or(&options.llm.base_url);
    let key_env = own.key_env.or(options.llm.key_env.as_deref());
    let key = key(key_env);
    if let (Some(variable), None) = (key_env, &key) {
        let allowed = "there is no key in this environment variable; a key is one word";
        return Err(Error::option(format!("{}.key_env", of.name()), variable, allowed));
    }
    Ok(Some(Model {
        server: Server::new(base, key)?,
        name: own.name.into(),
        effort: own.effort,
        temperature: own.temperature,
        dimensions: own.dimensions,
        extra: Map::new(),
    }))
}
