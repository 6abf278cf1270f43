//! The event loop of one asking.
//!
//! Jobs wait in a queue until the lane lets them leave; replies are read, kept and handed to the
//! asker one by one; what failed waits for its next attempt or is given up.

mod batched;
mod fail;
mod land;

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::sync::Mutex;
use std::time::Duration;

use futures_util::future::LocalBoxFuture;
use futures_util::stream::{FuturesUnordered, StreamExt};
use serde_json::Value;

use super::job::{Job, Landing, Question, Step};
use super::lane::Lane;
use super::transport::{Broken, Reply};
use super::{Client, FAREWELL, TICK, lock};
use crate::ask::{State, Task, Watch};
use crate::limits::{Held, Ticket};
use crate::question::Usage;
use crate::{Error, Result, wire};

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
    flight: Flight,
    ticket: Ticket,
    reply: Result<Reply, Broken>,
}

/// A question that left, and how, for reading its reply.
struct Flight {
    job: Job,
    generation: u64,
    room: u32,
    seconds: f64,
    /// Its name if a batch job held it.
    item: Option<String>,
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

    /// Until every job has had its outcome and no more follow.
    pub async fn run(&mut self) -> Result<()> {
        let mut farewell = None;
        // Patience begins now, however long a batch job took.
        self.last_answer = self.client.now();
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
                return self.stop.take().map_or(Ok(()), Err);
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
            let reserved = match self.reserve(job, room, false) {
                Ok(reserved) => reserved,
                Err(ceiling) => return self.halt(ceiling),
            };
            match lane.pacer.admit(input + output, now) {
                Ok(ticket) => {
                    drop(lane);
                    if let Some(job) = self.ready.pop_front() {
                        self.send(Job { reserved, ..job }, ticket, room);
                    }
                }
                Err(held) => {
                    lock(&self.client.spending).release(reserved);
                    if let Held::Until(until) = held {
                        self.until = until;
                    }
                    return;
                }
            }
        }
    }

    /// Sets aside the most that the job can cost.
    fn reserve(&self, job: &Job, room: u32, batch: bool) -> Result<f64> {
        let (_, output) = job.tokens(room);
        let most = Usage { input: job.most_input(), output, cached: 0 };
        let dollars = self.dollars(most, batch).unwrap_or(0.0);
        let mut spending = lock(&self.client.spending);
        if spending.reserve(dollars, self.client.options.max_cost) {
            return Ok(dollars);
        }
        let ceiling = self.client.options.max_cost.unwrap_or_default();
        Err(Error::Ceiling { ceiling, spent: spending.known_part() })
    }

    fn release(&self, job: &mut Job) {
        lock(&self.client.spending).release(std::mem::take(&mut job.reserved));
    }

    fn send(&mut self, job: Job, ticket: Ticket, room: u32) {
        let (path, body, generation) = self.request(&job, room);
        let (client, server) = (self.client, &self.task.model.server);
        self.flights.push(Box::pin(async move {
            let sent = client.now();
            let reply = client.transport.post(server, path, &body).await;
            let seconds = client.now() - sent;
            let flight = Flight { job, generation, room, seconds, item: None };
            Landed { flight, ticket, reply }
        }));
    }

    /// Path and body of the job's request, as the server is now known to take it.
    fn request(&self, job: &Job, room: u32) -> (&'static str, Value, u64) {
        let (lane, model) = (lock(self.lane), self.task.model);
        let dialect = &lane.dialect;
        let (path, body) = match &job.question {
            Question::Prompt(p) => (dialect.path(), wire::prompt(model, p, dialect, room)),
            Question::Texts(texts) => {
                let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
                ("embeddings", wire::embeddings(model, &texts, dialect))
            }
        };
        (path, body, lane.generation)
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
    fn dollars(&self, usage: Usage, batch: bool) -> Option<f64> {
        self.client.prices.of(&self.task.model.name).map(|price| price.cost(usage, batch))
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
