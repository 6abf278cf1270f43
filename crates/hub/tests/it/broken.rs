//! Connections that end too early, bytes that are wrong, and users who lose patience.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use hypothesaes_hub::{Error, Progress, find};

use crate::repo::{COMMIT, Computer, NAME, Repo, sha256};
use crate::server::{Reply, Request, Server};

fn is_weights(request: &Request) -> bool {
    request.path.ends_with(&format!("{COMMIT}/model.safetensors"))
}

fn from(server: &Server) -> Vec<Option<usize>> {
    server.requests().iter().filter(|r| is_weights(r)).map(Request::from).collect()
}

fn is_whole(computer: &Computer, repo: &Repo) -> bool {
    let found = find(&computer.options.cache, NAME, "main").unwrap();
    found.is_some_and(|found| {
        let here = |path: &String| std::fs::read(found.folder.join(path)).ok();
        found.is_whole
            && repo.needed().iter().all(|path| here(path).as_ref() == repo.files.get(path))
    })
}

/// A partial file, as an earlier download left it.
fn left(computer: &Computer, repo: &Repo, bytes: &[u8]) {
    let path = computer.incomplete(repo.weights());
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, bytes).unwrap();
}

#[test]
fn a_broken_connection_is_gone_on_with_where_it_broke() {
    let repo = Repo::tiny();
    let served = repo.clone();
    let server = Server::start(move |request| {
        let reply = served.answer(request);
        let cut = if is_weights(request) { Some(reply.body.len().min(1000)) } else { None };
        Reply { cut, ..reply }
    });
    let mut computer = Computer::new(&server.address);
    // Every try brings 1,000 bytes: as many as the file needs, though 2 failures would be too many.
    computer.options.tries = 2;
    computer.fetch("main").unwrap();
    assert!(is_whole(&computer, &repo));
    let starts = (0..repo.weights().len()).step_by(1000);
    let expected: Vec<Option<usize>> = starts.map(|n| (n > 0).then_some(n)).collect();
    assert_eq!(from(&server), expected);
}

#[test]
fn an_earlier_download_is_gone_on_with() {
    let repo = Repo::tiny();
    let served = repo.clone();
    let server = Server::start(move |request| served.answer(request));
    let computer = Computer::new(&server.address);
    left(&computer, &repo, &repo.weights()[..1234]);
    computer.fetch("main").unwrap();
    assert!(is_whole(&computer, &repo));
    assert_eq!(from(&server), [Some(1234)]);
    assert!(!computer.incomplete(repo.weights()).exists());
}

#[test]
fn a_file_that_lacks_only_its_name_is_not_asked_for() {
    let repo = Repo::tiny();
    let served = repo.clone();
    let server = Server::start(move |request| served.answer(request));
    let computer = Computer::new(&server.address);
    left(&computer, &repo, repo.weights());
    computer.fetch("main").unwrap();
    assert!(is_whole(&computer, &repo));
    assert!(from(&server).is_empty());
}

#[test]
fn a_server_that_knows_no_ranges_sends_it_all_again() {
    let repo = Repo::tiny();
    let served = repo.clone();
    let server = Server::start(move |request| {
        served.answer(&Request { headers: Vec::new(), ..request.clone() })
    });
    let computer = Computer::new(&server.address);
    left(&computer, &repo, &repo.weights()[..1234]);
    computer.fetch("main").unwrap();
    assert!(is_whole(&computer, &repo));
    assert_eq!(from(&server), [Some(1234)]);
}

#[test]
fn a_range_that_begins_elsewhere_is_not_appended() {
    let repo = Repo::tiny();
    let served = repo.clone();
    let server = Server::start(move |request| match served.answer(request) {
        reply if is_weights(request) && reply.status == 206 => {
            Reply { headers: Vec::new(), ..reply }.with("content-range", "bytes 7-99/100")
        }
        reply => reply,
    });
    let computer = Computer::new(&server.address);
    left(&computer, &repo, &repo.weights()[..1234]);
    computer.fetch("main").unwrap();
    assert!(is_whole(&computer, &repo));
    assert_eq!(from(&server), [Some(1234), None]);
}

#[test]
fn leftovers_that_do_not_belong_are_begun_anew() {
    for wrong in [vec![1; 1234], vec![1; Repo::tiny().weights().len()], vec![1; 1 << 20]] {
        let repo = Repo::tiny();
        let served = repo.clone();
        let server = Server::start(move |request| served.answer(request));
        let computer = Computer::new(&server.address);
        left(&computer, &repo, &wrong);
        computer.fetch("main").unwrap();
        assert!(is_whole(&computer, &repo));
        assert_eq!(*from(&server).last().unwrap(), None);
    }
}

