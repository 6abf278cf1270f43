//! Where the results come from: what was asked and paid, what prompts said, what files hold.

use serde::Serialize;

/// What can be read in the run directory; empty parts are left out of the page.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Provenance {
    /// Hash (BLAKE3) of the input files.
    pub input: String,
    pub seed: u64,
    /// Processor and system.
    pub platform: String,
    /// The table of costs, if a model was asked: names of its columns, and its rows.
    pub cost_head: Vec<String>,
    pub cost: Vec<Vec<String>>,
    /// What models are asked with, by file.
    pub prompts: Vec<(String, String)>,
    /// Hash (BLAKE3) of every file of results, by path.
    pub files: Vec<(String, String)>,
    /// The options file of the run.
    pub options: String,
}
