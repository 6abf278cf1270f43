//! The answer of a run, for people and for machines, and how numbers are written.

use std::fmt::Write as _;
use std::io::{ErrorKind, Write as _, stdout};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use hypothesaes::data::Task;
use hypothesaes::evaluate::{Effect, FitKind, Model, Status, Together};
use hypothesaes::run::{Hypothesis, Outcome, Plan, TestSummary};
use hypothesaes::store::StageReport;
use serde::Serialize;

use crate::consent;

/// Writes to stdout; whoever closes it early has read enough.
pub fn print(text: &str) -> Result<()> {
    match writeln!(stdout(), "{}", text.trim_end()) {
        Err(e) if e.kind() != ErrorKind::BrokenPipe => Err(e).context("cannot write the answer"),
        _ => Ok(()),
    }
}

/// One JSON document.
pub fn json(value: &impl Serialize) -> Result<String> {
    serde_json::to_string_pretty(value).context("cannot write the answer as JSON")
}

/// The hypotheses that hold, strongest first, and where the files are; of a run that ended before
/// its test, what became of the stages.
pub fn answer(outcome: &Outcome) -> String {
    let Some(test) = &outcome.test else { return stages(outcome) };
    let mut text = headline(outcome, test);
    let (hold, others): (Vec<_>, Vec<_>) =
        outcome.strongest_first().into_iter().partition(|h| h.tested.status == Status::Holds);
    if !hold.is_empty() {
        let unit = unit(outcome, test);
        let _ = writeln!(text, "\n{}", heading());
        text.extend(hold.iter().map(|h| row(h)));
        let _ = writeln!(text, "\nEffects are in {unit}, the other hypotheses held equal.");
    }
    let not = others.len();
    let unlabelled = outcome.unlabelled.len();
    if not + unlabelled > 0 {
        let _ = writeln!(text, "{}", rest(not, unlabelled));
    }
    let folder = outcome.folder.display();
    let _ = writeln!(text, "\nReport   {folder}/report.html");
    let _ = writeln!(text, "Tables   {folder}/tables/hypotheses.csv and others");
    text
}

/// The stages that were not done anew.
pub fn reused(stages: &[StageReport]) -> Option<String> {
    let names: Vec<&str> = stages.iter().filter(|s| s.reused).map(|s| s.stage.name()).collect();
    (!names.is_empty())
        .then(|| format!("reused, for nothing they rest on has changed: {}", names.join(", ")))
}

/// What a run would do, and where.
pub fn plan(plan: &Plan, folder: &Path) -> String {
    let mut text = format!("in {}:\n", folder.display());
    for stage in &plan.stages {
        let fate = match (&stage.again_because, stage.reused) {
            (_, true) => "would be reused".into(),
            (Some(why), false) => format!("would be done again because {why}"),
            (None, false) => "would be done".into(),
        };
        let _ = writeln!(text, "{:>9}  {fate}", stage.stage.name());
    }
    if let Some(estimate) = &plan.estimate {
        text += &consent::table(estimate);
    }
    text
}

/// Digits in groups of three, as in 24,212.
pub fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A duration in seconds, to a tenth below ten.
pub fn seconds(duration: Duration) -> String {
    let seconds = duration.as_secs_f64();
    if seconds < 9.95 { format!("{seconds:.1} s") } else { format!("{seconds:.0} s") }
}

fn headline(outcome: &Outcome, test: &TestSummary) -> String {
    let target = outcome.data.as_ref().map_or("the target", |data| &data.target);
    let mut text = format!(
        "{} of {} hypotheses about `{}` hold on {} held-out {} (Holm-adjusted p < {})",
        test.n_hold,
        test.n_hypotheses,
        plain(target),
        grouped(test.n as u64),
        if test.is_paired { "pairs" } else { "texts" },
        test.alpha
    );
    if test.n_hold > 0 {
        let _ = write!(text, ",\n{} of them beside all others too", test.n_hold_jointly);
    }
    text += ".\n";
    let main = |fit| test.models.iter().find(move |m| m.is_main() && m.fit == fit);
    let (cross_fitted, in_sample) = (main(FitKind::CrossFitted), main(FitKind::InSample));
    if let Some(fit) = cross_fitted.and_then(together) {
        let _ = write!(text, "Together, cross-fitted: {fit}");
        if let Some(measure) = in_sample.and_then(|m| m.measure) {
            let _ = write!(text, " (on the fitted texts themselves {:.2})", measure.value);
        }
        text += ".\n";
    }
    text
}

