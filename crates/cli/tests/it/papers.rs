//! What the papers say of the code is true.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use hypothesaes::options::Options;
use serde_json::Value;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn paper(name: &str) -> String {
    fs::read_to_string(root().join(name)).unwrap()
}

/// The words between back-ticks that look like paths of the project.
fn paths(text: &str) -> Vec<&str> {
    let quoted = text.split('`').skip(1).step_by(2);
    let is_path = |word: &&str| word.contains('/') && !word.contains([' ', '<', '*', ':']);
    quoted.filter(is_path).collect()
}

#[test]
fn every_path_that_a_paper_names_exists() {
    for name in ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md"] {
        let text = paper(name);
        let paths = paths(&text);
        assert!(paths.len() > 2, "{name} names few files");
        for path in paths {
            assert!(root().join(path).exists(), "{name} names `{path}`, which does not exist");
        }
    }
}

/// A key of the options file: its section, its name, its value as written, whether it is set.
struct Key {
    section: String,
    name: String,
    value: String,
    is_set: bool,
}

/// The keys of `docs/options.toml`; every one must have a comment above it.
fn documented() -> Vec<Key> {
    let text = paper("docs/options.toml");
    let (mut keys, mut section, mut before) = (Vec::new(), String::new(), "");
    for line in text.lines() {
        let commented = line.strip_prefix("# ").unwrap_or(line);
        let key = commented.split_once(" = ").filter(|(name, _)| {
            !name.is_empty()
                && name.chars().all(|c| c.is_ascii_lowercase() || "_0123456789".contains(c))
        });
        if let Some(name) = line.strip_prefix('[') {
            section = name.replace(']', "");
        } else if let Some((name, value)) = key {
            assert!(before.starts_with("# "), "`{name}` has no comment above it");
            let (name, value) = (name.to_owned(), value.to_owned());
            keys.push(Key { section: section.clone(), name, value, is_set: commented == line });
        }
        before = line;
    }
    keys
}

#[test]
fn the_documented_options_are_the_defaults_of_the_code() {
    let path = Path::new("docs/options.toml");
    let documented = Options::from_toml(&paper("docs/options.toml"), path).unwrap();
    assert_eq!(documented, Options::default());
}

#[test]
fn every_option_is_documented() {
    let Value::Object(all) = serde_json::to_value(Options::default()).unwrap() else {
        panic!("options are an object")
    };
    let mut expected = BTreeSet::new();
    for (name, value) in &all {
        match value {
            Value::Object(section) => {
                for (key, value) in section {
                    expected.insert((name.clone(), key.clone(), !value.is_null()));
                }
            }
            value => {
                expected.insert((String::new(), name.clone(), !value.is_null()));
            }
        }
    }
    let found: BTreeSet<_> =
        documented().into_iter().map(|key| (key.section, key.name, key.is_set)).collect();
    assert_eq!(found, expected);
}

#[test]
fn every_documented_value_is_one_that_the_option_takes() {
    for key in documented() {
        let name = match key.section.as_str() {
            "" => key.name,
            section => format!("{section}.{}", key.name),
        };
        let assignment = format!("{name}={}", key.value);
        let set = Options::default().set(&assignment);
        assert!(set.is_ok(), "`{assignment}`: {}", set.unwrap_err());
    }
}
