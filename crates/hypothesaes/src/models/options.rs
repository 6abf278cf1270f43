//! Which servers are asked, and how much may be asked of them.

use std::path::PathBuf;

use hypothesaes_llm::client::ClientOptions;
use hypothesaes_llm::limits::Stated;
use hypothesaes_llm::server::Effort;
use serde::{Deserialize, Serialize};

use super::Manner;
use crate::Result;
use crate::options::between;

/// What holds for all models.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LlmOptions {
    /// Address of the server.
    pub base_url: String,
    /// Environment variable that holds the key; by default `OPENAI_KEY_SAE`, then
    /// `OPENAI_API_KEY`.
    pub key_env: Option<String>,
    /// Dollars that a run may spend.
    pub max_cost: Option<f64>,
    /// Share of answers that may be missing before the run counts as failed.
    pub max_failed: f64,
    /// A JSON file of prices beside the built-in ones.
    pub prices: Option<PathBuf>,
    /// Seconds until a call without a reply is sent again.
    pub timeout: f64,
    /// Seconds without any answer after which the run stops.
    pub patience: f64,
    /// Calls under way at once, at most.
    pub max_concurrent: usize,
    /// Requests and tokens per minute and per day that the account allows, where the server does
    /// not tell them or they are to be lower.
    pub rpm: Option<u64>,
    pub tpm: Option<u64>,
    pub rpd: Option<u64>,
    pub tpd: Option<u64>,
}

/// The model of one stage, where it is and how it is asked.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct ModelOptions<'a> {
    pub name: &'a str,
    pub base_url: Option<&'a str>,
    pub key_env: Option<&'a str>,
    pub effort: Effort,
    pub temperature: Option<f64>,
    pub dimensions: Option<u32>,
}

impl Default for LlmOptions {
    fn default() -> Self {
        Self {
            base_url: "https://api.openai.com/v1".into(),
            key_env: None,
            max_cost: None,
            max_failed: 0.01,
            prices: None,
            timeout: 180.0,
            patience: 1800.0,
            max_concurrent: 64,
            rpm: None,
            tpm: None,
            rpd: None,
            tpd: None,
        }
    }
}

impl LlmOptions {
    /// What the client goes by.
    #[must_use]
    pub fn client(&self, manner: Manner) -> ClientOptions {
        let Self { timeout, patience, max_concurrent, max_cost, rpm, tpm, rpd, tpd, .. } = *self;
        let limits = Stated { rpm, tpm, rpd, tpd };
        let Manner { frozen, batch, wait } = manner;
        ClientOptions { timeout, patience, max_concurrent, limits, max_cost, frozen, batch, wait }
    }

    /// # Errors
    /// [`Error::Option`](crate::Error::Option) for the first option that is out of range.
    pub fn check(&self) -> Result<()> {
        self.client(Manner::default()).check()?;
        between("llm.max_failed", self.max_failed, 0.0, 1.0)
    }
}
