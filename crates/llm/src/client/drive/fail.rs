//! What is done about a question without an answer.

use std::cmp::Reverse;
use std::time::Duration;

use super::super::job::{Job, Question};
use super::super::lock;
use super::{Drive, Flight, Later};
use crate::Error;
use crate::ask::Outcome;
use crate::failure::Failure;
use crate::limits::Ticket;
use crate::wire::Face;

/// Attempts of a job while others are answered.
const TRIES: u32 = 6;
/// Attempts of a job while nothing else is answered either.
const LONELY_TRIES: u32 = 9;
/// Attempts of a job whose answers are empty or refusals.
const VOID_TRIES: u32 = 3;
/// A job whose parameters are refused more often than this is not understood.
const ADAPTATIONS: u32 = 16;
/// Calls refused by a server that never answered one, until it is believed.
const REFUSALS: u32 = 5;

impl Drive<'_> {
    /// Limits concern the pacing of calls that had a ticket; to a batch job they are a fault.
    pub(super) fn fail(
        &mut self,
        flight: Flight,
        failure: Failure,
        ticket: Option<&Ticket>,
        now: f64,
    ) {
        let job = flight.job;
        match (failure, ticket) {
            (Failure::Limit(refusal), Some(ticket)) => {
                self.last_trouble.clone_from(&refusal.why);
                lock(self.lane).pacer.refused(&refusal, ticket, fastrand::f64(), now);
                self.ready.push_front(job);
            }
            (Failure::SlowDown { wait }, Some(_)) => {
                let wait = wait.map(|w| w.as_secs_f64());
                "asked to slow down".clone_into(&mut self.last_trouble);
                lock(self.lane).pacer.trouble(wait, "asked to slow down", fastrand::f64(), now);
                self.ready.push_front(job);
            }
            (failure, _) => self.remedy(job, flight.generation, failure, now),
        }
    }

    fn remedy(&mut self, job: Job, sent: u64, failure: Failure, now: f64) {
        let host = self.task.model.server.host();
        match failure {
            Failure::Limit(refusal) => self.try_later(job, refusal.why, None, now),
            Failure::SlowDown { wait } => {
                self.try_later(job, "asked to slow down".into(), wait, now);
            }
            Failure::TooLarge(why) | Failure::TooLong(why) => {
                self.give_up(&job, Outcome::TooLong(why));
            }
            Failure::Passing { why, wait } => self.try_later(job, why, wait, now),
            // A model in two minds may answer the next time; nobody else need wait for it.
            Failure::Void(_) if job.tries + 1 < VOID_TRIES => {
                self.last_answer = now;
                self.put_off(Job { tries: job.tries + 1, ..job }, now);
            }
            Failure::Parameter { name, supported, why } => {
                self.adapt(job, sent, &name, &supported, why);
            }
            Failure::NoSuchPath(why) => self.other_face(job, sent, &why),
            Failure::Item(why) | Failure::Void(why)
                if self.never_answered() && self.refusals + 1 >= REFUSALS =>
            {
                self.halt(Error::Refused { server: host, why });
            }
            Failure::Item(why) | Failure::Void(why) => {
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
            Failure::Foreign(why) => self.try_later(job, why, None, now),
        }
    }

    /// Another attempt after a pause that doubles, with full jitter; or none. An attempt counts
    /// fully only while others are answered, for then the server is there.
    fn try_later(&mut self, mut job: Job, why: String, wait: Option<Duration>, now: f64) {
        let jitter = fastrand::f64();
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
        self.put_off(job, now + pause);
    }

    fn put_off(&mut self, job: Job, at: f64) {
        self.n_later += 1;
        self.later.push(Reverse(Later { at, order: self.n_later, job }));
    }

    /// Sends the job anew without what was refused, unless that has been done meanwhile.
    fn adapt(&mut self, mut job: Job, sent: u64, name: &str, supported: &[String], why: String) {
        job.adapted += 1;
        let mut lane = lock(self.lane);
        let changed = lane.generation != sent || {
            let dropped = lane.dialect.drop_parameter(name, self.task.model, supported);
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
}
