//! What the program asks on a terminal, and what it does where there is none.

use std::path::PathBuf;
use std::process::Command;

use crate::program::{Folder, small_table};

/// Runs a program on a terminal of its own: waits for each prompt, then types the answer to it.
const TERMINAL: &str = r#"
import os, pty, select, sys, time
program, dialogue = sys.argv[1].split("\n"), [turn.split("\n") for turn in sys.argv[2:]]
pid, terminal = pty.fork()
if pid == 0:
    os.execv(program[0], program)
shown, end = b"", time.monotonic() + 60
def read():
    global shown
    ready, _, _ = select.select([terminal], [], [], 0.1)
    if time.monotonic() > end:
        sys.exit("timeout after " + shown.decode(errors="replace"))
    if ready:
        try:
            data = os.read(terminal, 4096)
        except OSError:
            return False
        shown += data
        return bool(data)
    return True
for prompt, keys in dialogue:
    start = len(shown)
    while prompt.encode() not in shown[start:]:
        if not read():
            sys.exit("ended before " + prompt + ": " + shown.decode(errors="replace"))
    os.write(terminal, keys.encode().decode("unicode_escape").encode())
while read():
    pass
_, status = os.waitpid(pid, 0)
print(shown.decode(errors="replace"))
sys.exit(os.waitstatus_to_exitcode(status))
"#;

/// What the terminal showed and the exit code; `None` without Python.
fn on_a_terminal(
    folder: &Folder,
    words: &[&str],
    dialogue: &[(&str, &str)],
) -> Option<(String, Option<i32>)> {
    if Command::new("python3").arg("--version").output().is_err() {
        println!("skipped: no python3 to open a terminal with");
        return None;
    }
    let program: Vec<&str> =
        [env!("CARGO_BIN_EXE_hypothesaes")].iter().chain(words).copied().collect();
    let turns = dialogue.iter().map(|(prompt, keys)| format!("{prompt}\n{keys}"));
    let output = Command::new("python3")
        .args(["-c", TERMINAL, &program.join("\n")])
        .args(turns)
        .current_dir(folder.path())
        .env("TERM", "xterm")
        .output()
        .unwrap();
    let shown = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    Some((shown, output.status.code()))
}

#[test]
fn a_terminal_is_asked_for_file_and_columns_with_the_guess_as_default() {
    let folder = Folder::new();
    folder.write("visits.tsv", small_table(300));
    let dialogue = [("File", r"visits.tsv\r"), ("texts", r"\r"), ("explained", r"\r")];
    let Some((shown, code)) = on_a_terminal(&folder, &["run"], &dialogue) else { return };
    assert_eq!(code, Some(0), "{shown}");
    let options = folder.read("runs/visits-1/hypothesaes.toml");
    assert!(options.contains(r#"text = "text""#), "{options}");
    assert!(options.contains(r#"target = "stars""#), "{options}");
}

#[test]
fn ctrl_c_at_a_question_leaves_nothing_behind() {
    let folder = Folder::new();
    folder.write("visits.tsv", small_table(300));
    let dialogue = [("texts", r"\x03")];
    let Some((shown, code)) = on_a_terminal(&folder, &["run", "visits.tsv"], &dialogue) else {
        return;
    };
    assert_eq!(code, Some(130), "{shown}");
    assert!(shown.contains("stopped before any stage began"), "{shown}");
    let left: Vec<PathBuf> = folder.files("").into_iter().map(|(path, _)| path).collect();
    assert_eq!(left, [PathBuf::from("visits.tsv")]);
}

#[test]
fn elsewhere_the_flags_to_add_are_named() {
    let folder = Folder::new();
    folder.write("visits.tsv", small_table(300));
    let went = folder.run(&["run", "visits.tsv"]);
    assert_eq!(went.code, Some(2));
    assert!(went.stderr.contains("--text text --target stars"), "{}", went.stderr);
    let went = folder.run(&["run"]);
    assert_eq!(went.code, Some(2));
    assert!(went.stderr.contains("hypothesaes run reviews.csv"), "{}", went.stderr);
}
