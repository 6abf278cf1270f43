//! The event loop of one asking.
//!
//! Jobs wait in a queue until the lane lets them leave; replies are read, kept and handed to the
//! asker one by one; what failed waits for its next attempt or is given up.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::sync::Mutex;
use std::time::Duration;

use futures_util::future::LocalBoxFuture;
use futures_util::stream::{FuturesUnordered, StreamExt};

use super::job::{Job, Landing, Question, Step};
use super::lane::Lane;
use super::transport::{Broken, Reply};
use super::{Client, lock};
use crate::ask::{Outcome, State, Task, Watch};
use crate::failure::{Failure, classify, in_ok};
use crate::limits::{Held, Ticket, headers};
use crate::question::{Answer, Usage};
use crate::store::CallRow;
use crate::wire::{self, Face, Read};
use crate::{Error, Result};

/// Attempts of a job while others are answered.
const TRIES: u32 = 6;
/// Attempts of a job while nothing else is answered either.
const LONELY_TRIES: u32 = 9;
/// A job whose parameters are refused more often than this is not understood.
const ADAPTATIONS: u32 = 16;
/// Calls refused by a server that never answered one, until it is believed.
const REFUSALS: u32 = 5;
/// Failed connections to a server that never answered, until it is believed not to be there.
const UNCONNECTED: u32 = 3;
const TICK: Duration = Duration::from_millis(50);
/// How long answers in flight are waited for after the user asked to stop.
const FAREWELL: f64 = 2.0;

pub(super) struct Drive<'a> {
    client: &'a Client,
    task: Task<'a>,
    lane: &'a Mutex<Lane>,
    take: &'a mut dyn FnMut(usize, Landing) -> Step,
    watch: &'a dyn Watch,
    ready: VecDeque<Job>,
    /// By the time of the next attempt.
    later: BinaryHeap<Reverse<Later>>,
    flights: FuturesUnordered<LocalBoxFuture<'a, Landed>>,
    until: f64,
    last_answer: f64,
    last_state: f64,
    last_trouble: String,
    /// Failures since the last answer.
    failures: u32,
    refusals: u32,
    stop: Option<Error>,
    n_later: u64,
}

struct Landed {
    job: Job,
    ticket: Ticket,
    generation: u64,
    room: u32,
    reserved: f64,
    seconds: f64,
    reply: Result<Reply, Broken>,
}

/// What a flight was sent with, for reading its reply.
struct Flight {
    job: Job,
    generation: u64,
    room: u32,
    seconds: f64,
}

struct Later {
    at: f64,
    order: u64,
    job: Job,
}

impl<'a> Drive<'a> {
    pub fn new(
        client: &'a Client,
        task: Task<'a>,
        lane: &'a Mutex<Lane>,
        jobs: Vec<Job>,
        take: &'a mut dyn FnMut(usize, Landing) -> Step,
        watch: &'a dyn Watch,
    ) -> Self {
        let now = client.now();
        Self {
            client,
            task,
            lane,
            take,
            watch,
            ready: jobs.into(),
            later: BinaryHeap::new(),
            flights: FuturesUnordered::new(),
            until: now,
            last_answer: now,
            last_state: f64::NEG_INFINITY,
            last_trouble: String::new(),
            failures: 0,
            refusals: 0,
            stop: None,
            n_later: 0,
        }
    }

    pub async fn run(mut self) -> Result<()> {
        let mut farewell = None;
        loop {
            let now = self.client.now();
            if self.watch.interrupted() {
                self.stop = Some(Error::Interrupted);
                farewell.get_or_insert(now + FAREWELL);
            }
            if self.stop.is_none() {
                self.launch(now);
                self.lose_patience(now);
            }
            let over = self.stop.is_some() || self.ready.is_empty() && self.later.is_empty();
            if over && self.flights.is_empty() || farewell.is_some_and(|end| now >= end) {
                return self.stop.map_or(Ok(()), Err);
            }
            self.tell(now);
            let pause = self.pause(now);
            if self.flights.is_empty() {
                tokio::time::sleep(pause).await;
                continue;
            }
            if let Ok(Some(landed)) = tokio::time::timeout(pause, self.flights.next()).await {
                self.land(landed)?;
            }
        }
    }

