//! What comes, and where it comes to.

use std::ops::ControlFlow;
use std::sync::Arc;

use hypothesaes_hub::{Progress, Step, find};

use crate::repo::{COMMIT, Computer, NAME, Repo, SECRET, blob, go_on, part, sha256};
use crate::server::{Reply, Server};

fn served(repo: &Repo) -> Server {
    let repo = repo.clone();
    Server::start(move |request| repo.answer(request))
}

#[test]
fn a_model_comes_into_the_layout_of_the_hubs_own_programs() {
    let repo = Repo::tiny();
    let server = served(&repo);
    let computer = Computer::new(&server.address);
    let fetched = computer.fetch("main").unwrap();
    assert_eq!(fetched.commit, COMMIT);
    assert!(fetched.stale.is_none());
    assert_eq!(fetched.folder, computer.repository().join("snapshots").join(COMMIT));

    let here = computer.everything();
    let at = |path: &str| &here[&format!("hub/models--some--model/{path}")];
    assert_eq!(at("refs/main"), COMMIT);
    let dense = &repo.files["2_Dense/model.safetensors"];
    let link = at(&format!("snapshots/{COMMIT}/2_Dense/model.safetensors"));
    assert_eq!(*link, format!("-> ../../../blobs/{}", sha256(dense)));
    let link = at(&format!("snapshots/{COMMIT}/config.json"));
    assert_eq!(*link, format!("-> ../../blobs/{}", blob(&repo.files["config.json"])));
    for path in repo.needed() {
        assert_eq!(std::fs::read(fetched.folder.join(&path)).unwrap(), repo.files[&path], "{path}");
    }
    let locks = here.keys().filter(|path| path.starts_with("hub/.locks/models--some--model/"));
    assert_eq!(locks.count(), repo.needed().len());
    let kinds = ["blobs", "refs", "snapshots", "trees"];
    let others: Vec<&String> = here
        .keys()
        .filter(|path| !path.starts_with("hub/.locks/"))
        .filter(|path| !kinds.iter().any(|kind| path.split('/').nth(2) == Some(kind)))
        .collect();
    assert!(others.is_empty(), "{others:?}");
    assert!(!here.keys().any(|path| path.contains("incomplete") || path.contains("tmp")));
}

#[test]
fn only_what_is_needed_is_asked_for() {
    let repo = Repo::tiny();
    let server = served(&repo);
    Computer::new(&server.address).fetch("main").unwrap();
    assert_eq!(server.files(), repo.needed());
    assert_eq!(server.requests().len(), 1 + repo.needed().len());
}

#[test]
fn the_hubs_own_crate_finds_it() {
    let server = served(&Repo::tiny());
    let computer = Computer::new(&server.address);
    let fetched = computer.fetch("main").unwrap();
    let cache = hf_hub::Cache::new(computer.options.cache.clone());
    let found = cache.model(NAME.into()).get("1_Pooling/config.json");
    assert_eq!(found, Some(fetched.folder.join("1_Pooling/config.json")));
}

#[test]
fn what_is_here_does_not_come_again() {
    let server = served(&Repo::tiny());
    let computer = Computer::new(&server.address);
    computer.fetch("main").unwrap();
    let before = server.requests().len();
    let again = computer.fetch("main").unwrap();
    assert_eq!(server.requests().len(), before + 1, "one question whether the branch moved");
    let pinned = computer.fetch(COMMIT).unwrap();
    assert_eq!(server.requests().len(), before + 1, "a commit does not change");
    assert_eq!(pinned.folder, again.folder);
    let found = find(&computer.options.cache, NAME, "main").unwrap().unwrap();
    assert!(found.is_whole && found.folder == again.folder && found.commit == COMMIT);
}

#[test]
fn a_commit_gets_no_reference() {
    let server = served(&Repo::tiny());
    let computer = Computer::new(&server.address);
    let fetched = computer.fetch(COMMIT).unwrap();
    assert_eq!(fetched.commit, COMMIT);
    assert!(!computer.repository().join("refs").exists());
    assert!(find(&computer.options.cache, NAME, COMMIT).unwrap().unwrap().is_whole);
    assert_eq!(find(&computer.options.cache, NAME, "main").unwrap(), None);
}

