//! `hypothesaes export`: tables of a run directory as files, or on stdout.

use std::io::{ErrorKind, Write, stdout};
use std::path::Path;

use anyhow::{Context, Result};
use hypothesaes::export::{self, ExportOptions, Format, Place};

use crate::args::{ExportArg, ExportArgs};
use crate::exit::Usage;
use crate::progress::line;
use crate::show;

/// Writes what is asked for, and says where it lies.
pub fn export(args: &ExportArgs) -> Result<()> {
    let options = ExportOptions {
        tables: args.tables.clone(),
        formats: args.formats.iter().map(|&format| format.into()).collect(),
        excel: args.excel,
    };
    let place = match args.out.as_deref() {
        Some(out) if out == Path::new("-") => return to_stdout(&args.run, &options),
        Some(out) => Place::named(out),
        None => Place::beside(&args.run),
    };
    let exported = export::export(&args.run, &options, &place)?;
    tell(&exported.notes);
    let files: Vec<String> = exported.files.iter().map(|path| path.display().to_string()).collect();
    show::print(&files.join("\n"))
}

fn to_stdout(run: &Path, options: &ExportOptions) -> Result<()> {
    if let Some(format) = options.formats.iter().find(|f| !f.is_text()) {
        let message = format!("{} is no text", format.name());
        let hint = "name a file by `--out`, or choose `--format` csv, markdown or latex".into();
        return Err(Usage { message, hint }.into());
    }
    let (bytes, notes) = export::bytes(run, options)?;
    tell(&notes);
    match stdout().write_all(&bytes) {
        Err(e) if e.kind() != ErrorKind::BrokenPipe => Err(e).context("cannot write the table"),
        _ => Ok(()),
    }
}

fn tell(notes: &[String]) {
    for note in notes {
        line(note);
    }
}

impl From<ExportArg> for Format {
    fn from(format: ExportArg) -> Self {
        match format {
            ExportArg::Csv => Self::Csv,
            ExportArg::Parquet => Self::Parquet,
            ExportArg::Markdown => Self::Markdown,
            ExportArg::Latex => Self::Latex,
            ExportArg::Xlsx => Self::Xlsx,
        }
    }
}