    /// Sends whatever may leave now.
    fn launch(&mut self, now: f64) {
        while self.later.peek().is_some_and(|Reverse(later)| later.at <= now) {
            if let Some(Reverse(later)) = self.later.pop() {
                self.ready.push_front(later.job);
            }
        }
        self.until = now;
        while let Some(job) = self.ready.front() {
            let mut lane = lock(self.lane);
            let room = lane.dialect.room.max(job.room);
            let (input, output) = job.tokens(room);
            let estimate = Usage { input: job.most_input(), output, cached: 0 };
            let reserved = self.dollars(estimate).unwrap_or(0.0);
            let mut spending = lock(&self.client.spending);
            if !spending.reserve(reserved, self.client.options.max_cost) {
                let ceiling = self.client.options.max_cost.unwrap_or_default();
                self.stop = Some(Error::Ceiling { ceiling, spent: spending.known_part() });
                return;
            }
            match lane.pacer.admit(input + output, now) {
                Ok(ticket) => {
                    drop((lane, spending));
                    if let Some(job) = self.ready.pop_front() {
                        self.send(job, ticket, room, reserved);
                    }
                }
                Err(held) => {
                    spending.release(reserved);
                    if let Held::Until(until) = held {
                        self.until = until;
                    }
                    return;
                }
            }
        }
    }

    fn send(&mut self, job: Job, ticket: Ticket, room: u32, reserved: f64) {
        let model = self.task.model;
        let (path, body, generation) = {
            let lane = lock(self.lane);
            let dialect = &lane.dialect;
            let (path, body) = match &job.question {
                Question::Prompt(p) => (dialect.path(), wire::prompt(model, p, dialect, room)),
                Question::Texts(texts) => {
                    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
                    ("embeddings", wire::embeddings(model, &texts, dialect))
                }
            };
            (path, body, lane.generation)
        };
        let client = self.client;
        self.flights.push(Box::pin(async move {
            let sent = client.now();
            let reply = client.transport.post(&model.server, path, &body).await;
            let seconds = client.now() - sent;
            Landed { job, ticket, generation, room, reserved, seconds, reply }
        }));
    }

    fn land(&mut self, landed: Landed) -> Result<()> {
        let Landed { job, ticket, generation, room, reserved, seconds, reply } = landed;
        let now = self.client.now();
        lock(&self.client.spending).release(reserved);
        let told = reply.as_ref().map_or_else(|_| Vec::new(), |reply| headers(&reply.headers));
        lock(self.lane).pacer.landed(&ticket, &told, now);
        let flight = Flight { job, generation, room, seconds };
        let failure = match reply {
            Err(broken) if broken.unconnected && self.never_answered() => {
                self.failures += 1;
                if self.failures >= UNCONNECTED {
                    let server = self.task.model.server.host();
                    self.halt(Error::Unreachable { server, why: broken.why });
                    return Ok(());
                }
                Failure::Passing { why: broken.why, wait: None }
            }
            Err(broken) => Failure::Passing { why: broken.why, wait: None },
            Ok(reply) if (200..300).contains(&reply.status) => match self.read(&flight, &reply)? {
                Ok(()) => return Ok(()),
                Err(failure) => failure,
            },
            Ok(reply) => classify(reply.status, &reply.headers, &reply.body),
        };
        self.fail(flight, self.redacted(failure), &ticket, now);
        Ok(())
    }

