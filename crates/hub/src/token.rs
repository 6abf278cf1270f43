//! The user's secret.

use std::fmt;

use reqwest::header::HeaderValue;

/// A token of the hub. It is never shown, and leaves only in a request to the hub itself.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// `None` if it cannot be sent in a header, as when it is empty or has a line break inside.
    pub fn new(secret: &str) -> Option<Self> {
        let secret = secret.trim();
        let sendable = !secret.is_empty() && secret.chars().all(|c| c.is_ascii_graphic());
        sendable.then(|| Self(secret.to_owned()))
    }

    pub(crate) fn header(&self) -> Option<HeaderValue> {
        let mut value = HeaderValue::from_str(&format!("Bearer {}", self.0)).ok()?;
        value.set_sensitive(true);
        Some(value)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(***)")
    }
}
