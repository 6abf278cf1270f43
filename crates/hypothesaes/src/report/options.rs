//! What the report shows.

use serde::{Deserialize, Serialize};

use crate::Result;
use crate::options::between;

/// What the report shows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ReportOptions {
    /// Whether texts are shown; without, not one of them is in the file.
    pub texts: bool,
    /// Megabytes that the file has at most; what is left out for that is said in it.
    pub max_mb: f64,
}

impl Default for ReportOptions {
    fn default() -> Self {
        Self { texts: true, max_mb: 3.0 }
    }
}

impl ReportOptions {
    /// # Errors
    /// [`crate::Error::Option`] for a number out of range.
    pub fn check(&self) -> Result<()> {
        between("report.max_mb", self.max_mb, 0.1, 1000.0)
    }
}
