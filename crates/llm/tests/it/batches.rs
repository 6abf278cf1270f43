//! Batch jobs: half the price, back later, nothing sent twice.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use hypothesaes_llm::Error;
use hypothesaes_llm::ask::{Outcome, Task};
use hypothesaes_llm::client::{Client, ClientOptions};
use hypothesaes_llm::price::Prices;
use hypothesaes_llm::store::Store;
use serde_json::{Value, json};

use crate::server::{Reply, Request, Server, error, says};
use crate::setup::{Quiet, answers, ask, ask_watched, client, model, refused};

const N: usize = 40;

/// What the service makes of a question; one that it closes the connection on runs out of time.
type Line = Box<dyn Fn(&Request) -> Reply + Send + Sync>;

/// A batch service whose jobs end once they have been looked at often enough.
struct Service {
    files: HashMap<String, String>,
    jobs: Vec<Value>,
    looks: usize,
    /// Most questions that may wait at once.
    room: usize,
    /// The reply to the first order is lost.
    loses_reply: bool,
    line: Line,
}

impl Service {
    fn new(looks: usize, line: Line) -> Self {
        let (files, jobs) = (HashMap::new(), Vec::new());
        Self { files, jobs, looks, room: usize::MAX, loses_reply: false, line }
    }

    fn start(self) -> (Server, Arc<Mutex<Self>>) {
        let service = Arc::new(Mutex::new(self));
        let its = Arc::clone(&service);
        (Server::start(move |r| its.lock().unwrap().reply(r)), service)
    }

    fn reply(&mut self, r: &Request) -> Reply {
        let parts: Vec<&str> = r.path.split(['/', '?']).skip(2).collect();
        match (r.method.as_str(), &parts[..]) {
            ("POST", ["files"]) => {
                let name = format!("file-{}", r.n);
                self.files.insert(name.clone(), r.body.as_str().unwrap().to_owned());
                Reply::Json(200, json!({"id": name, "object": "file"}))
            }
            ("POST", ["batches"]) => self.order(r),
            ("GET", ["batches", "limit=100"]) => Reply::Json(200, json!({"data": self.jobs})),
            ("GET", ["batches", name]) => self.look(name),
            ("GET", ["files", name, "content"]) => {
                Reply::With(200, Vec::new(), self.files[*name].clone())
            }
            ("DELETE", ["files", name]) => {
                self.files.remove(*name).unwrap();
                Reply::Json(200, json!({"deleted": true}))
            }
            _ => (self.line)(r),
        }
    }

    fn order(&mut self, r: &Request) -> Reply {
        assert_eq!(r.body["completion_window"], "24h");
        let name = format!("batch-{}", self.jobs.len());
        let mut job = json!({"id": name, "status": "in_progress", "looks": 0,
            "input_file_id": r.body["input_file_id"], "endpoint": r.body["endpoint"]});
        let n = self.questions(&job).len();
        if n > self.room {
            let error = json!({"code": "token_limit_exceeded", "message": "Enqueued token limit"});
            job["status"] = "failed".into();
            job["errors"] = json!({"data": [error]});
        }
        self.jobs.push(job.clone());
        if std::mem::take(&mut self.loses_reply) { Reply::Closed } else { Reply::Json(200, job) }
    }

