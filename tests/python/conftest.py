"""What the tests share: the simulated service, real texts, and a cache folder of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("HYPOTHESAES_DATA", ROOT / "../shared/data"))
SIMLLM = Path(os.environ.get("HYPOTHESAES_SIMLLM", ROOT / "../shared/simllm/simllm.py"))
LEXICON = SIMLLM.with_name("lexicon-yelp.json")


class Simulated:
    """The simulated service as a process."""

    def __init__(self, flags: tuple[str, ...]) -> None:
        command = [sys.executable, str(SIMLLM), "--port", "0", "--latency", "0.005", *flags]
        if LEXICON.exists() and "--lexicon" not in flags:
            command += ["--lexicon", str(LEXICON)]
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        assert self.process.stdout
        line = next(line for line in self.process.stdout if "listening on" in line)
        self.root = next(word for word in line.split() if word.startswith("http")).rstrip("/")
        self.root = self.root.removesuffix("/v1")
        # It must not be left without a reader.
        threading.Thread(target=self.process.stdout.read, daemon=True).start()

    @property
    def base_url(self) -> str:
        return f"{self.root}/v1"

    def stats(self) -> dict[str, Any]:
        with urllib.request.urlopen(f"{self.root}/stats") as reply:
            return dict(json.load(reply))

    def requests(self) -> int:
        """How many requests for answers or vectors have arrived."""
        return int(self.stats()["requests"])

    def close(self) -> None:
        self.process.kill()
        self.process.wait()


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No test sees the user's answers, keys or servers."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("HYPOTHESAES_CACHE", str(folder))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    for name in ("OPENAI_BASE_URL", "OPENAI_API_KEY", "OPENAI_KEY_SAE", "EMB_CACHE_DIR"):
        monkeypatch.delenv(name, raising=False)
    return folder


@pytest.fixture
def simulated(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Simulated]]:
    """Starts a simulated service with these flags, and points the environment to it."""
    if not SIMLLM.exists():
        pytest.skip("HYPOTHESAES_SIMLLM names no simulated service that is there")
    started: list[Simulated] = []

    def start(*flags: str) -> Simulated:
        service = Simulated(flags)
        started.append(service)
        monkeypatch.setenv("OPENAI_BASE_URL", service.base_url)
        monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
        return service

    yield start
    for service in started:
        service.close()


@pytest.fixture(scope="session")
def reviews() -> Any:
    """Real reviews: (texts, stars)."""
    path = DATA / "yelp-val-2K.jsonl"
    if not path.exists():
        pytest.skip("HYPOTHESAES_DATA names no folder with the reviews")
    import numpy

    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [row["text"] for row in rows], numpy.array([float(row["stars"]) for row in rows])
