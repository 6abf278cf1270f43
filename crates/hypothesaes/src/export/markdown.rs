//! A table as Markdown of GitHub's kind.

use std::fmt::Write;

use super::display::Shown;
use super::visible::visible;

pub(super) fn write(table: &Shown) -> String {
    let mut text = format!("**{}**\n\n", escaped(&table.caption));
    row(&mut text, table.heads.iter().map(String::as_str));
    let rules = table.is_right.iter().map(|&right| if right { "---:" } else { "---" });
    let _ = writeln!(text, "|{}|", rules.collect::<Vec<_>>().join("|"));
    for (i, cells) in table.rows.iter().enumerate() {
        if let Some((_, title)) = table.groups.iter().find(|(before, _)| *before == i) {
            let rest = " |".repeat(table.heads.len().saturating_sub(1));
            let _ = writeln!(text, "| **{}** |{rest}", escaped(title));
        }
        row(&mut text, cells.iter().map(String::as_str));
    }
    for (i, note) in table.notes.iter().enumerate() {
        let gap = if i == 0 { "\n" } else { "" };
        let _ = writeln!(text, "{gap}- {}", escaped(note));
    }
    text
}

fn row<'a>(text: &mut String, cells: impl Iterator<Item = &'a str>) {
    text.push('|');
    for cell in cells {
        let _ = write!(text, " {} |", escaped(cell));
    }
    text.push('\n');
}

/// For a cell, or a line of its own: nothing in it is markup.
pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in visible(text).chars() {
        match c {
            '\\' | '|' | '*' | '_' | '[' | ']' | '`' | '#' | '~' | '$' => out.extend(['\\', c]),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            c => out.push(c),
        }
    }
    out
}
