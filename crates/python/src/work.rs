//! A piece of work beside Python: the GIL is free while it runs, the watch is told how it goes, and
//! Ctrl-C ends it.
//!
//! The work has a thread of its own. The thread that called looks twenty times a second what there
//! is to tell and whether there is a signal; both need the GIL, the work does not.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use hypothesaes::Error;
use hypothesaes::watch::Watch;
use hypothesaes_llm::ask::{State, Watch as AskWatch};
use pyo3::prelude::*;

use crate::fault;
use crate::pool::on_threads;

/// Between two looks at what there is to tell and at signals.
const TICK: Duration = Duration::from_millis(50);

/// Why work did not come to its end.
pub enum Failure {
    Library(Error),
    /// It panicked.
    Fault(String),
    Threads(String),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Library(error)
    }
}

enum Event {
    Begin(&'static str, u64, &'static str),
    Advance(u64),
    Say(String),
    End(String),
    Asking(State),
    /// A question to the user, and where the answer goes.
    Approve(String, Sender<bool>),
}

/// Hears from the work.
pub struct Teller {
    events: Sender<Event>,
    stop: AtomicBool,
}

/// Does `work`, telling `watch`.
pub fn work<T: Send>(
    py: Python<'_>,
    watch: Option<&Bound<'_, PyAny>>,
    work: impl FnOnce(&Teller) -> Result<T, Error> + Send,
) -> PyResult<T> {
    work_asking(py, watch, None, work)
}

/// The same; `approve` is asked what [`Teller::approve`] asks.
pub fn work_asking<T: Send>(
    py: Python<'_>,
    watch: Option<&Bound<'_, PyAny>>,
    approve: Option<&Bound<'_, PyAny>>,
    work: impl FnOnce(&Teller) -> Result<T, Error> + Send,
) -> PyResult<T> {
    let listener = Listener {
        watch: watch.map(|watch| watch.clone().unbind()),
        approve: approve.map(|approve| approve.clone().unbind()),
    };
    let (result, raised) = py.detach(move || {
        let (events, heard) = channel();
        let teller = &Teller { events, stop: AtomicBool::new(false) };
        thread::scope(|scope| {
            let (done, ended) = channel();
            scope.spawn(move || {
                let guarded = AssertUnwindSafe(|| on_threads(|| work(teller)));
                let result = match catch_unwind(guarded) {
                    Ok(Ok(result)) => result.map_err(Failure::Library),
                    Ok(Err(failure)) => Err(failure),
                    Err(panic) => Err(Failure::Fault(fault::words(&*panic))),
                };
                // The other end waits for exactly this.
                let _ = done.send(result);
            });
            listener.listen(&heard, &ended, &teller.stop)
        })
    });
    match (result, raised) {
        (_, Some(raised)) => Err(raised),
        (Ok(value), None) => Ok(value),
        (Err(failure), None) => Err(fault::raise(py, failure)),
    }
}

struct Listener {
    watch: Option<Py<PyAny>>,
    approve: Option<Py<PyAny>>,
}

impl Listener {
    /// Until the work has ended; its result, and what Python raised meanwhile.
    fn listen<T>(
        &self,
        heard: &Receiver<Event>,
        ended: &Receiver<Result<T, Failure>>,
        stop: &AtomicBool,
    ) -> (Result<T, Failure>, Option<PyErr>) {
        let mut raised: Option<PyErr> = None;
        loop {
            let result = ended.recv_timeout(TICK);
            let events: Vec<Event> = heard.try_iter().collect();
            if let Err(error) = Python::attach(|py| self.tell(py, events, raised.is_none())) {
                stop.store(true, Ordering::Relaxed);
                raised.get_or_insert(error);
            }
            match result {
                Ok(result) => return (result, raised),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    return (Err(Failure::Fault("a thread was lost".into())), raised);
                }
            }
        }
    }

    fn tell(&self, py: Python<'_>, events: Vec<Event>, is_heard: bool) -> PyResult<()> {
        py.check_signals()?;
        let mut advanced = 0;
        let mut asking = None;
        for event in events {
            match event {
                // Many small steps are one call.
                Event::Advance(done) => advanced += done,
                Event::Asking(state) => asking = Some(state),
                Event::Approve(question, answer) => {
                    self.flush(py, &mut advanced, &mut asking)?;
                    let yes = match &self.approve {
                        Some(approve) if is_heard => {
                            approve.call1(py, (question,))?.is_truthy(py)?
                        }
                        approve => approve.is_none(),
                    };
                    // Dropping it unsent says no as well.
                    let _ = answer.send(yes);
                }
                other => {
                    self.flush(py, &mut advanced, &mut asking)?;
                    self.call(py, other)?;
                }
            }
        }
        self.flush(py, &mut advanced, &mut asking)
    }

    fn flush(
        &self,
        py: Python<'_>,
        advanced: &mut u64,
        asking: &mut Option<State>,
    ) -> PyResult<()> {
        let Some(watch) = &self.watch else { return Ok(()) };
        let done = std::mem::take(advanced);
        if done > 0 {
            watch.call_method1(py, "advance", (done,))?;
        }
        if let Some(State { in_flight, spent, held, .. }) = asking.take() {
            let (held, wait) = held.map_or((None, 0.0), |(why, wait)| (Some(why), wait));
            watch.call_method1(py, "asking", (in_flight, spent, held, wait))?;
        }
        Ok(())
    }

    fn call(&self, py: Python<'_>, event: Event) -> PyResult<()> {
        let Some(watch) = &self.watch else { return Ok(()) };
        match event {
            Event::Begin(stage, total, unit) => {
                watch.call_method1(py, "begin", (stage, total, unit))?;
            }
            Event::Say(line) => drop(watch.call_method1(py, "say", (line,))?),
            Event::End(summary) => drop(watch.call_method1(py, "end", (summary,))?),
            Event::Advance(_) | Event::Asking(_) | Event::Approve(..) => {}
        }
        Ok(())
    }
}

impl Teller {
    fn tell(&self, event: Event) {
        // Nobody listens any more once the calling thread has left.
        let _ = self.events.send(event);
    }

    /// Where questions to the user can be asked from.
    pub fn questions(&self) -> Questions {
        Questions(self.events.clone())
    }
}

/// Asks the user.
pub struct Questions(Sender<Event>);

impl Questions {
    /// The user's word on what is about to be spent.
    pub fn approve(&self, question: String) -> bool {
        let (answer, said) = channel();
        let is_heard = self.0.send(Event::Approve(question, answer)).is_ok();
        is_heard && said.recv().unwrap_or(false)
    }
}

impl Watch for Teller {
    fn begin(&self, stage: &'static str, total: u64, unit: &'static str) {
        self.tell(Event::Begin(stage, total, unit));
    }

    fn advance(&self, done: u64) {
        self.tell(Event::Advance(done));
    }

    fn say(&self, line: &str) {
        self.tell(Event::Say(line.to_owned()));
    }

    fn end(&self, summary: &str) {
        self.tell(Event::End(summary.to_owned()));
    }

    fn asking(&self, state: &State) {
        self.tell(Event::Asking(state.clone()));
    }

    fn interrupted(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

/// The client's view of it.
impl AskWatch for Teller {
    fn advance(&self, done: u64) {
        Watch::advance(self, done);
    }

    fn state(&self, state: &State) {
        Watch::asking(self, state);
    }

    fn say(&self, line: &str) {
        Watch::say(self, line);
    }

    fn interrupted(&self) -> bool {
        Watch::interrupted(self)
    }
}
