"""How a run behaves among other things: what it shows, Ctrl-C, forks, threads, reloads, imports."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.error
from pathlib import Path
from typing import Any

import planted
import pytest

import hypothesaes

HERE = Path(__file__).parent
TIMEOUT = 120
"""Seconds after which a process hangs."""

START = f"""
import sys
sys.path.insert(0, {str(HERE)!r})
import planted, hypothesaes
columns = planted.reviews(400)
def discover(out, **arguments):
    return hypothesaes.discover(columns, target="stars", out=out, **{{"local": True, **arguments}})
"""


def python(code: str, folder: Path, **more: Any) -> subprocess.CompletedProcess[str]:
    """Runs `code` after START, in a process that may not hang."""
    command = [sys.executable, "-c", START + code]
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=TIMEOUT, **more
    )
    assert done.returncode == 0, done.stderr
    return done


def test_a_pipe_gets_plain_lines_on_stderr_alone(tmp_path: Path) -> None:
    done = python("discover('run')", tmp_path)
    assert done.stdout == ""
    assert "sae: " in done.stderr and "target `stars`" in done.stderr
    assert "\r" not in done.stderr and "\x1b" not in done.stderr
    assert len(done.stderr.splitlines()) < 60
    assert "reused" not in done.stderr
    off = "hypothesaes.display(progress='off')"
    for quiet in ("discover('a', progress=False)", f"{off}; discover('b')"):
        silent = python(quiet, tmp_path)
        assert silent.stdout == silent.stderr == ""


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals")
def test_a_terminal_gets_one_line_drawn_anew(tmp_path: Path) -> None:
    import pty

    leader, follower = pty.openpty()
    command = [sys.executable, "-c", START + "discover('run')"]
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=follower)
    os.close(follower)
    shown = b""
    while True:
        try:
            part = os.read(leader, 4096)
        except OSError:
            break
        if not part:
            break
        shown += part
    os.close(leader)
    assert process.wait(TIMEOUT) == 0 and process.stdout and process.stdout.read() == b""
    drawn = shown.decode().split("\r\x1b[K")
    assert any("sae: [" in line and "epochs" in line for line in drawn)
    lines = [line for line in shown.decode().split("\n") if "sae: " in line]
    assert len(lines) <= 2, "drawn over, not one below the other"


def test_a_notebook_gets_one_output_that_is_replaced(tmp_path: Path) -> None:
    code = """
import types
outputs = []
class Handle:
    def __init__(self, data): self.data = data; outputs.append(self); self.drawn = 1
    def update(self, data, raw): self.data = data; self.drawn += 1
shell = types.SimpleNamespace(kernel=object())
ipython = types.ModuleType("IPython")
ipython.get_ipython = lambda: shell
shown = types.ModuleType("IPython.display")
shown.display = lambda data, raw, display_id: Handle(data)
sys.modules.update({"IPython": ipython, "IPython.display": shown})
discover("run")
texts = [output.data["text/plain"] for output in outputs]
assert sum(text.startswith("sae: ") for text in texts) == 1, texts
assert max(output.drawn for output in outputs) > 1
assert all(set(output.data) == {"text/plain"} for output in outputs)
"""
    done = python(code, tmp_path)
    assert done.stdout == done.stderr == ""


def interrupted(code: str, folder: Path, is_busy: Any) -> tuple[float, str]:
    """Sends Ctrl-C to a process once it is busy, which without it would go on for long: seconds
    until it ended, and its stderr."""
    log = folder / "stderr"
    with log.open("w", encoding="utf-8") as stderr:
        process = subprocess.Popen(
            [sys.executable, "-c", START + code], cwd=folder, stderr=stderr, start_new_session=True
        )
    try:
        deadline = time.monotonic() + TIMEOUT
        while not is_busy(log.read_text(encoding="utf-8")):
            assert process.poll() is None, log.read_text(encoding="utf-8")
            assert time.monotonic() < deadline
            time.sleep(0.02)
        start = time.monotonic()
        process.send_signal(signal.SIGINT)
        process.wait(TIMEOUT)
        took = time.monotonic() - start
    finally:
        process.kill()
    return took, log.read_text(encoding="utf-8")


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGINT to send")
def test_ctrl_c_stops_training_and_keeps_what_is_finished(tmp_path: Path) -> None:
    code = "discover('run', options={'sae.max_epochs': 10**6, 'sae.patience': 10**6})"
    took, said = interrupted(code, tmp_path, lambda text: "sae: begins" in text)
    print(f"stopped after {took:.2f} s")
    assert "KeyboardInterrupt" in said
    assert "what is finished is kept in `run`, the same call goes on" in said
    unfinished = hypothesaes.load(tmp_path / "run", frames="table")
    assert unfinished.stages["stage"] == ["data", "embed", "signal"]
    run = hypothesaes.discover(
        planted.reviews(400),
        target="stars",
        out=tmp_path / "run",
        local=True,
        progress=False,
        options={"sae.max_epochs": 50},
    )
    assert list(run.stages["reused"])[:4] == [True, True, True, False]


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGINT to send")
def test_trap_26_ctrl_c_stops_asking_and_keeps_what_arrived(
    tmp_path: Path, simulated: Any
) -> None:
    service = simulated("--latency", "0.3")
    arguments = (
        "local=False, confirm='never', n_hypotheses=4, annotator='gpt-5-mini', "
        "embedder='tfidf-svd', interpreter='phrases', options={'llm.max_concurrent': 3}"
    )
    code = f"discover('run', {arguments})"
    took, said = interrupted(code, tmp_path, lambda _: n_asked(service) > 20)
    print(f"stopped after {took:.2f} s")
    assert "KeyboardInterrupt" in said
    before = service.requests()
    time.sleep(0.5)
    assert service.requests() <= before + 3, "nothing is asked after the end"
    python(code, tmp_path)
    whole = service.requests()
    # The same from nothing: as many calls, but for those under way at the interruption.
    python(f"discover('other', {arguments})", tmp_path, env=fresh_cache(tmp_path))
    alone = service.requests() - whole
    assert whole <= alone + 3


def n_asked(service: Any) -> int:
    try:
        return int(service.requests())
    except urllib.error.HTTPError:
        # It counts while it is counted.
        return 0


def fresh_cache(folder: Path) -> dict[str, str]:
    return {**os.environ, "HYPOTHESAES_CACHE": str(folder / "other cache")}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_a_fork_threads_and_reloads_do_not_deadlock(tmp_path: Path) -> None:
    code = """
