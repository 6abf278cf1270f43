"""Runs the README's commands and compares what they print with what it shows.

Every fenced block marked `console` is run, in order, in one empty folder: a line that begins with
`$ ` is a command, the lines up to the next command are what it shows, and `...` stands for lines
left out. Numbers may differ, since another processor rounds otherwise, and so may a few lines, since
rounding can tip a wording; the rest must be printed as shown.
"""

import os
import re
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TIMEOUT_SECONDS = 300
# Share of the shown lines that another processor may word otherwise.
MAX_MISSING = 0.2


def without_key(environment):
    """The environment of somebody who has no language model."""
    names = ("OPENAI_API_KEY", "OPENAI_KEY_SAE", "OPENAI_BASE_URL")
    return {name: value for name, value in environment.items() if name not in names}


def commands(readme):
    """Pairs of a command and the lines shown after it."""
    found = []
    for block in re.findall(r"^```console\n(.*?)^```", readme, re.MULTILINE | re.DOTALL):
        for line in block.splitlines():
            if line.startswith("$ "):
                found.append((line[2:], []))
            elif found:
                found[-1][1].append(line)
    return found


def without_numbers(line):
    """A line with every number written as `#`, and spaces as one."""
    return re.sub(r"\s+", " ", re.sub(r"[-+]?\d+(?:[.,]\d+)*", "#", line)).strip()


def not_printed(shown, printed):
    """The shown lines that the command did not print."""
    there = Counter(map(without_numbers, printed))
    missing = []
    for line in shown:
        key = without_numbers(line)
        if key and key != "...":
            there[key] -= 1
            if there[key] < 0:
                missing.append(line)
    return missing


def run(command, folder):
    """Exit status and the lines of stdout and stderr in the order they were written."""
    # `cargo run` is meant for the project's folder, the files it writes for the empty one.
    here = 'cargo() { command cargo "$1" --manifest-path "$MANIFEST" "${@:2}"; }\n'
    path = f"{ROOT / 'target' / 'release'}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-c", here + command],
        cwd=folder,
        env={**without_key(os.environ), "PATH": path, "MANIFEST": str(ROOT / "Cargo.toml")},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=TIMEOUT_SECONDS,
        check=False,
    )
    return done.returncode, done.stdout.splitlines()


def main():
    found = commands((ROOT / "README.md").read_text(encoding="utf-8"))
    if not found:
        sys.exit("error: the README shows no command")
    with tempfile.TemporaryDirectory() as folder:
        for command, shown in found:
            print(f"$ {command}", flush=True)
            status, printed = run(command, folder)
            missing = not_printed(shown, printed)
            if missing:
                print("\n".join(printed))
                print("\nshown in the README but not printed:\n" + "\n".join(missing))
            if status != 0 or len(missing) > MAX_MISSING * len(shown):
                sys.exit(f"error: `{command}` (exit {status}) is not as the README shows it")


if __name__ == "__main__":
    main()
