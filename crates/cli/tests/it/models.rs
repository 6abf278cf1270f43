//! Runs with language models, against the simulated service where it is there.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::program::{Folder, Went, small_table};
use crate::service::Simulated;

/// Planted in the environment; never to be seen again.
const KEY: &str = "sk-planted-0123456789abcdef";
const RUN: [&str; 12] = [
    "run",
    "visits.tsv",
    "--text",
    "text",
    "--target",
    "stars",
    "-n",
    "6",
    "--sae",
    "64:4",
    "--yes",
    "--context=Reviews of restaurants",
];

fn folder(rows: usize) -> Folder {
    let folder = Folder::new();
    folder.write("visits.tsv", small_table(rows));
    folder
}

/// The program as a user of the service runs it.
fn command(folder: &Folder, server: &Simulated, more: &[&str]) -> Command {
    let mut command = folder.command(&[&RUN[..], more].concat());
    command.env("OPENAI_BASE_URL", &server.base).env("OPENAI_API_KEY", KEY);
    command
}

fn run(folder: &Folder, server: &Simulated, more: &[&str]) -> Went {
    let output = command(folder, server, more).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Went { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

/// A counter of the service.
fn stats(server: &Simulated) -> Value {
    let host = server.base.trim_start_matches("http://").trim_end_matches("/v1");
    let mut stream = TcpStream::connect(host).unwrap();
    let request = format!("GET /stats HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut reply = String::new();
    stream.read_to_string(&mut reply).unwrap();
    serde_json::from_str(&reply[reply.find("\r\n\r\n").unwrap()..]).unwrap()
}

fn count(server: &Simulated, name: &str) -> u64 {
    stats(server)[name].as_u64().unwrap()
}

/// What must not depend on how the run came about; the model's file names the server.
fn results(folder: &Folder, run: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files = folder.files(run);
    files.retain(|(path, _)| {
        let part = ["tables", "data"].iter().any(|part| path.starts_with(Path::new(part)));
        part && !path.ends_with("cost.csv")
    });
    assert!(files.len() > 8, "few results: {files:?}");
    files
}

/// What a stage has cost in the first run directory.
fn dollars(folder: &Folder, stage: &str) -> f64 {
    let table = folder.read("runs/visits-1/tables/cost.csv");
    let mut lines = table.lines();
    let at = lines.next().unwrap().split(',').position(|name| name == "dollars").unwrap();
    let row = lines.find(|line| line.starts_with(stage)).unwrap();
    row.split(',').nth(at).unwrap().parse().unwrap()
}

#[test]
fn trap_17_a_run_asks_once_replays_for_nothing_and_keeps_the_key_to_itself() {
    let Some(server) = Simulated::start(&["--preset", "fast", "--require-key", KEY]) else {
        return;
    };
    let folder = folder(700);
    let went = run(&folder, &server, &["--out", "one"]).well();
    for said in ["annotate", "6 concepts x", "$", "No text leaves this computer"] {
        assert!(went.stderr.contains(said), "{said} is not in {}", went.stderr);
    }
    let asked = count(&server, "requests");
    assert_eq!(count(&server, "pairs_repeated"), 0);
    let cost = folder.read("one/tables/cost.csv");
    assert!(cost.contains("annotate,gpt-5-mini,") && cost.contains("interpret,gpt-5.2,"), "{cost}");
    for file in ["interpret/interpret.txt", "annotate/stacked.txt", "tables/fidelity.csv"] {
        assert!(folder.path().join("one").join(file).is_file(), "{file}");
    }

    run(&folder, &server, &["--out", "one"]).well();
    run(&folder, &server, &["--out", "two", "--frozen"]).well();
    assert_eq!(count(&server, "requests"), asked, "nothing is asked twice");
    assert!(results(&folder, "one") == results(&folder, "two"));

    keeps_the_key(&folder, &went);
}

/// The key is nowhere in what a run leaves behind.
fn keeps_the_key(folder: &Folder, went: &Went) {
    for (path, content) in folder.files("") {
        let found = content.windows(KEY.len()).any(|window| window == KEY.as_bytes());
        assert!(!found, "the key is in {}", path.display());
    }
    assert!(!went.stderr.contains(KEY) && !went.stdout.contains(KEY));
}

#[test]
fn without_a_yes_nothing_is_asked() {
    let Some(server) = Simulated::start(&["--preset", "fast"]) else { return };
    let folder = folder(300);
    // A server elsewhere, so that there is something to say yes to.
    let words: Vec<&str> = RUN.into_iter().filter(|word| *word != "--yes").collect();
    let mut elsewhere = folder.command(&words);
    let output = elsewhere.env("OPENAI_API_KEY", KEY).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{said}");
    for part in ["--yes", "--max-cost", "--dry-run", "go to api.openai.com"] {
        assert!(said.contains(part), "{part} is not in {said}");
    }
    let plan = run(&folder, &server, &["--dry-run", "--out", "none"]).well();
    assert!(plan.stdout.contains("fidelity") && plan.stdout.contains("total"), "{}", plan.stdout);
    assert!(!folder.path().join("none").exists());
    assert_eq!(count(&server, "requests"), 0);
}

/// Runs the program on a terminal and answers its question.
const ON_A_TERMINAL: &str = r#"
import os, pty, sys
child, terminal = pty.fork()
if child == 0:
    os.execv(sys.argv[2], sys.argv[2:])
said, answered = b"", False
while True:
    try:
        part = os.read(terminal, 65536)
    except OSError:
        break
    if not part:
        break
    said += part
    if b"[N] no" in said and not answered:
        os.write(terminal, sys.argv[1].encode() + b"\n")
        answered = True
sys.stdout.buffer.write(said)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"#;

#[test]
fn the_question_takes_yes_pilot_batch_and_no() {
    let flags = ["--preset", "fast", "--batch-seconds", "1"];
    let Some(server) = Simulated::start(&flags) else { return };
    let folder = folder(500);
    let words = RUN.into_iter().filter(|word| *word != "--yes");
    for (answer, code, said) in [
        ("n", 0, "nothing was asked and nothing spent"),
        ("b", 5, "under way:"),
        ("p", 0, "runs/visits-3-pilot"),
        ("y", 0, "runs/visits-4"),
    ] {
        // A folder of its own, so that nothing is kept from the answer before.
        let cache = folder.path().join(answer);
        let mut terminal = Command::new("python3");
        terminal
            .args(["-c", ON_A_TERMINAL, answer, env!("CARGO_BIN_EXE_hypothesaes")])
            .args(words.clone())
            .args(["--out", &format!("runs/visits-{}", 1 + "nbpy".find(answer).unwrap())])
            .current_dir(folder.path())
            .env("OPENAI_BASE_URL", &server.base)
            .env("OPENAI_API_KEY", KEY)
            .env("HYPOTHESAES_CACHE", cache);
        let output = terminal.output().unwrap();
        let told = String::from_utf8_lossy(&output.stdout);
        assert_eq!(output.status.code(), Some(code), "{answer}: {told}");
        assert!(told.contains("[b] by batch") && told.contains(said), "{answer}: {told}");
    }
    assert!(folder.path().join("runs/visits-4/summary.md").exists());
    assert!(folder.path().join("runs/visits-3-pilot/summary.md").exists());
    assert!(!folder.path().join("runs/visits-3/summary.md").exists());
}

#[test]
fn a_spent_quota_and_a_ceiling_end_with_3_and_keep_everything() {
    let Some(server) = Simulated::start(&["--preset", "fast", "--quota-usd", "0.01"]) else {
        return;
    };
    let folder = folder(700);
    let went = run(&folder, &server, &[]);
    assert_eq!(went.code, Some(3), "{}", went.stderr);
    assert!(went.stderr.contains("every answer is kept"), "{}", went.stderr);
    drop(server);

    let Some(server) = Simulated::start(&["--preset", "fast"]) else { return };
    let folder = self::folder(700);
    let went = run(&folder, &server, &["--max-cost", "0.005"]);
    assert_eq!(went.code, Some(3), "{}", went.stderr);
    assert!(went.stderr.contains("--max-cost"), "{}", went.stderr);
    assert!(stats(&server)["cost_usd"].as_f64().unwrap() <= 0.005);
    run(&folder, &server, &[]).well();
    assert_eq!(count(&server, "pairs_repeated"), 0, "what was paid for is not asked again");
}

#[test]
fn what_is_kept_is_counted_before_anything_is_asked() {
    let Some(server) = Simulated::start(&["--preset", "fast"]) else { return };
    let whole = folder(700);
    run(&whole, &server, &[]).well();
    let before: f64 = ["embed", "interpret", "fidelity"].map(|s| dollars(&whole, s)).iter().sum();
    let enough = before + 0.7 * dollars(&whole, "annotate");

    let Some(server) = Simulated::start(&["--preset", "fast"]) else { return };
    let folder = folder(700);
    let went = run(&folder, &server, &["--max-cost", &enough.to_string()]);
    assert_eq!(went.code, Some(3), "{}", went.stderr);
    let plan = run(&folder, &server, &["--dry-run", "--json"]).well();
    let plan: Value = serde_json::from_str(&plan.stdout).unwrap();
    let rows = plan["estimate"]["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 1, "only annotations are left: {plan}");
    let kept = rows[0]["kept"].as_f64().unwrap();
    assert!(kept > 0.1 && kept < 0.9, "{plan}");
    assert!(plan["estimate"]["spent"].as_f64().unwrap() > before);
}

#[test]
fn servers_of_every_kind_complete() {
    for flags in [
        &["--endpoints", "chat,embeddings"][..],
        &["--think", "always"],
        &["--context", "2048"],
        &["--error-style", "plain", "--retry-after", "none", "--rate-headers", "none"],
    ] {
        let Some(server) = Simulated::start(&[&["--preset", "fast"], flags].concat()) else {
            return;
        };
        let folder = folder(400);
        let went = run(&folder, &server, &[]).well();
        assert!(!went.stderr.contains("are missing"), "{flags:?}: {}", went.stderr);
    }
}

#[test]
fn trap_20_faults_and_poison_leave_gaps_that_are_named() {
    let flags = ["--preset", "flaky", "--p-poison", "0.01", "--p-hang", "0"];
    let Some(server) = Simulated::start(&flags) else { return };
    let folder = folder(700);
    let went = run(&folder, &server, &["-o", "llm.max_failed=0.05", "-o", "llm.timeout=5"]).well();
    let table = folder.read("runs/visits-1/tables/hypotheses.csv");
    assert!(table.lines().count() > 1, "{table}\n{}", went.stderr);
}

#[test]
fn killed_or_stopped_at_any_moment_the_same_command_repeats_next_to_nothing() {
    let kills = std::env::var("HYPOTHESAES_KILLS").ok().and_then(|n| n.parse().ok()).unwrap_or(4);
    let preset = ["--preset", "fast", "--latency", "0.02"];
    let Some(server) = Simulated::start(&preset) else { return };
    let reference = folder(500);
    let start = Instant::now();
    run(&reference, &server, &[]).well();
    let took = start.elapsed();
    let expected = results(&reference, "runs/visits-1");
    for kill in 0..kills {
        let Some(server) = Simulated::start(&preset) else { return };
        let folder = folder(500);
        let mut child = command(&folder, &server, &[]).spawn().unwrap();
        thread::sleep(took.mul_f64(0.1 + 0.9 * f64::from(kill) / f64::from(kills)));
        let signal = if kill % 2 == 0 { "-KILL" } else { "-INT" };
        Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap();
        child.wait().unwrap();
        // The service may still be answering what was in flight.
        thread::sleep(Duration::from_millis(100));
        run(&folder, &server, &[]).well();
        for (got, expected) in results(&folder, "runs/visits-1").iter().zip(&expected) {
            assert!(got == expected, "{} after {signal}", got.0.display());
        }
        // At most 64 calls of up to ten pairs are in flight.
        let repeated = count(&server, "pairs_repeated");
        assert!(repeated <= 640, "{signal}: {repeated} pairs were asked twice");
    }
}

#[test]
fn batch_jobs_give_the_same_tables_for_half_the_price() {
    let flags = ["--preset", "fast", "--batch-seconds", "1"];
    let Some(server) = Simulated::start(&flags) else { return };
    let direct = folder(500);
    run(&direct, &server, &[]).well();
    let expected = results(&direct, "runs/visits-1");
    let full = dollars(&direct, "annotate");

    for wait in [false, true] {
        let Some(server) = Simulated::start(&flags) else { return };
        let folder = folder(500);
        let mut rounds = 0;
        loop {
            let more = if wait { &["--batch", "--wait"][..] } else { &["--batch"] };
            let went = run(&folder, &server, more);
            keeps_the_key(&folder, &went);
            if went.code == Some(0) {
                break;
            }
            assert_eq!(went.code, Some(5), "{}", went.stderr);
            assert!(went.stderr.contains("same command fetches"), "{}", went.stderr);
            let cache = folder.run(&["cache"]).well();
            assert!(cache.stdout.contains("a batch job at http://127.0.0.1"), "{}", cache.stdout);
            rounds += 1;
            assert!(rounds < 40, "it does not come to an end: {}", went.stderr);
            thread::sleep(Duration::from_millis(700));
        }
        assert_eq!(rounds > 0, !wait);
        assert!(results(&folder, "runs/visits-1") == expected, "wait: {wait}");
        assert_eq!(count(&server, "pairs_repeated"), 0);
        // The first question, and those that are few, are asked directly.
        let half = dollars(&folder, "annotate");
        // (In a job, the service does not count the tokens of a schema.)
        assert!((0.4 * full..0.52 * full).contains(&half), "{half} of {full}");
        assert!(count(&server, "batch_requests") > 100);
    }
}

#[test]
fn bad_servers_models_and_prompts_are_named() {
    let folder = folder(300);
    let mut gone = folder.command(&RUN);
    let output = gone.env("OPENAI_BASE_URL", "http://127.0.0.1:9/v1").output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("127.0.0.1:9") && said.contains("doctor"), "{said}");

    let Some(server) = Simulated::start(&["--preset", "fast", "--unknown-model", "gpt-5.2"]) else {
        return;
    };
    let went = run(&folder, &server, &[]);
    assert!(went.stderr.contains("no model `gpt-5.2`"), "{}", went.stderr);
    assert!(went.stderr.contains("--interpreter"), "{}", went.stderr);

    folder.write("own.txt", "Judge {text}.");
    let asked = count(&server, "requests");
    let went = run(&folder, &server, &["--interpreter", "x", "-o", "annotate.prompt=own.txt"]);
    assert_eq!(count(&server, "requests"), asked, "a prompt is refused before anything is asked");
    assert!(
        went.stderr.contains("own.txt") && went.stderr.contains("{concepts}"),
        "{}",
        went.stderr
    );

    let went =
        run(&folder, &server, &["--local", "--annotator", "x", "-o", "llm.base_url=https://h/v1"]);
    assert_eq!(went.code, Some(2), "{}", went.stderr);
    assert!(went.stderr.contains("keeps all texts on this computer"), "{}", went.stderr);
}

#[test]
fn the_doctor_says_what_works_and_what_does_not() {
    let Some(server) = Simulated::start(&["--preset", "tier1", "--unknown-model", "gpt-5.2"])
    else {
        return;
    };
    let folder = Folder::new();
    let mut doctor = folder.command(&["doctor"]);
    let output = doctor.env("OPENAI_BASE_URL", &server.base).output().unwrap();
    let found = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(2), "{found}");
    for part in ["vectors of 1536 entries", "Responses API, JSON schema", "FAILS", "requests a"] {
        assert!(found.contains(part), "{part} is not in {found}");
    }
    let cache = folder.run(&["cache", "--export", "answers.jsonl"]).well();
    assert!(cache.stdout.contains("1 answers written"), "{}", cache.stdout);
    assert!(folder.read("answers.jsonl").contains("text-embedding-3-small"));
    let prices = folder.run(&["prices", "gpt-5-mini", "my-model"]).well();
    assert!(
        prices.stdout.contains("0.25") && prices.stdout.contains("unknown"),
        "{}",
        prices.stdout
    );
}
