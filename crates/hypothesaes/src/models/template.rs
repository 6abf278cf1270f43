//! Prompts as files with placeholders, which a user can replace.

use std::path::Path;

use crate::{Error, Result};

/// Divides what is equal for all questions from what is asked.
const DIVIDER: &str = "---";

/// A prompt with placeholders such as `{text}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Template {
    system: String,
    user: String,
}

impl Template {
    /// The text of `file`, or `built_in` if none is given. The part before a line `---` is what
    /// the model is told beforehand; without such a line there is none.
    ///
    /// # Errors
    /// [`Error::File`]; [`Error::Input`] if one of the `needed` placeholders is not in it.
    pub fn load(file: Option<&Path>, built_in: &str, needed: &[&str]) -> Result<Self> {
        let text = match file {
            Some(path) => std::fs::read_to_string(path).map_err(Error::file("read", path))?,
            None => built_in.to_owned(),
        };
        let template = Self::parse(&text);
        let place = file.unwrap_or_else(|| Path::new("prompt"));
        for name in needed {
            if !template.user.contains(&format!("{{{name}}}")) {
                let message = format!(
                    "the prompt lacks its placeholder {{{name}}} (after the line `---`, if there \
                     is one); it needs {}",
                    needed.iter().map(|n| format!("{{{n}}}")).collect::<Vec<_>>().join(", ")
                );
                return Err(Error::input(place, message));
            }
        }
        Ok(template)
    }

    fn parse(text: &str) -> Self {
        let divided = text.replace("\r\n", "\n");
        match divided.split_once(&format!("\n{DIVIDER}\n")) {
            Some((system, user)) => Self { system: system.trim().into(), user: user.trim().into() },
            None => Self { system: String::new(), user: divided.trim().into() },
        }
    }

    /// The two parts with the placeholders filled. A value is never searched for placeholders.
    pub fn fill(&self, values: &[(&str, &str)]) -> (String, String) {
        (fill(&self.system, values), fill(&self.user, values))
    }

    /// The text of a file that gives this template.
    pub fn text(&self) -> String {
        if self.system.is_empty() {
            return format!("{}\n", self.user);
        }
        format!("{}\n{DIVIDER}\n{}\n", self.system, self.user)
    }
}

fn fill(text: &str, values: &[(&str, &str)]) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('{') {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        let named = values.iter().find_map(|(name, value)| {
            let after = from[1..].strip_prefix(name)?.strip_prefix('}')?;
            Some((*value, after))
        });
        let (value, after) = named.unwrap_or(("{", &from[1..]));
        out.push_str(value);
        rest = after;
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_filled_once() {
        let template = Template::parse("Judge. {\"1\": true}\n---\n{\"text\": {text}} {concept}");
        let (system, user) = template.fill(&[("text", "\"{concept}\""), ("concept", "{text}")]);
        assert_eq!(system, "Judge. {\"1\": true}");
        assert_eq!(user, "{\"text\": \"{concept}\"} {text}");
        assert_eq!(Template::parse(&template.text()), template);
    }

    #[test]
    fn a_file_without_its_placeholders_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("own.txt");
        std::fs::write(&file, "{text}\n---\nIs it {concept}?").unwrap();
        let needed = ["concept", "text"];
        let message = Template::load(Some(&file), "", &needed).unwrap_err().to_string();
        assert!(message.contains("own.txt") && message.contains("{text}"), "{message}");
        std::fs::write(&file, "Is it {concept}? {text}").unwrap();
        assert!(Template::load(Some(&file), "", &needed).is_ok());
        assert!(Template::load(Some(&folder.path().join("none")), "", &needed).is_err());
    }
}
