//! A server's batch service: files up, jobs begun and looked after, files down.

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::transport::{Broken, Reply};
use super::{Client, FAREWELL, TICK};
use crate::ask::{State, Watch};
use crate::failure::{Failure, classify};
use crate::server::Server;
use crate::{Error, Result};

/// The service promises an answer within this time.
const WINDOW: &str = "24h";
/// Seconds between two attempts at most.
const LONGEST_PAUSE: f64 = 60.0;
/// Attempts to connect to a server, and to have it take a file: some that have no batch service
/// break at it.
const UNCONNECTED: u32 = 3;
const UPLOADS: u32 = 5;

pub(super) struct Service<'a> {
    pub client: &'a Client,
    pub server: &'a Server,
    pub watch: &'a dyn Watch,
}

/// How a job stands.
#[derive(Debug)]
pub(super) enum Job {
    /// Under way, with so many questions answered.
    Open(u64),
    /// Ended, if perhaps before all was answered; the files of replies, and how it ended.
    Ended { files: Vec<String>, how: String },
    /// Not taken.
    Refused(Failure),
    /// The account may have no more questions waiting at once.
    Full(String),
    /// The server does not know it.
    Gone,
}

/// A line of a file of replies.
#[derive(Deserialize)]
struct Line<'a> {
    custom_id: String,
    #[serde(borrow)]
    response: Option<Response<'a>>,
    #[serde(borrow)]
    error: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Response<'a> {
    status_code: u16,
    #[serde(borrow)]
    body: Option<&'a RawValue>,
}

/// A question as a line of a file.
pub(super) fn line(item: &str, path: &str, body: &Value) -> String {
    json!({"custom_id": item, "method": "POST", "url": format!("/v1/{path}"), "body": body})
        .to_string()
}

/// Item, status and body of each line that can be read; a question without a reply has status 0.
pub(super) fn replies(file: &[u8]) -> Vec<(String, u16, &[u8])> {
    let lines = file.split(|&byte| byte == b'\n').filter(|line| !line.trim_ascii().is_empty());
    let read = |line| {
        let Line { custom_id, response, error } = serde_json::from_slice(line).ok()?;
        let (status, body) = match response {
            Some(Response { status_code, body }) => (status_code, body),
            None => (0, error),
        };
        Some((custom_id, status, body.map_or(&b"null"[..], |body| body.get().as_bytes())))
    };
    lines.filter_map(read).collect()
}

