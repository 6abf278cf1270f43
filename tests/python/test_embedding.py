"""Vectors: from a server, from a model in the process, from the embedded one; each had once."""

from __future__ import annotations

import json
import os
import re
import sys
import types
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from canned import Canned, canned  # noqa: F401
from conftest import ROOT

from hypothesaes.embedding import (
    get_local_embeddings,
    get_openai_embeddings,
    load_embedding_cache,
    update_embedding_cache,
)
from hypothesaes.errors import OptionError

NOMIC = "nomic-ai/modernbert-embed-base"


@pytest.fixture
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("EMB_CACHE_DIR", str(tmp_path / "vectors"))
    return tmp_path / "vectors"


@pytest.fixture
def transformers(monkeypatch: pytest.MonkeyPatch, own_folder: Path) -> Any:
    """A stand-in for the package `sentence_transformers` that notes what it is given."""

    class SentenceTransformer:
        seen: list[Any] = []
        breaks_after = 10**9

        def __init__(self, model: str, device: Any = None) -> None:
            self.model, self.device = model, device

        def encode(self, texts: list[Any], batch_size: int, show_progress_bar: bool) -> Any:
            if len(self.seen) >= self.breaks_after:
                raise RuntimeError("the model broke")
            self.seen.extend(texts)
            return np.array([[len(str(t)), len(self.model)] for t in texts], dtype=np.float64)

    module: Any = types.ModuleType("sentence_transformers")
    module.SentenceTransformer = SentenceTransformer
    monkeypatch.setitem(sys.modules, "sentence_transformers", module)
    return SentenceTransformer


@pytest.fixture
def no_transformers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)