import importlib, os, warnings
from concurrent.futures import ThreadPoolExecutor
quiet = {"progress": False, "n_hypotheses": 3}
def found(run):
    return list(run.hypotheses["hypothesis"])
first = found(discover("first", **quiet))
warnings.simplefilter("ignore")  # Python warns of forks beside threads.
child = os.fork()
if child == 0:
    try:
        same = found(discover("child", **quiet)) == first
    finally:
        os._exit(0 if same else 1)
assert os.waitpid(child, 0)[1] == 0
with ThreadPoolExecutor(4) as threads:
    runs = list(threads.map(lambda i: discover(f"thread-{i}", **quiet), range(4)))
assert all(found(run) == first for run in runs)
importlib.reload(hypothesaes)
importlib.reload(hypothesaes.errors)
importlib.reload(hypothesaes.run)
assert found(discover("reloaded", **quiet)) == first
try:
    discover("reloaded", **quiet, options={"evaluate.alpha": 2})
except hypothesaes.errors.OptionError:
    print("caught")
"""
    assert python(code, tmp_path).stdout == "caught\n"


def test_two_processes_at_one_run_directory_do_not_harm_it(tmp_path: Path) -> None:
    code = f"{START}\ndiscover('run', progress=False, n_hypotheses=3)"
    command = [sys.executable, "-c", code]
    pipe = subprocess.PIPE
    both = [subprocess.Popen(command, cwd=tmp_path, stderr=pipe, text=True) for _ in range(2)]
    said = [process.communicate(timeout=TIMEOUT)[1] for process in both]
    # One of them may find the other at work.
    assert any(process.returncode == 0 for process in both), said
    for process, text in zip(both, said):
        assert process.returncode == 0 or "RunError" in text and "another process" in text
    again = hypothesaes.discover(
        planted.reviews(400),
        target="stars",
        out=tmp_path / "run",
        local=True,
        progress=False,
        n_hypotheses=3,
    )
    assert all(again.stages["reused"])


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="/proc tells the memory")
def test_the_import_is_light(tmp_path: Path, record_property: Any) -> None:
    code = """
import sys, time
start = time.perf_counter()
import hypothesaes
took = time.perf_counter() - start
status = open("/proc/self/status").read().split()
heavy = {"pandas", "polars", "pyarrow", "torch", "scipy", "sklearn", "asyncio", "IPython", "ssl"}
print(took, int(status[status.index("VmRSS:") + 1]) / 1024, *sorted(heavy & set(sys.modules)))
"""
    found = []
    for _ in range(3):
        command = [sys.executable, "-c", code]
        done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=tmp_path)
        found.append(done.stdout.split())
    seconds = min(float(words[0]) for words in found)
    memory = min(float(words[1]) for words in found)
    record_property("import_seconds", seconds)
    # The time is told, not judged: the machine may have other things to do.
    print(f"import: {seconds:.3f} s, {memory:.0f} MB in all")
    assert memory < 60 and all(len(words) == 2 for words in found), found