impl Service<'_> {
    /// Sends a file; the server's name for it.
    pub async fn upload(&self, lines: &str) -> Result<String> {
        let mut tries = Tries::new(self.client.now());
        loop {
            match self.once(self.client.transport.upload(self.server, lines)).await? {
                Ok(reply) => return self.text(&reply, "id"),
                Err(Trouble { failure: Failure::Passing { why, .. }, unconnected: false })
                    if tries.n + 1 >= UPLOADS =>
                {
                    return Err(self.stop(Failure::NoSuchPath(why)));
                }
                Err(trouble) => self.rest(&mut tries, trouble).await?,
            }
        }
    }

    /// Begins a job on `file`, which may have been begun by a process that was stopped, or by a
    /// request whose reply was lost; the server's name for it.
    pub async fn begin(&self, file: &str, path: &str, may_be_there: bool) -> Result<String> {
        let endpoint = format!("/v1/{path}");
        let order =
            json!({"input_file_id": file, "endpoint": endpoint, "completion_window": WINDOW});
        let mut look_first = may_be_there;
        let mut tries = Tries::new(self.client.now());
        loop {
            if look_first && let Some(name) = self.find(file).await? {
                return Ok(name);
            }
            let sent = self.client.transport.post(self.server, "batches", &order);
            match self.once(sent).await? {
                Ok(reply) => return self.text(&reply, "id"),
                Err(trouble) => self.rest(&mut tries, trouble).await?,
            }
            look_first = true;
        }
    }

    /// The job that was made of `file`, if there is one.
    async fn find(&self, file: &str) -> Result<Option<String>> {
        let reply =
            self.insist(|| self.client.transport.get(self.server, "batches?limit=100")).await?;
        let list: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
        let jobs = list["data"].as_array().map(Vec::as_slice).unwrap_or_default();
        let job = jobs.iter().find(|job| job["input_file_id"] == file);
        Ok(job.and_then(|job| job["id"].as_str()).map(str::to_owned))
    }

    pub async fn look(&self, name: &str) -> Result<Job> {
        let path = format!("batches/{name}");
        let mut tries = Tries::new(self.client.now());
        let reply = loop {
            match self.once(self.client.transport.get(self.server, &path)).await? {
                Ok(reply) => break reply,
                Err(Trouble { failure: Failure::NoSuchPath(_), .. }) => return Ok(Job::Gone),
                Err(trouble) => self.rest(&mut tries, trouble).await?,
            }
        };
        let job: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
        let status = self.text(&reply, "status")?;
        Ok(match status.as_str() {
            "completed" | "expired" | "cancelled" => {
                let files = ["output_file_id", "error_file_id"];
                let files = files.iter().filter_map(|name| job[*name].as_str());
                Job::Ended { files: files.map(str::to_owned).collect(), how: status }
            }
            "failed" => refused(&job),
            _ => {
                let counts = &job["request_counts"];
                let count = |name: &str| counts[name].as_u64().unwrap_or(0);
                Job::Open(count("completed") + count("failed"))
            }
        })
    }

    /// What is in a file.
    pub async fn content(&self, file: &str) -> Result<Vec<u8>> {
        let path = format!("files/{file}/content");
        Ok(self.insist(|| self.client.transport.get(self.server, &path)).await?.body)
    }

    /// Texts are left with the service no longer than they must: without effect if it refuses.
    pub async fn delete(&self, files: &[String]) -> Result<()> {
        for file in files {
            let path = format!("files/{file}");
            let _ = self.once(self.client.transport.delete(self.server, &path)).await?;
        }
        Ok(())
    }

    /// Waits, unless the user asks to stop.
    pub async fn pause(&self, seconds: f64) -> Result<()> {
        let end = self.client.now() + seconds;
        while self.client.now() < end {
            if self.watch.interrupted() {
                return Err(Error::Interrupted);
            }
            tokio::time::sleep(TICK).await;
        }
        Ok(())
    }

    /// Tries until there is a reply or no hope.
    async fn insist<F>(&self, send: impl Fn() -> F) -> Result<Reply>
    where
        F: Future<Output = Result<Reply, Broken>>,
    {
        let mut tries = Tries::new(self.client.now());
        loop {
            match self.once(send()).await? {
                Ok(reply) => return Ok(reply),
                Err(trouble) => self.rest(&mut tries, trouble).await?,
            }
        }
    }

    /// One request, waited for two seconds more once the user asked to stop.
    async fn once(
        &self,
        sent: impl Future<Output = Result<Reply, Broken>>,
    ) -> Result<Result<Reply, Trouble>> {
        let mut sent = std::pin::pin!(sent);
        let mut farewell = None;
        let reply = loop {
            if let Ok(reply) = tokio::time::timeout(TICK, &mut sent).await {
                break reply;
            }
            let now = self.client.now();
            if self.watch.interrupted() && now > *farewell.get_or_insert(now + FAREWELL) {
                return Err(Error::Interrupted);
            }
        };
        let (failure, unconnected) = match reply {
            Ok(reply) if (200..300).contains(&reply.status) => return Ok(Ok(reply)),
            Ok(reply) => (classify(reply.status, &reply.headers, &reply.body), false),
            Err(Broken { why, unconnected }) => (Failure::Passing { why, wait: None }, unconnected),
        };
        let failure = match self.server.key() {
            Some(key) => failure.redacted(key),
            None => failure,
        };
        Ok(Err(Trouble { failure, unconnected }))
    }

    /// Waits before the next attempt, or says why there is none.
    async fn rest(&self, tries: &mut Tries, trouble: Trouble) -> Result<()> {
        let (why, wait) = match trouble.failure {
            Failure::Passing { why, wait } => (why, wait),
            Failure::Limit(refusal) => (refusal.why, refusal.wait),
            Failure::SlowDown { wait } => ("asked to slow down".into(), wait),
            other => return Err(self.stop(other)),
        };
        tries.n += 1;
        let server = self.server.host();
        if trouble.unconnected && tries.n >= UNCONNECTED {
            return Err(Error::Unreachable { server, why });
        }
        let waited = self.client.now() - tries.since;
        if waited > self.client.options.patience {
            return Err(Error::Patience { server, minutes: waited / 60.0, why });
        }
        let pause = 0.5 * f64::from(1_u32 << tries.n.min(7)) * fastrand::f64();
        let pause = wait.map_or(pause, |w| w.as_secs_f64()).min(LONGEST_PAUSE);
        let (spent, held) = (self.client.spent(), Some((why, pause)));
        self.watch.state(&State { spent, held, ..State::default() });
        self.pause(pause).await
    }

    /// What a failure of the service, not of a question, means for the run.
    pub fn stop(&self, failure: Failure) -> Error {
        let server = self.server.host();
        match failure {
            Failure::Key(why) => Error::Key { server, why },
            Failure::Money(why) => Error::Money { server, why },
            Failure::NoSuchPath(why) => Error::NoBatches { server, why },
            Failure::Foreign(why) => Error::Foreign { server, why },
            Failure::Item(why)
            | Failure::Void(why)
            | Failure::Model(why)
            | Failure::TooLarge(why)
            | Failure::TooLong(why)
            | Failure::Parameter { why, .. }
            | Failure::Passing { why, .. } => Error::Refused { server, why },
            Failure::Limit(refusal) => Error::Refused { server, why: refusal.why },
            Failure::SlowDown { .. } => Error::Refused { server, why: "asked to slow down".into() },
        }
    }

    fn text(&self, reply: &Reply, name: &str) -> Result<String> {
        let body: HashMap<String, Value> = serde_json::from_slice(&reply.body).unwrap_or_default();
        let found = body.get(name).and_then(Value::as_str).map(str::to_owned);
        found.ok_or_else(|| Error::Foreign {
            server: self.server.host(),
            why: format!("a reply of its batch service has no `{name}`"),
        })
    }
}

