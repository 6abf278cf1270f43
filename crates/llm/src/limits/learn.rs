//! What replies say of limits, in headers and in words.

use std::sync::LazyLock;
use std::time::{Duration, SystemTime};

use regex::Regex;
use reqwest::header::HeaderMap;

use super::{Refusal, Told, What};

const MINUTE: f64 = 60.0;
const DAY: f64 = 86_400.0;

/// A duration as servers write it: `12ms`, `8.64s`, `1m26.4s`, `6m0s`, `33 seconds`, `17`.
pub fn duration(text: &str) -> Option<Duration> {
    static PART: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"^\s*([0-9]*\.?[0-9]+)\s*(milliseconds?|ms|seconds?|secs?|s|minutes?|mins?|m|hours?|h|days?|d)?")
            .expect("a valid pattern")
    });
    let mut rest = text.trim();
    let mut seconds = 0.0;
    while !rest.is_empty() {
        let part = PART.captures(rest)?;
        let number: f64 = part[1].parse().ok()?;
        let unit = part.get(2).map_or("s", |unit| unit.as_str());
        seconds += number
            * match unit {
                "ms" | "millisecond" | "milliseconds" => 0.001,
                _ if unit.starts_with('s') => 1.0,
                _ if unit.starts_with('m') => MINUTE,
                _ if unit.starts_with('h') => 3600.0,
                _ => DAY,
            };
        rest = rest[part[0].len()..].trim_start();
    }
    (!text.trim().is_empty()).then(|| Duration::try_from_secs_f64(seconds).ok()).flatten()
}

/// What the headers of a reply say: `x-ratelimit-{limit,remaining,reset}-{requests,tokens}`.
///
/// The reset is the time until the bucket is full again, so it tells the window:
/// `reset = (limit - remaining) / limit * window`. It is left open where too little is used to
/// tell.
pub fn headers(headers: &HeaderMap) -> Vec<Told> {
    let number = |name: &str| -> Option<f64> {
        let value: f64 = headers.get(name)?.to_str().ok()?.trim().parse().ok()?;
        value.is_finite().then_some(value)
    };
    [(What::Requests, "requests"), (What::Tokens, "tokens")]
        .into_iter()
        .filter_map(|(what, name)| {
            // Azure says -1 or 0 where it does not know.
            let limit = number(&format!("x-ratelimit-limit-{name}")).filter(|&l| l >= 1.0)?;
            let remaining = number(&format!("x-ratelimit-remaining-{name}")).filter(|&r| r >= 0.0);
            let reset = headers.get(format!("x-ratelimit-reset-{name}"));
            let reset = reset.and_then(|r| duration(r.to_str().ok()?));
            let window = remaining.zip(reset).and_then(|(left, reset)| window(limit, left, reset));
            Some(Told { what, limit, window, remaining: remaining.map(|r| r.min(limit)) })
        })
        .collect()
}

/// What a refusal because of limits says, in its headers and in its words.
pub fn refusal(message: &str, headers: &HeaderMap) -> Refusal {
    let told = told_in_words(message);
    Refusal { wait: wait(headers).or_else(|| wait_in_words(message)), told, why: message.into() }
}

/// `retry-after-ms`, then `retry-after` in seconds or as a date.
pub(crate) fn wait(headers: &HeaderMap) -> Option<Duration> {
    let text = |name: &str| headers.get(name)?.to_str().ok().map(str::trim);
    if let Some(ms) = text("retry-after-ms").and_then(|t| t.parse::<f64>().ok()) {
        return Duration::try_from_secs_f64(ms / 1000.0).ok();
    }
    let after = text("retry-after")?;
    if let Ok(seconds) = after.parse::<f64>() {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    let date = httpdate::parse_http_date(after).ok()?;
    Some(date.duration_since(SystemTime::now()).unwrap_or_default())
}

fn wait_in_words(message: &str) -> Option<Duration> {
    static WORDS: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(
            r#"(?i)(?:try again in|retry after|retry in|"?retryDelay"?\s*:\s*"?)\s*([0-9.]+\s*(?:milliseconds?|ms|seconds?|secs?|minutes?|mins?|hours?|[smhd])?(?:[0-9.]+(?:ms|[smh]))*)"#,
        )
        .expect("a valid pattern")
    });
    duration(WORDS.captures(message)?[1].trim_end_matches('.'))
}

