//! What a run will cost, shown before anything is asked, and the user's word on it.

use std::cell::Cell;
use std::fmt::Write as _;
use std::rc::Rc;

use dialoguer::Input;
use hypothesaes::models::{Approve, Models};
use hypothesaes::run::{Estimate, EstimatedWork, PILOT_ROWS};
use hypothesaes::{Error, Result};

use crate::args::SharedArgs;
use crate::ask;
use crate::progress::line;
use crate::show::grouped;

/// What the user wants.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Wish {
    /// Everything, or nothing has been asked yet.
    #[default]
    Go,
    Pilot,
    /// Everything, by batch jobs.
    Batch,
    No,
    /// There is nobody to ask, and no flag that says yes.
    Unsaid,
}

/// Has the user asked; the wish can be read after the run.
pub fn asking_first(models: Models, shared: &SharedArgs) -> (Models, Rc<Cell<Wish>>) {
    let wish = Rc::new(Cell::new(Wish::Go));
    let said = Rc::clone(&wish);
    let (yes, quiet, json) = (shared.asking.yes, shared.quiet, shared.json);
    let approve: Approve = Box::new(move |estimate: &Estimate| {
        if !quiet {
            line(&table(estimate));
        }
        said.set(if yes || estimate.dollars() == Some(0.0) && estimate.leaving.is_empty() {
            Wish::Go
        } else if ask::somebody() && !quiet && !json {
            question(estimate)?
        } else {
            Wish::Unsaid
        });
        if said.get() == Wish::Go { Ok(()) } else { Err(Error::Declined) }
    });
    (models.asking_first(approve), wish)
}

fn question(estimate: &Estimate) -> Result<Wish> {
    let pilot = money(estimate.pilot_dollars);
    let batch = if estimate.is_batch {
        String::new()
    } else {
        format!("  [b] by batch, up to 24 h a stage ({})", money(estimate.batch_dollars))
    };
    let prompt = format!(
        "Spend up to {}?  [y] yes  [p] pilot on {PILOT_ROWS} rows ({pilot}){batch}  [N] no",
        money(estimate.dollars())
    );
    let answer: String = Input::new()
        .with_prompt(prompt)
        .default("N".into())
        .show_default(false)
        .interact_text()
        .map_err(|_| Error::Interrupted)?;
    Ok(match answer.trim().to_lowercase().as_str() {
        "y" | "yes" => Wish::Go,
        "p" | "pilot" => Wish::Pilot,
        "b" | "batch" if !estimate.is_batch => Wish::Batch,
        _ => Wish::No,
    })
}

/// The questions of a run, what they cost, and which texts leave this computer.
pub fn table(estimate: &Estimate) -> String {
    let mut text = String::from("\n");
    let heads = ["stage", "asked", "of", "calls", "tokens", "cost", "time", "of a day", "kept"];
    let mut rows: Vec<Vec<String>> = vec![heads.map(str::to_owned).to_vec()];
    rows.extend(estimate.rows.iter().map(|row| cells(row, estimate.is_batch)));
    let tokens: u64 = estimate.rows.iter().map(|row| row.tokens).sum();
    let minutes = estimate.rows.iter().map(|row| row.minutes);
    let total = [
        "total".into(),
        String::new(),
        String::new(),
        grouped(estimate.calls() as u64),
        grouped(tokens),
        money(estimate.dollars()),
        if estimate.is_batch { String::new() } else { time(minutes.sum()) },
        String::new(),
        String::new(),
    ];
    rows.push(total.to_vec());
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max();
    for row in &rows {
        for (column, cell) in row.iter().enumerate() {
            let width = width(column).unwrap_or(0);
            // Words to the left, numbers to the right.
            let _ = match column {
                0..=2 => write!(text, "  {cell:<width$}"),
                _ => write!(text, "  {cell:>width$}"),
            };
        }
        text.truncate(text.trim_end().len());
        text.push('\n');
    }
    let (source, date) = &estimate.price_source;
    let _ = write!(text, "\nAt most, at list prices of {date} ({source}).");
    if estimate.rows.iter().any(|row| row.dollars.is_none()) {
        text += " An unknown price counts against no ceiling.";
    }
    text.push('\n');
    if let Some(spent) = estimate.spent.filter(|spent| *spent > 0.0) {
        let spent = money(Some(spent));
        let _ = writeln!(text, "This run has cost {spent} so far; no answer is paid for twice.");
    }
    for (host, n) in &estimate.leaving {
        let _ = writeln!(text, "Up to {} texts go to {host}.", grouped(*n as u64));
    }
    text += if estimate.leaving.is_empty() {
        "No text leaves this computer."
    } else {
        "`--local` keeps all of them here."
    };
    text
}

fn cells(row: &EstimatedWork, is_batch: bool) -> Vec<String> {
    vec![
        row.stage.into(),
        row.work.clone(),
        row.model.clone(),
        grouped(row.calls as u64),
        grouped(row.tokens),
        money(row.dollars),
        if is_batch { "<= 24 h".into() } else { time(row.minutes) },
        row.day_share.map_or_else(String::new, |share| format!("{:.0} %", 100.0 * share)),
        format!("{:.0} %", 100.0 * row.kept),
    ]
}

fn money(dollars: Option<f64>) -> String {
    match dollars {
        None => "unknown".into(),
        Some(0.0) => "$0".into(),
        Some(dollars) if dollars < 0.01 => "< $0.01".into(),
        Some(dollars) => format!("${dollars:.2}"),
    }
}

fn time(minutes: Option<f64>) -> String {
    match minutes {
        None => "?".into(),
        Some(minutes) if minutes < 1.0 => format!("{:.0} s", 60.0 * minutes),
        Some(minutes) if minutes < 120.0 => format!("{minutes:.0} min"),
        Some(minutes) => format!("{:.0} h", minutes / 60.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_price_is_never_nothing() {
        for (dollars, shown) in
            [(None, "unknown"), (Some(0.0), "$0"), (Some(0.001), "< $0.01"), (Some(4.5), "$4.50")]
        {
            assert_eq!(money(dollars), shown);
        }
    }

    #[test]
    fn the_table_says_what_is_asked_and_what_leaves() {
        let row = EstimatedWork {
            stage: "annotate",
            work: "20 concepts x 300 texts".into(),
            model: "m".into(),
            server: "h".into(),
            calls: 600,
            tokens: 300_000,
            dollars: None,
            minutes: Some(11.0),
            day_share: Some(0.06),
            kept: 0.0,
        };
        let estimate = Estimate {
            rows: vec![row],
            leaving: [("h".to_owned(), 300)].into(),
            pilot_dollars: None,
            batch_dollars: None,
            spent: Some(0.95),
            is_batch: false,
            price_source: ("s".into(), "2026-11-01".into()),
        };
        let table = table(&estimate);
        for part in [
            "600",
            "300,000",
            "unknown",
            "11 min",
            "6 %",
            "300 texts go to h",
            "2026-11-01",
            "cost $0.95 so far",
        ] {
            assert!(table.contains(part), "{part} is not in {table}");
        }
    }
}
