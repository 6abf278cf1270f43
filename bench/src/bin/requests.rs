//! How many questions a second the client gets answered by a server that takes 50 ms for each.
//!
//!     requests [CALLS] [MILLISECONDS]
//!
//! The server is another process of this program, so that the client's CPU time and memory are
//! its own. The answer store is on disk.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use hypothesaes_llm::ask::{AnswerKey, Ask, Call, Next, Outcome, State, Task, Watch};
use hypothesaes_llm::client::{Client, ClientOptions};
use hypothesaes_llm::price::Prices;
use hypothesaes_llm::question::Prompt;
use hypothesaes_llm::server::{Effort, Model, Server};
use hypothesaes_llm::store::Store;
use serde_json::Map;

const ANSWER: &str = r#"{"status":"completed","output":[{"type":"message","content":[{"type":"output_text","text":"yes"}]}],"usage":{"input_tokens":150,"output_tokens":1}}"#;

struct Unwatched;

impl Watch for Unwatched {
    fn advance(&self, _: u64) {}
    fn state(&self, _: &State) {}
    fn say(&self, line: &str) {
        eprintln!("{line}");
    }
    fn interrupted(&self) -> bool {
        false
    }
}

/// Ends with its owner.
struct Served(Child);

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.0.kill();
    }
}

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let number = |i: usize, default| args.get(i).map_or(Ok(default), |arg| arg.parse());
    if args.first().is_some_and(|arg| arg == "serve") {
        return serve(Duration::from_millis(number(1, 50)?));
    }
    let (calls, pause) = (number(0, 10_000)?, number(1, 50)?);
    measure(usize::try_from(calls)?, pause)
}

fn measure(n: usize, pause: u64) -> Result<()> {
    let me = std::env::current_exe()?;
    let mut child = Command::new(me)
        .args(["serve", &pause.to_string()])
        .stdout(Stdio::piped())
        .spawn()
        .context("cannot start the server")?;
    let mut base = String::new();
    BufReader::new(child.stdout.take().context("no output")?).read_line(&mut base)?;
    let _served = Served(child);
    let folder = tempfile::tempdir()?;
    let store = Store::open(&folder.path().join("answers.sqlite"))?.0;
    let client = Client::new(ClientOptions::default(), store, Prices::built_in())?;
    let model = Model {
        server: Server::new(base.trim(), None)?,
        name: "gpt-5-mini".into(),
        effort: Effort::Minimal,
        temperature: None,
        dimensions: None,
        extra: Map::new(),
    };
    let prompt = |id: usize| Prompt {
        system: "Is the property true of the text? Answer yes or no.".into(),
        user: format!("PROPERTY: mentions a wait\nTEXT: {id} {}", "a word of a review ".repeat(25)),
        schema: None,
        max_output: 16,
        logprobs: false,
    };
    let questions = (0..n).map(|id| Call { id, prompt: prompt(id) }).collect();
    let mut answered = 0;
    let mut take = |id: usize, outcome: Outcome| {
        let Outcome::Answer(answer) = outcome else { return Next::default() };
        answered += 1;
        let key = AnswerKey::new([id.to_string().as_str()]);
        Next { keep: vec![(key, answer.text)], done: 1, ..Next::default() }
    };
    let before = cpu_seconds()?;
    let start = Instant::now();
    let task = Task { stage: "bench", model: &model };
    client.ask(task, questions, &mut take, &Unwatched)?;
    let (took, cpu) = (start.elapsed().as_secs_f64(), cpu_seconds()? - before);
    ensure!(answered == n, "{answered} of {n} were answered");
    println!("{n} calls of {pause} ms in {took:.2} s: {:.0} a second", n as f64 / took);
    println!("{:.3} ms of CPU each, {} MB at most", 1000.0 * cpu / n as f64, peak_megabytes()?);
    Ok(())
}

/// User and system time of this process; Linux counts hundredths of a second.
fn cpu_seconds() -> Result<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split(' ').collect();
    let ticks = |i: usize| -> Result<f64> { Ok(fields.get(i).context("short stat")?.parse()?) };
    Ok((ticks(12)? + ticks(13)?) / 100.0)
}

fn peak_megabytes() -> Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find(|line| line.starts_with("VmHWM")).context("no VmHWM")?;
    let kilobytes: u64 = line.split_whitespace().nth(1).context("no figure")?.parse()?;
    Ok(kilobytes / 1024)
}

fn serve(pause: Duration) -> Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    println!("http://{}/v1", listener.local_addr()?);
    for stream in listener.incoming() {
        let stream = stream?;
        std::thread::Builder::new()
            .stack_size(128 << 10)
            .spawn(move || answer_all(&stream, pause))?;
    }
    Ok(())
}

/// Answers until the connection ends; an error is such an end.
fn answer_all(stream: &TcpStream, pause: Duration) -> Result<()> {
    stream.set_nodelay(true)?;
    let reply = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{ANSWER}", ANSWER.len());
    let mut reader = BufReader::new(stream);
    loop {
        let mut length = 0;
        loop {
            let mut line = String::new();
            ensure!(reader.read_line(&mut line)? > 0, "closed");
            if line.trim().is_empty() {
                break;
            }
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse()?;
            }
        }
        reader.read_exact(&mut vec![0; length])?;
        std::thread::sleep(pause);
        (&*stream).write_all(reply.as_bytes())?;
    }
}