fn told_in_words(message: &str) -> Option<Told> {
    static KIND: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"(?i)\b(?:(RPM|TPM|RPD|TPD)|(requests|tokens) per (min|minute|day))\b")
            .expect("a valid pattern")
    });
    static FIGURE: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"(?i)\b(limit|used|usage)[ :=]+([0-9][0-9,]*)").expect("a valid pattern")
    });
    let kind = KIND.captures(message)?;
    let name = kind[0].to_ascii_lowercase();
    let what = if name.starts_with('r') { What::Requests } else { What::Tokens };
    let window = if name.ends_with('d') || name.ends_with("day") { DAY } else { MINUTE };
    let figure = |of: &[&str]| -> Option<f64> {
        let is_one = |name: &str| of.iter().any(|of| name.eq_ignore_ascii_case(of));
        let found = FIGURE.captures_iter(message).find(|c| is_one(&c[1]))?;
        found[2].replace(',', "").parse().ok()
    };
    let limit = figure(&["limit"]).filter(|&l| l >= 1.0)?;
    let remaining = figure(&["used", "usage"]).map(|used| (limit - used).max(0.0));
    // What is called a minute need not be one; the wait says how long it is at least.
    let window = window_in_words(message, limit).unwrap_or(window);
    Some(Told { what, limit, window: Some(Duration::from_secs_f64(window)), remaining })
}

/// From `wait = (used + requested - limit) / limit * window`. What is used is told rounded up, so
/// this is the window or less of it, never more.
fn window_in_words(message: &str, limit: f64) -> Option<f64> {
    static USED: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"(?i)used[ :]+([0-9,]+).*?requested[ :]+([0-9,]+)").expect("a valid pattern")
    });
    let found = USED.captures(message)?;
    let figure = |i: usize| found[i].replace(',', "").parse::<f64>().ok();
    let over = figure(1)? + figure(2)? - limit;
    let wait = wait_in_words(message)?.as_secs_f64();
    (over >= 1.0 && wait > 0.0).then(|| snapped(wait * limit / over))
}

fn window(limit: f64, remaining: f64, reset: Duration) -> Option<Duration> {
    let used = limit - remaining;
    let reset = reset.as_secs_f64();
    if used < 1.0 || reset < 0.005 {
        return None;
    }
    Duration::try_from_secs_f64(snapped(reset * limit / used)).ok()
}

