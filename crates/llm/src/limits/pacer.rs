//! When the next call to a model may leave: all limits, all calls, one clock.

use serde::{Deserialize, Serialize};

use super::bucket::Bucket;
use super::crowd::Crowd;
use super::{Refusal, Told, What};

/// First pause after a refusal that names no time, in seconds; doubles from there.
const PAUSE: f64 = 1.0;
const MAX_PAUSE: f64 = 60.0;

/// Limits that the user states, per minute and per day; they are learnt where not stated.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Stated {
    pub rpm: Option<u64>,
    pub tpm: Option<u64>,
    pub rpd: Option<u64>,
    pub tpd: Option<u64>,
}

/// A limit in figures, to be remembered or shown.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Known {
    pub what: What,
    pub limit: f64,
    pub window_seconds: f64,
}

/// Shared by all calls to one model with one key. Times are seconds since some fixed moment.
#[derive(Debug, Clone)]
pub(crate) struct Pacer {
    buckets: Vec<Bucket>,
    crowd: Crowd,
    in_flight: usize,
    not_before: f64,
    held_by: String,
    /// Refusals in a row that named no time.
    blind: u32,
}

/// What a call took of the limits, for [`Pacer::landed`].
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Ticket {
    tokens: f64,
    /// A mark per bucket.
    marks: Vec<f64>,
}

/// Why no call may leave now.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Held {
    /// Enough calls are under way.
    Crowd,
    /// Until then.
    Until(f64),
}

impl Pacer {
    pub(crate) fn new(stated: Stated, known: &[Known], max: usize, now: f64) -> Self {
        let day = std::time::Duration::from_hours(24);
        let minute = std::time::Duration::from_mins(1);
        let stated = [
            (What::Requests, stated.rpm, minute),
            (What::Tokens, stated.tpm, minute),
            (What::Requests, stated.rpd, day),
            (What::Tokens, stated.tpd, day),
        ];
        let stated = stated.into_iter().filter_map(|(what, limit, window)| {
            limit.map(|limit| Bucket::new(what, limit as f64, Some(window), now))
        });
        let known = known.iter().map(|k| {
            let window = std::time::Duration::from_secs_f64(k.window_seconds);
            Bucket::new(k.what, k.limit, Some(window), now)
        });
        Self {
            buckets: stated.chain(known).collect(),
            crowd: Crowd::new(max),
            in_flight: 0,
            not_before: now,
            held_by: String::new(),
            blind: 0,
        }
    }

    /// Lets a call of so many tokens leave, or says why not.
    pub(crate) fn admit(&mut self, tokens: u64, now: f64) -> Result<Ticket, Held> {
        if self.in_flight >= self.crowd.size() {
            return Err(Held::Crowd);
        }
        if now < self.not_before {
            return Err(Held::Until(self.not_before));
        }
        let tokens = tokens as f64;
        let wait = self.buckets.iter_mut().map(|b| (b.wait(cost(b.what, tokens), now), b));
        if let Some((wait, bucket)) = wait.max_by(|a, b| a.0.total_cmp(&b.0))
            && wait > 0.0
        {
            self.held_by = describe(bucket);
            return Err(Held::Until(now + wait));
        }
        self.in_flight += 1;
        let marks = self.buckets.iter_mut().map(|b| b.take(cost(b.what, tokens), now)).collect();
        Ok(Ticket { tokens, marks })
    }

    /// A call has come to its end, whatever it brought; `told` is what its reply says of limits.
    pub(crate) fn landed(&mut self, ticket: &Ticket, told: &[Told], now: f64) {
        self.in_flight -= 1;
        for told in told {
            match self.buckets.iter().position(|b| b.is(told)) {
                // A bucket made after the call left has no mark for it: its own estimate stands.
                Some(i) => {
                    if let Some(&mark) = ticket.marks.get(i) {
                        self.buckets[i].told(told, mark, now);
                    }
                }
                None => self.learn(told, ticket, now),
            }
        }
    }

    pub(crate) fn answered(&mut self) {
        self.blind = 0;
        self.crowd.answered();
    }

    /// The limits refused a call of these tokens. All calls wait, `jitter` (0 to 1) apart.
    pub(crate) fn refused(&mut self, refusal: &Refusal, ticket: &Ticket, jitter: f64, now: f64) {
        if let Some(told) = &refusal.told {
            let place = self.buckets.iter().position(|b| b.is(told)).unwrap_or_else(|| {
                self.buckets.push(Bucket::new(told.what, told.limit, told.window, now));
                self.buckets.len() - 1
            });
            let wait = refusal.wait.map(|w| w.as_secs_f64());
            let cost = cost(told.what, ticket.tokens);
            self.buckets[place].refused(told, cost, wait, now);
        }
        let wait = if let Some(wait) = refusal.wait {
            // A little later than told, so that clocks that differ do not cost a refusal.
            wait.as_secs_f64() * (1.0 + 0.05 * jitter) + 0.02
        } else {
            self.crowd.trouble(now);
            self.pause(jitter)
        };
        self.hold(wait, &refusal.why, now);
    }

    /// The server is overloaded, or wants a slower rise.
    pub(crate) fn trouble(&mut self, wait: Option<f64>, why: &str, jitter: f64, now: f64) {
        self.crowd.trouble(now);
        let wait = wait.unwrap_or_else(|| self.pause(jitter));
        self.hold(wait, why, now);
    }

    /// What the calls wait for, and until when.
    pub(crate) fn held(&self, now: f64, until: f64) -> Option<(String, f64)> {
        (until > now).then(|| (self.held_by.clone(), until - now))
    }

