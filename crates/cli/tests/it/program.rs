//! The built program in a folder of its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use hypothesaes::demo::REVIEWS;
use serde_json::Value;

/// A folder in which the program runs, removed at the end.
pub struct Folder(tempfile::TempDir);

/// How a run of the program went.
pub struct Went {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Folder {
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path().join(name)).unwrap()
    }

    /// All files below `name`, by path, with their bytes.
    pub fn files(&self, name: &str) -> Vec<(PathBuf, Vec<u8>)> {
        let root = self.path().join(name);
        let mut files = Vec::new();
        let mut folders = vec![root.clone()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    let content = fs::read(&path).unwrap();
                    files.push((path.strip_prefix(&root).unwrap().to_owned(), content));
                }
            }
        }
        files.sort();
        files
    }

    /// The program with these words, neither end of it a terminal.
    pub fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hypothesaes"));
        command.args(words).current_dir(self.path()).env("NO_COLOR", "1").env("COLUMNS", "100");
        // Neither the developer's key nor the answers and models kept for him.
        for variable in ["OPENAI_API_KEY", "OPENAI_KEY_SAE", "OPENAI_BASE_URL"] {
            command.env_remove(variable);
        }
        command.env("HYPOTHESAES_CACHE", self.path().join("cache"));
        command.env("HF_HUB_CACHE", self.path().join("hub")).env("HF_HUB_OFFLINE", "1");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    pub fn run(&self, words: &[&str]) -> Went {
        let output = self.command(words).output().unwrap();
        Went {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Went {
    /// Panics with what the program said unless it went well.
    pub fn well(self) -> Self {
        assert_eq!(self.code, Some(0), "{}\n{}", self.stdout, self.stderr);
        self
    }
}

/// Times, as in `1.2 s`, become `# s`.
pub fn timeless(text: &str) -> String {
    let is_time = |word: &str| {
        let digits = word.trim_start_matches('(');
        !digits.is_empty() && digits.chars().all(|c| c.is_ascii_digit() || c == '.')
    };
    let mut lines = Vec::new();
    for line in text.lines() {
        let mut words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        for i in 1..words.len() {
            let unit = words[i].trim_end_matches([',', ')', '.']);
            if unit == "s" && is_time(&words[i - 1]) {
                let bracket = if words[i - 1].starts_with('(') { "(" } else { "" };
                words[i - 1] = format!("{bracket}#");
            }
        }
        lines.push(words.join(" "));
    }
    lines.join("\n")
}

/// The first rows of the demo's reviews, begun again with a number when they end.
pub fn small_table(rows: usize) -> String {
    let reviews: Vec<Value> = REVIEWS.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    let row = |i: usize| {
        let (review, again) = (&reviews[i % reviews.len()], i / reviews.len());
        let number = if again > 0 { format!(" {again}") } else { String::new() };
        format!("{}{number}\t{}\n", review["text"].as_str().unwrap(), review["stars"])
    };
    let rows: String = (0..rows).map(row).collect();
    format!("text\tstars\n{rows}")
}
