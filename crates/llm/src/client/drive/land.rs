//! Replies: read, kept, handed to the asker.

use super::super::job::{Job, Landing, Question, Step};
use super::super::lock;
use super::super::transport::Reply;
use super::{Drive, Flight, Landed};
use crate::ask::Outcome;
use crate::failure::{Failure, classify, in_ok};
use crate::limits::headers;
use crate::question::{Answer, Usage};
use crate::store::CallRow;
use crate::wire::{self, Read};
use crate::{Error, Result};

/// Failed connections to a server that never answered, until it is believed not to be there.
const UNCONNECTED: u32 = 3;

impl Drive<'_> {
    pub(super) fn land(&mut self, landed: Landed) -> Result<()> {
        let Landed { mut flight, ticket, reply } = landed;
        let now = self.client.now();
        self.release(&mut flight.job);
        let told = reply.as_ref().map_or_else(|_| Vec::new(), |reply| headers(&reply.headers));
        lock(self.lane).pacer.landed(&ticket, &told, now);
        let failure = match reply {
            Ok(reply) => self.understand(&flight, &reply)?,
            Err(broken) if broken.unconnected && self.never_answered() => {
                self.failures += 1;
                if self.failures >= UNCONNECTED {
                    let server = self.task.model.server.host();
                    self.halt(Error::Unreachable { server, why: broken.why });
                    return Ok(());
                }
                Some(Failure::Passing { why: broken.why, wait: None })
            }
            Err(broken) => Some(Failure::Passing { why: broken.why, wait: None }),
        };
        match failure {
            Some(failure) => self.fail(flight, failure, Some(&ticket), now),
            None => drop(lock(self.lane).known.insert(flight.job.question.kind())),
        }
        Ok(())
    }

    /// Takes in the answer to a question that a batch job held.
    pub(super) fn land_item(&mut self, mut flight: Flight, reply: &Reply) -> Result<()> {
        self.release(&mut flight.job);
        let Some(failure) = self.understand(&flight, reply)? else { return Ok(()) };
        if let Some(item) = &flight.item {
            self.client.store.drop_item(item)?;
        }
        self.fail(flight, failure, None, self.client.now());
        Ok(())
    }

    /// Takes in a reply; what it means if it is no answer.
    fn understand(&mut self, flight: &Flight, reply: &Reply) -> Result<Option<Failure>> {
        let failure = if (200..300).contains(&reply.status) {
            self.read(flight, reply)?.err()
        } else {
            Some(classify(reply.status, &reply.headers, &reply.body))
        };
        let key = self.task.model.server.key();
        Ok(match (failure, key) {
            (Some(failure), Some(key)) => Some(failure.redacted(key)),
            (failure, _) => failure,
        })
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
                return Ok(Err(Failure::Void(format!("the model refuses: {why}"))));
            }
            Read::Empty => {
                self.pay(flight, usage, "empty", None)?;
                return Ok(Err(Failure::Void("the answer is empty".into())));
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
        let dollars = self.dollars(usage, flight.item.is_some());
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
            item: flight.item.as_deref(),
        };
        self.client.store.record(&row, &step.keep)
    }

    /// An outcome without an answer: nothing to keep.
    pub(super) fn give_up(&mut self, job: &Job, outcome: Outcome) {
        let step = (self.take)(job.id, job.without_answer(outcome));
        self.follow(step);
    }

    pub(super) fn follow(&mut self, step: Step) {
        for job in step.again.into_iter().rev() {
            self.ready.push_front(job);
        }
        self.watch.advance(step.done);
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
