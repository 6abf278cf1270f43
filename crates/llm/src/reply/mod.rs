//! Reading what a model wrote, which is seldom quite what it was asked to write.

pub mod json;
mod probability;
pub mod thoughts;
mod verdict;
mod verdicts;
mod wordings;

pub use probability::{p_yes, p_yes_of};
pub use verdict::yes_no;
pub use verdicts::{matches, verdicts};
pub use wordings::wordings;
