//! Reading what a model wrote, which is seldom quite what it was asked to write.

pub mod json;
mod probability;
pub mod thoughts;
mod verdict;
mod wordings;

pub use probability::p_yes;
pub use verdict::yes_no;
pub use wordings::wordings;
