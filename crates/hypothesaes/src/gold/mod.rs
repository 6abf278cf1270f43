//! Annotations by hand of some held-out texts: how well the annotator agrees with them, and effects
//! corrected for its errors.
//!
//! The texts must have been drawn at random from the held-out ones, as [`sheet`] draws them: that is
//! what the corrections rest on.

mod table;

use std::collections::HashMap;
use std::path::Path;

use hypothesaes_math::agreement::{YesNo, yes_no};
use hypothesaes_math::multiplicity::holm;
use hypothesaes_math::random::{permutation, stream};
use hypothesaes_math::rectify::{Annotated, Link, Sampling, Tuning, rectify};
use hypothesaes_math::{Error as MathError, Estimate, Level};
use serde::{Deserialize, Serialize};

use crate::data::{Dataset, Split, Task, read_sheet};
use crate::evaluate::{Heldout, hypothesis_id};
use crate::{Error, Result};

/// Annotations by hand: a column per hypothesis with an entry per held-out text.
pub type ByHand = Vec<Vec<Option<bool>>>;

/// What annotations by hand say of each hypothesis.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Gold {
    pub hypotheses: Vec<Corrected>,
    /// What the user should know.
    pub messages: Vec<String>,
}

/// A hypothesis beside annotations by hand.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Corrected {
    pub id: String,
    /// Texts annotated by hand, and by the annotator too.
    pub n: usize,
    pub agreement: Option<Estimate>,
    pub kappa: Option<Estimate>,
    pub adjusted_kappa: Option<Estimate>,
    pub sensitivity: Option<Estimate>,
    pub specificity: Option<Estimate>,
    /// The separation as if the annotator made no errors, beside the controls if there are any.
    pub naive: Option<Estimate>,
    /// The same corrected, by prediction-powered inference (PPI++).
    pub powered: Option<Estimate>,
    pub powered_p_holm: Option<f64>,
    /// The same corrected by the design-based estimator (DSL).
    pub designed: Option<Estimate>,
    pub designed_p_holm: Option<f64>,
    /// From the texts annotated by hand alone.
    pub by_hand: Option<Estimate>,
    /// Why there is no correction.
    pub warning: Option<String>,
}

/// Reads the file, matching its rows with the held-out texts by `row_id` (and `side`) or `text`, and
/// its columns with the hypotheses by their ids or wordings.
///
/// # Errors
/// [`Error::Missing`], [`Error::Input`], [`Error::Data`] for a file that matches nothing.
pub fn read(path: &Path, data: &Dataset, wordings: &[String]) -> Result<ByHand> {
    let sheet = read_sheet(path)?;
    let texts = data.texts_in(Split::Heldout);
    let columns: Vec<Option<usize>> =
        (0..wordings.len()).map(|j| column_of(&sheet.columns, j, &wordings[j])).collect();
    if columns.iter().all(Option::is_none) {
        return Err(Error::Data(format!(
            "`{}` has no column for any hypothesis; name them by their ids, as in H01",
            path.display()
        )));
    }
    let places = Places::of(data, &texts, &sheet.columns, path)?;
    let mut by_hand = vec![vec![None; texts.len()]; wordings.len()];
    let mut matched = 0;
    for (row, cells) in sheet.rows.iter().enumerate() {
        let Some(text) = places.find(cells) else { continue };
        matched += 1;
        for (column, answers) in columns.iter().zip(&mut by_hand) {
            if let Some(column) = column {
                answers[text] = sheet.answer(path, row, *column)?.or(answers[text]);
            }
        }
    }
    if matched == 0 {
        return Err(Error::Data(format!(
            "no row of `{}` is one of the held-out texts; `hypothesaes gold RUN` draws some to \
             annotate",
            path.display()
        )));
    }
    Ok(by_hand)
}

