//! Pieces of texts as rows of their own.

use super::{Dataset, Texts};
use crate::text::{about_tokens, chunks};

/// Every text in pieces of at most `tokens` tokens: each is a row in the text's own part, with its target,
/// weight and covariates. Pieces of one text are a group, unless there are groups already.
pub(super) fn in_pieces(data: &Dataset, tokens: usize) -> Dataset {
    let (mut texts, mut rows) = (Texts::default(), Vec::new());
    for (row, text) in data.texts.iter().enumerate() {
        for (piece, _) in chunks(text, tokens, about_tokens) {
            texts.push(piece);
            rows.push(row);
        }
    }
    let own = data.gather(&rows);
    let group = own.group.unwrap_or_else(|| rows.iter().map(|&row| number(row)).collect());
    let row_id = (0..rows.len() as u64).collect();
    Dataset { texts, group: Some(group), row_id, document: Some(own.row_id), ..own }
}

fn number(row: usize) -> u32 {
    u32::try_from(row).expect("reading refuses more rows")
}