fn together(fit: &Together) -> Option<String> {
    let (name, m) = (fit.metric.title(), fit.measure?);
    Some(match (m.conf_low, m.conf_high) {
        (Some(low), Some(high)) => format!("{name} = {:.2} [{low:.2}, {high:.2}]", m.value),
        _ => format!("{name} = {:.2}", m.value),
    })
}

fn unit(outcome: &Outcome, test: &TestSummary) -> String {
    match (test.model, outcome.data.as_ref()) {
        (Model::Logit, Some(data)) => match &data.task {
            Task::Binary { positive, .. } => format!("log-odds of `{}`", plain(positive)),
            _ => "log-odds".into(),
        },
        (_, Some(data)) => format!("units of `{}`", plain(&data.target)),
        (_, None) => "units of the target".into(),
    }
}

fn heading() -> String {
    format!("{:<22}{:<22}{:>8}  the text ...", "with - without", "effect", "present")
}

fn row(h: &Hypothesis) -> String {
    let prevalence =
        h.tested.prevalence.map_or_else(String::new, |share| format!("{:.0} %", 100.0 * share));
    let class = h.tested.class.as_ref();
    format!(
        "{:<22}{:<22}{prevalence:>8}  {}{}\n",
        interval(h.tested.claim()),
        interval(h.tested.joint.as_ref()),
        plain(&h.hypothesis),
        class.map_or_else(String::new, |class| format!(" ({})", plain(class)))
    )
}

/// An effect with its interval.
fn interval(effect: Option<&Effect>) -> String {
    let Some(estimate) = effect.map(|e| e.estimate) else { return String::new() };
    match (estimate.conf_low, estimate.conf_high) {
        (Some(low), Some(high)) => format!("{:+.2} [{low:+.2}, {high:+.2}]", estimate.value),
        _ => format!("{:+.2}", estimate.value),
    }
}

fn rest(not: usize, unlabelled: usize) -> String {
    let mut parts = Vec::new();
    if not > 0 {
        parts.push(format!("{not} that do not hold or could not be tested"));
    }
    if unlabelled > 0 {
        parts.push(format!("{unlabelled} selected neurons could not be put into words"));
    }
    format!("Not shown: {}; the summary has them.", parts.join(", "))
}

/// What became of each stage, and what a run that ended early has come to.
fn stages(outcome: &Outcome) -> String {
    let mut text = String::new();
    for report in &outcome.stages {
        let _ = writeln!(text, "{:>9}  {}", report.stage.name(), fate(report));
    }
    let _ = writeln!(text, "\nFiles    {}", outcome.folder.display());
    text
}

fn fate(report: &StageReport) -> String {
    let took = seconds(Duration::from_secs_f64(report.seconds));
    match (&report.again_because, report.reused) {
        (_, true) => "reused".into(),
        (None, false) => format!("done in {took}"),
        (Some(why), false) => format!("done again in {took} because {why}"),
    }
}

/// Text of the data, without anything that a terminal would obey.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_easy_to_read() {
        for (n, expected) in [(0, "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(grouped(n), expected);
        }
        for (ms, expected) in [(40, "0.0 s"), (9_940, "9.9 s"), (9_960, "10 s"), (61_000, "61 s")] {
            assert_eq!(seconds(Duration::from_millis(ms)), expected);
        }
    }

    #[test]
    fn a_text_cannot_command_the_terminal() {
        assert_eq!(plain("a\u{1b}[31mb\n"), "a [31mb ");
    }
}