struct Trouble {
    failure: Failure,
    unconnected: bool,
}

struct Tries {
    n: u32,
    since: f64,
}

impl Tries {
    fn new(now: f64) -> Self {
        Self { n: 0, since: now }
    }
}

/// Why a job was not taken.
fn refused(job: &Value) -> Job {
    let error = &job["errors"]["data"][0];
    let body = json!({"error": {"message": error["message"], "code": error["code"]}});
    let failure = classify(400, &reqwest::header::HeaderMap::new(), body.to_string().as_bytes());
    let message = error["message"].as_str().unwrap_or_default();
    if error["code"] == "token_limit_exceeded" || message.contains("nqueued token") {
        return Job::Full(message.to_owned());
    }
    Job::Refused(failure)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_replies_are_told_apart() {
        let file = br#"
            {"id": "1", "custom_id": "a", "response": {"status_code": 200, "body": {"x": 1.50}}}
            {"custom_id": "b", "response": null, "error": {"code": "batch_expired"}}
            no line
            {"custom_id": "c", "response": {"status_code": 400, "body": {"error": {}}}, "error": null}"#;
        let read = replies(file);
        let read: Vec<_> = read
            .iter()
            .map(|(item, status, body)| (item.as_str(), *status, str::from_utf8(body).unwrap()))
            .collect();
        let expected = [
            ("a", 200, r#"{"x": 1.50}"#),
            ("b", 0, r#"{"code": "batch_expired"}"#),
            ("c", 400, r#"{"error": {}}"#),
        ];
        assert_eq!(read, expected);
    }

    #[test]
    fn why_a_job_was_not_taken() {
        let job = |code: &str, message: &str| {
            let error = json!({"code": code, "message": message, "line": null});
            refused(&json!({"status": "failed", "errors": {"object": "list", "data": [error]}}))
        };
        let words = "Enqueued token limit reached for gpt-5-mini in organization o.";
        assert!(matches!(job("token_limit_exceeded", words), Job::Full(why) if why == words));
        let no_money = job("billing_hard_limit_reached", "Billing hard limit has been reached");
        assert!(matches!(no_money, Job::Refused(Failure::Money(_))));
        let bad = job("invalid_json_line", "This line is not parseable");
        assert!(matches!(bad, Job::Refused(Failure::Item(why)) if why.contains("parseable")));
    }
}