    /// Takes in a reply with a status of success; the inner error is what it means instead.
    fn read(&mut self, flight: &Flight, reply: &Reply) -> Result<Result<(), Failure>> {
        if let Question::Texts(texts) = &flight.job.question {
            return match wire::read_vectors(&reply.body, texts.len()) {
                Ok((vectors, usage)) => {
                    self.answered();
                    self.finish(flight, Landing::Vectors(Ok(vectors)), usage, "answered", None)?;
                    Ok(Ok(()))
                }
                Err(why) => Ok(Err(not_an_answer(reply, why))),
            };
        }
        let Ok(body) = serde_json::from_slice(&reply.body) else {
            return Ok(Err(classify(reply.status, &reply.headers, &reply.body)));
        };
        if let Some(failure) = in_ok(&body) {
            return Ok(Err(failure));
        }
        let (read, raw, usage) = wire::read(&body);
        match read {
            Read::Answer(answer) => {
                self.answered();
                let outcome = Landing::Prompt(Outcome::Answer(answer));
                self.finish(flight, outcome, usage, "answered", Some(&raw))?;
            }
            Read::Cut(answer) => self.cut(flight, answer, usage, &raw)?,
            Read::Refused(why) => {
                self.pay(flight, usage, "refused", Some(&raw))?;
                // A model in two minds may answer the next time.
                let why = format!("the model refuses: {why}");
                return Ok(Err(match flight.job.tries {
                    0 | 1 => Failure::Passing { why, wait: None },
                    _ => Failure::Item(why),
                }));
            }
            Read::Empty => {
                self.pay(flight, usage, "empty", None)?;
                let why = "the answer is empty".into();
                return Ok(Err(Failure::Passing { why, wait: None }));
            }
            Read::Foreign => {
                return Ok(Err(not_an_answer(reply, "no `output` and no `choices`".into())));
            }
        }
        Ok(Ok(()))
    }

    /// An answer that was cut off is asked for again with more room, which is remembered if it was
    /// all spent on thinking.
    fn cut(&mut self, flight: &Flight, answer: Answer, usage: Usage, raw: &str) -> Result<()> {
        let mut job = flight.job.clone();
        let grown = {
            let mut lane = lock(self.lane);
            lane.answers += 1;
            lane.pacer.answered();
            let mut other = lane.dialect.clone();
            let grown = other.more_room(flight.room);
            job.room = other.room.max(job.room);
            if answer.text.is_empty() {
                lane.dialect = other;
            }
            grown
        };
        self.last_answer = self.client.now();
        self.failures = 0;
        if grown {
            self.pay(flight, usage, "cut", Some(raw))?;
            self.ready.push_front(job);
            return Ok(());
        }
        self.finish(flight, Landing::Prompt(Outcome::Cut(answer)), usage, "cut", Some(raw))
    }

    fn answered(&mut self) {
        let mut lane = lock(self.lane);
        lane.answers += 1;
        lane.pacer.answered();
        drop(lane);
        self.failures = 0;
        self.last_answer = self.client.now();
    }

    /// Hands an outcome to the asker, and keeps what the asker makes of it before going on.
    fn finish(
        &mut self,
        flight: &Flight,
        landing: Landing,
        usage: Usage,
        status: &str,
        reply: Option<&str>,
    ) -> Result<()> {
        let step = (self.take)(flight.job.id, landing);
        self.record(flight, usage, status, reply, &step)?;
        self.follow(step);
        Ok(())
    }

    fn pay(
        &mut self,
        flight: &Flight,
        usage: Usage,
        status: &str,
        reply: Option<&str>,
    ) -> Result<()> {
        self.record(flight, usage, status, reply, &Step::default())
    }

    fn record(
        &self,
        flight: &Flight,
        usage: Usage,
        status: &str,
        reply: Option<&str>,
        step: &Step,
    ) -> Result<()> {
        let dollars = self.dollars(usage);
        lock(&self.client.spending).spend(dollars);
        let row = CallRow {
            run: &self.client.run,
            stage: self.task.stage,
            server: self.task.model.server.base(),
            model: &self.task.model.name,
            status,
            usage,
            dollars,
            seconds: flight.seconds,
            reply,
        };
        self.client.store.record(&row, &step.keep)
    }

    /// An outcome without an answer: nothing to keep.
    fn give_up(&mut self, job: &Job, outcome: Outcome) {
        let step = (self.take)(job.id, job.without_answer(outcome));
        self.follow(step);
    }

