//! One limit as a leaky bucket.
//!
//! A limit of L per window W is a bucket that holds L and leaks L / W a second; a call passes if
//! its cost fits in. This reproduces the waits that servers name:
//! `wait = (used + requested - limit) / limit * window`.

use std::time::Duration;

use super::{Told, What};

/// Share of a limit that is used: the estimate of a call's cost is not the server's.
const SHARE: f64 = 0.95;
/// Window of a limit whose window is not known.
const MINUTE: f64 = 60.0;

/// Times are in seconds since some fixed moment.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Bucket {
    pub(crate) what: What,
    limit: f64,
    window: f64,
    /// What may be used at once, a part of `limit` where a server judges shorter windows.
    cap: f64,
    used: f64,
    at: f64,
    /// Everything that was ever taken, to tell what left after a given call.
    taken: f64,
}

impl Bucket {
    pub(crate) fn new(what: What, limit: f64, window: Option<Duration>, now: f64) -> Self {
        let window = window.map_or(MINUTE, |w| w.as_secs_f64());
        Self { what, limit, window, cap: limit, used: 0.0, at: now, taken: 0.0 }
    }

    /// Whether `told` speaks of this limit.
    pub(crate) fn is(&self, told: &Told) -> bool {
        self.what == told.what && (self.limit - told.limit).abs() <= 0.01 * self.limit
    }

    /// How long until `cost` fits. A cost above the limit is let through once the bucket is empty:
    /// the server will say that it is too large.
    pub(crate) fn wait(&mut self, cost: f64, now: f64) -> f64 {
        self.leak(now);
        let cap = (SHARE * self.cap).max(cost);
        ((self.used + cost - cap) * self.window / self.limit).max(0.0)
    }

    /// Returns a mark by which [`Self::told`] knows what left later.
    pub(crate) fn take(&mut self, cost: f64, now: f64) -> f64 {
        self.leak(now);
        self.used += cost;
        self.taken += cost;
        self.taken
    }

    /// What the server says was left when it admitted the call with this mark.
    pub(crate) fn told(&mut self, told: &Told, mark: f64, now: f64) {
        self.leak(now);
        self.limit = told.limit;
        self.cap = self.cap.min(self.limit);
        // A window worked out from little use comes out too short, never too long.
        if let Some(window) = told.window {
            self.window = self.window.max(window.as_secs_f64());
        }
        if let Some(remaining) = told.remaining {
            self.used = (told.limit - remaining).max(0.0) + (self.taken - mark).max(0.0);
        }
    }

    /// The server had no room for `cost`, and would have in `wait` seconds.
    pub(crate) fn refused(&mut self, told: &Told, cost: f64, wait: Option<f64>, now: f64) {
        self.leak(now);
        if let Some(window) = told.window {
            self.window = self.window.max(window.as_secs_f64());
        }
        let used = told.remaining.map(|remaining| told.limit - remaining);
        let rate = self.limit / self.window;
        if let (Some(used), Some(wait)) = (used, wait) {
            let room = used + cost - wait * rate;
            if room < 0.5 * self.limit && room >= 1.0 {
                self.cap = self.cap.min(room);
            }
        }
        self.used = self.used.max(used.unwrap_or(self.cap)).min(self.limit);
    }

    pub(crate) fn limit(&self) -> f64 {
        self.limit
    }

    pub(crate) fn window(&self) -> Duration {
        Duration::from_secs_f64(self.window)
    }

    fn leak(&mut self, now: f64) {
        self.used = (self.used - (now - self.at).max(0.0) * self.limit / self.window).max(0.0);
        self.at = self.at.max(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn minute(limit: f64) -> Bucket {
        Bucket::new(What::Tokens, limit, None, 0.0)
    }

    #[test]
    fn waits_as_the_public_messages_say() {
        for (limit, window, used, requested, wait) in [
            (10_000.0, 60.0, 8782.0, 8172.0, 41.724),
            (10_000.0, 86_400.0, 10_000.0, 1.0, 8.64),
            (1_000.0, 86_400.0, 1_000.0, 1.0, 86.4),
        ] {
            let window = Some(Duration::from_secs_f64(window));
            // The same with the share of a limit that is used: a limit that much larger.
            let mut bucket = Bucket::new(What::Tokens, limit / SHARE, window, 0.0);
            bucket.take(used, 0.0);
            assert!((bucket.wait(requested, 0.0) - SHARE * wait).abs() < 1e-9);
        }
    }

    #[test]
    fn leaks_and_fills() {
        let mut bucket = minute(600.0);
        assert_eq!(bucket.wait(500.0, 0.0), 0.0);
        bucket.take(500.0, 0.0);
        assert!((bucket.wait(100.0, 0.0) - 3.0).abs() < 1e-9);
        assert_eq!(bucket.wait(100.0, 3.1), 0.0);
    }

    #[test]
    fn the_server_knows_better_but_not_of_what_left_since() {
        let mut bucket = minute(1000.0);
        let mark = bucket.take(100.0, 0.0);
        bucket.take(50.0, 0.0);
        let told = Told { what: What::Tokens, limit: 1000.0, window: None, remaining: Some(200.0) };
        bucket.told(&told, mark, 0.0);
        assert!((bucket.wait(101.0, 0.0) - 0.06).abs() < 1e-9, "800 and 50 are used");
    }

    #[test]
    fn what_never_fits_is_let_through_for_the_server_to_say_so() {
        assert_eq!(minute(10.0).wait(50.0, 0.0), 0.0);
    }

    #[test]
    fn a_shorter_window_shows_in_a_refusal() {
        let mut bucket = Bucket::new(What::Requests, 60.0, None, 0.0);
        bucket.take(1.0, 0.0);
        let told = Told { what: What::Requests, limit: 60.0, window: None, remaining: Some(59.0) };
        bucket.refused(&told, 1.0, Some(1.0), 0.0);
        assert!((bucket.cap - 1.0).abs() < 1e-9);
    }
}
