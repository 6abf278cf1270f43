//! Which text belongs to which part: discover, validation, held-out.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// Shares of the three parts; any positive numbers, only their ratios count.
///
/// Written as in `70/15/15`. The share of a part that has a file of its own is not used.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SplitOptions {
    pub discover: f64,
    pub validation: f64,
    pub heldout: f64,
}

impl Default for SplitOptions {
    fn default() -> Self {
        Self { discover: 0.70, validation: 0.15, heldout: 0.15 }
    }
}

impl SplitOptions {
    /// # Errors
    /// [`Error::Option`] for a share that is not a positive number.
    pub fn check(&self) -> Result<()> {
        let bad = self.shares().into_iter().any(|share| !(share > 0.0 && share.is_finite()));
        if bad { Err(Error::option("split", self, SHARES)) } else { Ok(()) }
    }

    fn shares(&self) -> [f64; 3] {
        [self.discover, self.validation, self.heldout]
    }
}

const SHARES: &str = "name three positive shares, as in `70/15/15`";

impl FromStr for SplitOptions {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let shares: Result<Vec<f64>, _> = text.split('/').map(|part| part.trim().parse()).collect();
        let Ok(&[discover, validation, heldout]) = shares.as_deref() else {
            return Err(Error::option("split", text, SHARES));
        };
        let options = Self { discover, validation, heldout };
        options.check().map(|()| options)
    }
}

impl fmt::Display for SplitOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.discover, self.validation, self.heldout)
    }
}
