"""Runs the README's commands and holds its outputs equal to what they print.

Every fenced block marked `console` is run, in order, in one empty folder: a line that begins with
`$ ` is a command, the lines up to the next command are what it shows. A shown line `...` stands for
any lines. Times (`1.2 s`) and paths into the folder may differ; everything else may not.
"""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TIMEOUT_SECONDS = 300


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


def normal(line):
    """A line without what may differ from run to run."""
    return re.sub(r"\b\d+(\.\d+)? s\b", "# s", line).rstrip()


def matches(shown, printed):
    """Whether the printed lines are the shown ones, `...` standing for any lines."""
    pattern = "".join(
        r"(?:.*\n)*?" if line == "..." else re.escape(normal(line)) + r"\n" for line in shown
    )
    return re.fullmatch(pattern, "".join(normal(line) + "\n" for line in printed)) is not None


def run(command, folder):
    """Exit status and the lines of stdout and stderr in the order they were written."""
    path = f"{ROOT / 'target' / 'release'}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=folder,
        env={**os.environ, "PATH": path},
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
            if status != 0 or (shown and not matches(shown, printed)):
                print("\n".join(printed))
                sys.exit(f"error: `{command}` (exit {status}) does not print what the README shows")


if __name__ == "__main__":
    main()
