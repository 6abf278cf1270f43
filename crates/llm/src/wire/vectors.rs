//! Replies that hold vectors: base64 or numbers, whatever was asked for.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::Deserialize;

use crate::question::Usage;

#[derive(Deserialize)]
struct Reply {
    data: Vec<Item>,
    #[serde(default)]
    usage: Option<Counted>,
}

#[derive(Deserialize)]
struct Counted {
    #[serde(default)]
    prompt_tokens: u64,
}

#[derive(Deserialize)]
struct Item {
    index: Option<usize>,
    embedding: Vector,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Vector {
    Base64(String),
    Numbers(Vec<f32>),
    /// A vector per token, of a server that was not told to pool.
    PerToken(Vec<Vec<f32>>),
}

/// One per text asked for.
pub(crate) type Vectors = Vec<Option<Vec<f32>>>;

/// The vectors of `n` texts in their order; `None` for a text the reply has no vector of.
///
/// # Errors
/// A line that says what is wrong with the reply.
pub(crate) fn read(body: &[u8], n: usize) -> Result<(Vectors, Usage), String> {
    let reply: Reply =
        serde_json::from_slice(body).map_err(|e| format!("not a reply with embeddings: {e}"))?;
    let mut vectors = vec![None; n];
    for (place, item) in reply.data.into_iter().enumerate() {
        let index = item.index.unwrap_or(place);
        let Some(slot) = vectors.get_mut(index) else { continue };
        *slot = Some(decode(item.embedding)?);
    }
    let input = reply.usage.map_or(0, |u| u.prompt_tokens);
    Ok((vectors, Usage { input, ..Usage::default() }))
}

fn decode(vector: Vector) -> Result<Vec<f32>, String> {
    let vector = match vector {
        Vector::Numbers(numbers) => numbers,
        Vector::PerToken(mut rows) if rows.len() == 1 => rows.swap_remove(0),
        Vector::PerToken(_) => {
            return Err("the server sends a vector per token: switch its pooling on".into());
        }
        Vector::Base64(text) => {
            let bytes = BASE64_STANDARD.decode(text).map_err(|e| format!("bad base64: {e}"))?;
            let (quads, rest) = bytes.as_chunks();
            if !rest.is_empty() {
                return Err("a vector has a number that is cut off".into());
            }
            quads.iter().map(|q| f32::from_le_bytes(*q)).collect()
        }
    };
    if vector.is_empty() || vector.iter().any(|v| !v.is_finite()) {
        return Err("a vector is empty or not finite".into());
    }
    Ok(vector)
}
