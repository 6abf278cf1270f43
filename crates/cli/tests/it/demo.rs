//! The demo does what it says: planted concepts are found again.

use serde_json::Value;

use crate::program::Folder;

/// Concepts that must be found again; on the processors tried it was all ten, or one less.
const MIN_FOUND: u64 = 8;

#[test]
fn most_planted_concepts_are_found_again() {
    let folder = Folder::new();
    let went = folder.run(&["demo", "--json"]).well();
    let answer: Value = serde_json::from_str(&went.stdout).unwrap();
    let planted = answer["planted"].as_array().unwrap();
    assert_eq!(planted.len(), 10);
    let found = planted.iter().filter(|p| !p["hypothesis"].is_null()).count() as u64;
    assert_eq!(answer["n_found"].as_u64(), Some(found));
    assert!(found >= MIN_FOUND, "{found} of 10: {planted:#?}");
    for concept in planted.iter().filter(|p| !p["phi"].is_null()) {
        assert!(concept["phi"].as_f64().unwrap() >= 0.5, "{concept}");
    }
    // Run again, the demo says the same and does nothing anew.
    let again = folder.run(&["demo"]).well();
    assert!(again.stdout.contains(&format!("Found again: {found}.")), "{}", again.stdout);
    assert!(again.stderr.contains("reused"), "{}", again.stderr);
}

#[test]
fn a_shuffled_target_finds_no_concept() {
    // The stars move to other reviews: nothing planted is left to be found.
    let folder = Folder::new();
    let reviews: Vec<Value> =
        hypothesaes::demo::REVIEWS.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    let rows: Vec<String> = reviews
        .iter()
        .enumerate()
        .map(|(i, review)| {
            let stars = &reviews[(i * 739 + 11) % reviews.len()]["stars"];
            serde_json::json!({ "text": review["text"], "stars": stars }).to_string()
        })
        .collect();
    folder.write("shuffled.jsonl", rows.join("\n"));
    let words = ["run", "shuffled.jsonl", "--text", "text", "--target", "stars", "--json"];
    let answer: Value = serde_json::from_str(&folder.run(&words).well().stdout).unwrap();
    assert!(answer["test"]["n_hold"].as_u64().unwrap() <= 1, "{}", answer["test"]);
    assert_eq!(answer["signal"]["is_present"].as_bool(), Some(false), "{}", answer["signal"]);
}
