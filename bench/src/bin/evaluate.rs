//! Seconds of the test of 20 hypotheses, printed as one JSON line.
//!
//! Usage: `evaluate ROWS [continuous|binary] [GROUPS]`. Annotations are true of 2 to 40 % of the rows;
//! three of them matter.

use std::time::Instant;

use anyhow::{Context, Result, bail};
use hypothesaes::data::Task;
use hypothesaes::evaluate::{Baselines, EvaluateOptions, Heldout, evaluate};
use hypothesaes_math::LargePages;
use hypothesaes_math::random::stream;
use rand::RngExt;
use serde_json::json;

/// As in the program.
#[global_allocator]
static ALLOCATOR: LargePages = LargePages;

const HYPOTHESES: usize = 20;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let mut arguments = arguments.iter();
    let rows: usize = arguments.next().context("usage: evaluate ROWS [TASK] [GROUPS]")?.parse()?;
    let task = arguments.next().map_or("continuous", String::as_str);
    let groups: Option<u32> = arguments.next().map(|n| n.parse()).transpose()?;
    let mut random = stream(0, "bench evaluate");
    let annotations: Vec<Vec<Option<bool>>> = (0..HYPOTHESES)
        .map(|j| {
            let share = 0.02 + 0.02 * j as f64;
            (0..rows).map(|_| Some(random.random_bool(share))).collect()
        })
        .collect();
    let is = |j: usize, i: usize| f64::from(u8::from(annotations[j][i] == Some(true)));
    let score = |i: usize| 0.3 * is(2, i) - 0.2 * is(9, i) + 0.1 * is(17, i);
    let mut y: Vec<f64> = (0..rows).map(|i| score(i) + random.random_range(-1.0..1.0)).collect();
    let task = match task {
        "continuous" => Task::Continuous,
        "binary" => {
            for y in &mut y {
                *y = f64::from(u8::from(*y > 0.0));
            }
            Task::Binary { positive: "1".into(), negative: "0".into() }
        }
        other => bail!("no task `{other}`"),
    };
    let group: Option<Vec<u32>> =
        groups.map(|n| (0..rows).map(|_| random.random_range(0..n)).collect());
    let heldout = Heldout { group: group.as_deref(), ..Heldout::new(&annotations, &y, &task) };
    let start = Instant::now();
    let found = evaluate(&heldout, &Baselines::default(), 0, &EvaluateOptions::default())?;
    let seconds = start.elapsed().as_secs_f64();
    println!("{}", json!({ "rows": rows, "seconds": seconds, "n_hold": found.n_hold }));
    Ok(())
}
