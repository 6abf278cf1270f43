//! A server on this machine that answers as a test tells it to.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};

/// What arrived.
#[derive(Debug, Clone)]
pub struct Request {
    pub method: String,
    pub path: String,
    /// Lower-case names.
    pub headers: Vec<(String, String)>,
    /// What is no JSON is a text.
    pub body: Value,
    /// Its place among all requests, from 0.
    pub n: usize,
}

/// What is answered.
#[derive(Debug, Clone)]
pub enum Reply {
    Json(u16, Value),
    With(u16, Vec<(&'static str, String)>, String),
    /// The connection is closed without a word.
    Closed,
    /// It is closed in the middle of the body.
    Torn(String),
    After(Duration, Box<Reply>),
}

type Handler = dyn Fn(&Request) -> Reply + Send + Sync;

/// Listens until the process ends.
pub struct Server {
    pub base: String,
    seen: Arc<Mutex<Vec<Request>>>,
}

impl Server {
    pub fn start(handler: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base = format!("http://{}/v1", listener.local_addr().unwrap());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (all, handler): (_, Arc<Handler>) = (Arc::clone(&seen), Arc::new(handler));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (all, handler) = (Arc::clone(&all), Arc::clone(&handler));
                std::thread::spawn(move || serve(&stream, &all, &*handler));
            }
        });
        Self { base, seen }
    }

    pub fn requests(&self) -> Vec<Request> {
        self.seen.lock().unwrap().clone()
    }
}

impl Request {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }

    /// The question's text, by either face.
    pub fn user(&self) -> &str {
        let chat = || self.body["messages"].as_array()?.last()?["content"].as_str();
        self.body["input"].as_str().or_else(chat).unwrap_or_default()
    }
}

/// A reply of the Responses API or of chat, whichever was asked.
pub fn says(request: &Request, text: &str) -> Reply {
    let tokens = json!({"input_tokens": 10, "output_tokens": 5, "prompt_tokens": 10,
        "completion_tokens": 5});
    if request.path.ends_with("/responses") {
        Reply::Json(
            200,
            json!({"status": "completed", "usage": tokens, "output": [
                {"type": "reasoning", "summary": []},
                {"type": "message", "content": [{"type": "output_text", "text": text}]},
            ]}),
        )
    } else {
        let message = json!({"role": "assistant", "content": text});
        let choice = json!({"index": 0, "message": message, "finish_reason": "stop"});
        Reply::Json(200, json!({"choices": [choice], "usage": tokens}))
    }
}

/// An error in OpenAI's form.
pub fn error(status: u16, kind: &str, code: &str, message: &str) -> Reply {
    let error = json!({"message": message, "type": kind, "param": null, "code": code});
    Reply::Json(status, json!({ "error": error }))
}

fn serve(stream: &TcpStream, seen: &Mutex<Vec<Request>>, handler: &Handler) {
    let mut reader = BufReader::new(stream);
    while let Some(request) = read(&mut reader, seen) {
        let mut reply = handler(&request);
        while let Reply::After(pause, then) = reply {
            std::thread::sleep(pause);
            reply = *then;
        }
        let (status, headers, body) = match reply {
            Reply::Json(status, body) => (status, Vec::new(), body.to_string()),
            Reply::With(status, headers, body) => (status, headers, body),
            Reply::Torn(body) => {
                let half = &body[..body.len() / 2];
                let _ = write!(
                    &*stream,
                    "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{half}",
                    body.len()
                );
                return;
            }
            Reply::Closed | Reply::After(..) => return,
        };
        let mut head = format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\n", body.len());
        for (name, value) in headers {
            let _ = write!(head, "{name}: {value}\r\n");
        }
        if (&*stream).write_all(format!("{head}\r\n{body}").as_bytes()).is_err() {
            return;
        }
    }
}

fn read(reader: &mut impl BufRead, seen: &Mutex<Vec<Request>>) -> Option<Request> {
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let mut words = line.split(' ').map(str::to_owned);
    let (method, path) = (words.next()?, words.next()?);
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let mut body = vec![0; length.map_or(0, |(_, n)| n.parse().unwrap())];
    reader.read_exact(&mut body).ok()?;
    let body = serde_json::from_slice(&body)
        .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&body).into_owned()));
    let mut seen = seen.lock().unwrap();
    let request = Request { method, path, headers, body, n: seen.len() };
    seen.push(request.clone());
    Some(request)
}
