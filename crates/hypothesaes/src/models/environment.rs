//! Keys, addresses and the place of the answers, as users set them in environment variables.
//!
//! The variables are read by the caller, the program or the Python package; what they mean is here,
//! once for both.

use std::fs;
use std::path::PathBuf;

use hypothesaes_hub::{HubOptions, Token};
use hypothesaes_llm::server::Key;

use crate::Result;
use crate::options::Options;
use crate::watch::Watch;

/// Variables that hold a key, the first that is set.
const KEYS: [&str; 2] = ["OPENAI_KEY_SAE", "OPENAI_API_KEY"];
const BASE_URL: &str = "OPENAI_BASE_URL";
/// Folder of the answers, instead of the user's cache folder.
const CACHE: &str = "HYPOTHESAES_CACHE";

/// Reads environment variables.
#[derive(Clone, Copy)]
pub struct Environment<'a>(pub &'a dyn Fn(&str) -> Option<String>);

impl Environment<'_> {
    fn get(&self, name: &str) -> Option<String> {
        (self.0)(name).filter(|value| !value.trim().is_empty())
    }

    /// The key in this variable, or in the usual ones.
    #[must_use]
    pub fn key(&self, variable: Option<&str>) -> Option<Key> {
        let get = |name: &str| Key::new(&self.get(name)?);
        match variable {
            Some(name) => get(name),
            None => KEYS.into_iter().find_map(get),
        }
    }

    /// Takes the server's address from the environment if the options name none; whether there is
    /// one.
    pub fn address(&self, options: &mut Options) -> bool {
        let default = Options::default().llm.base_url;
        if options.llm.base_url == default
            && let Some(base) = self.get(BASE_URL)
        {
            options.llm.base_url = base;
        }
        options.llm.base_url != default
    }

    /// Finds the sentence model that the options mean, see [`crate::embed::EmbedOptions::find`],
    /// and where vectors are kept. `home` and `cache` are the user's folders, `or_any` whether one
    /// that is at hand is taken if none is named.
    ///
    /// # Errors
    /// As there.
    pub fn sentence_model(
        &self,
        options: &mut Options,
        [home, cache]: [Option<PathBuf>; 2],
        or_any: bool,
        watch: &dyn Watch,
    ) -> Result<Option<String>> {
        options.embed.kept_in = self.vectors(cache);
        let is_served = options.llm.base_url != Options::default().llm.base_url;
        options.embed.find(self.hub(home).as_ref(), or_any, is_served, watch)
    }

    /// The hub and its cache, as its own programs find them.
    fn hub(&self, home: Option<PathBuf>) -> Option<HubOptions> {
        let folder = |name: &str| self.get(name).map(PathBuf::from);
        let cache = || folder("XDG_CACHE_HOME").or_else(|| Some(home?.join(".cache")));
        let own = folder("HF_HOME").or_else(|| Some(cache()?.join("huggingface")));
        let hub = ["HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"].into_iter().find_map(folder);
        let mut options = HubOptions::new(hub.or_else(|| Some(own.as_ref()?.join("hub")))?);
        if let Some(endpoint) = self.get("HF_ENDPOINT") {
            options.endpoint = endpoint;
        }
        let file = folder("HF_TOKEN_PATH").or_else(|| Some(own?.join("token")));
        let kept = || fs::read_to_string(file?).ok();
        let token = ["HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"].iter().find_map(|name| self.get(name));
        options.token = token.or_else(kept).and_then(|token| Token::new(token.trim()));
        let is_on = |value: String| {
            ["1", "ON", "YES", "TRUE"].contains(&value.trim().to_uppercase().as_str())
        };
        options.offline = self.get("HF_HUB_OFFLINE").is_some_and(is_on);
        Some(options)
    }

    /// The file of answers; `cache` is the user's cache folder, if the system names one.
    #[must_use]
    pub fn answers(&self, cache: Option<PathBuf>) -> Option<PathBuf> {
        Some(self.kept(cache)?.join("answers.sqlite"))
    }

    /// The folder of sentence models' vectors, likewise.
    #[must_use]
    pub fn vectors(&self, cache: Option<PathBuf>) -> Option<PathBuf> {
        Some(self.kept(cache)?.join("vectors"))
    }

    fn kept(&self, cache: Option<PathBuf>) -> Option<PathBuf> {
        self.get(CACHE).map(PathBuf::from).or_else(|| Some(cache?.join("hypothesaes")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(set: &[(&str, &str)], expect: impl FnOnce(Environment)) {
        let get = |name: &str| {
            set.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        };
        expect(Environment(&get));
    }

    #[test]
    fn the_first_key_that_is_set_counts() {
        check(&[("OPENAI_KEY_SAE", " "), ("OPENAI_API_KEY", "b")], |e| {
            assert_eq!(e.key(None), Key::new("b"));
            assert_eq!(e.key(Some("MINE")), None);
        });
        check(&[("OPENAI_KEY_SAE", "a"), ("OPENAI_API_KEY", "b"), ("MINE", "c")], |e| {
            assert_eq!(e.key(None), Key::new("a"));
            assert_eq!(e.key(Some("MINE")), Key::new("c"));
        });
    }

    #[test]
    fn an_address_in_the_options_is_not_overruled() {
        check(&[("OPENAI_BASE_URL", "http://a/v1")], |e| {
            let mut options = Options::default();
            assert!(e.address(&mut options));
            assert_eq!(options.llm.base_url, "http://a/v1");
            options.llm.base_url = "http://b/v1".into();
            assert!(e.address(&mut options));
            assert_eq!(options.llm.base_url, "http://b/v1");
        });
        check(&[], |e| assert!(!e.address(&mut Options::default())));
    }

    #[test]
    fn answers_lie_where_the_user_says() {
        let cache = || Some(PathBuf::from("cache"));
        check(&[("HYPOTHESAES_CACHE", "x")], |e| {
            assert_eq!(e.answers(cache()), Some("x/answers.sqlite".into()));
        });
        check(&[], |e| {
            assert_eq!(e.answers(cache()), Some("cache/hypothesaes/answers.sqlite".into()));
            assert_eq!(e.answers(None), None);
            assert_eq!(e.vectors(cache()), Some("cache/hypothesaes/vectors".into()));
        });
    }

    #[test]
    fn the_hub_is_where_its_own_programs_have_it() {
        let home = || Some(PathBuf::from("home"));
        check(&[("HF_HUB_OFFLINE", "yes"), ("HF_ENDPOINT", "http://mirror")], |e| {
            let hub = e.hub(home()).unwrap();
            assert_eq!(hub.cache, PathBuf::from("home/.cache/huggingface/hub"));
            assert_eq!((hub.endpoint.as_str(), hub.offline), ("http://mirror", true));
            assert!(hub.token.is_none() && e.hub(None).is_none());
        });
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("token"), "hf_secret\n").unwrap();
        let own = folder.path().to_str().unwrap();
        check(&[("HF_HOME", own), ("HF_HUB_OFFLINE", "0")], |e| {
            let hub = e.hub(home()).unwrap();
            assert_eq!(hub.cache, folder.path().join("hub"));
            assert!(hub.token.is_some() && !hub.offline);
            assert!(!format!("{hub:?}").contains("secret"));
        });
        check(&[("HF_HOME", own), ("HF_HUB_CACHE", "models"), ("HF_TOKEN", "hf_other")], |e| {
            let hub = e.hub(home()).unwrap();
            assert_eq!(hub.cache, PathBuf::from("models"));
            assert!(hub.token.is_some());
        });
    }
}
