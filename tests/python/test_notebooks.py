"""The notebooks, from the first cell to the last: on a good service, again from what is kept, and
on a service that refuses, breaks off and garbles."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
import threading
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from conftest import DATA, ROOT

nbclient = pytest.importorskip("nbclient")
nbformat = pytest.importorskip("nbformat")
pytest.importorskip("ipykernel")
pytest.importorskip("pandas")
pytest.importorskip("sklearn")

NOTEBOOKS = ROOT / "notebooks"
DEMO = Path("crates/hypothesaes/demo/reviews.jsonl")
KEY = "sk-test-0123456789abcdefghij"
TIMEOUT = 300
"""Seconds after which a cell hangs."""

TEXTS = "N_TEXTS = 250; N_HELDOUT = 40; N_VAL = 30"
SMALL = {
    "quickstart": f"{TEXTS}; M, K = 32, 4; PREFIXES = [8, 32]; N_HYPOTHESES = 4; N_SCORING = 20",
    "quickstart_local": f"{TEXTS}; M, K = 32, 4; N_HYPOTHESES = 4; N_SCORING = 20",
    "detailed_usage": f"{TEXTS}; FINE, COARSE = (32, 4), (8, 2); N_SELECTED = 4; N_SCORING = 20",
    "experiment_reproduction": (
        "N_TEXTS = 200; N_HELDOUT = 0.25; N_HYPOTHESES = 4; N_SCORING = 20; N_EPOCHS = 40; "
        "PAIR_SAES = [(24, 4), (8, 2)]; STAR_SAES = CLASS_SAES = [(32, 4)]"
    ),
}
"""What takes the place of the sizes at the top of each."""

BAD = ("--p-unparsable", "0.02", "--p-poison", "0.35", "--poison-kind", "unparsable")
"""One answer in fifty is garbled. So is every answer to one prompt in three, whose questions are
asked again by other prompts: few pairs are left that all of them fail."""

REFUSALS = 2
"""How often each request is answered by 429 before it is let through: most are."""

BREAKS = 100
"""Of so many that are let through, one reply breaks off in the middle."""

each = pytest.mark.parametrize("name", list(SMALL))


class Desk:
    """A folder with the notebooks, and a kernel of the interpreter that runs the tests."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder / "notebooks"
        self.folder.mkdir()
        for notebook in NOTEBOOKS.glob("*.ipynb"):
            shutil.copy(notebook, self.folder)
        (folder / DEMO).parent.mkdir(parents=True)
        shutil.copyfile(ROOT / DEMO, folder / DEMO)
        kernel = folder / "jupyter" / "kernels" / "python3"
        kernel.mkdir(parents=True)
        argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        spec = {"argv": argv, "display_name": "Python 3", "language": "python"}
        (kernel / "kernel.json").write_text(json.dumps(spec), encoding="utf-8")
        for name in ("JUPYTER_PATH", "JUPYTER_DATA_DIR", "JUPYTER_CONFIG_DIR", "IPYTHONDIR"):
            monkeypatch.setenv(name, str(folder / "jupyter"))
        monkeypatch.setenv("OPENAI_API_KEY", KEY)
        # The demo's reviews, which are always there.
        monkeypatch.delenv("HYPOTHESAES_DATA", raising=False)

    def run(self, name: str) -> Any:
        """The notebook with its outputs; the small sizes are set behind its own."""
        book = nbformat.read(self.folder / f"{name}.ipynb", as_version=4)
        place = next(i for i, cell in enumerate(book.cells) if "parameters" in tags(cell))
        book.cells.insert(place + 1, nbformat.v4.new_code_cell(SMALL[name]))
        client = nbclient.NotebookClient(
            book,
            timeout=TIMEOUT,
            kernel_name="python3",
            resources={"metadata": {"path": str(self.folder)}},
        )
        client.execute()
        return book


def tags(cell: Any) -> list[str]:
    return list(cell.metadata.get("tags", []))


def outputs(book: Any) -> list[Any]:
    return [output for cell in book.cells for output in cell.get("outputs", [])]


def text(book: Any) -> str:
    """All that the outputs hold."""
    return json.dumps(outputs(book), ensure_ascii=False).replace("\\n", "\n")


