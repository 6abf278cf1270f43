//! What the program says of itself, word by word.

use crate::program::Folder;

#[test]
fn help_of_every_command() {
    let folder = Folder::new();
    let commands =
        ["", "run", "demo", "embed", "train", "select", "interpret", "annotate", "evaluate"];
    for command in commands.into_iter().chain(["doctor", "cache", "prices"]) {
        let words: Vec<&str> =
            [command, "--help"].into_iter().filter(|word| !word.is_empty()).collect();
        let went = folder.run(&words).well();
        let name = if command.is_empty() { "help" } else { command };
        insta::assert_snapshot!(format!("help_{name}"), went.stdout);
    }
}

#[test]
fn version_is_that_of_the_crate() {
    let went = Folder::new().run(&["--version"]).well();
    assert_eq!(went.stdout.trim(), format!("hypothesaes {}", env!("CARGO_PKG_VERSION")));
}