def test_trap_30_vectors_are_kept_as_they_arrive(
    simulated: Any, reviews: Any, own_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    service = simulated("--p-500", "0.1")
    texts = [*reviews[0][:600], reviews[0][0], "", None]
    found = get_openai_embeddings(texts, cache_name="a name")
    assert list(found) == list(dict.fromkeys(reviews[0][:600]))
    assert "2 texts are missing or blank" in capsys.readouterr().out
    one = found[texts[5]]
    assert one.dtype == np.float32 and np.linalg.norm(one) == pytest.approx(1, abs=1e-3)
    assert any(own_folder.iterdir())
    before = service.requests()
    again = get_openai_embeddings(texts[:50])
    assert all((again[text] == found[text]).all() for text in again)
    assert service.requests() == before
    other = get_openai_embeddings(texts[:5], model="text-embedding-3-large")
    assert len(other[texts[0]]) > len(one)
    assert get_openai_embeddings([]) == {}


def test_a_text_without_vector_is_left_out_and_said(
    canned: Canned, capsys: pytest.CaptureFixture[str]
) -> None:
    canned.vector = lambda text: [] if text == "bad" else [1.0, 2.0]
    whole = Canned._vectors

    def without(body: Any) -> Any:
        reply = whole(canned, body)
        reply["data"] = [item for item in reply["data"] if item["embedding"]]
        return reply

    canned._vectors = without  # type: ignore[method-assign]
    assert list(get_openai_embeddings(["a", "bad", "b"])) == ["a", "b"]
    assert "1 of 3 texts have no vector" in capsys.readouterr().out


def test_a_model_in_the_process_reads_its_prefix_and_every_text_once(transformers: Any) -> None:
    found = get_local_embeddings(["a", "bb", "a"], batch_size=2, device="cpu")
    assert transformers.seen == ["clustering: a", "clustering: bb"]
    assert {text: list(v) for text, v in found.items()} == {"a": [13, 30], "bb": [14, 30]}
    assert found["a"].dtype == np.float32
    again = get_local_embeddings(["bb", "a", "c"], cache_name="a name")
    assert list(again) == ["bb", "a", "c"] and (again["a"] == found["a"]).all()
    assert transformers.seen[2:] == ["clustering: c"]
    # Another model has its own vectors.
    assert list(get_local_embeddings(["a"], model="all-MiniLM-L6-v2")["a"]) == [1, 16]
    get_local_embeddings(["a"], model="hkunlp/instructor-large")
    assert transformers.seen[-1] == ["Represent the text for classification: ", "a"]


def test_trap_30_a_model_that_breaks_loses_one_batch(transformers: Any) -> None:
    transformers.breaks_after = 4
    texts = [f"text {i}" for i in range(6)]
    with pytest.raises(RuntimeError, match="broke"):
        get_local_embeddings(texts, batch_size=2)
    transformers.breaks_after = 10**9
    assert list(get_local_embeddings(texts, batch_size=2)) == texts
    assert transformers.seen == [f"clustering: {text}" for text in texts]


def test_trap_19_a_damaged_file_is_set_aside(
    transformers: Any, own_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    get_local_embeddings(["a"])
    [path] = own_folder.iterdir()
    path.write_bytes(b"no such file" * 100)
    assert list(get_local_embeddings(["a"])) == ["a"]
    assert "is damaged" in capsys.readouterr().out
    aside = [file for file in own_folder.iterdir() if "damaged" in file.name]
    assert [file.read_bytes()[:12] for file in aside] == [b"no such file"]


def test_a_server_on_this_computer_runs_the_model(canned: Canned, no_transformers: None) -> None:
    found = get_local_embeddings(["a", "bb"])
    assert [body["model"] for body in canned.bodies] == [NOMIC]
    assert canned.bodies[0]["input"] == ["clustering: a", "clustering: bb"]
    assert list(found["bb"]) == [14, 1]
    get_local_embeddings(["bb", "a"])
    assert len(canned.bodies) == 1


def test_where_nothing_runs_the_model_three_ways_are_named(
    monkeypatch: pytest.MonkeyPatch, no_transformers: None
) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "https://api.example.com/v1")
    with pytest.raises(OptionError) as caught:
        get_local_embeddings(["a"])
    for way in ("hf download", "OPENAI_BASE_URL", 'model="tfidf-svd"'):
        assert way in str(caught.value)


def test_a_model_in_a_folder_runs_here(own_folder: Path, no_transformers: None) -> None:
    models = ROOT / "crates/encoder/tests"
    golden = json.loads((models / "golden/encoders.json").read_text())
    model = os.fspath(models / "models/bert-mean")
    # The others are blank, and left out.
    kept = {i: text for i, text in enumerate(golden["texts"]) if text.strip()}
    found = get_local_embeddings(list(kept.values()), model=model)
    for i, text in kept.items():
        expected = np.array(golden["models"]["bert-mean"]["vectors"][i])
        assert np.abs(found[text] - expected / np.linalg.norm(expected)).max() < 1e-5
        assert found[text].dtype == np.float32
    assert any((own_folder / "vectors").iterdir())
    again = get_local_embeddings(list(kept.values()), model=model, device="cpu")
    assert all((again[text] == found[text]).all() for text in found)
    with pytest.raises(OptionError, match="config.json"):
        get_local_embeddings(["a"], model=os.fspath(own_folder))


def test_the_embedded_model_needs_nothing(reviews: Any) -> None:
    found = get_local_embeddings(reviews[0][:300], model="tfidf-svd")
    vectors = np.array([found[text] for text in dict.fromkeys(reviews[0][:300])])
    assert vectors.dtype == np.float32 and vectors.shape[1] > 10
    assert np.isfinite(vectors).all()
    again = get_local_embeddings(reviews[0][:300], model="tfidf-svd")
    assert all((again[text] == found[text]).all() for text in found)


def test_vectors_of_ones_own_are_kept_under_a_name(own_folder: Path) -> None:
    assert load_embedding_cache("mine") == {}
    update_embedding_cache("mine", {"b": [1, 2], "a": np.array([3.0, 4.0])})
    update_embedding_cache("mine", {"c": np.ones(2)})
    found = load_embedding_cache("mine")
    assert {text: list(v) for text, v in found.items()} == {"a": [3, 4], "b": [1, 2], "c": [1, 1]}
    assert load_embedding_cache("other") == {} == load_embedding_cache("")


def test_pickles_of_the_original_are_not_read(
    canned: Canned, own_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = own_folder / "old"
    folder.mkdir(parents=True)
    (folder / "chunk_000.npy").write_bytes(b"\x93NUMPY")
    with pytest.raises(OptionError, match="hypothesaes.migrate.embedding_cache"):
        load_embedding_cache("old")
    for _ in range(2):
        assert list(get_openai_embeddings(["a"], cache_name="old")) == ["a"]
    hint = re.findall(r"migrate\.embedding_cache\((.*?), ", capsys.readouterr().out)
    assert hint == [repr(os.fspath(folder))]
