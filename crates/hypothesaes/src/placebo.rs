//! How many hypotheses hold where there is nothing: selection and test on shuffled targets.
//!
//! Neurons stand for their wordings, a text having the concept if it fires the neuron, so that a
//! placebo asks nothing of anybody. What it judges is the rest: split, selection, tests and their
//! correction for multiplicity, on these data.

use hypothesaes_math::Activations;
use hypothesaes_math::placebo::{Blocks, permuted};
use serde::{Deserialize, Serialize};

use crate::Result;
use crate::data::{Dataset, Split};
use crate::evaluate::{self, EvaluateOptions};
use crate::select::{self, Discover, SelectOptions};
use crate::table::{Column, Table};
use crate::watch::Watch;

/// What came of the shuffled targets, one entry each.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Placebo {
    pub runs: Vec<Shuffled>,
}

/// A shuffled target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shuffled {
    /// Neurons selected, and of them those that hold.
    pub n_tested: usize,
    pub n_hold: usize,
}

/// Selects and tests on targets shuffled within the parts, strata and groups.
///
/// `z`: activations of all texts. A target that cannot be selected on, such as one class only, counts
/// as one on which nothing holds.
///
/// # Errors
/// [`crate::Error::Interrupted`]; what selection and test refuse but for their data.
pub fn run(
    data: &Dataset,
    z: &Activations,
    seed: u64,
    (select, test): (&SelectOptions, &EvaluateOptions),
    watch: &dyn Watch,
) -> Result<Placebo> {
    let options = SelectOptions { n_half_samples: 0, ..select.clone() };
    let mut runs = Vec::new();
    for number in 0..test.n_placebo {
        watch.check()?;
        let seed = seed.wrapping_add(1 + number as u64);
        let found = one(data, z, seed, &options, test);
        runs.push(match found {
            Err(crate::Error::Data(_) | crate::Error::Math(hypothesaes_math::Error::Data(_))) => {
                Shuffled { n_tested: 0, n_hold: 0 }
            }
            found => found?,
        });
    }
    Ok(Placebo { runs })
}

fn one(
    data: &Dataset,
    z: &Activations,
    seed: u64,
    select: &SelectOptions,
    test: &EvaluateOptions,
) -> Result<Shuffled> {
    let rows = data.rows(Split::Discover);
    let part = shuffled(data, &rows, seed)?;
    let discover = Discover {
        z: &data.activations(z, &rows),
        y: &part.y,
        task: &part.task,
        is_paired: part.is_paired,
        covariates: &part.covariates,
        group: part.group.as_deref(),
        decoders: &[],
    };
    let chosen = select::select(&discover, seed, select)?.chosen;
    let rows = data.rows(Split::Heldout);
    let part = shuffled(data, &rows, seed)?;
    let columns = z.gather(&data.texts_of(&rows)).columns();
    let n_texts = data.texts_of(&rows).len();
    let fires = |neuron: usize| {
        let mut column = vec![Some(false); n_texts];
        let (on, values) = &columns[neuron];
        for (&i, _) in on.iter().zip(values).filter(|(_, v)| **v > 0.0) {
            column[i as usize] = Some(true);
        }
        column
    };
    let annotations: Vec<Vec<Option<bool>>> = chosen.iter().map(|c| fires(c.neuron)).collect();
    let n_hold = evaluate::count_holding(&part.heldout(&annotations), seed, test)?;
    Ok(Shuffled { n_tested: chosen.len(), n_hold })
}

/// These rows with their targets shuffled among them.
fn shuffled(data: &Dataset, rows: &[usize], seed: u64) -> Result<Dataset> {
    let mut part = data.gather(rows);
    let codes = |codes: &[u32]| -> Vec<usize> { codes.iter().map(|c| *c as usize).collect() };
    let group = part.group.as_deref().map(codes);
    let stratum = part.covariates.strata.as_ref().map(|s| codes(&s.of_row));
    let blocks = Blocks { group: group.as_deref(), stratum: stratum.as_deref() };
    part.y = permuted(&part.y, blocks, seed)?;
    Ok(part)
}

impl Placebo {
    /// Tests made, those that hold, and runs in which any did.
    #[must_use]
    pub fn totals(&self) -> (usize, usize, usize) {
        let sum = |of: fn(&Shuffled) -> usize| self.runs.iter().map(of).sum();
        let any = self.runs.iter().filter(|run| run.n_hold > 0).count();
        (sum(|run| run.n_tested), sum(|run| run.n_hold), any)
    }

    /// Table `placebo`: a row per shuffled target.
    #[must_use]
    pub fn table(&self) -> Table {
        let count = |name, description, of: fn(&Shuffled) -> usize| {
            Column::integer(name, "count", description, self.runs.iter().map(|run| Some(of(run))))
        };
        let columns = vec![
            Column::integer(
                "run",
                "",
                "number of the shuffled target",
                (1..).take(self.runs.len()).map(Some),
            ),
            count("n_tested", "neurons selected on it and tested", |run| run.n_tested),
            count("n_hold", "of these, those that hold though there is nothing", |run| run.n_hold),
        ];
        Table { name: "placebo", columns }
    }
}