/// The column of hypothesis `j`: its id, alone or before a colon, or its wording.
fn column_of(columns: &[String], j: usize, wording: &str) -> Option<usize> {
    let id = hypothesis_id(j);
    let is = |name: &String| {
        let name = name.trim();
        name == wording || name == id || name.strip_prefix(&id).is_some_and(|r| r.starts_with(':'))
    };
    columns.iter().position(is)
}

/// Where a row's text is among the held-out ones.
struct Places<'a> {
    row_id: Option<usize>,
    side: Option<usize>,
    text: Option<usize>,
    by_row: HashMap<(String, &'static str), usize>,
    by_text: HashMap<&'a str, usize>,
}

impl<'a> Places<'a> {
    fn of(data: &'a Dataset, texts: &[usize], columns: &[String], path: &Path) -> Result<Self> {
        let named = |name: &str| columns.iter().position(|c| c.trim().eq_ignore_ascii_case(name));
        let (row_id, side, text) = (named("row_id"), named("side"), named("text"));
        if row_id.is_none() && text.is_none() {
            return Err(Error::Data(format!(
                "`{}` has neither a column `row_id` nor `text`, which say what was annotated",
                path.display()
            )));
        }
        if data.is_paired && row_id.is_some() && side.is_none() {
            return Err(Error::Data(format!(
                "`{}` has no column `side`, which says which text of a pair was annotated",
                path.display()
            )));
        }
        let sides = data.sides(texts).unwrap_or_else(|| vec![""; texts.len()]);
        let ids = data.row_ids(texts).into_iter().map(|id| id.to_string());
        let by_row = ids.zip(sides).enumerate().map(|(at, key)| (key, at)).collect();
        let by_text = texts.iter().enumerate().map(|(at, &t)| (data.texts.get(t), at)).collect();
        Ok(Self { row_id, side, text, by_row, by_text })
    }

    fn find(&self, cells: &[Option<String>]) -> Option<usize> {
        let cell = |at: Option<usize>| cells[at?].as_deref().map(str::trim);
        if let Some(id) = cell(self.row_id) {
            let side = match cell(self.side) {
                Some("a") => "a",
                Some("b") => "b",
                _ => "",
            };
            return self.by_row.get(&(id.to_owned(), side)).copied();
        }
        self.by_text.get(cells[self.text?].as_deref()?).copied()
    }
}

/// A sheet to annotate by hand: `n` held-out texts drawn at random, with an empty column for every
/// hypothesis, as CSV.
///
/// # Errors
/// [`Error::Data`] if the sheet cannot be put together.
pub fn sheet(data: &Dataset, wordings: &[String], n: usize, seed: u64) -> Result<Vec<u8>> {
    let texts = data.texts_in(Split::Heldout);
    let mut drawn = permutation(texts.len(), &mut stream(seed, "gold"));
    drawn.truncate(n);
    drawn.sort_unstable();
    let drawn: Vec<usize> = drawn.into_iter().map(|at| texts[at]).collect();
    let (ids, sides) = (data.row_ids(&drawn), data.sides(&drawn));
    let mut csv = csv::Writer::from_writer(Vec::new());
    let mut header = vec!["row_id".to_owned()];
    header.extend(sides.iter().map(|_| "side".to_owned()));
    header.push("text".to_owned());
    header.extend(wordings.iter().enumerate().map(|(j, w)| format!("{}: {w}", hypothesis_id(j))));
    let failed = |e: csv::Error| Error::Data(format!("the sheet cannot be written: {e}"));
    csv.write_record(&header).map_err(failed)?;
    for (at, &text) in drawn.iter().enumerate() {
        let mut record = vec![ids[at].to_string()];
        record.extend(sides.iter().map(|sides| sides[at].to_owned()));
        record.push(data.texts.get(text).to_owned());
        record.resize(header.len(), String::new());
        csv.write_record(&record).map_err(failed)?;
    }
    csv.into_inner().map_err(|e| Error::Data(format!("the sheet cannot be written: {e}")))
}

