//! What a run does, told on stderr while it does it: bars on a terminal, plain lines elsewhere.
//!
//! The answer of a run goes to stdout and is not here.

use std::io::{IsTerminal, Write, stderr};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use dialoguer::console::style;
use hypothesaes::watch::Watch;
use hypothesaes_llm::ask::State;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use crate::interrupt;
use crate::show::{grouped, seconds};

/// A [`Watch`] for people.
pub struct Progress {
    how: How,
    now: Mutex<Option<Current>>,
}

/// In which form progress is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum How {
    Bars,
    Lines,
    Silent,
}

/// The stage that runs.
struct Current {
    stage: &'static str,
    total: u64,
    done: u64,
    start: Instant,
    pace: Pace,
    bar: ProgressBar,
    unit: &'static str,
    /// What was last said to be waited for, and when.
    held: Option<(String, Instant)>,
}

impl Progress {
    /// Bars if stderr is a terminal, plain lines if not, nothing if `quiet`.
    pub fn new(quiet: bool) -> Self {
        let how = match (quiet, stderr().is_terminal()) {
            (true, _) => How::Silent,
            (false, true) => How::Bars,
            (false, false) => How::Lines,
        };
        Self { how, now: Mutex::new(None) }
    }

    fn now(&self) -> MutexGuard<'_, Option<Current>> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Watch for Progress {
    fn begin(&self, stage: &'static str, total: u64, unit: &'static str) {
        let bar = match self.how {
            How::Bars => bar(stage, total, unit),
            How::Lines | How::Silent => ProgressBar::hidden(),
        };
        if self.how == How::Lines {
            match total {
                0 => line(&format!("{stage}: begins")),
                _ => line(&format!("{stage}: begins, {} {unit}", grouped(total))),
            }
        }
        let pace = Pace::default();
        *self.now() = Some(Current {
            stage,
            total,
            done: 0,
            start: Instant::now(),
            pace,
            bar,
            unit,
            held: None,
        });
    }

    fn advance(&self, done: u64) {
        let mut now = self.now();
        let Some(current) = now.as_mut() else { return };
        current.done += done;
        current.bar.inc(done);
        if self.how == How::Lines {
            let elapsed = current.start.elapsed();
            if let Some(said) = current.pace.due(current.done, current.total, elapsed) {
                line(&format!("{}: {said}", current.stage));
            }
        }
    }

    fn say(&self, said: &str) {
        match (self.how, self.now().as_ref()) {
            (How::Silent, _) => {}
            (How::Bars, Some(current)) => current.bar.suspend(|| line(said)),
            _ => line(said),
        }
    }

    fn end(&self, summary: &str) {
        let Some(current) = self.now().take() else { return };
        current.bar.finish_and_clear();
        let took = seconds(current.start.elapsed());
        match self.how {
            How::Silent => {}
            How::Bars => {
                let stage = style(format!("{:>9}", current.stage)).for_stderr().green().bold();
                line(&format!("{stage}  {summary}  {}", style(took).for_stderr().dim()));
            }
            How::Lines => line(&format!("{}: done, {summary} ({took})", current.stage)),
        }
    }

    fn asking(&self, state: &State) {
        let mut now = self.now();
        let Some(current) = now.as_mut() else { return };
        let spent = state.spent.filter(|spent| *spent > 0.0);
        let spent = spent.map_or_else(String::new, |spent| format!(", ${spent:.2}"));
        let held = state.held.as_ref().map(|(why, wait)| waits(why, *wait));
        let said = held.clone().unwrap_or_else(|| format!("{} under way", state.in_flight));
        current.bar.set_message(format!("{}{spent}  {said}", current.unit));
        let (Some(held), How::Lines, Some((why, wait))) = (held, self.how, &state.held) else {
            return;
        };
        let is_new = current
            .held
            .as_ref()
            .is_none_or(|(told, at)| told != why || at.elapsed() >= MAX_SILENCE);
        // Short waits are the normal pace of a limit.
        if is_new && *wait >= MIN_WAIT {
            line(&format!("{}: {held}", current.stage));
            current.held = Some((why.clone(), Instant::now()));
        }
    }