#[test]
fn a_branch_that_moved_is_followed() {
    let server = served(&Repo::tiny());
    let computer = Computer::new(&server.address);
    let reference = computer.repository().join("refs/main");
    std::fs::create_dir_all(reference.parent().unwrap()).unwrap();
    std::fs::write(&reference, "f".repeat(40)).unwrap();
    assert_eq!(computer.fetch("main").unwrap().commit, COMMIT);
    assert_eq!(std::fs::read_to_string(reference).unwrap(), COMMIT);
}

#[test]
fn the_plan_says_how_much_will_come() {
    let repo = Repo::tiny();
    let server = served(&repo);
    let computer = Computer::new(&server.address);
    let plan = computer.hub().plan(NAME, "main", &mut go_on).unwrap();
    let bytes: u64 = repo.needed().iter().map(|path| repo.files[path].len() as u64).sum();
    assert_eq!((plan.bytes(), plan.missing(), plan.commit()), (bytes, bytes, COMMIT));
    assert_eq!(plan.files().count(), repo.needed().len());
    assert!(!plan.is_in_parts());
    assert!(computer.everything().is_empty(), "a plan writes nothing");

    let half = computer.incomplete(repo.weights());
    std::fs::create_dir_all(half.parent().unwrap()).unwrap();
    std::fs::write(&half, &repo.weights()[..1000]).unwrap();
    let plan = computer.hub().plan(NAME, "main", &mut go_on).unwrap();
    assert_eq!(plan.missing(), bytes - 1000);
    computer.hub().carry_out(&plan, &mut go_on).unwrap();
    assert_eq!(computer.hub().plan(NAME, "main", &mut go_on).unwrap().missing(), 0);
}

#[test]
fn progress_goes_from_nothing_to_all() {
    let repo = Repo::tiny();
    let server = served(&repo);
    let mut told = Vec::new();
    let mut steps = Vec::new();
    let mut each = |progress: Progress<'_>| {
        told.push((progress.done, progress.total));
        if steps.last() != Some(&progress.step) {
            steps.push(progress.step);
        }
        ControlFlow::Continue(())
    };
    Computer::new(&server.address).hub().fetch(NAME, "main", &mut each).unwrap();
    let all: u64 = repo.needed().iter().map(|path| repo.files[path].len() as u64).sum();
    assert!(told.is_sorted_by(|a, b| a.0 <= b.0));
    assert_eq!((told[0], *told.last().unwrap()), ((0, 0), (all, all)));
    assert_eq!(steps[..3], [Step::Asking, Step::Receiving, Step::Checking]);
}

#[test]
fn the_token_goes_to_the_hub_and_to_nobody_else() {
    let repo = Repo::tiny();
    let weights = repo.weights().to_vec();
    let elsewhere = Server::start(move |request| part(request, &weights));
    let address = elsewhere.address.clone();
    let hub = Server::start(move |request| {
        if request.path.ends_with("/model.safetensors") && !request.path.contains("Dense") {
            // A way within the hub, and then one out of it, as it sends large files.
            let moved = request.path.starts_with("/moved/");
            let to = if moved {
                format!("{address}/x?sig=hidden")
            } else {
                "/moved/model.safetensors".into()
            };
            return Reply::status(302).with("location", to);
        }
        repo.answer(request)
    });
    Computer::new(&hub.address).with_token().fetch("main").unwrap();
    let [request] = &elsewhere.requests()[..] else { panic!("one request") };
    assert_eq!((request.path.as_str(), request.header("authorization")), ("/x?sig=hidden", None));
    let bearer = format!("Bearer {SECRET}");
    assert!(hub.requests().iter().all(|r| r.header("authorization") == Some(&bearer)));
    assert!(hub.requests().iter().any(|r| r.path.starts_with("/moved/")));
}

#[test]
fn two_at_once_bring_it_once() {
    let repo = Repo::tiny();
    let server = served(&repo);
    let computer = Arc::new(Computer::new(&server.address));
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let computer = Arc::clone(&computer);
            std::thread::spawn(move || computer.fetch("main").unwrap().folder)
        })
        .collect();
    for thread in threads {
        let folder = thread.join().unwrap();
        for path in repo.needed() {
            assert_eq!(std::fs::read(folder.join(&path)).unwrap(), repo.files[&path], "{path}");
        }
    }
    let asked = server.requests().iter().filter(|r| r.path.contains("/resolve/")).count();
    assert_eq!(asked, repo.needed().len());
}
