//! What a server can do with a model, found out by asking and remembered.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::server::{Effort, Model, Server};

/// Room for thinking added at first to an answer that was cut off.
const FIRST_ROOM: u32 = 256;
/// The most; beyond it the model does not come to an end.
const MAX_ROOM: u32 = 16_384;

/// Where questions go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Face {
    Responses,
    Chat,
}

/// How the form of an answer is asked for, from the surest down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Form {
    Schema,
    Object,
    /// In the words of the question alone.
    Words,
}

/// Remembered per server and model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Dialect {
    pub face: Face,
    pub form: Form,
    /// Parameters that were refused, by the name of the field that holds them.
    pub dropped: BTreeSet<String>,
    /// Efforts that were refused.
    pub refused: BTreeSet<String>,
    /// Chat: the cap is called `max_completion_tokens`, not `max_tokens`.
    pub new_cap: bool,
    /// Tokens of thinking to leave room for.
    pub room: u32,
}

impl Default for Dialect {
    fn default() -> Self {
        Self {
            face: Face::Responses,
            form: Form::Schema,
            dropped: BTreeSet::new(),
            refused: BTreeSet::new(),
            new_cap: false,
            room: 0,
        }
    }
}

impl Dialect {
    pub(crate) fn for_server(server: &Server) -> Self {
        let new_cap = server.is_openai() || server.is_azure();
        // Azure's older addresses name a deployment and know chat alone.
        let face =
            if server.base().contains("/deployments/") { Face::Chat } else { Face::Responses };
        Self { face, new_cap, ..Self::default() }
    }

    /// For the user.
    pub(crate) fn told(&self) -> String {
        let face = match self.face {
            Face::Responses => "Responses API",
            Face::Chat => "Chat Completions",
        };
        let form = match self.form {
            Form::Schema => "JSON schema",
            Form::Object => "JSON object",
            Form::Words => "no structured output",
        };
        let refused: Vec<&str> =
            self.dropped.iter().chain(&self.refused).map(String::as_str).collect();
        let refused = if refused.is_empty() {
            String::new()
        } else {
            format!("; refuses {}", refused.join(", "))
        };
        format!("{face}, {form}{refused}")
    }

    pub(crate) fn path(&self) -> &'static str {
        match self.face {
            Face::Responses => "responses",
            Face::Chat => "chat/completions",
        }
    }

    /// The effort to ask for: the wanted one, or the nearest that was not refused; `None` leaves
    /// it out.
    pub(crate) fn effort(&self, wanted: Effort) -> Option<&'static str> {
        let near: &[&str] = match wanted {
            Effort::Default => return None,
            Effort::None => &["none", "minimal", "low"],
            Effort::Minimal => &["minimal", "none", "low"],
            Effort::Low => &["low", "minimal", "medium"],
            Effort::Medium => &["medium", "low", "high"],
            Effort::High => &["high", "medium"],
        };
        if self.dropped.contains("effort") {
            return None;
        }
        near.iter().copied().find(|effort| !self.refused.contains(*effort))
    }

    /// Does without what was refused. `false` if it was not asked for, or is indispensable.
    pub(crate) fn drop_parameter(
        &mut self,
        name: &str,
        model: &Model,
        supported: &[String],
    ) -> bool {
        let name = name.trim_start_matches("$.").to_ascii_lowercase();
        let has = |part: &str| name.contains(part);
        if has("max_tokens") && !self.new_cap && self.face == Face::Chat {
            self.new_cap = true;
            true
        } else if has("max_completion_tokens") && self.new_cap {
            self.new_cap = false;
            true
        } else if has("format") || has("schema") || has("structured") {
            self.simpler_form()
        } else if has("effort") || has("reasoning") {
            self.other_effort(model.effort, supported)
        } else {
            let optional = [
                "temperature",
                "logprobs",
                "include",
                "store",
                "stream",
                "dimensions",
                "encoding_format",
                "instructions",
            ];
            let extra = model.extra.keys().map(String::as_str);
            let known = optional.into_iter().chain(extra).find(|o| has(o));
            known.is_some_and(|known| {
                let known = if known == "include" { "logprobs" } else { known };
                self.dropped.insert(known.to_owned())
            })
        }
    }

    /// The next less sure way to ask for a form.
    pub(crate) fn simpler_form(&mut self) -> bool {
        let form = self.form;
        self.form = match form {
            Form::Schema => Form::Object,
            Form::Object | Form::Words => Form::Words,
        };
        form != Form::Words
    }

    /// After an answer that was cut off: more room, for this call and those to come.
    pub(crate) fn more_room(&mut self, had: u32) -> bool {
        if had >= MAX_ROOM {
            return false;
        }
        self.room = self.room.max((2 * had).clamp(FIRST_ROOM, MAX_ROOM));
        true
    }

    pub(crate) fn wants(&self, parameter: &str) -> bool {
        !self.dropped.contains(parameter)
    }

    fn other_effort(&mut self, wanted: Effort, supported: &[String]) -> bool {
        let Some(effort) = self.effort(wanted) else { return false };
        if supported.is_empty() {
            self.dropped.insert("effort".into());
        }
        for other in ["none", "minimal", "low", "medium", "high"] {
            if !supported.is_empty() && !supported.iter().any(|s| s == other) {
                self.refused.insert(other.to_owned());
            }
        }
        self.refused.insert(effort.to_owned());
        true
    }
}