def missing(book: Any) -> list[int]:
    """What the notebook says of annotations that it asked for."""
    told = re.findall(r"\b(\d+) of \d+ annotations are missing", text(book))
    return [int(number) for number in told]


def results(book: Any) -> dict[str, str]:
    """What each cell evaluates to, but for those that tell time and what is kept."""
    return {
        cell.id: output.data["text/plain"]
        for cell in book.cells
        if cell.id not in ("plan", "cost")
        for output in cell.get("outputs", [])
        if output.output_type == "execute_result"
    }


def test_the_notebooks_are_kept_without_outputs() -> None:
    assert sorted(path.stem for path in NOTEBOOKS.glob("*.ipynb")) == sorted(SMALL)
    for name in SMALL:
        book = nbformat.read(NOTEBOOKS / f"{name}.ipynb", as_version=nbformat.NO_CONVERT)
        nbformat.validate(book)
        code = [cell for cell in book.cells if cell.cell_type == "code"]
        assert not any(cell.outputs or cell.execution_count for cell in code), name
        assert len({cell.id for cell in book.cells}) == len(book.cells)
        assert sum("parameters" in tags(cell) for cell in book.cells) == 1


@each
def test_a_notebook_runs_and_again_without_a_request(
    name: str,
    simulated: Callable[..., Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    service = simulated()
    desk = Desk(tmp_path, monkeypatch)
    first = desk.run(name)
    told = missing(first)
    assert told and not any(told)
    asked = service.requests()
    assert asked > 20
    again = desk.run(name)
    assert service.requests() == asked
    assert results(again) == results(first)
    assert KEY not in text(first) + text(again)


@each
def test_a_notebook_finishes_on_a_bad_service_and_says_what_is_missing(
    name: str,
    simulated: Callable[..., Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    service = simulated(*BAD)
    desk = Desk(tmp_path, monkeypatch)
    if (DATA / "yelp-val-2K.jsonl").exists():
        monkeypatch.setenv("HYPOTHESAES_DATA", os.path.abspath(DATA))
    with refusing(service.root) as gate:
        monkeypatch.setenv("OPENAI_BASE_URL", f"{gate.url}/v1")
        book = desk.run(name)
    assert gate.refused > gate.passed > 0
    assert sum(missing(book)) > 0
    assert KEY not in text(book)


class Gate(ThreadingHTTPServer):
    """Refuses every request some times, then passes it on."""

    daemon_threads = True

    def __init__(self, service: str) -> None:
        super().__init__(("127.0.0.1", 0), Through)
        self.service, self.url = service, f"http://127.0.0.1:{self.server_port}"
        self.seen: Counter[bytes] = Counter()
        self.lock = threading.Lock()
        self.refused = self.passed = 0

    def lets(self, body: bytes) -> bool:
        with self.lock:
            is_open = self.seen[body] % (REFUSALS + 1) == REFUSALS
            self.seen[body] += 1
            self.passed += is_open
            self.refused += not is_open
        return is_open


class Through(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Gate

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        if not self.server.lets(body):
            error = {"message": "Rate limit reached", "code": "rate_limit_exceeded"}
            self.reply(429, json.dumps({"error": error}).encode(), {"retry-after-ms": "5"})
            return
        passed_on = urllib.request.Request(
            self.server.service + self.path, body, {"content-type": "application/json"}
        )
        try:
            with urllib.request.urlopen(passed_on) as reply:
                status, answer = reply.status, reply.read()
        except urllib.error.HTTPError as error:
            status, answer = error.code, error.read()
        self.reply(status, answer, {}, breaks=self.server.passed % BREAKS == 0)

    def reply(
        self, status: int, body: bytes, headers: dict[str, str], breaks: bool = False
    ) -> None:
        self.send_response(status)
        for name, value in {**headers, "content-length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if breaks else body)
        self.close_connection = breaks

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def refusing(service: str) -> Iterator[Gate]:
    gate = Gate(service)
    threading.Thread(target=gate.serve_forever, daemon=True).start()
    yield gate
    gate.shutdown()
    gate.server_close()
