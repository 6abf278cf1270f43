//! `hypothesaes cache` and `hypothesaes prices`: what models have answered, and what they cost.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufWriter, Write as _};

use anyhow::Result;
use hypothesaes::Error;
use hypothesaes_llm::price::Prices;
use hypothesaes_llm::store::Store;

use crate::args::{CacheArgs, PricesArgs};
use crate::models::answers;
use crate::show::{grouped, print};
use crate::vectors;

/// Says what is kept, or writes it out.
pub fn cache(args: &CacheArgs) -> Result<()> {
    if args.verify {
        return print(&vectors::verified()?);
    }
    if let Some(megabytes) = args.trim_vectors {
        return print(&vectors::trimmed(megabytes)?);
    }
    if let Some(folder) = &args.export_vectors {
        return print(&vectors::exported(folder)?);
    }
    if !args.import_vectors.is_empty() {
        return print(&vectors::imported(&args.import_vectors)?);
    }
    let path = answers()?;
    if !path.exists() {
        let none = format!("no answers are kept yet ({})\n", path.display());
        return print(&(none + &vectors::shown()?));
    }
    let (store, note) = Store::open(&path).map_err(Error::from)?;
    let mut text = note.map_or_else(String::new, |note| format!("{note}\n"));
    if let Some(file) = &args.export {
        let failed = |e| Error::file("write", file)(e);
        let mut out = BufWriter::new(File::create(file).map_err(failed)?);
        let n = store.export(&mut out).map_err(Error::from)?;
        out.flush().map_err(failed)?;
        let _ = writeln!(text, "{} answers written to {}", grouped(n), file.display());
        return print(&text);
    }
    let _ = writeln!(text, "{}\n", path.display());
    let _ = writeln!(text, "{:<12}{:<32}{:>12}{:>12}", "stage", "model", "answers", "MB");
    for kept in store.contents().map_err(Error::from)? {
        let (stage, model, answers) = (kept.stage, kept.model, grouped(kept.answers));
        let size = kept.bytes as f64 / 1e6;
        let _ = writeln!(text, "{stage:<12}{model:<32}{answers:>12}{size:>12.1}");
    }
    let _ = writeln!(
        text,
        "\n{:<12}{:<32}{:>12}{:>14}{:>14}{:>12}",
        "spent on", "model", "calls", "tokens in", "tokens out", "dollars"
    );
    for sums in store.sums(None).map_err(Error::from)? {
        let dollars = sums.dollars.map_or_else(|| "unknown".into(), |d| format!("{d:.4}"));
        let (calls, input, output) =
            (grouped(sums.calls), grouped(sums.usage.input), grouped(sums.usage.output));
        let (stage, model) = (sums.stage, sums.model);
        let _ =
            writeln!(text, "{stage:<12}{model:<32}{calls:>12}{input:>14}{output:>14}{dollars:>12}");
    }
    for (server, model, n) in store.open_batches().map_err(Error::from)? {
        let n = grouped(n);
        let _ = writeln!(text, "\na batch job at {server} holds {n} questions to {model}");
    }
    text += &vectors::shown()?;
    print(&text)
}

/// Says what models cost.
pub fn prices(args: &PricesArgs) -> Result<()> {
    let prices = match &args.prices {
        Some(file) => Prices::with_file(file).map_err(Error::from)?,
        None => Prices::built_in(),
    };
    let (source, date) = prices.source();
    let mut text = format!("Dollars per million tokens, {date} ({source})\n\n");
    let _ = writeln!(text, "{:<40}{:>10}{:>10}{:>10}", "model", "input", "cached", "output");
    let all = || prices.names().map(str::to_owned).collect();
    let names: Vec<String> = if args.models.is_empty() { all() } else { args.models.clone() };
    for name in names {
        let Some(price) = prices.of(&name) else {
            let _ = writeln!(text, "{name:<40}{:>10}", "unknown");
            continue;
        };
        let cached = price.cached.map_or_else(String::new, |cached| cached.to_string());
        let (input, output) = (price.input, price.output);
        let _ = writeln!(text, "{name:<40}{input:>10}{cached:>10}{output:>10}");
    }
    text += "\nOthers: a JSON file such as {\"my-model\": {\"input\": 0.1, \"output\": 0.4}}, named \
             by `llm.prices`.";
    print(&text)
}
