//! A server, its key, and a model on it.

use std::fmt;

use serde_json::{Map, Value};
use url::{Url, form_urlencoded};

use crate::{Error, Result};

/// A secret. It is never shown, and leaves only in a request's header.
#[derive(Clone, PartialEq, Eq)]
pub struct Key(String);

impl Key {
    /// `None` if it cannot be sent in a header, as when it is empty or has a line break inside.
    pub fn new(secret: &str) -> Option<Self> {
        let secret = secret.trim();
        let sendable = !secret.is_empty() && secret.chars().all(|c| c.is_ascii_graphic());
        sendable.then(|| Self(secret.to_owned()))
    }

    pub(crate) fn secret(&self) -> &str {
        &self.0
    }

    /// `text` without this key, for what a server says of it.
    pub fn redact(&self, text: &str) -> String {
        text.replace(&self.0, "***")
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(***)")
    }
}

/// Where requests go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    base: Url,
    key: Option<Key>,
}

/// How much a model thinks before it answers, from least to most; `Default` leaves it to the model.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Effort {
    #[default]
    Default,
    None,
    Minimal,
    Low,
    Medium,
    High,
}

/// A model on a server, with the parameters of every call to it.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    pub server: Server,
    pub name: String,
    pub effort: Effort,
    pub temperature: Option<f64>,
    /// Entries of an embedding; the model's own if not given.
    pub dimensions: Option<u32>,
    /// Whatever else a question's body is to say, in the form of the Responses API.
    pub extra: Map<String, Value>,
}

impl Server {
    /// `base` is the address before `/responses`, `/chat/completions` or `/embeddings`, such as
    /// `https://api.openai.com/v1`. An address without a path gets `/v1`.
    ///
    /// # Errors
    /// [`Error::Option`] if it is no http address, or has a password or key in it.
    pub fn new(base: &str, key: Option<Key>) -> Result<Self> {
        let refuse = |allowed: &str| Error::Option {
            name: "base_url".into(),
            value: hide_secrets(base),
            allowed: allowed.into(),
        };
        let mut url = Url::parse(base.trim())
            .map_err(|_| refuse("write an address such as `https://api.openai.com/v1`"))?;
        if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
            return Err(refuse("write an address such as `https://api.openai.com/v1`"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(refuse("give the key in an environment variable, not in the address"));
        }
        if url.query_pairs().any(|(name, _)| name != "api-version") {
            return Err(refuse("leave out what follows `?`, except `api-version`"));
        }
        url.set_fragment(None);
        let path = url.path().trim_end_matches('/').to_owned();
        url.set_path(if path.is_empty() { "/v1" } else { &path });
        Ok(Self { base: url, key })
    }

    /// The address, which holds no secret.
    pub fn base(&self) -> &str {
        self.base.as_str()
    }

    /// Its name for messages, such as `api.openai.com`.
    pub fn host(&self) -> String {
        let host = self.base.host_str().unwrap_or_default();
        self.base.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
    }

    /// Whether it is this machine, so that texts sent to it stay here.
    pub fn is_here(&self) -> bool {
        match self.base.host() {
            Some(url::Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
            Some(url::Host::Ipv4(ip)) => ip.is_loopback() || ip.is_unspecified(),
            Some(url::Host::Ipv6(ip)) => ip.is_loopback() || ip.is_unspecified(),
            None => false,
        }
    }

    pub(crate) fn is_openai(&self) -> bool {
        self.base.host_str() == Some("api.openai.com")
    }

    /// Azure wants the key in another header.
    pub(crate) fn is_azure(&self) -> bool {
        self.base.host_str().is_some_and(|host| {
            host.ends_with(".azure.com")
                || host.ends_with(".azure.us")
                || host.ends_with(".azure.cn")
        }) || self.base.path().contains("/openai/deployments/")
    }

    pub fn key(&self) -> Option<&Key> {
        self.key.as_ref()
    }

    /// The address of `path`, which may end in a query.
    pub(crate) fn url(&self, path: &str) -> Url {
        let mut url = self.base.clone();
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        url.set_path(&format!("{}/{path}", self.base.path()));
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(form_urlencoded::parse(query.as_bytes()));
        }
        url
    }
}

/// An address for a message: neither its password nor what follows `?`.
fn hide_secrets(address: &str) -> String {
    let address = address.split(['?', '#']).next().unwrap_or_default();
    match (address.find("://"), address.rfind('@')) {
        (Some(scheme), Some(at)) if scheme < at => {
            format!("{}***{}", &address[..scheme + 3], &address[at..])
        }
        _ => address.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_completed() {
        for (given, base, url) in [
            ("http://localhost:11434", "http://localhost:11434/v1", "/v1/responses"),
            ("https://a.b/openai/v1/", "https://a.b/openai/v1", "/openai/v1/responses"),
        ] {
            let server = Server::new(given, None).unwrap();
            assert_eq!(server.base(), base);
            assert_eq!(server.url("responses").path(), url);
        }
        let azure = "https://x.openai.azure.com/openai/deployments/d?api-version=2024-10-21";
        let azure = Server::new(azure, None).unwrap();
        assert!(azure.is_azure());
        assert_eq!(azure.url("embeddings").query(), Some("api-version=2024-10-21"));
        let list = azure.url("batches?limit=9");
        assert_eq!(list.query(), Some("api-version=2024-10-21&limit=9"));
        assert!(list.path().ends_with("/d/batches"));
    }

    #[test]
    fn an_address_with_a_secret_is_refused_and_not_repeated() {
        for bad in ["https://u:hunter2@h/v1", "https://h/v1?key=hunter2", "hunter2", "ftp://h"] {
            let message = Server::new(bad, None).unwrap_err().to_string();
            assert!(bad == "hunter2" || !message.contains("hunter2"), "{message}");
        }
    }

    #[test]
    fn a_key_is_never_shown() {
        let key = Key::new(" sk-secret\n").unwrap();
        assert_eq!(format!("{key:?}"), "Key(***)");
        assert_eq!(key.redact("bad sk-secret!"), "bad ***!");
        assert!(Key::new("a b").is_none() && Key::new("").is_none());
    }

    #[test]
    fn tells_this_machine_from_others() {
        for (base, here) in [
            ("http://127.0.0.1:1/v1", true),
            ("http://[::1]/", true),
            ("http://localhost/", true),
            ("https://localhost.example.com/", false),
        ] {
            assert_eq!(Server::new(base, None).unwrap().is_here(), here, "{base}");
        }
    }
}
