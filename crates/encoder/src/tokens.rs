//! Texts as tokens.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;
use tokenizers::normalizers::{Lowercase, NormalizerWrapper, Sequence};
use tokenizers::{Tokenizer, TruncationParams};

use crate::{Error, Result};

/// Of `tokenizer.json` what its own reader does not check.
#[derive(Deserialize)]
struct TokenizerFile {
    post_processor: Option<Value>,
}

/// A token in a template that its list of tokens lacks; reading a text would then panic.
fn unknown_in_template(processor: &Value) -> Option<String> {
    if let Some(all) = processor.get("processors").and_then(Value::as_array) {
        return all.iter().find_map(unknown_in_template);
    }
    let known = processor.get("special_tokens")?;
    let pieces = processor.get("single")?.as_array()?.iter();
    let mut named = pieces.filter_map(|piece| piece.get("SpecialToken")?.get("id")?.as_str());
    named.find(|name| known.get(name).is_none()).map(str::to_owned)
}

/// The model's tokenizer.
pub(crate) struct Tokens {
    tokenizer: Tokenizer,
    path: PathBuf,
    /// Whether tokens that stand for beginnings and ends are added.
    special: bool,
    /// Characters of a text at most.
    characters: usize,
}

impl Tokens {
    /// Reads `tokenizer.json`; texts are cut after `most` tokens, the special ones counted, or as it says
    /// itself, and are brought to lower case first if `lower`, but for names of tokens in them.
    pub fn open(folder: &Path, most: Option<usize>, lower: bool, special: bool) -> Result<Self> {
        let path = folder.join("tokenizer.json");
        if !path.is_file() {
            let message = "there is no such file; this model's tokenizer is kept in another form, which \
                           saving it with a recent version of `transformers` converts";
            return Err(Error::model(path, message));
        }
        let damaged = |e: tokenizers::Error| Error::model(&path, format!("no tokenizer: {e}"));
        let bytes = fs::read(&path).map_err(Error::file(&path))?;
        // The reader of tokenizers panics where there is no JSON at all.
        let file: TokenizerFile = serde_json::from_slice(&bytes).map_err(|e| damaged(e.into()))?;
        if let Some(token) = file.post_processor.as_ref().and_then(unknown_in_template) {
            let message = format!(
                "no tokenizer: what is put around texts names `{token}`, which is not there"
            );
            return Err(Error::model(&path, message));
        }
        let mut tokenizer = Tokenizer::from_bytes(&bytes).map_err(damaged)?;
        tokenizer.with_padding(None);
        if let Some(max_length) = most {
            let truncation = TruncationParams { max_length, ..TruncationParams::default() };
            tokenizer.with_truncation(Some(truncation)).map_err(damaged)?;
        }
        if lower {
            let own = tokenizer.get_normalizer().cloned();
            let both =
                [Some(NormalizerWrapper::from(Lowercase)), own].into_iter().flatten().collect();
            tokenizer.with_normalizer(Some(NormalizerWrapper::from(Sequence::new(both))));
        }
        Ok(Self { tokenizer, path, special, characters: usize::MAX })
    }

    /// That no token lies outside of a vocabulary of this size.
    pub fn check(&self, vocabulary: usize) -> Result<()> {
        let largest = self.tokenizer.get_vocab(true).into_values().max().unwrap_or(0);
        if largest as usize >= vocabulary {
            let message = format!(
                "it has a token {largest}, the model's weights are for {vocabulary} tokens: they do not \
                 belong together"
            );
            return Err(Error::model(&self.path, message));
        }
        Ok(())
    }

    /// Cuts texts after so many times the median length of a token, as model2vec does.
    pub fn cut_after(&mut self, tokens: usize) {
        let pieces = self.tokenizer.get_vocab(true).into_keys();
        let mut lengths: Vec<usize> = pieces.map(|piece| piece.chars().count()).collect();
        lengths.sort_unstable();
        let n = lengths.len();
        let median = lengths.get(n / 2).map_or(1, |upper| (upper + lengths[(n - 1) / 2]) / 2);
        self.characters = tokens.saturating_mul(median);
    }

    pub fn ids(&self, text: &str) -> Result<Vec<u32>> {
        let end = text.char_indices().nth(self.characters).map_or(text.len(), |(end, _)| end);
        let text = &text[..end];
        let found = self.tokenizer.encode_fast(text, self.special);
        let found =
            found.map_err(|e| Error::model(&self.path, format!("cannot read a text: {e}")))?;
        Ok(found.get_ids().to_vec())
    }

    /// The token that stands for what is not known.
    pub fn unknown(&self) -> Option<u32> {
        let model = serde_json::to_value(self.tokenizer.get_model()).ok()?;
        match (model.get("unk_token"), model.get("unk_id")) {
            (Some(piece), _) if piece.is_string() => self.tokenizer.token_to_id(piece.as_str()?),
            (_, Some(id)) => u32::try_from(id.as_u64()?).ok(),
            _ => None,
        }
    }
}