    fn follow(&mut self, step: Step) {
        for job in step.again.into_iter().rev() {
            self.ready.push_front(job);
        }
        self.watch.advance(step.done);
    }

    fn fail(&mut self, flight: Flight, failure: Failure, ticket: &Ticket, now: f64) {
        let job = flight.job;
        let jitter = fastrand::f64();
        let host = self.task.model.server.host();
        match failure {
            Failure::Limit(refusal) => {
                self.last_trouble.clone_from(&refusal.why);
                lock(self.lane).pacer.refused(&refusal, ticket, jitter, now);
                self.ready.push_front(job);
            }
            Failure::SlowDown { wait } => {
                let wait = wait.map(|w| w.as_secs_f64());
                "asked to slow down".clone_into(&mut self.last_trouble);
                lock(self.lane).pacer.trouble(wait, "asked to slow down", jitter, now);
                self.ready.push_front(job);
            }
            Failure::TooLarge(why) | Failure::TooLong(why) => {
                self.give_up(&job, Outcome::TooLong(why));
            }
            Failure::Passing { why, wait } => self.try_later(job, why, wait, jitter, now),
            Failure::Parameter { name, supported, why } => {
                self.adapt(job, flight.generation, &name, &supported, why);
            }
            Failure::NoSuchPath(why) => self.other_face(job, flight.generation, &why),
            Failure::Item(why) if self.never_answered() && self.refusals + 1 >= REFUSALS => {
                self.halt(Error::Refused { server: host, why });
            }
            Failure::Item(why) => {
                self.refusals += 1;
                self.give_up(&job, Outcome::Never(why));
            }
            Failure::Key(why) => self.halt(Error::Key { server: host, why }),
            Failure::Money(why) => self.halt(Error::Money { server: host, why }),
            Failure::Model(why) => {
                let model = self.task.model.name.clone();
                self.halt(Error::Model { server: host, model, why });
            }
            Failure::Foreign(why) if self.never_answered() => {
                self.halt(Error::Foreign { server: host, why });
            }
            Failure::Foreign(why) => self.try_later(job, why, None, jitter, now),
        }
    }

    /// Another attempt after a pause that doubles, with full jitter; or none. An attempt counts
    /// fully only while others are answered, for then the server is there.
    fn try_later(
        &mut self,
        mut job: Job,
        why: String,
        wait: Option<Duration>,
        jitter: f64,
        now: f64,
    ) {
        self.failures += 1;
        let mut lane = lock(self.lane);
        let answers = lane.answers;
        if self.failures >= 3 {
            lane.pacer.trouble(wait.map(|w| w.as_secs_f64()), &why, jitter, now);
        }
        // A server that breaks at a schema says so by breaking.
        let has_schema = matches!(&job.question, Question::Prompt(p) if p.schema.is_some());
        if answers == 0 && job.tries >= 1 && has_schema && lane.dialect.simpler_form() {
            lane.generation += 1;
        }
        drop(lane);
        job.tries += 1;
        let others_answered = *job.failed_at.get_or_insert(answers) < answers;
        if job.tries >= LONELY_TRIES || job.tries >= TRIES && others_answered {
            self.give_up(&job, Outcome::Never(format!("{why} ({} attempts)", job.tries)));
            return;
        }
        let pause = 0.5 * f64::from(1_u32 << job.tries.min(6)) * jitter;
        let pause = wait.map_or(pause, |w| w.as_secs_f64() * (1.0 + 0.1 * jitter));
        self.last_trouble = why;
        self.n_later += 1;
        self.later.push(Reverse(Later { at: now + pause, order: self.n_later, job }));
    }

