//! What the hub does not give, and what this computer does not take.

use hypothesaes_hub::{Error, HubOptions, Token};

use crate::repo::{COMMIT, Computer, NAME, Repo, SECRET, go_on, json};
use crate::server::{Reply, Server};

fn refused(status: u16, code: &'static str, with_token: bool) -> (Error, Server) {
    let server = Server::start(move |request| match request.path.as_str() {
        "/api/models/some/model/refs" => json(
            r#"{"branches": [{"name": "main", "ref": "refs/heads/main"}], "converts": [],
                "tags": [{"name": "v1.0", "ref": "refs/tags/v1.0"}]}"#,
        ),
        path if path.starts_with("/api/models?search=model") => {
            json(r#"[{"id": "other/model", "tags": []}, {"id": "some/model-2"}]"#)
        }
        _ if code.is_empty() => Reply::status(status),
        _ => Reply::status(status).with("x-error-code", code),
    });
    let computer = Computer::new(&server.address);
    let computer = if with_token { computer.with_token() } else { computer };
    let error = computer.fetch("v2").unwrap_err();
    assert!(!format!("{error} {error:?} {:?}", computer.hub()).contains(SECRET));
    assert!(!computer.repository().exists());
    (error, server)
}

fn said(status: u16, code: &'static str, with_token: bool) -> String {
    refused(status, code, with_token).0.to_string()
}

#[test]
fn a_model_that_is_not_there_has_neighbours() {
    let (error, server) = refused(404, "RepoNotFound", true);
    let text = error.to_string();
    assert!(matches!(error, Error::NoModel { .. }));
    assert!(text.contains("`other/model`, `some/model-2`"), "{text}");
    assert_eq!(server.requests().len(), 2, "what is final is not tried again");
    // This is what the hub says of any unknown name to those without a token.
    let text = said(401, "RepoNotFound", false);
    assert!(text.contains("HF_TOKEN"), "{text}");
    assert!(matches!(refused(404, "", false).0, Error::NoModel { .. }));
}

#[test]
fn a_revision_that_is_not_there_has_neighbours() {
    let text = said(404, "RevisionNotFound", false);
    assert_eq!(text, "`some/model` has no revision `v2`; it has `main`, `v1.0`");
}

#[test]
fn a_gated_model_names_the_page_with_its_terms() {
    let (error, server) = refused(401, "GatedRepo", false);
    let text = error.to_string();
    let page = format!("{}/some/model", server.address);
    assert!(text.contains(&page) && text.contains("set HF_TOKEN"), "{text}");
    let (error, _) = refused(403, "GatedRepo", true);
    assert!(matches!(error, Error::Gated { with_token: true, .. }));
}

#[test]
fn a_token_that_is_refused_is_named_and_not_shown() {
    for status in [401, 403] {
        let (error, _) = refused(status, "", true);
        assert!(matches!(error, Error::Refused { .. }), "{error}");
        assert!(error.to_string().contains("HF_TOKEN"));
    }
}

#[test]
fn no_network_is_said_at_once() {
    // Nothing listens on this port.
    let computer = Computer::new("http://127.0.0.1:9");
    let error = computer.fetch("main").unwrap_err();
    assert!(matches!(&error, Error::Unreachable { .. }), "{error}");
    assert!(error.is_of_network() && error.to_string().contains("127.0.0.1:9"), "{error}");
    let error = Computer::new("http://no-such-host.invalid").fetch("main").unwrap_err();
    assert!(matches!(&error, Error::Unreachable { .. }), "{error}");
}

#[test]
fn offline_nobody_is_asked() {
    let repo = Repo::tiny();
    let server = Server::start(move |request| repo.answer(request));
    let mut computer = Computer::new(&server.address);
    computer.options.offline = true;
    let error = computer.fetch("main").unwrap_err();
    assert!(matches!(error, Error::Offline { .. }) && error.is_of_network());
    assert!(error.to_string().contains("HF_HUB_OFFLINE"), "{error}");
    assert!(computer.hub().plan(NAME, "main", &mut go_on).is_err());
    assert!(server.requests().is_empty());

    computer.options.offline = false;
    computer.fetch("main").unwrap();
    let before = server.requests().len();
    computer.options.offline = true;
    let fetched = computer.fetch("main").unwrap();
    assert_eq!(fetched.commit, COMMIT);
    assert!(matches!(fetched.stale, Some(Error::Offline { .. })));
    assert_eq!(server.requests().len(), before);
}

#[test]
fn without_a_network_what_is_here_is_taken() {
    let repo = Repo::tiny();
    let server = Server::start(move |request| repo.answer(request));
    let mut computer = Computer::new(&server.address);
    computer.fetch("main").unwrap();
    computer.options.endpoint = "http://127.0.0.1:9".into();
    let fetched = computer.fetch("main").unwrap();
    assert!(matches!(fetched.stale, Some(Error::Unreachable { .. })));
    assert!(computer.fetch("other").is_err());
}

#[test]
fn names_and_addresses_are_looked_at_first() {
    let server = Server::start(|_| Reply::status(500));
    let computer = Computer::new(&server.address);
    for (name, revision) in [("../x", "main"), ("a/b/c", "main"), (NAME, "../main"), (NAME, "")] {
        let error = computer.hub().fetch(name, revision, &mut go_on).unwrap_err();
        assert!(matches!(error, Error::Name { .. }), "{error}");
    }
    assert!(server.requests().is_empty());
    for address in ["", "huggingface.co", "ftp://x", "https://me:hf_verysecret@x", "https://x/?a"] {
        let options = HubOptions { endpoint: address.into(), ..HubOptions::new("x") };
        let error = hypothesaes_hub::Hub::new(options).unwrap_err();
        assert!(!format!("{error} {error:?}").contains(SECRET), "{error}");
    }
}

#[test]
fn a_mirror_may_have_a_path() {
    let repo = Repo::tiny();
    let server = Server::start(move |request| {
        let path = request.path.strip_prefix("/hf").unwrap().to_owned();
        repo.answer(&crate::server::Request { path, ..request.clone() })
    });
    Computer::new(&format!("{}/hf/", server.address)).fetch("main").unwrap();
}

#[test]
fn tokens_that_cannot_be_sent_are_none() {
    assert_eq!(Token::new(" hf_x\n"), Token::new("hf_x"));
    for text in ["", " \n", "a b", "a\nb", "ä"] {
        assert_eq!(Token::new(text), None);
    }
    assert_eq!(format!("{:?}", Token::new(SECRET).unwrap()), "Token(***)");
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_told_with_what_helps() {
    let repo = Repo::tiny();
    let served = repo.clone();
    let server = Server::start(move |request| served.answer(request));
    let computer = Computer::new(&server.address);
    let partial = computer.incomplete(repo.weights());
    std::fs::create_dir_all(partial.parent().unwrap()).unwrap();
    std::os::unix::fs::symlink("/dev/full", &partial).unwrap();
    let text = computer.fetch("main").unwrap_err().to_string();
    assert!(text.contains(partial.to_str().unwrap()) && text.contains("disk is full"), "{text}");
    assert!(text.contains("HF_HOME"), "{text}");
}

#[test]
fn a_cache_that_cannot_be_written_is_told() {
    let repo = Repo::tiny();
    let server = Server::start(move |request| repo.answer(request));
    let mut computer = Computer::new(&server.address);
    let file = tempfile::NamedTempFile::new().unwrap();
    computer.options.cache = file.path().join("hub");
    let text = computer.fetch("main").unwrap_err().to_string();
    assert!(text.starts_with("cannot ") && text.contains("HF_HOME"), "{text}");
}