    fn interrupted(&self) -> bool {
        interrupt::asked()
    }
}

/// What is waited for, and how long.
fn waits(why: &str, wait: f64) -> String {
    format!("waits {} ({why})", seconds(Duration::from_secs_f64(wait.clamp(0.0, 1e6))))
}

/// A line on stderr. Nobody is left to tell if that fails.
pub fn line(said: &str) {
    let _ = writeln!(stderr(), "{said}");
}

fn bar(stage: &'static str, total: u64, unit: &'static str) -> ProgressBar {
    let length = (total > 0).then_some(total);
    let bar = ProgressBar::with_draw_target(length, ProgressDrawTarget::stderr());
    let template = match total {
        0 => "{prefix:>9.bold}  {spinner} {elapsed}",
        _ => "{prefix:>9.bold}  {bar:24} {percent:>3} %  {pos}/{len} {msg}  {rate}  {eta} left",
    };
    let style = ProgressStyle::with_template(template).expect("the template is well-formed");
    let rate = |state: &ProgressState, out: &mut dyn std::fmt::Write| {
        let _ = write!(out, "{:.0}/s", state.per_sec());
    };
    bar.set_style(style.with_key("rate", rate).progress_chars("=> "));
    bar.set_prefix(stage);
    bar.set_message(unit);
    // A terminal that does not move looks stuck.
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

/// Seconds of waiting that are worth a line.
const MIN_WAIT: f64 = 5.0;
const MIN_SILENCE: Duration = Duration::from_secs(1);
const MAX_SILENCE: Duration = Duration::from_secs(30);

/// When a stage has earned another plain line: after 10 % more of it, but no more often than each
/// second, or after 30 s.
#[derive(Debug, Default)]
struct Pace {
    told: u64,
    at: Duration,
}

impl Pace {
    /// The line, if one is due.
    fn due(&mut self, done: u64, total: u64, elapsed: Duration) -> Option<String> {
        let since = elapsed.saturating_sub(self.at);
        let more = done.saturating_sub(self.told);
        let ten_percent = total > 0 && more.saturating_mul(10) >= total;
        let due = since >= MAX_SILENCE || ten_percent && since >= MIN_SILENCE;
        if !due || total > 0 && done >= total {
            return None;
        }
        *self = Self { told: done, at: elapsed };
        if total == 0 {
            return Some(format!("{} done", grouped(done)));
        }
        let left = elapsed.as_secs_f64() * (total - done) as f64 / done.max(1) as f64;
        let left = seconds(Duration::from_secs_f64(left));
        Some(format!("{} %, about {left} left", 100 * done / total))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_due_after_ten_percent_or_thirty_seconds() {
        // Pieces done, of how many, after how many milliseconds.
        let mut pace = Pace::default();
        let mut check = |done, total, at, expected: Option<&str>| {
            let said = pace.due(done, total, Duration::from_millis(at));
            assert_eq!(said.as_deref(), expected, "{done} of {total} at {at} ms");
        };
        check(20, 100, 500, None);
        check(25, 100, 1000, Some("25 %, about 3.0 s left"));
        check(30, 100, 30_000, None);
        check(30, 100, 31_000, Some("30 %, about 72 s left"));
        check(40, 100, 32_000, Some("40 %, about 48 s left"));
        check(100, 100, 90_000, None);
    }

    #[test]
    fn a_stage_of_unknown_length_counts() {
        let mut pace = Pace::default();
        assert_eq!(pace.due(5000, 0, Duration::from_secs(29)), None);
        let said = pace.due(6000, 0, Duration::from_secs(30));
        assert_eq!(said.as_deref(), Some("6,000 done"));
    }
}