    pub(crate) fn known(&self) -> Vec<Known> {
        let known = |b: &Bucket| Known {
            what: b.what,
            limit: b.limit(),
            window_seconds: b.window().as_secs_f64(),
        };
        self.buckets.iter().map(known).collect()
    }

    /// The smallest limit on tokens of a minute or less: no call should be near it.
    pub(crate) fn token_limit(&self) -> Option<f64> {
        let tokens = self.buckets.iter().filter(|b| b.what == What::Tokens);
        tokens.map(Bucket::limit).min_by(f64::total_cmp)
    }

    fn learn(&mut self, told: &Told, ticket: &Ticket, now: f64) {
        if self.buckets.iter().any(|b| b.what == told.what && told.limit <= 0.0) {
            return;
        }
        let mut bucket = Bucket::new(told.what, told.limit, told.window, now);
        // The other calls under way are unknown to it, but were admitted under the old rules.
        let under_way = self.in_flight as f64 * cost(told.what, ticket.tokens);
        bucket.take(told.remaining.map_or(0.0, |left| told.limit - left) + under_way, now);
        self.buckets.push(bucket);
    }

    fn hold(&mut self, wait: f64, why: &str, now: f64) {
        if now + wait > self.not_before {
            self.not_before = now + wait;
            why.clone_into(&mut self.held_by);
        }
    }

    /// Full jitter: anything up to a pause that doubles.
    fn pause(&mut self, jitter: f64) -> f64 {
        let most = (PAUSE * f64::from(1_u32 << self.blind.min(10))).min(MAX_PAUSE);
        self.blind += 1;
        (most * jitter).max(0.05)
    }
}

fn cost(what: What, tokens: f64) -> f64 {
    match what {
        What::Requests => 1.0,
        What::Tokens => tokens,
    }
}

fn describe(bucket: &Bucket) -> String {
    let what = match bucket.what {
        What::Requests => "requests",
        What::Tokens => "tokens",
    };
    let window = match bucket.window().as_secs() {
        0..=90 => "a minute",
        80_000..=90_000 => "a day",
        _ => "a window",
    };
    format!("the limit of {:.0} {what} {window}", bucket.limit())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn pacer(stated: Stated) -> Pacer {
        let mut pacer = Pacer::new(stated, &[], 64, 0.0);
        for _ in 0..100 {
            pacer.crowd.answered();
        }
        pacer
    }

    fn refusal(wait: Option<f64>, told: Option<Told>) -> Refusal {
        Refusal { wait: wait.map(Duration::from_secs_f64), told, why: "slower".into() }
    }

    #[test]
    fn every_limit_counts() {
        let mut pacer = pacer(Stated { rpm: Some(10), tpm: Some(10_000), ..Stated::default() });
        let mut admitted = 0;
        while pacer.admit(2_000, 0.0).is_ok() {
            admitted += 1;
        }
        assert_eq!(admitted, 4, "4 x 2,000 tokens are within 95 % of 10,000");
        assert_eq!(pacer.held_by, "the limit of 10000 tokens a minute");
    }

    #[test]
    fn a_refusal_holds_everybody_until_the_time_it_names() {
        let mut pacer = pacer(Stated::default());
        let ticket = pacer.admit(100, 0.0).unwrap();
        pacer.landed(&ticket, &[], 0.5);
        pacer.refused(&refusal(Some(8.0), None), &ticket, 0.0, 0.5);
        assert_eq!(pacer.admit(1, 8.0), Err(Held::Until(8.52)));
        assert!(pacer.admit(1, 8.6).is_ok());
        assert_eq!(pacer.crowd.size(), 64, "it says when: fewer calls at once would not help");
    }

    #[test]
    fn refusals_that_name_no_time_are_waited_out_ever_longer() {
        let mut pacer = pacer(Stated::default());
        let mut at = 0.0;
        let mut waits = Vec::new();
        for _ in 0..4 {
            let ticket = pacer.admit(1, at).unwrap();
            pacer.landed(&ticket, &[], at);
            pacer.refused(&refusal(None, None), &ticket, 1.0, at);
            let Err(Held::Until(until)) = pacer.admit(1, at) else { panic!() };
            waits.push(until - at);
            at = until;
        }
        assert_eq!(waits, [1.0, 2.0, 4.0, 8.0]);
        assert!(pacer.crowd.size() < 64);
    }

    #[test]
    fn limits_are_learnt_from_replies() {
        let mut pacer = pacer(Stated::default());
        let ticket = pacer.admit(500, 0.0).unwrap();
        let told = Told { what: What::Tokens, limit: 1000.0, window: None, remaining: Some(500.0) };
        pacer.landed(&ticket, &[told], 0.0);
        assert!(matches!(pacer.admit(500, 0.0), Err(Held::Until(_))));
        assert_eq!(pacer.token_limit(), Some(1000.0));
    }

    #[test]
    fn a_daily_limit_is_paced_not_waited_for_until_midnight() {
        let mut pacer = pacer(Stated { rpd: Some(10_000), ..Stated::default() });
        let day = Duration::from_hours(24);
        let told =
            Told { what: What::Requests, limit: 10_000.0, window: Some(day), remaining: Some(0.0) };
        let ticket = pacer.admit(1, 0.0).unwrap();
        pacer.landed(&ticket, &[], 0.0);
        pacer.refused(&refusal(Some(8.64), Some(told)), &ticket, 0.0, 0.0);
        let Err(Held::Until(until)) = pacer.admit(1, 0.0) else { panic!() };
        assert!(until < 10.0, "{until}");
    }
}
