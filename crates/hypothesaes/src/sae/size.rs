//! The size of an autoencoder, written as `NEURONS:ACTIVE`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// How many neurons, and how many of them are active per text; `64:4` as text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Size {
    pub n_neurons: usize,
    pub k: usize,
}

impl Size {
    /// The default for this many discover texts: 64:8, 64:16 or 1024:8.
    ///
    /// With the default split, where 70 % of the texts are for discovery, the borders lie at about
    /// 2,000 and 30,000 texts in all. The advice of the Python package `HypotheSAEs` is 64:4, 256:8
    /// and 1024:8; on vectors of words the first two leave neurons of a single rare word, and
    /// fewer hypotheses hold: `bench/RESULTS.md` has the figures.
    #[must_use]
    pub fn for_texts(n_discover: usize) -> Self {
        match n_discover {
            0..=1_500 => Self { n_neurons: 64, k: 8 },
            1_501..=21_000 => Self { n_neurons: 64, k: 16 },
            _ => Self { n_neurons: 1_024, k: 8 },
        }
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.n_neurons, self.k)
    }
}

impl FromStr for Size {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let parsed = text.split_once(':').and_then(|(n_neurons, k)| {
            Some(Self { n_neurons: n_neurons.trim().parse().ok()?, k: k.trim().parse().ok()? })
        });
        parsed.ok_or_else(|| {
            let allowed = "write NEURONS:ACTIVE, two whole numbers such as `64:4`";
            Error::option("sae.sizes", text, allowed)
        })
    }
}

impl TryFrom<String> for Size {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl From<Size> for String {
    fn from(size: Size) -> Self {
        size.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_writes() {
        for (text, n_neurons, k) in [("64:4", 64, 4), ("1024:8", 1_024, 8), (" 32 : 2 ", 32, 2)] {
            let size: Size = text.parse().unwrap();
            assert_eq!(size, Size { n_neurons, k });
            assert_eq!(size.to_string().parse::<Size>().unwrap(), size);
        }
    }

    #[test]
    fn refuses_what_is_no_size() {
        for text in
            ["", "64", "64:", ":4", "64:4:2", "64x4", "-64:4", "64:4.5", "64:99999999999999999999"]
        {
            let message = text.parse::<Size>().unwrap_err().to_string();
            assert!(message.contains(&format!("`{text}`")), "{message}");
        }
    }

    #[test]
    fn grows_with_the_texts() {
        for (n, size) in [(900, "64:8"), (1_400, "64:8"), (7_463, "64:16"), (70_000, "1024:8")] {
            assert_eq!(Size::for_texts(n).to_string(), size);
        }
    }
}
