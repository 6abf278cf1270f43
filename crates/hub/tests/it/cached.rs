//! Caches that other programs filled.

use std::fs;
use std::path::PathBuf;

use hypothesaes_hub::{Found, find};

use crate::repo::{COMMIT, Computer, NAME, Repo, blob, is_json, sha256};
use crate::server::Server;

/// A snapshot of plain files, as on systems without links.
fn filled(repo: &Repo, paths: &[String]) -> (Computer, PathBuf) {
    let served = repo.clone();
    let server = Server::start(move |request| served.answer(request));
    let computer = Computer::new(&server.address);
    let folder = computer.repository().join("snapshots").join(COMMIT);
    for path in paths {
        let place = folder.join(path);
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        fs::write(place, &repo.files[path]).unwrap();
    }
    let refs = computer.repository().join("refs");
    fs::create_dir_all(&refs).unwrap();
    fs::write(refs.join("main"), COMMIT).unwrap();
    (computer, folder)
}

fn found(computer: &Computer) -> Option<Found> {
    find(&computer.options.cache, NAME, "main").unwrap()
}

#[test]
fn a_snapshot_with_all_that_its_modules_name_is_whole() {
    let repo = Repo::tiny();
    let (computer, folder) = filled(&repo, &repo.needed());
    assert_eq!(found(&computer), Some(Found { folder, commit: COMMIT.into(), is_whole: true }));
    for missing in [
        "model.safetensors",
        "tokenizer.json",
        "1_Pooling/config.json",
        "2_Dense/config.json",
        "2_Dense/model.safetensors",
    ] {
        let rest: Vec<String> = repo.needed().into_iter().filter(|path| path != missing).collect();
        assert_eq!(found(&filled(&repo, &rest).0), None, "{missing}");
    }
}

#[test]
fn a_snapshot_without_modules_could_lack_them() {
    let repo = Repo::tiny();
    let plain = ["config.json", "model.safetensors", "tokenizer.json"].map(String::from);
    let (mut computer, folder) = filled(&repo, &plain);
    assert!(!found(&computer).unwrap().is_whole);
    computer.options.offline = true;
    let fetched = computer.fetch(COMMIT).unwrap();
    assert!(fetched.stale.is_some() && fetched.folder == folder);
    computer.options.offline = false;
    computer.fetch(COMMIT).unwrap();
    assert!(found(&computer).unwrap().is_whole);
    assert!(folder.join("1_Pooling/config.json").is_file());
    assert!(found(&filled(&repo, &plain[..2]).0).is_none());
}

#[test]
fn the_list_of_the_hubs_own_programs_is_believed() {
    let repo = Repo::tiny();
    let (mut computer, _) = filled(&repo, &repo.needed());
    let entry = |(path, bytes): (&String, &Vec<u8>)| {
        let (size, blob) = (bytes.len(), blob(bytes));
        let large = if is_json(path) {
            String::new()
        } else {
            format!(r#", "lfs_sha256": "{}", "lfs_size": {size}, "xet_hash": "ab""#, sha256(bytes))
        };
        format!(r#""{path}": {{"size": {size}, "blob_id": "{blob}"{large}}}"#)
    };
    let entries: Vec<String> = repo.files.iter().map(entry).collect();
    let list = format!(r#"{{"format_version": 1, "files": {{{}}}}}"#, entries.join(", "));
    let trees = computer.repository().join("trees");
    fs::create_dir_all(&trees).unwrap();
    fs::write(trees.join(format!("{COMMIT}.json")), list).unwrap();
    let whole = found(&computer).unwrap();
    assert!(whole.is_whole, "files that are not needed are not missed");
    // Cut short, which the modules alone do not show.
    fs::write(whole.folder.join("model.safetensors"), "x").unwrap();
    assert_eq!(found(&computer), None);
    computer.options.offline = true;
    assert!(computer.fetch("main").is_err());
    computer.options.offline = false;
    computer.fetch(COMMIT).unwrap();
    assert!(found(&computer).unwrap().is_whole);
}

#[test]
fn a_reference_that_is_a_path_is_not_followed() {
    let repo = Repo::tiny();
    let (computer, _) = filled(&repo, &repo.needed());
    fs::write(computer.repository().join("refs/main"), "../snapshots/x").unwrap();
    assert_eq!(found(&computer), None);
}

#[cfg(unix)]
#[test]
fn a_link_to_nowhere_is_no_file() {
    let repo = Repo::tiny();
    let served = repo.clone();
    let server = Server::start(move |request| served.answer(request));
    let computer = Computer::new(&server.address);
    computer.fetch("main").unwrap();
    let blob = computer.repository().join("blobs").join(sha256(repo.weights()));
    fs::remove_file(&blob).unwrap();
    assert_eq!(found(&computer), None);
    let before = server.requests().len();
    computer.fetch(COMMIT).unwrap();
    assert!(found(&computer).unwrap().is_whole && blob.is_file());
    let asked = server.requests().split_off(before);
    assert!(matches!(&asked[..], [one] if one.path.ends_with("/model.safetensors")), "{asked:?}");
}

#[test]
fn a_whole_cache_need_not_be_written_to() {
    let repo = Repo::tiny();
    let served = repo.clone();
    let server = Server::start(move |request| served.answer(request));
    let computer = Computer::new(&server.address);
    computer.fetch("main").unwrap();
    let before = computer.everything();
    let when = |path: &PathBuf| fs::metadata(path).unwrap().modified().unwrap();
    let reference = computer.repository().join("refs/main");
    let written = when(&reference);
    computer.fetch("main").unwrap();
    assert_eq!(computer.everything(), before);
    assert_eq!(when(&reference), written);
}
