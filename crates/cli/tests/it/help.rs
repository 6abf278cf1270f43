//! What the program says of itself, word by word.

use crate::program::Folder;

#[test]
fn help_of_every_command() {
    let folder = Folder::new();
    let commands =
        ["", "run", "demo", "embed", "train", "select", "interpret", "annotate", "evaluate"];
    let others = [
        "test",
        "gold",
        "export",
        "doctor",
        "cache",
        "prices",
        "sae",
        "sae train",
        "sae encode",
        "sae decode",
    ];
    for command in commands.into_iter().chain(others).chain(["sae health", "sae import"]) {
        let words: Vec<&str> = command.split_whitespace().chain(["--help"]).collect();
        let went = folder.run(&words).well();
        let name = if command.is_empty() { "help" } else { command };
        insta::assert_snapshot!(format!("help_{}", name.replace(' ', "_")), went.stdout);
    }
}

#[test]
fn version_is_that_of_the_crate() {
    let went = Folder::new().run(&["--version"]).well();
    assert_eq!(went.stdout.trim(), format!("hypothesaes {}", env!("CARGO_PKG_VERSION")));
}
