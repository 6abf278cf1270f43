//! What is done about connections that come to nothing.

use std::time::{Duration, SystemTime};

use reqwest::header::{HeaderMap, RETRY_AFTER};

use crate::watch::{Step, Watch};
use crate::{Error, Result};

/// How one attempt failed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Another attempt would fail alike.
    Final(Error),
    /// It may pass.
    Passing(Passing),
}

#[derive(Debug)]
pub(crate) struct Passing {
    pub host: String,
    pub why: String,
    /// How long the server asks to be left alone.
    pub after: Option<Duration>,
    /// Whether no connection was made at all.
    pub unconnected: bool,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Final(error)
    }
}

/// Attempts, and the pauses between them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Retries {
    pub tries: u32,
    pub pause: Duration,
}

/// Where no connection can be made, more attempts seldom help.
const UNCONNECTED: u32 = 2;
const LONGEST: Duration = Duration::from_mins(1);
/// What a server may ask for, the hub's limits being for 5 minutes.
const LONGEST_ASKED: Duration = Duration::from_mins(5);

impl Retries {
    /// Tries until `attempt` succeeds or hope is lost. Attempts that brought bytes do not count: a bad
    /// line brings large files too, piece by piece.
    pub async fn run<T>(
        self,
        watch: &mut Watch<'_>,
        mut attempt: impl AsyncFnMut(&mut Watch<'_>) -> Result<T, Failure>,
    ) -> Result<T> {
        let (mut failed, mut most_done) = (0, watch.done);
        loop {
            let passing = match attempt(watch).await {
                Ok(result) => return Ok(result),
                Err(Failure::Final(error)) => return Err(error),
                Err(Failure::Passing(passing)) => passing,
            };
            failed = if watch.done > most_done { 1 } else { failed + 1 };
            most_done = most_done.max(watch.done);
            let most = if passing.unconnected { UNCONNECTED.min(self.tries) } else { self.tries };
            let asked = passing.after.unwrap_or_default();
            if failed >= most || asked > LONGEST_ASKED {
                let Passing { host, why, unconnected, .. } = passing;
                return Err(if unconnected {
                    Error::Unreachable { host, why }
                } else {
                    Error::Broken { host, why, tries: failed }
                });
            }
            let pause = self.pause * 2_u32.saturating_pow(failed - 1);
            // Many who were refused at once do not come back at once.
            let pause = pause.mul_f64(0.75 + fastrand::f64() / 2.0).min(LONGEST).max(asked);
            watch.step = Step::Pausing;
            watch.pause(pause).await?;
        }
    }
}

/// How long a server asks to be left alone, in any of the forms in use.
pub(crate) fn after(headers: &HeaderMap) -> Option<Duration> {
    let text = |name: &str| headers.get(name)?.to_str().ok();
    if let Some(value) = text(RETRY_AFTER.as_str()) {
        let seconds = value.trim().parse().ok().map(Duration::from_secs);
        let until = || httpdate::parse_http_date(value).ok();
        return seconds
            .or_else(|| Some(until()?.duration_since(SystemTime::now()).unwrap_or_default()));
    }
    // The hub's own, `"api";r=0;t=55`, which it also sends while there is something left.
    let mut parts = text("ratelimit")?.split(';').map(str::trim);
    let is_spent = parts.clone().any(|part| part == "r=0");
    let reset = parts.find_map(|part| part.strip_prefix("t="))?;
    reset.parse().ok().filter(|_| is_spent).map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(name: &'static str, value: &str) -> Option<Duration> {
        let mut headers = HeaderMap::new();
        headers.insert(name, value.parse().unwrap());
        after(&headers)
    }

    #[test]
    fn pauses_are_read_in_seconds_as_a_date_and_as_the_hub_says_them() {
        assert_eq!(asked("retry-after", "7"), Some(Duration::from_secs(7)));
        let soon = httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(30));
        let until = asked("retry-after", &soon).unwrap();
        assert!((28..=30).contains(&until.as_secs()), "{until:?}");
        assert_eq!(asked("ratelimit", "\"api\";r=0;t=55"), Some(Duration::from_secs(55)));
        assert_eq!(asked("ratelimit", "\"api\";r=4;t=55"), None);
        assert_eq!(asked("retry-after", "soon"), None);
        assert_eq!(asked("other", "7"), None);
    }
}
