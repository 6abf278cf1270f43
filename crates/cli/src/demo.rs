//! `hypothesaes demo`: a whole run on the bundled reviews, and how many of the planted concepts it
//! found again.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;
use hypothesaes::Error;
use hypothesaes::data::SplitOptions;
use hypothesaes::demo::{self, Claim, Found};
use hypothesaes::evaluate::Status;
use hypothesaes::options::Options;
use hypothesaes::run::{self, Outcome};
use hypothesaes::store::{Stage, write_atomically};
use serde::Serialize;

use crate::args::DemoArgs;
use crate::command::{RUNS, execute};
use crate::{choose, show};

/// Small effects are told from chance by many held-out texts.
const SPLIT: SplitOptions = SplitOptions { discover: 0.5, validation: 0.1, heldout: 0.4 };

/// The answer of a run, and the planted concepts beside it.
#[derive(Serialize)]
struct Answer<'a> {
    #[serde(flatten)]
    outcome: &'a Outcome,
    n_found: usize,
    planted: Vec<Found>,
}

/// Runs the demo.
pub fn demo(args: &DemoArgs) -> Result<()> {
    let mut options = Options::default();
    options.data.path = reviews()?;
    options.data.text = Some("text".into());
    options.data.target = Some("stars".into());
    options.split = SPLIT;
    choose::shared(&mut options, &args.shared)?;
    choose::method(&mut options, &args.method)?;
    // The demo needs no key, and does the same with one.
    options.settle(false);
    let folder = match &args.out {
        Some(folder) => folder.clone(),
        None => run::locate(Path::new(RUNS), &options)?,
    };
    let Some(outcome) = execute(&options, &folder, Stage::Report, &args.shared)? else {
        return Ok(());
    };
    let planted = found(&outcome)?;
    let n_found = planted.iter().filter(|f| f.hypothesis.is_some()).count();
    let answer = Answer { outcome: &outcome, n_found, planted };
    show::print(&if args.shared.json { show::json(&answer)? } else { written(&answer) })
}

/// Puts the bundled reviews where a run can read them.
fn reviews() -> hypothesaes::Result<PathBuf> {
    let path = Path::new(RUNS).join("demo.jsonl");
    fs::create_dir_all(RUNS).map_err(Error::file("create", RUNS))?;
    write_atomically(&path, |out| out.write_all(demo::REVIEWS.as_bytes()))?;
    Ok(path)
}

/// The planted concepts and the hypotheses that match them.
fn found(outcome: &Outcome) -> hypothesaes::Result<Vec<Found>> {
    let Some(heldout) = &outcome.heldout else { return Ok(Vec::new()) };
    let claims: Vec<Claim> = outcome
        .hypotheses
        .iter()
        .enumerate()
        .map(|(c, h)| Claim {
            concept: h.hypothesis.clone(),
            holds: h.tested.status == Status::Holds,
            effect: h.tested.joint.as_ref().map_or(0.0, |e| e.estimate.value),
            annotations: heldout.annotations.concept(c).to_vec(),
        })
        .collect();
    demo::found(&demo::planted()?, &heldout.row_ids, &claims)
}

fn written(answer: &Answer) -> String {
    let mut text = show::answer(answer.outcome);
    let _ = writeln!(
        text,
        "\nThe reviews are synthetic: their stars depend on {} planted concepts. Found again: {}.",
        answer.planted.len(),
        answer.n_found
    );
    for concept in &answer.planted {
        let found = match (&concept.hypothesis, concept.phi) {
            (Some(hypothesis), Some(phi)) => format!("phi {phi:.2}  {hypothesis}"),
            _ => "not found".into(),
        };
        let _ = writeln!(text, "  {:<18} {:+.1}  {found}", concept.name, concept.effect);
    }
    text
}
