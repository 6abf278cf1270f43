//! Limits of an account: learnt, kept to, shared.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use hypothesaes_llm::client::ClientOptions;
use hypothesaes_llm::limits::Stated;

use crate::server::{Reply, Server, error, says};
use crate::setup::{answers, client, model};

fn texts(n: usize) -> Vec<String> {
    (0..n).map(|i| i.to_string()).collect()
}

fn asked(options: ClientOptions, server: &Server, n: usize) -> Duration {
    let texts = texts(n);
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let start = Instant::now();
    answers(&client(options), &model(&server.base), &texts);
    start.elapsed()
}

#[test]
fn trap_24_a_refusal_never_uses_up_an_attempt() {
    // Thirty refusals in a row: far more than a question has attempts.
    let server = Server::start(|r| match r.n {
        2..32 => {
            let body = error(429, "requests", "rate_limit_exceeded", "Rate limit reached.");
            let Reply::Json(_, body) = body else { unreachable!() };
            Reply::With(429, vec![("retry-after-ms", "5".into())], body.to_string())
        }
        _ => says(r, "yes"),
    });
    asked(ClientOptions::default(), &server, 10);
}

#[test]
fn all_wait_for_the_time_that_one_was_told() {
    let refused = Mutex::new(None);
    let server = Server::start(move |r| {
        let mut refused = refused.lock().unwrap();
        match *refused {
            None if r.n == 5 => {
                *refused = Some(Instant::now());
                let message = "Rate limit reached for gpt-5-mini on requests per min (RPM): Limit \
                               500, Used 500, Requested 1. Please try again in 400ms.";
                error(429, "requests", "rate_limit_exceeded", message)
            }
            // What left before the refusal came back may still arrive.
            Some(at) if (60..400).contains(&at.elapsed().as_millis()) => {
                error(400, "invalid_request_error", "invalid_prompt", "too early")
            }
            _ => says(r, "yes"),
        }
    });
    asked(ClientOptions::default(), &server, 30);
}

#[test]
fn stated_limits_are_kept_to() {
    let server = Server::start(|r| says(r, "yes"));
    let limits = Stated { rpm: Some(600), ..Stated::default() };
    // 570 at once (95 %), then 9.5 a second... of which 30 take three.
    let took = asked(ClientOptions { limits, ..ClientOptions::default() }, &server, 590);
    assert!(took > Duration::from_millis(1800), "{took:?}");
}

#[test]
fn limits_are_learnt_from_headers() {
    let server = Server::start(|r| {
        let Reply::Json(status, body) = says(r, "yes") else { unreachable!() };
        let left = 10_u64.saturating_sub(r.n as u64 + 1);
        let headers = vec![
            ("x-ratelimit-limit-requests", "10".to_owned()),
            ("x-ratelimit-remaining-requests", left.to_string()),
            // Full again in a tenth of a second a call: a window of one second.
            ("x-ratelimit-reset-requests", format!("{}ms", (10 - left) * 100)),
        ];
        Reply::With(status, headers, body.to_string())
    });
    let took = asked(ClientOptions::default(), &server, 10);
    assert!(took < Duration::from_secs(5), "{took:?}");
    assert_eq!(server.requests().len(), 10);
}
