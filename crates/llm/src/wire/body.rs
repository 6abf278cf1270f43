//! Request bodies. `stream` and `store` are always said: some servers stream, some keep, unless
//! told not to.

use serde_json::{Map, Value, json};

use super::dialect::{Dialect, Face, Form};
use crate::question::{Prompt, Schema};
use crate::server::Model;

/// The least that the Responses API takes for `max_output_tokens`.
const LEAST_CAP: u32 = 16;
const TOP_LOGPROBS: u32 = 10;

/// The body of a question; `room` tokens are added to the cap of the answer.
pub(crate) fn prompt(model: &Model, prompt: &Prompt, dialect: &Dialect, room: u32) -> Value {
    let mut body = match dialect.face {
        Face::Responses => responses(prompt, dialect),
        Face::Chat => chat(prompt, dialect),
    };
    let cap = prompt.max_output.saturating_add(room).max(LEAST_CAP);
    let cap_name = match dialect.face {
        Face::Responses => "max_output_tokens",
        Face::Chat if dialect.new_cap => "max_completion_tokens",
        Face::Chat => "max_tokens",
    };
    body.insert("model".into(), model.name.as_str().into());
    body.insert(cap_name.into(), cap.into());
    for flag in ["store", "stream"] {
        if dialect.wants(flag) {
            body.insert(flag.into(), false.into());
        }
    }
    if let Some(temperature) = model.temperature.filter(|_| dialect.wants("temperature")) {
        body.insert("temperature".into(), temperature.into());
    }
    if let Some(effort) = dialect.effort(model.effort) {
        match dialect.face {
            Face::Responses => body.insert("reasoning".into(), json!({ "effort": effort })),
            Face::Chat => body.insert("reasoning_effort".into(), effort.into()),
        };
    }
    for (name, value) in model.extra.iter().filter(|(name, _)| dialect.wants(name)) {
        extend(&mut body, name, value, dialect.face);
    }
    Value::Object(body)
}

/// Adds what the asker wants said beside; the client's own word stands where both have one.
fn extend(body: &mut Map<String, Value>, name: &str, value: &Value, face: Face) {
    // What the Responses API says of the text, Chat Completions says of the whole.
    if let (Face::Chat, "text", Value::Object(parts)) = (face, name, value) {
        for (name, value) in parts {
            body.entry(name).or_insert_with(|| value.clone());
        }
        return;
    }
    let own = body.entry(name).or_insert_with(|| value.clone());
    if let (Value::Object(own), Value::Object(parts)) = (own, value) {
        for (name, value) in parts {
            own.entry(name).or_insert_with(|| value.clone());
        }
    }
}

/// The body that asks for the vectors of `texts`.
pub(crate) fn embeddings(model: &Model, texts: &[&str], dialect: &Dialect) -> Value {
    let mut body = Map::new();
    body.insert("model".into(), model.name.as_str().into());
    body.insert("input".into(), texts.into());
    if dialect.wants("encoding_format") {
        body.insert("encoding_format".into(), "base64".into());
    }
    if let Some(dimensions) = model.dimensions.filter(|_| dialect.wants("dimensions")) {
        body.insert("dimensions".into(), dimensions.into());
    }
    Value::Object(body)
}

fn responses(prompt: &Prompt, dialect: &Dialect) -> Map<String, Value> {
    let mut body = Map::new();
    if dialect.wants("instructions") {
        body.insert("instructions".into(), prompt.system.as_str().into());
        body.insert("input".into(), prompt.user.as_str().into());
    } else {
        body.insert("input".into(), messages(prompt));
    }
    if let Some(Schema { name, schema }) = &prompt.schema {
        let format = match dialect.form {
            Form::Schema => {
                Some(json!({"type": "json_schema", "name": name, "schema": schema, "strict": true}))
            }
            Form::Object => Some(json!({"type": "json_object"})),
            Form::Words => None,
        };
        if let Some(format) = format {
            body.insert("text".into(), json!({ "format": format }));
        }
    }
    if prompt.logprobs && dialect.wants("logprobs") {
        body.insert("include".into(), json!(["message.output_text.logprobs"]));
        body.insert("top_logprobs".into(), TOP_LOGPROBS.into());
    }
    body
}

fn chat(prompt: &Prompt, dialect: &Dialect) -> Map<String, Value> {
    let mut body = Map::new();
    body.insert("messages".into(), messages(prompt));
    if let Some(Schema { name, schema }) = &prompt.schema {
        let format = match dialect.form {
            Form::Schema => Some(json!({
                "type": "json_schema",
                "json_schema": {"name": name, "schema": schema, "strict": true},
            })),
            Form::Object => Some(json!({"type": "json_object"})),
            Form::Words => None,
        };
        if let Some(format) = format {
            body.insert("response_format".into(), format);
        }
    }
    if prompt.logprobs && dialect.wants("logprobs") {
        body.insert("logprobs".into(), true.into());
        body.insert("top_logprobs".into(), TOP_LOGPROBS.into());
    }
    body
}

fn messages(prompt: &Prompt) -> Value {
    json!([
        {"role": "system", "content": prompt.system},
        {"role": "user", "content": prompt.user},
    ])
}
