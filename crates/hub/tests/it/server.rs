//! A server on this machine that answers as a test tells it to.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    pub path: String,
    /// Lower-case names.
    pub headers: Vec<(String, String)>,
    /// Its place among all requests, from 0.
    pub n: usize,
}

impl Request {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The byte from which on a file is asked for.
    pub fn from(&self) -> Option<usize> {
        self.header("range")?.strip_prefix("bytes=")?.strip_suffix('-')?.parse().ok()
    }
}

/// What is answered.
#[derive(Debug, Clone, Default)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
    /// The connection ends after so many bytes of the body.
    pub cut: Option<usize>,
    /// Nothing more comes for so long after these bytes.
    pub stall: Option<(usize, Duration)>,
}

impl Reply {
    pub fn status(status: u16) -> Self {
        Self { status, ..Self::default() }
    }

    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

type Handler = dyn Fn(&Request) -> Reply + Send + Sync;

/// Listens until the process ends.
pub struct Server {
    pub address: String,
    seen: Arc<Mutex<Vec<Request>>>,
}

impl Server {
    pub fn start(handler: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (all, handler): (_, Arc<Handler>) = (Arc::clone(&seen), Arc::new(handler));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (all, handler) = (Arc::clone(&all), Arc::clone(&handler));
                std::thread::spawn(move || serve(&stream, &all, &*handler));
            }
        });
        Self { address, seen }
    }

    pub fn requests(&self) -> Vec<Request> {
        self.seen.lock().unwrap().clone()
    }

    /// Paths of the files that were asked for, without repetition.
    pub fn files(&self) -> Vec<String> {
        let file =
            |r: Request| Some(r.path.split_once("/resolve/")?.1.split_once('/')?.1.to_owned());
        let mut files: Vec<String> = self.requests().into_iter().filter_map(file).collect();
        files.sort();
        files.dedup();
        files
    }
}

fn serve(stream: &TcpStream, seen: &Mutex<Vec<Request>>, handler: &Handler) {
    let mut reader = BufReader::new(stream);
    while let Some(request) = read(&mut reader, seen) {
        let reply = handler(&request);
        let length = reply.body.len();
        let mut head = format!("HTTP/1.1 {} X\r\ncontent-length: {length}\r\n", reply.status);
        for (name, value) in &reply.headers {
            let _ = write!(head, "{name}: {value}\r\n");
        }
        let mut to = stream;
        let body = &reply.body[..reply.cut.unwrap_or(length)];
        let (first, pause) = reply.stall.unwrap_or((0, Duration::ZERO));
        let sent = to
            .write_all(format!("{head}\r\n").as_bytes())
            .and_then(|()| to.write_all(&body[..first]))
            .inspect(|()| std::thread::sleep(pause))
            .and_then(|()| to.write_all(&body[first..]));
        if sent.is_err() || reply.cut.is_some() {
            return;
        }
    }
}

fn read(reader: &mut impl BufRead, seen: &Mutex<Vec<Request>>) -> Option<Request> {
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let path = line.split(' ').nth(1)?.to_owned();
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let mut seen = seen.lock().unwrap();
    let request = Request { path, headers, n: seen.len() };
    seen.push(request.clone());
    Some(request)
}
