"""What the original has kept is taken over, and used where it may be."""

from __future__ import annotations

import json
import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from canned import Canned, canned  # noqa: F401

from hypothesaes import migrate
from hypothesaes.annotate import annotate, annotate_texts_with_concepts, generate_cache_key
from hypothesaes.embedding import (
    get_local_embeddings,
    get_openai_embeddings,
    load_embedding_cache,
)
from hypothesaes.errors import DataError, MissingFileError, OptionError

ENDS = "x" * 110


def write(folder: Path, name: str, annotations: dict[str, Any]) -> str:
    path = folder / name
    path.write_text(json.dumps(annotations))
    return str(path)


@pytest.fixture
def yes(canned: Canned) -> Canned:
    """A server that says yes to everything, up to four concepts."""
    canned.answer = lambda _: '{"1": true, "2": true, "3": true, "4": true}'
    return canned


def test_imported_annotations_are_used_under_their_name(
    yes: Canned, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old = {generate_cache_key("c", "one"): 0, "c|||two...two": 0, "d|||one[...]one": None}
    path = write(tmp_path, "yelp_hypothesis-eval.json", old)
    assert migrate.annotation_cache(path) == 2
    assert json.loads(Path(path).read_text()) == old

    found = annotate_texts_with_concepts(["one", "two", "three"], ["c"], cache_name="yelp")
    assert list(found["c"]) == [0, 0, 1]
    assert "does not tell which model" in capsys.readouterr().out
    assert len(yes.bodies) == 1
    # Interpretations are scored with them too, and elsewhere they are not there.
    scoring = annotate([("one", "c")], cache_path="anywhere/yelp_interp-scoring.json")
    assert scoring == {"c": {"one": 0}}
    assert annotate([("one", "c")]) == {"c": {"one": 1}}
    # An answer of our own goes before an imported one.
    assert annotate([("one", "c")], cache_path="yelp.json") == {"c": {"one": 1}}
    kept = annotate([("two", "c"), ("new", "c")], cache_path="yelp.json", use_cache_only=True)
    assert kept == {"c": {"two": 0, "new": 0}}


def test_trap_18_texts_that_share_a_key_are_asked_about(
    yes: Canned, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    texts = [f"{ENDS} one {ENDS}", f"{ENDS} two {ENDS}", "short"]
    old = {generate_cache_key("c", text): 0 for text in texts}
    migrate.annotation_cache(write(tmp_path, "n_interp-scoring.json", old), model="gpt5-mini")
    assert list(annotate_texts_with_concepts(texts, ["c"], cache_name="n")["c"]) == [1, 1, 0]
    assert "2 texts have the same first and last 100" in capsys.readouterr().out


def test_trap_18_another_model_does_not_get_its_annotations(yes: Canned, tmp_path: Path) -> None:
    path = write(tmp_path, "anything.json", {generate_cache_key("c", "one"): 0})
    migrate.annotation_cache(path, cache_name="n", model="gpt-5-mini")
    for model, value in (("gpt-5-nano", 1), ("gpt5-mini", 0)):
        found = annotate_texts_with_concepts(["one"], ["c"], model=model, cache_name="n")
        assert list(found["c"]) == [value]


def test_what_is_no_annotation_cache_is_refused(tmp_path: Path) -> None:
    for content, why in (
        ('{"cut', "no JSON"),
        ("[1]", "must be a JSON object"),
        ('{"key": 1}', "no key of one"),
        ('{"c|||a[...]a": "yes"}', "`'yes'` for `c|||a"),
    ):
        path = tmp_path / "n.json"
        path.write_text(content)
        with pytest.raises(DataError, match=why.replace("|", r"\|")):
            migrate.annotation_cache(path)
    with pytest.raises(MissingFileError):
        migrate.annotation_cache(tmp_path / "none.json")


def chunk(folder: Path, number: int, items: list[tuple[Any, Any]]) -> Path:
    """A file as the original writes it."""
    folder.mkdir(exist_ok=True)
    path = folder / f"chunk_{number:03d}.npy"
    np.save(path, np.array(items, dtype=object))
    return path


def test_imported_vectors_are_not_asked_for(canned: Canned, tmp_path: Path) -> None:
    folder = tmp_path / "old"
    chunk(folder, 0, [("a", [1.0, 2.0, 3.0]), ("b", [4.0, 5.0, 6.0])])
    array = np.array([7, 8, 9], dtype=np.float32)
    chunk(folder, 1, [(np.str_("c"), array), ("d", [1.0, 1.0, 1.0])])
    with pytest.raises(OptionError, match="pickle can run code"):
        migrate.embedding_cache(folder, "text-embedding-3-small")
    for model in ("text-embedding-3-small", "nomic-ai/modernbert-embed-base"):
        assert migrate.embedding_cache(folder, model, trust_pickle=True, cache_name="old") == 4
    for get in (get_openai_embeddings, get_local_embeddings):
        found = get(["a", "c"])
        assert {text: list(v) for text, v in found.items()} == {"a": [1, 2, 3], "c": [7, 8, 9]}
    assert list(load_embedding_cache("old")) == ["a", "b", "c", "d"]
    assert canned.bodies == []
    get_openai_embeddings(["a"], model="text-embedding-3-large")
    assert len(canned.bodies) == 1


class Malice:
    """Runs a command when it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.mark),)


def test_a_forged_pickle_runs_nothing(tmp_path: Path) -> None:
    mark = tmp_path / "it ran"
    path = chunk(tmp_path / "old", 0, [("a", [1.0, 2.0, 3.0]), ("b", Malice(mark))])
    with pytest.raises(DataError, match="posix.mkdir|nt.mkdir"):
        migrate.embedding_cache(path, "m", trust_pickle=True)
    assert not mark.exists()
    np.load(path, allow_pickle=True)
    assert mark.exists()


@pytest.mark.parametrize(
    ("items", "why"),
    [
        ([("a", [1.0, 2.0, 3.0]), (None, [1.0, 2.0, 3.0])], "row 1 .* no text with a vector"),
        ([("a", [1.0, 2.0, 3.0]), ("b", [1.0, np.nan, 3.0])], "row 1 .* finite"),
        ([("a", [1.0, 2.0, 3.0]), ("b", [1.0, 2.0, 3.0, 4.0])], "row 1 .* 4 numbers"),
    ],
)
def test_damaged_vectors_are_refused(items: Any, why: str, tmp_path: Path) -> None:
    chunk(tmp_path / "old", 0, items)
    with pytest.raises(DataError, match=why):
        migrate.embedding_cache(tmp_path / "old", "m", trust_pickle=True)


def test_other_files_are_refused(tmp_path: Path) -> None:
    plain = tmp_path / "plain.npy"
    np.save(plain, np.ones(3))
    cut = chunk(tmp_path / "old", 0, [("a", [1.0, 2.0, 3.0]), ("b", [1.0, 2.0, 3.0])])
    cut.write_bytes(cut.read_bytes()[:-20])
    (tmp_path / "pickle.npy").write_bytes(pickle.dumps([1]))
    for path in (plain, cut, tmp_path / "pickle.npy"):
        with pytest.raises(DataError, match="cannot be read"):
            migrate.embedding_cache(path, "m", trust_pickle=True)
    with pytest.raises(MissingFileError, match=r"chunk_\*\.npy"):
        migrate.embedding_cache(tmp_path, "m", trust_pickle=True)