    /// Sends the job anew without what was refused, unless that has been done meanwhile.
    fn adapt(&mut self, mut job: Job, sent: u64, name: &str, supported: &[String], why: String) {
        job.adapted += 1;
        let mut lane = lock(self.lane);
        let effort = self.task.model.effort;
        let changed = lane.generation != sent || {
            let dropped = lane.dialect.drop_parameter(name, effort, supported);
            lane.generation += u64::from(dropped);
            dropped
        };
        drop(lane);
        if changed && job.adapted <= ADAPTATIONS {
            self.ready.push_front(job);
        } else if self.never_answered() && self.refusals + 1 >= REFUSALS {
            let server = self.task.model.server.host();
            self.halt(Error::Refused { server, why });
        } else {
            self.refusals += 1;
            self.give_up(&job, Outcome::Never(why));
        }
    }

    /// A server without the Responses API has the older one.
    fn other_face(&mut self, job: Job, sent: u64, why: &str) {
        let is_prompt = matches!(job.question, Question::Prompt(_));
        let mut lane = lock(self.lane);
        if is_prompt && (lane.generation != sent || lane.dialect.face == Face::Responses) {
            if lane.dialect.face == Face::Responses {
                lane.dialect.face = Face::Chat;
                lane.generation += 1;
            }
            drop(lane);
            self.ready.push_front(job);
            return;
        }
        drop(lane);
        let server = self.task.model.server.host();
        let what = if is_prompt { "chat" } else { "embeddings" };
        self.halt(Error::Foreign { server, why: format!("it has no {what}: {why}") });
    }

    fn lose_patience(&mut self, now: f64) {
        let waited = now - self.last_answer;
        if waited > self.client.options.patience && !self.last_trouble.is_empty() {
            let server = self.task.model.server.host();
            let why = self.last_trouble.clone();
            self.halt(Error::Patience { server, minutes: waited / 60.0, why });
        }
    }

    fn halt(&mut self, error: Error) {
        self.stop.get_or_insert(error);
    }

    fn never_answered(&self) -> bool {
        lock(self.lane).answers == 0
    }

    /// What a call costs; `None` if that is not known.
    fn dollars(&self, usage: Usage) -> Option<f64> {
        self.client.prices.of(&self.task.model.name).map(|price| price.cost(usage, false))
    }

    /// A server may repeat the key in what it says of it.
    fn redacted(&self, failure: Failure) -> Failure {
        let Some(key) = self.task.model.server.key() else { return failure };
        match failure {
            Failure::Key(why) => Failure::Key(key.redact(&why)),
            Failure::Item(why) => Failure::Item(key.redact(&why)),
            Failure::Model(why) => Failure::Model(key.redact(&why)),
            Failure::Foreign(why) => Failure::Foreign(key.redact(&why)),
            Failure::Passing { why, wait } => Failure::Passing { why: key.redact(&why), wait },
            other => other,
        }
    }

    /// How long nothing can happen but a landing.
    fn pause(&self, now: f64) -> Duration {
        let mut next = now + TICK.as_secs_f64();
        if self.until > now {
            next = next.min(self.until);
        }
        if let Some(Reverse(later)) = self.later.peek() {
            next = next.min(later.at);
        }
        Duration::from_secs_f64((next - now).max(0.001))
    }

    fn tell(&mut self, now: f64) {
        if now - self.last_state < 0.2 {
            return;
        }
        self.last_state = now;
        self.watch.state(&State {
            in_flight: self.flights.len(),
            waiting: self.ready.len() + self.later.len(),
            spent: self.client.spent(),
            held: lock(self.lane).pacer.held(now, self.until),
        });
    }
}

/// A reply with a status of success that holds no answer: an error inside, a page, cut JSON, or
/// whole JSON of some other kind, which it would be the next time too.
fn not_an_answer(reply: &Reply, why: String) -> Failure {
    match serde_json::from_slice(&reply.body) {
        Ok(body) => in_ok(&body).unwrap_or(Failure::Foreign(why)),
        Err(_) => classify(reply.status, &reply.headers, &reply.body),
    }
}

impl PartialEq for Later {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Later {}

impl PartialOrd for Later {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Later {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.at.total_cmp(&other.at).then(self.order.cmp(&other.order))
    }
}