/// Agreement of each hypothesis, and its separation corrected.
///
/// # Errors
/// [`Error::Math`] for columns of another length.
pub fn correct(heldout: &Heldout, by_hand: &ByHand, level: Level) -> Result<Gold> {
    let mut messages = Vec::new();
    let corrects = match (heldout.is_paired, heldout.task) {
        (true, _) => Some("effects of pairs are not corrected by annotations by hand"),
        (_, Task::Multiclass { .. }) => {
            Some("effects on several classes are not corrected by annotations by hand")
        }
        _ => None,
    };
    messages.extend(corrects.map(str::to_owned));
    let mut hypotheses = Vec::new();
    for (j, (machine, human)) in heldout.annotations.iter().zip(by_hand).enumerate() {
        let found = yes_no(machine, human, level)?;
        let mut corrected = agreed(j, &found);
        if corrects.is_none() {
            separate(&mut corrected, heldout, machine, human, level)?;
        }
        hypotheses.push(corrected);
    }
    let adjust = |of: fn(&Corrected) -> Option<Estimate>| -> Vec<Option<f64>> {
        holm(&hypotheses.iter().map(|h| of(h)?.p_value).collect::<Vec<_>>())
    };
    let (powered, designed) = (adjust(|h| h.powered), adjust(|h| h.designed));
    for ((h, powered), designed) in hypotheses.iter_mut().zip(powered).zip(designed) {
        (h.powered_p_holm, h.designed_p_holm) = (powered, designed);
    }
    Ok(Gold { hypotheses, messages })
}

fn agreed(j: usize, found: &YesNo) -> Corrected {
    let none = None;
    Corrected {
        id: hypothesis_id(j),
        n: found.n,
        agreement: found.agreement,
        kappa: found.kappa,
        adjusted_kappa: found.adjusted_kappa,
        sensitivity: found.sensitivity,
        specificity: found.specificity,
        naive: none,
        powered: none,
        powered_p_holm: None,
        designed: none,
        designed_p_holm: None,
        by_hand: none,
        warning: None,
    }
}

/// The separation with and without correction.
fn separate(
    corrected: &mut Corrected,
    heldout: &Heldout,
    machine: &[Option<bool>],
    human: &[Option<bool>],
    level: Level,
) -> Result<()> {
    let rows: Vec<usize> = (0..machine.len()).filter(|&i| machine[i].is_some()).collect();
    let number = |answer: Option<bool>| answer.map(|a| f64::from(u8::from(a)));
    let of_machine = [rows.iter().map(|&i| number(machine[i]).unwrap_or(0.0)).collect()];
    let of_human = [rows.iter().map(|&i| number(human[i])).collect()];
    let y: Vec<f64> = rows.iter().map(|&i| heldout.y[i]).collect();
    let cluster: Option<Vec<usize>> =
        heldout.group.map(|g| rows.iter().map(|&i| g[i] as usize).collect());
    let controls = heldout.controls(&rows)?;
    let annotated = Annotated {
        machine: &of_machine,
        human: &of_human,
        controls: &controls,
        y: &y,
        cluster: cluster.as_deref(),
        sampling: Sampling::Random,
    };
    let by = |tuning| rectify(Link::Identity, &annotated, tuning, level);
    match (by(Tuning::Power), by(Tuning::Full)) {
        (Ok(powered), Ok(designed)) => {
            let (powered, designed) = (powered.terms[1], designed.terms[1]);
            corrected.naive = Some(powered.naive);
            corrected.powered = Some(powered.corrected);
            corrected.designed = Some(designed.corrected);
            corrected.by_hand = powered.human;
        }
        (Err(MathError::Data(why) | MathError::Diverged(why)), _)
        | (_, Err(MathError::Data(why) | MathError::Diverged(why))) => {
            corrected.warning = Some(why);
        }
        (Err(other), _) | (_, Err(other)) => return Err(other.into()),
    }
    Ok(())
}