    fn questions(&self, job: &Value) -> Vec<Value> {
        let file = &self.files[job["input_file_id"].as_str().unwrap()];
        let lines = file.lines().filter(|line| line.starts_with('{'));
        lines.map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    fn look(&mut self, name: &str) -> Reply {
        let at = self.jobs.iter().position(|job| job["id"] == name).unwrap();
        let looks = self.jobs[at]["looks"].as_u64().unwrap() + 1;
        self.jobs[at]["looks"] = looks.into();
        if self.jobs[at]["status"] == "in_progress" && looks > self.looks as u64 {
            self.end(at);
        }
        Reply::Json(200, self.jobs[at].clone())
    }

    /// Answers in another order than was asked.
    fn end(&mut self, at: usize) {
        let mut job = self.jobs[at].clone();
        let mut files = [("output_file_id", String::new()), ("error_file_id", String::new())];
        for mut question in self.questions(&job).into_iter().rev() {
            assert_eq!((&question["method"], &question["url"]), (&"POST".into(), &job["endpoint"]));
            let request = Request {
                method: "POST".into(),
                path: question["url"].as_str().unwrap().into(),
                headers: Vec::new(),
                body: question["body"].take(),
                n: 0,
            };
            let (response, error) = match (self.line)(&request) {
                Reply::Json(status, body) => {
                    (json!({"status_code": status, "body": body}), json!(null))
                }
                _ => (json!(null), json!({"code": "batch_expired", "message": "ran out of time"})),
            };
            let is_error = response["status_code"] != 200;
            let line =
                json!({"custom_id": question["custom_id"], "response": response, "error": error});
            let file = &mut files[usize::from(is_error)].1;
            writeln!(file, "{line}").unwrap();
        }
        for (name, content) in files {
            let file = format!("{name}-{at}");
            job[name] = file.as_str().into();
            self.files.insert(file, content);
        }
        job["status"] = "completed".into();
        self.jobs[at] = job;
    }
}

fn echo(r: &Request) -> Reply {
    says(r, &format!("to {}", r.user()))
}

fn options() -> ClientOptions {
    ClientOptions { batch: true, wait: true, ..ClientOptions::default() }
}

fn at(folder: &Path, options: ClientOptions) -> Client {
    let (store, _) = Store::open(&folder.join("answers.sqlite")).unwrap();
    Client::new(options, store, Prices::built_in()).unwrap()
}

fn texts(n: usize) -> Vec<String> {
    (0..n).map(|i| format!("text {i}")).collect()
}

fn all_right(client: &Client, base: &str, n: usize) {
    let texts = texts(n);
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let got = answers(client, &model(base), &texts);
    assert!(got.iter().zip(&texts).all(|(got, text)| *got == format!("to {text}")));
}

fn orders(server: &Server) -> usize {
    server.requests().iter().filter(|r| r.method == "POST" && r.path == "/v1/batches").count()
}

fn direct(server: &Server) -> usize {
    server.requests().iter().filter(|r| r.path == "/v1/responses").count()
}

#[test]
fn questions_go_as_one_job_at_half_the_price_and_leave_no_file_behind() {
    let (server, service) = Service::new(1, Box::new(echo)).start();
    let client = client(options());
    all_right(&client, &server.base, N);
    // The first finds out what the model takes.
    assert_eq!((orders(&server), direct(&server)), (1, 1));
    assert!(service.lock().unwrap().files.is_empty());
    let price = Prices::built_in().of("gpt-5-mini").unwrap().input / 1e6;
    let out = Prices::built_in().of("gpt-5-mini").unwrap().output / 1e6;
    let one = 10.0 * price + 5.0 * out;
    let spent = client.spent().unwrap();
    assert!((spent - (1.0 + 0.5 * (N - 1) as f64) * one).abs() < 1e-12, "{spent}");
    assert!(!client.store().has_batched().unwrap());
}

#[test]
fn a_run_leaves_and_the_next_one_fetches_the_answers() {
    let folder = tempfile::tempdir().unwrap();
    let (server, service) = Service::new(2, Box::new(echo)).start();
    let leaving = ClientOptions { wait: false, ..options() };
    for _ in 0..2 {
        let client = at(folder.path(), leaving.clone());
        let texts = texts(N);
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        // The first was asked directly, and its answer is not asked for by this test.
        let (_, result) = ask(&client, &model(&server.base), &texts);
        assert!(matches!(result, Err(Error::Batched { .. })), "{result:?}");
        assert_eq!(client.store().open_batches().unwrap().len(), 1);
    }
    let before = direct(&server);
    // Without the flag too: what a job holds is not asked directly.
    all_right(&at(folder.path(), ClientOptions { batch: false, ..leaving }), &server.base, N);
    assert_eq!(orders(&server), 1);
    assert!(direct(&server) - before <= 1);
    assert!(service.lock().unwrap().files.is_empty());
}

#[test]
fn an_order_whose_reply_is_lost_is_not_given_twice() {
    let mut service = Service::new(0, Box::new(echo));
    service.loses_reply = true;
    let (server, service) = service.start();
    all_right(&client(options()), &server.base, N);
    assert_eq!(service.lock().unwrap().jobs.len(), 1);
}

#[test]
fn what_ran_out_of_time_is_sent_again_and_the_poisoned_is_named() {
    let tried = Mutex::new(HashMap::<String, u32>::new());
    let line = move |r: &Request| {
        let mut tried = tried.lock().unwrap();
        let tries = tried.entry(r.user().to_owned()).or_default();
        *tries += 1;
        match r.user() {
            "text 7" => error(400, "invalid_request_error", "invalid_prompt", "flagged"),
            text if text.ends_with('3') && *tries == 1 => Reply::Closed,
            _ => echo(r),
        }
    };
    let (server, _) = Service::new(0, Box::new(line)).start();
    let texts = texts(N);
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let (outcomes, result) = ask(&client(options()), &model(&server.base), &texts);
    result.unwrap();
    for (i, outcome) in outcomes.iter().enumerate() {
        match outcome {
            Some(Outcome::Never(why)) => assert!(i == 7 && why.contains("flagged"), "{why}"),
            Some(Outcome::Answer(answer)) => assert_eq!(answer.text, format!("to text {i}")),
            other => panic!("{other:?}"),
        }
    }
    // The four that ran out of time are few, and asked directly.
    assert_eq!((orders(&server), direct(&server)), (1, 5));
}

#[test]
fn a_refused_parameter_is_left_out_the_next_time() {
    let line = |r: &Request| {
        let by_batch = r.n == 0 && r.headers.is_empty();
        if by_batch && !r.body["reasoning"].is_null() {
            let message = "Unsupported parameter: 'reasoning.effort'";
            return error(400, "invalid_request_error", "unsupported_parameter", message);
        }
        echo(r)
    };
    let (server, _) = Service::new(0, Box::new(line)).start();
    all_right(&client(options()), &server.base, N);
    assert_eq!(orders(&server), 2);
}

#[test]
fn an_account_with_little_room_gets_smaller_jobs() {
    let mut service = Service::new(0, Box::new(echo));
    service.room = 15;
    let (server, service) = service.start();
    all_right(&client(options()), &server.base, N);
    let jobs = &service.lock().unwrap().jobs;
    let count = |status: &str| jobs.iter().filter(|job| job["status"] == status).count();
    assert!(count("failed") >= 1 && count("completed") >= 3, "{jobs:?}");
}

#[test]
fn equal_questions_have_an_answer_each() {
    let (server, _) = Service::new(0, Box::new(echo)).start();
    let texts = ["same"; 20];
    assert_eq!(answers(&client(options()), &model(&server.base), &texts), ["to same"; 20]);
}

#[test]
fn vectors_come_by_batch_too() {
    let line = |r: &Request| {
        let texts: Vec<String> = serde_json::from_value(r.body["input"].clone()).unwrap();
        let item = |text: &String| json!({"embedding": [text.len(), 1]});
        let items: Vec<Value> = texts.iter().map(item).collect();
        Reply::Json(200, json!({"data": items, "usage": {"prompt_tokens": 3}}))
    };
    let (server, _) = Service::new(1, Box::new(line)).start();
    let folder = tempfile::tempdir().unwrap();
    let texts = texts(N);
    let mut texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let model = model(&server.base);
    let task = Task { stage: "embed", model: &model };
    let leaving = ClientOptions { wait: false, ..options() };
    let left = at(folder.path(), leaving.clone()).embed(task, &texts, &Quiet::default());
    assert!(matches!(left, Err(Error::Batched { waiting: 39, .. })), "{left:?}");
    // Another text beside them does not have the others sent again.
    texts.push("one more");
    let direct = ClientOptions { batch: false, ..leaving };
    let got = at(folder.path(), direct).embed(task, &texts, &Quiet::default()).unwrap();
    assert!(got.iter().zip(&texts).all(|(v, t)| *v == Some(vec![t.len() as f32, 1.0])));
    assert_eq!(orders(&server), 1);
}

#[test]
fn a_server_without_batches_is_named() {
    // Some break at a file: a proxy does that was told of no service behind it.
    for status in [404, 500] {
        let server = Server::start(move |r| match r.path.as_str() {
            "/v1/files" => error(status, "invalid_request_error", "", "files_settings is not set"),
            _ => says(r, "yes"),
        });
        let texts = ["a"; 20];
        let error = refused(&client(options()), &model(&server.base), &texts);
        assert!(matches!(error, Error::NoBatches { .. }), "{error}");
    }
}

#[test]
fn the_ceiling_counts_half_prices_before_a_job_begins() {
    let (server, _) = Service::new(0, Box::new(echo)).start();
    // 30,000 bytes are at most 10,001 tokens: $0.0025 each, $0.00125 in a batch.
    let texts: Vec<String> = texts(N).iter().map(|text| format!("{text:x<30000}")).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let ceiling = |max_cost| ClientOptions { max_cost: Some(max_cost), ..options() };
    let error = refused(&client(ceiling(0.045)), &model(&server.base), &texts);
    assert!(matches!(error, Error::Ceiling { .. }), "{error}");
    assert_eq!(orders(&server), 0);
    answers(&client(ceiling(0.06)), &model(&server.base), &texts);
}

#[test]
fn trap_26_waiting_for_a_job_ends_when_the_user_asks_to_stop() {
    let (server, _) = Service::new(1_000_000, Box::new(echo)).start();
    let watch = Arc::new(Quiet::default());
    let stopper = Arc::clone(&watch);
    let stop = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(700));
        stopper.stop.store(true, Ordering::Relaxed);
        Instant::now()
    });
    let client = client(options());
    let (_, result) = ask_watched(&client, &model(&server.base), &["a"; 20], &*watch);
    assert!(matches!(result, Err(Error::Interrupted)), "{result:?}");
    assert!(stop.join().unwrap().elapsed() < Duration::from_secs(3));
    assert_eq!(client.store().open_batches().unwrap().len(), 1);
}
