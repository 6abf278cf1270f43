//! How many calls may be under way at once: grows while all is well, shrinks at trouble.
//!
//! The first call goes alone, for its reply tells the limits. Then the number doubles with every
//! round until the first trouble, is halved there, and grows by one a round; near the number that
//! once was too large it grows ten times more slowly (additive increase, multiplicative decrease).

/// After the first answer.
const START: f64 = 4.0;
/// Troubles within so many seconds are one trouble.
const ONE_TROUBLE: f64 = 1.0;

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Crowd {
    size: f64,
    max: f64,
    /// Where it was last too large; infinite if it never was.
    ceiling: f64,
    shrunk_at: f64,
    answered: bool,
}

impl Crowd {
    pub(crate) fn new(max: usize) -> Self {
        Self {
            size: 1.0,
            max: max as f64,
            ceiling: f64::INFINITY,
            shrunk_at: f64::NEG_INFINITY,
            answered: false,
        }
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "1 to max")]
    pub(crate) fn size(&self) -> usize {
        self.size as usize
    }

    pub(crate) fn answered(&mut self) {
        if !self.answered {
            self.answered = true;
            self.size = START.min(self.max);
            return;
        }
        let step = if self.ceiling.is_infinite() {
            1.0
        } else if self.size < 0.9 * self.ceiling {
            1.0 / self.size
        } else {
            0.1 / self.size
        };
        self.size = (self.size + step).min(self.max);
    }

    pub(crate) fn trouble(&mut self, now: f64) {
        if now - self.shrunk_at < ONE_TROUBLE {
            return;
        }
        self.shrunk_at = now;
        self.ceiling = self.size;
        self.size = (0.5 * self.size).max(1.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_call_goes_alone_and_then_it_doubles_each_round() {
        let mut crowd = Crowd::new(64);
        assert_eq!(crowd.size(), 1);
        for expected in [4, 8, 16, 32, 64, 64] {
            for _ in 0..crowd.size() {
                crowd.answered();
            }
            assert_eq!(crowd.size(), expected);
        }
    }

    #[test]
    fn stays_below_what_was_too_much_for_long() {
        let mut crowd = Crowd::new(64);
        for _ in 0..5 {
            crowd.answered();
        }
        crowd.trouble(10.0);
        crowd.trouble(10.5);
        assert_eq!(crowd.size(), 4, "two troubles at once are one");
        let mut answers = 0;
        while crowd.size() < 8 {
            crowd.answered();
            answers += 1;
        }
        assert!((60..200).contains(&answers), "{answers}");
        for i in 0..20 {
            crowd.trouble(f64::from(20 + 2 * i));
        }
        assert_eq!(crowd.size(), 1);
    }
}
