//! Ctrl-C: no new call, two seconds for those under way, everything that arrived is kept.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use hypothesaes_llm::Error;
use hypothesaes_llm::client::ClientOptions;

use crate::server::{Reply, Server, says};
use crate::setup::{Quiet, ask_watched, client, model};

fn stopped_after(answer_after: Duration) -> (usize, Duration, usize) {
    let server = Server::start(move |r| Reply::After(answer_after, Box::new(says(r, "yes"))));
    let texts: Vec<String> = (0..1000).map(|i| i.to_string()).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let watch = Arc::new(Quiet::default());
    let (stopper, client) = (Arc::clone(&watch), client(ClientOptions::default()));
    let stop = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(700));
        stopper.stop.store(true, Ordering::Relaxed);
        Instant::now()
    });
    let (outcomes, result) = ask_watched(&client, &model(&server.base), &texts, &*watch);
    let took = stop.join().unwrap().elapsed();
    assert!(matches!(result, Err(Error::Interrupted)));
    let kept = client.store().contents().unwrap().first().map_or(0, |c| c.answers);
    let answered = outcomes.iter().flatten().count();
    assert_eq!(kept, answered as u64);
    (answered, took, server.requests().len())
}

#[test]
fn trap_26_answers_under_way_are_kept() {
    let (answered, took, asked) = stopped_after(Duration::from_millis(100));
    assert!(answered > 10 && took < Duration::from_secs(1), "{answered} {took:?}");
    assert_eq!(answered, asked, "every call that left brought its answer home");
}

#[test]
fn trap_26_but_not_waited_for_longer_than_two_seconds() {
    let (_, took, _) = stopped_after(Duration::from_secs(30));
    assert!(took < Duration::from_secs(3), "{took:?}");
}
