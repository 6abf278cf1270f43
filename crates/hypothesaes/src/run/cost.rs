//! What a run directory has cost: its share of the ledger, as the table `cost`.

use std::collections::BTreeMap;

use hypothesaes_llm::question::Usage;
use hypothesaes_llm::store::CallSums;

use crate::models::Models;
use crate::store::RunDir;
use crate::table::{Column, Table, Values, csv};
use crate::{Error, Result};

/// The runs of the program that asked something for this directory, a line each.
const RUNS: &str = "llm/runs.txt";
const TABLE: &str = "tables/cost.csv";

/// Adds the calls of this run of the program to the directory's account.
pub(super) fn write(run: &RunDir, models: &Models) -> Result<()> {
    let store = models.client().store();
    let id = models.client().run_id();
    if store.sums(Some(id))?.is_empty() {
        return Ok(());
    }
    let mut runs = read(run)?;
    if !runs.iter().any(|known| known == id) {
        runs.push(id.to_owned());
        run.write(RUNS, &(runs.join("\n") + "\n"))?;
    }
    let mut sums = Vec::new();
    for id in &runs {
        sums.extend(store.sums(Some(id))?);
    }
    let mut out = Vec::new();
    csv::write(&table(&added(sums)), &mut out).map_err(Error::file("write", TABLE))?;
    run.write(TABLE, &String::from_utf8_lossy(&out))
}

/// The table as a reader sees it, without the time that calls took: names of its columns, and its rows.
pub(super) fn shown(run: &RunDir) -> Result<(Vec<String>, Vec<Vec<String>>)> {
    let path = run.path().join(TABLE);
    if !path.exists() {
        return Ok(Default::default());
    }
    let broken = |e: ::csv::Error| Error::Data(format!("{}: {e}", path.display()));
    let mut reader = ::csv::Reader::from_path(&path).map_err(broken)?;
    let head: Vec<String> = reader.headers().map_err(broken)?.iter().map(str::to_owned).collect();
    let kept: Vec<usize> = (0..head.len()).filter(|&i| head[i] != "seconds").collect();
    let of = |row: &::csv::StringRecord| -> Vec<String> {
        kept.iter().map(|&i| row.get(i).unwrap_or_default().to_owned()).collect()
    };
    let rows: std::result::Result<Vec<_>, _> =
        reader.records().map(|r| r.map(|r| of(&r))).collect();
    Ok((kept.iter().map(|&i| head[i].clone()).collect(), rows.map_err(broken)?))
}

/// Dollars that this directory has cost so far; `None` if a price is unknown.
pub(super) fn spent(run: &RunDir, models: &Models) -> Result<Option<f64>> {
    let store = models.client().store();
    let mut spent = Some(0.0);
    for id in read(run)? {
        for sums in store.sums(Some(&id))? {
            spent = spent.zip(sums.dollars).map(|(a, b)| a + b);
        }
    }
    Ok(spent)
}

fn read(run: &RunDir) -> Result<Vec<String>> {
    let path = run.path().join(RUNS);
    match std::fs::read_to_string(&path) {
        Ok(text) => Ok(text.lines().map(str::to_owned).collect()),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(e) => Err(Error::file("read", path)(e)),
    }
}

/// One row per stage and model.
fn added(sums: Vec<CallSums>) -> Vec<CallSums> {
    let mut all = BTreeMap::<(String, String), CallSums>::new();
    for sum in sums {
        let key = (sum.stage.clone(), sum.model.clone());
        all.entry(key)
            .and_modify(|known| {
                known.calls += sum.calls;
                known.usage = Usage {
                    input: known.usage.input + sum.usage.input,
                    cached: known.usage.cached + sum.usage.cached,
                    output: known.usage.output + sum.usage.output,
                };
                known.dollars = known.dollars.zip(sum.dollars).map(|(a, b)| a + b);
                known.seconds += sum.seconds;
            })
            .or_insert(sum);
    }
    all.into_values().collect()
}

fn table(sums: &[CallSums]) -> Table {
    let count = |name, unit, description, of: fn(&CallSums) -> u64| Column {
        name,
        unit,
        description,
        values: Values::Integer(sums.iter().map(|s| i64::try_from(of(s)).ok()).collect()),
    };
    let columns = vec![
        Column::text("stage", "what was asked for", sums.iter().map(|s| Some(s.stage.clone()))),
        Column::text("model", "the model asked", sums.iter().map(|s| Some(s.model.clone()))),
        count("calls", "count", "calls that brought an answer, usable or not", |s| s.calls),
        count("tokens_in", "count", "tokens sent", |s| s.usage.input),
        count("tokens_cached", "count", "those that the server had seen before", |s| {
            s.usage.cached
        }),
        count("tokens_out", "count", "tokens received, thoughts included", |s| s.usage.output),
        Column::number(
            "dollars",
            "dollar",
            "list price of these tokens; empty if a price is unknown",
            sums.iter().map(|s| s.dollars),
        ),
        Column::number(
            "seconds",
            "second",
            "time of all calls, those at the same time counted each",
            sums.iter().map(|s| Some(s.seconds)),
        ),
    ];
    Table { name: "cost", columns }
}
