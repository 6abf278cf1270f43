//! The simulated service as a process. `HYPOTHESAES_SIMLLM` names its script, or it lies beside the
//! project.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

pub struct Simulated {
    child: Child,
    pub base: String,
}

impl Simulated {
    /// `None`, with a line, if it is not there.
    pub fn start(flags: &[&str]) -> Option<Self> {
        let script = std::env::var_os("HYPOTHESAES_SIMLLM").map_or_else(
            || concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/simllm/simllm.py").into(),
            PathBuf::from,
        );
        if !script.exists() {
            eprintln!("skipped: HYPOTHESAES_SIMLLM names no simulated service that is there");
            return None;
        }
        let mut child = Command::new("python3")
            .arg(script)
            .args(["--port", "0"])
            .args(flags)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let listening = lines.find_map(|line| {
            let line = line.unwrap();
            line.contains("listening on")
                .then(|| line.split(' ').find(|word| word.starts_with("http")).unwrap().to_owned())
        });
        let base = format!("{}/v1", listening.unwrap().trim_end_matches("/v1"));
        // It writes no more that anybody needs, but must not be left without a reader.
        std::thread::spawn(move || lines.for_each(drop));
        Some(Self { child, base })
    }
}

impl Drop for Simulated {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
