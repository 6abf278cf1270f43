"""Several processes and threads on the same answers, and processes that are stopped or killed."""

from __future__ import annotations

import importlib
import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hypothesaes.annotate import annotate_texts_with_concepts
from hypothesaes.embedding import get_local_embeddings, get_openai_embeddings

CONCEPTS = [f'mentions "{word}"' for word in "food pizza staff great slow price".split()]

SCRIPT = """
import json, sys
from hypothesaes.annotate import annotate_texts_with_concepts
from hypothesaes.embedding import get_openai_embeddings
texts, concepts = json.load(open(sys.argv[1]))
print("ready", flush=True)
try:
    found = annotate_texts_with_concepts(texts, concepts, show_progress=False)
    vectors = get_openai_embeddings(texts, show_progress=False)
    print("found", json.dumps([list(map(int, of)) for of in found.values()]), len(vectors))
except KeyboardInterrupt:
    print("interrupted")
    sys.exit(130)
"""


@pytest.fixture
def start(tmp_path: Path) -> Any:
    """Starts a process that annotates texts, and embeds them."""
    started: list[subprocess.Popen[str]] = []

    def begin(texts: list[str], concepts: list[str] = CONCEPTS) -> subprocess.Popen[str]:
        path = tmp_path / "work.json"
        path.write_text(json.dumps([texts, concepts]))
        process = subprocess.Popen(
            [sys.executable, "-c", SCRIPT, str(path)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        started.append(process)
        return process

    yield begin
    for process in started:
        process.kill()
        process.wait()


def wait_for(service: Any, n_pairs: int) -> None:
    """Until so many pairs have been asked about."""
    end = time.monotonic() + 60
    while service.stats()["pairs_asked"] < n_pairs:
        assert time.monotonic() < end, "nothing was asked"
        time.sleep(0.02)


def outcome(process: subprocess.Popen[str]) -> str:
    said, _ = process.communicate(timeout=120)
    return next((line for line in said.splitlines() if line.startswith("found")), said)


def test_two_processes_share_their_answers(simulated: Any, start: Any, reviews: Any) -> None:
    service = simulated("--latency", "0.02", "--p-500", "0.05")
    texts = reviews[0][:120]
    processes = [start(texts), start(texts)]
    first, second = (outcome(process) for process in processes)
    assert first == second and first.startswith("found")
    before = service.requests()
    found = annotate_texts_with_concepts(texts, CONCEPTS)
    annotations, n_vectors = first.removeprefix("found ").rsplit(" ", 1)
    assert json.loads(annotations) == [list(of) for of in found.values()]
    assert len(get_openai_embeddings(texts)) == int(n_vectors)
    assert service.requests() == before


@pytest.mark.parametrize("how", ["SIGINT", "SIGKILL"])
def test_trap_26_what_arrived_before_the_end_is_kept(
    how: str, simulated: Any, start: Any, reviews: Any
) -> None:
    service = simulated("--latency", "0.15")
    texts = reviews[0][:250]
    n_pairs = len(texts) * len(CONCEPTS)
    process = start(texts)
    wait_for(service, n_pairs // 4)
    process.send_signal(getattr(signal, how))
    stopped = time.monotonic()
    said, _ = process.communicate(timeout=30)
    assert time.monotonic() - stopped < 2.5
    if how == "SIGINT":
        assert process.returncode == 130 and "interrupted" in said
        assert "every answer that arrived is kept" in said
    asked = service.stats()["pairs_asked"]
    assert asked < n_pairs
    annotate_texts_with_concepts(texts, CONCEPTS)
    # Only what was under way is asked about twice.
    stats = service.stats()
    assert stats["pairs_repeated"] <= stats["peak_inflight"] * len(CONCEPTS)
    assert stats["pairs_asked"] <= n_pairs + stats["pairs_repeated"]


def test_threads_and_a_reload_find_the_same(simulated: Any, reviews: Any) -> None:
    service = simulated()
    texts = reviews[0][:40]
    with ThreadPoolExecutor(4) as pool:
        work = [
            pool.submit(annotate_texts_with_concepts, texts, [concept], show_progress=False)
            for concept in CONCEPTS
        ]
        one_by_one = [list(future.result(60)[c]) for future, c in zip(work, CONCEPTS)]
    for name in ("_clients", "_annotation", "annotate"):
        importlib.reload(sys.modules[f"hypothesaes.{name}"])
    before = service.requests()
    module = importlib.import_module("hypothesaes.annotate")
    again = module.annotate_texts_with_concepts(texts, CONCEPTS)
    assert [list(of) for of in again.values()] == one_by_one
    assert service.requests() == before


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_fork_goes_on_by_itself(simulated: Any, reviews: Any) -> None:
    service = simulated()
    texts = reviews[0][:20]
    parents = annotate_texts_with_concepts(texts, CONCEPTS[:2])
    child = os.fork()
    if child == 0:
        code = 1
        try:
            found = annotate_texts_with_concepts(texts, CONCEPTS[:3], show_progress=False)
            code = 0 if len(found) == 3 else 2
        finally:
            os._exit(code)
    end = time.monotonic() + 60
    status = 0
    while not (done := os.waitpid(child, os.WNOHANG))[0]:
        if time.monotonic() > end:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            pytest.fail("the child hangs")
        time.sleep(0.02)
    status = os.waitstatus_to_exitcode(done[1])
    assert status == 0
    before = service.requests()
    again = annotate_texts_with_concepts(texts, CONCEPTS[:3])
    assert all((again[concept] == parents[concept]).all() for concept in parents)
    assert service.requests() == before


def test_two_processes_keep_vectors_of_a_model_in_the_process(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    script = """
import sys, types
import numpy as np
class SentenceTransformer:
    def __init__(self, model, device=None): pass
    def encode(self, texts, **_): return np.array([[len(t), 1.0] for t in texts])
module = types.ModuleType("sentence_transformers")
module.SentenceTransformer = SentenceTransformer
sys.modules["sentence_transformers"] = module
from hypothesaes.embedding import get_local_embeddings
texts = [f"{sys.argv[1]} {i}" for i in range(200)] + [f"both {i}" for i in range(200)]
assert len(get_local_embeddings(texts, batch_size=5, show_progress=False)) == 400
"""
    monkeypatch.setenv("EMB_CACHE_DIR", str(tmp_path))
    processes = [
        subprocess.Popen([sys.executable, "-c", script, name], stdout=subprocess.DEVNULL)
        for name in ("one", "two")
    ]
    assert [process.wait(120) for process in processes] == [0, 0]
    # Nothing is there that could run the model: all of it has been kept.
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    texts = [f"{name} {i}" for name in ("one", "two", "both") for i in range(200)]
    found = get_local_embeddings(texts)
    assert np.array_equal([found[text][0] for text in texts], [len(t) + 12 for t in texts])
