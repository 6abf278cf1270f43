//! What the command line leaves open is asked on a terminal, with the guess as the default.
//!
//! Elsewhere nothing is asked: the pipeline then refuses with the flags to add, and never waits.

use std::io::{IsTerminal, stderr, stdin};

use anyhow::Result;
use dialoguer::theme::SimpleTheme;
use dialoguer::{Input, Select, console};
use hypothesaes::Error;
use hypothesaes::data::{ColumnPreview, DataOptions, preview};

use crate::exit::Usage;

/// Whether there is somebody to ask.
pub fn somebody() -> bool {
    stdin().is_terminal() && stderr().is_terminal()
}

/// Completes `options` by asking for the file and its columns.
///
/// # Errors
/// [`Usage`] if there is no file and nobody to ask; [`Error::Interrupted`] if an answer is refused
/// by Ctrl-C; whatever [`preview`] refuses.
pub fn complete(options: &mut DataOptions, ask: bool) -> Result<()> {
    if options.path.as_os_str().is_empty() {
        if !ask {
            let message = "no file given".into();
            let hint = "name it, as in `hypothesaes run reviews.csv`".into();
            return Err(Usage { message, hint }.into());
        }
        let file: String =
            Input::new().with_prompt("File of the texts").interact_text().map_err(refused)?;
        options.path = file.trim().into();
    }
    if ask && (options.text.is_none() || options.target.is_none()) {
        let seen = preview(options)?;
        if options.text.is_none() {
            options.text =
                Some(column("Column of the texts", &seen.columns, seen.text.as_deref())?);
        }
        if options.target.is_none() {
            options.target = Some(column(
                "Column of what is to be explained",
                &seen.columns,
                seen.target.as_deref(),
            )?);
        }
    }
    Ok(())
}

/// Asks for one of the columns.
fn column(prompt: &str, columns: &[ColumnPreview], guess: Option<&str>) -> Result<String> {
    let items: Vec<String> = columns.iter().map(described).collect();
    let guess = columns.iter().position(|c| Some(c.name.as_str()) == guess).unwrap_or(0);
    let chosen = Select::with_theme(&SimpleTheme)
        .with_prompt(prompt)
        .items(&items)
        .default(guess)
        .interact()
        .map_err(refused)?;
    Ok(called(chosen, columns))
}

/// A column by its name, or by its number if others are called so too.
fn called(index: usize, columns: &[ColumnPreview]) -> String {
    let name = &columns[index].name;
    match columns.iter().filter(|c| c.name == *name).count() {
        1 => name.clone(),
        _ => (index + 1).to_string(),
    }
}

/// A column's name and its first values.
fn described(column: &ColumnPreview) -> String {
    let line = format!("{}: {}", column.name, column.examples.join(" | "));
    console::truncate_str(&line, 76, "...").into_owned()
}

fn refused(error: dialoguer::Error) -> anyhow::Error {
    let dialoguer::Error::IO(error) = error;
    match error.kind() {
        std::io::ErrorKind::Interrupted => Error::Interrupted.into(),
        _ => anyhow::Error::new(error).context("cannot ask on this terminal"),
    }
}
