//! A server that means ill, or is none.

use hypothesaes_hub::Error;

use crate::repo::{COMMIT, Computer, NAME, Repo, blob, json};
use crate::server::{Reply, Server};

fn sibling(path: &str) -> String {
    format!(r#"{{"rfilename": "{path}", "size": 2, "blobId": "{}"}}"#, blob(b"{}"))
}

#[test]
fn no_file_is_written_out_of_the_models_folder() {
    for path in [
        "../config.json",
        "../../../config.json",
        "1_Pooling/../../config.json",
        "/config.json",
        "..\\\\config.json",
        "..",
    ] {
        let mut repo = Repo::tiny();
        repo.more.push(sibling(path));
        let server = Server::start(move |request| repo.answer(request));
        let computer = Computer::new(&server.address);
        let error = computer.fetch("main").unwrap_err();
        assert!(matches!(error, Error::Foreign { .. }), "{path}: {error}");
        assert!(computer.everything().is_empty(), "{path}");
    }
}

#[test]
fn a_checksum_that_is_a_path_is_refused() {
    for [blob, commit] in [["../../../../x", COMMIT], ["", COMMIT]] {
        let list = format!(
            r#"{{"sha": "{commit}", "siblings":
                [{{"rfilename": "config.json", "size": 2, "blobId": "{blob}"}}]}}"#
        );
        let server = Server::start(move |_| json(&list));
        let computer = Computer::new(&server.address);
        let error = computer.fetch("main").unwrap_err();
        assert!(matches!(error, Error::Foreign { .. }), "{error}");
        assert!(computer.everything().is_empty());
    }
}

#[test]
fn a_commit_that_is_a_path_is_refused() {
    let server = Server::start(|_| json(r#"{"sha": "../../x", "siblings": []}"#));
    let computer = Computer::new(&server.address);
    assert!(matches!(computer.fetch("main"), Err(Error::Foreign { .. })));
    assert!(computer.everything().is_empty());
}

#[test]
fn another_commit_than_the_one_asked_for_is_refused() {
    let other = "f".repeat(40);
    let server = {
        let repo = Repo::tiny();
        let asked = format!("/api/models/{NAME}/revision/{other}?blobs=true");
        Server::start(move |request| {
            let path = request.path.replace(&asked, &asked.replace(&"f".repeat(40), "main"));
            repo.answer(&crate::server::Request { path, ..request.clone() })
        })
    };
    let error = Computer::new(&server.address).fetch(&other).unwrap_err();
    assert!(matches!(&error, Error::Foreign { .. }), "{error}");
}

#[test]
fn what_is_no_hub_is_told_as_such() {
    let server = Server::start(|_| json("<html>Welcome</html>"));
    let error = Computer::new(&server.address).fetch("main").unwrap_err().to_string();
    assert!(error.contains("does not answer like the hub") && error.contains("HF_ENDPOINT"));
}

#[test]
fn a_circle_of_addresses_ends() {
    let server = Server::start(|request| Reply::status(302).with("location", &*request.path));
    let error = Computer::new(&server.address).fetch("main").unwrap_err();
    assert!(matches!(&error, Error::Foreign { .. }), "{error}");
    assert_eq!(server.requests().len(), 10);
}

#[test]
fn other_schemes_are_not_followed() {
    for to in ["file:///etc/passwd", "ftp://x/y", "http://"] {
        let server = Server::start(move |_| Reply::status(302).with("location", to));
        let error = Computer::new(&server.address).fetch("main").unwrap_err();
        assert!(matches!(&error, Error::Foreign { .. }), "{to}: {error}");
    }
}

#[test]
fn an_address_that_was_signed_for_a_while_is_asked_for_anew_and_never_shown() {
    let elsewhere = Server::start(|_| Reply::status(403));
    let address = elsewhere.address.clone();
    let repo = Repo::tiny();
    let server = Server::start(move |request| {
        if request.path.contains("/resolve/") {
            return Reply::status(302).with("location", format!("{address}/x?sig=hidden"));
        }
        repo.answer(request)
    });
    let error = Computer::new(&server.address).fetch("main").unwrap_err();
    assert!(matches!(&error, Error::Broken { tries: 5, .. }), "{error}");
    assert!(!format!("{error} {error:?}").contains("hidden"));
    assert_eq!(elsewhere.requests().len(), 5);
}

#[test]
fn a_model_that_cannot_be_run_does_not_come() {
    let mut repo = Repo::tiny();
    repo.files.remove("model.safetensors");
    let server = Server::start(move |request| repo.answer(request));
    let computer = Computer::new(&server.address);
    let error = computer.fetch("main").unwrap_err();
    assert!(matches!(&error, Error::Unsuitable { .. }), "{error}");
    assert!(error.to_string().contains("pytorch_model.bin"), "{error}");
    assert!(computer.everything().is_empty() && server.files().is_empty());
}
