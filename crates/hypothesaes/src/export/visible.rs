//! Texts of others on one line, in the direction in which they stand.

/// `text` without what ends a line, what a terminal obeys, and what turns the direction of writing.
pub(super) fn visible(text: &str) -> String {
    text.chars().map(|c| if is_command(c) { ' ' } else { c }).collect()
}

fn is_command(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}