#[test]
fn a_file_that_comes_damaged_twice_is_not_taken() {
    let repo = Repo::tiny();
    let served = repo.clone();
    let server = Server::start(move |request| {
        let mut reply = served.answer(request);
        if is_weights(request) {
            reply.body[100] ^= 1;
        }
        reply
    });
    let computer = Computer::new(&server.address);
    let error = computer.fetch("main").unwrap_err();
    assert!(matches!(&error, Error::Checksum { .. }), "{error}");
    let text = error.to_string();
    assert!(text.contains("model.safetensors") && text.contains(&sha256(repo.weights())), "{text}");
    assert_eq!(from(&server), [None, None]);
    assert!(!computer.incomplete(repo.weights()).exists());
    assert!(!computer.repository().join("refs").exists());
    assert!(!computer.repository().join("snapshots").exists());
    assert_eq!(find(&computer.options.cache, NAME, "main").unwrap(), None);
}

#[test]
fn a_small_file_is_checked_too() {
    let repo = Repo::tiny();
    let served = repo.clone();
    let first = AtomicBool::new(true);
    let server = Server::start(move |request| {
        let mut reply = served.answer(request);
        if request.path.ends_with("/tokenizer.json") && first.swap(false, Ordering::Relaxed) {
            reply.body[100] ^= 1;
        }
        reply
    });
    let computer = Computer::new(&server.address);
    computer.fetch("main").unwrap();
    assert!(is_whole(&computer, &repo));
}

#[test]
fn more_than_the_length_is_refused() {
    let repo = Repo::tiny();
    let served = repo.clone();
    let server = Server::start(move |request| {
        let mut reply = served.answer(request);
        if is_weights(request) {
            reply.body.extend(vec![0; 100_000]);
        }
        reply
    });
    let computer = Computer::new(&server.address);
    let error = computer.fetch("main").unwrap_err();
    assert!(matches!(&error, Error::Broken { tries: 5, .. }), "{error}");
    assert_eq!(std::fs::metadata(computer.incomplete(repo.weights())).unwrap().len(), 0);
}

#[test]
fn an_interruption_leaves_what_the_next_call_goes_on_with() {
    let repo = Repo::tiny();
    let served = repo.clone();
    let slow = AtomicBool::new(true);
    let server = Server::start(move |request| {
        let reply = served.answer(request);
        let is_slow = is_weights(request) && slow.swap(false, Ordering::Relaxed);
        let stall = is_slow.then_some((3000, Duration::from_secs(20)));
        Reply { stall, ..reply }
    });
    let mut computer = Computer::new(&server.address);
    computer.options.stall = Duration::from_mins(1);
    // The user stops while nothing comes.
    let mut since = None;
    let mut each = |progress: Progress<'_>| {
        let begun = progress.file == "model.safetensors" && progress.done > 3000;
        let waited = begun && since.get_or_insert_with(Instant::now).elapsed().as_millis() > 300;
        if waited { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let error = computer.hub().fetch(NAME, "main", &mut each).unwrap_err();
    assert!(matches!(error, Error::Interrupted));
    assert!(since.unwrap().elapsed() < Duration::from_secs(10));
    let partial = computer.incomplete(repo.weights());
    assert_eq!(std::fs::read(partial).unwrap(), repo.weights()[..3000]);
    assert_eq!(find(&computer.options.cache, NAME, "main").unwrap(), None);
    computer.fetch("main").unwrap();
    assert!(is_whole(&computer, &repo));
    assert_eq!(from(&server), [None, Some(3000)]);
}

#[test]
fn a_connection_on_which_nothing_comes_is_broken() {
    let repo = Repo::tiny();
    let served = repo.clone();
    let slow = AtomicBool::new(true);
    let server = Server::start(move |request| {
        let reply = served.answer(request);
        let is_slow = is_weights(request) && slow.swap(false, Ordering::Relaxed);
        let stall = is_slow.then_some((2000, Duration::from_secs(4)));
        Reply { stall, ..reply }
    });
    let mut computer = Computer::new(&server.address);
    computer.options.stall = Duration::from_secs(1);
    computer.fetch("main").unwrap();
    assert!(is_whole(&computer, &repo));
    assert_eq!(from(&server), [None, Some(2000)]);
}

#[test]
fn a_busy_hub_is_asked_again_when_it_says() {
    let repo = Repo::tiny();
    let served = repo.clone();
    let server = Server::start(move |request| match request.n {
        0 => Reply::status(503),
        1 => Reply::status(429).with("retry-after", "1"),
        _ => served.answer(request),
    });
    let computer = Computer::new(&server.address);
    let start = Instant::now();
    computer.fetch("main").unwrap();
    assert!(is_whole(&computer, &repo));
    assert!(start.elapsed() >= Duration::from_secs(1));
}

#[test]
fn a_hub_that_stays_busy_is_given_up() {
    let server = Server::start(|_| Reply::status(502));
    let computer = Computer::new(&server.address);
    let error = computer.fetch("main").unwrap_err();
    assert!(matches!(&error, Error::Broken { tries: 5, .. }) && error.is_of_network(), "{error}");
    assert_eq!(server.requests().len(), 5);
    let server = Server::start(|_| Reply::status(429).with("retry-after", "3600"));
    let error = Computer::new(&server.address).fetch("main").unwrap_err().to_string();
    assert!(error.contains("3600 s"), "{error}");
    assert_eq!(server.requests().len(), 1);
}