/// A minute or a day if near one of them: what is used is told in whole units.
fn snapped(window: f64) -> f64 {
    let near = [MINUTE, DAY].into_iter().find(|w| window > w / 2.0 && window < w * 2.0);
    near.unwrap_or(window)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    #[test]
    fn durations_as_servers_write_them() {
        for (text, seconds) in [
            ("12ms", 0.012),
            ("8.64s", 8.64),
            ("1m26.4s", 86.4),
            ("6m0s", 360.0),
            ("1h2m3s", 3723.0),
            ("33 seconds", 33.0),
            ("2 minutes", 120.0),
            ("17", 17.0),
            ("1d", 86_400.0),
        ] {
            let got = duration(text).unwrap().as_secs_f64();
            assert!((got - seconds).abs() < 1e-9, "{text}: {got}");
        }
        for text in ["", "soon", "12parsecs", "-3s", "1e999"] {
            assert_eq!(duration(text), None, "{text}");
        }
    }

    fn windows(pairs: &[(&'static str, &str)]) -> Vec<(f64, Option<f64>, Option<f64>)> {
        let told = headers(&map(pairs));
        told.iter().map(|t| (t.limit, t.window.map(|w| w.as_secs_f64()), t.remaining)).collect()
    }

    #[test]
    fn headers_tell_the_limit_and_its_window() {
        let day = [
            ("x-ratelimit-limit-requests", "10000"),
            ("x-ratelimit-remaining-requests", "9999"),
            ("x-ratelimit-reset-requests", "8.64s"),
        ];
        assert_eq!(windows(&day), [(10_000.0, Some(DAY), Some(9999.0))]);
        let minute = [
            ("x-ratelimit-limit-tokens", "160000"),
            ("x-ratelimit-remaining-tokens", "159976"),
            ("x-ratelimit-reset-tokens", "9ms"),
        ];
        assert_eq!(windows(&minute), [(160_000.0, Some(MINUTE), Some(159_976.0))]);
        let bare = [("x-ratelimit-limit-tokens", "500"), ("x-ratelimit-remaining-tokens", "400")];
        assert_eq!(windows(&bare), [(500.0, None, Some(400.0))]);
    }

    #[test]
    fn headers_that_say_nothing_are_left_out() {
        assert!(windows(&[("x-ratelimit-limit-tokens", "-1")]).is_empty());
        assert!(windows(&[("x-ratelimit-limit-tokens", "many")]).is_empty());
        let unknown =
            [("x-ratelimit-limit-requests", "10"), ("x-ratelimit-remaining-requests", "-1")];
        assert_eq!(windows(&unknown), [(10.0, None, None)]);
    }

    #[test]
    fn the_public_messages_are_understood() {
        for (message, what, limit, window, used, wait) in [
            (
                "Rate limit reached for gpt-4 in organization org-x on tokens per min (TPM): Limit \
                 10000, Used 8782, Requested 8172. Please try again in 41.724s. Visit https://x",
                What::Tokens,
                10_000.0,
                MINUTE,
                Some(8782.0),
                41.724,
            ),
            (
                "Rate limit reached for m on requests per day (RPD): Limit 1000, Used 1000, \
                 Requested 1. Please try again in 1m26.4s.",
                What::Requests,
                1000.0,
                DAY,
                Some(1000.0),
                86.4,
            ),
        ] {
            let got = refusal(message, &HeaderMap::new());
            let told = got.told.unwrap();
            assert_eq!((told.what, told.limit), (what, limit));
            assert_eq!(told.window.unwrap().as_secs_f64(), window);
            assert_eq!(told.remaining, used.map(|used: f64| limit - used));
            assert!((got.wait.unwrap().as_secs_f64() - wait).abs() < 1e-9);
        }
    }

    #[test]
    fn a_proxy_tells_its_limit_without_a_wait() {
        let message = "litellm.RateLimitError: Model rate limit exceeded. RPM limit=60, current \
                       usage=66";
        let Refusal { told: Some(told), wait: None, .. } = refusal(message, &HeaderMap::new())
        else {
            panic!()
        };
        assert_eq!((told.what, told.limit, told.remaining), (What::Requests, 60.0, Some(0.0)));
        assert_eq!(told.window.unwrap().as_secs_f64(), MINUTE);
    }

    #[test]
    fn the_wait_is_found_wherever_it_stands() {
        let after = |pairs: &[(&'static str, &str)], message: &str| {
            refusal(message, &map(pairs)).wait.map(|w| w.as_secs_f64())
        };
        assert_eq!(after(&[("retry-after-ms", "250"), ("retry-after", "1")], ""), Some(0.25));
        assert_eq!(after(&[("retry-after", "1.5")], ""), Some(1.5));
        let date = httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(30));
        let wait = after(&[("retry-after", &date)], "").unwrap();
        assert!((25.0..=30.0).contains(&wait), "{wait}");
        assert_eq!(after(&[], "Please retry after 33 seconds."), Some(33.0));
        assert_eq!(after(&[], r#"{"@type": "RetryInfo", "retryDelay": "17s"}"#), Some(17.0));
        assert_eq!(after(&[], "Slow down."), None);
    }
}
