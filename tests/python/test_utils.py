"""Texts, prompts and JSON files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import peer
import pytest

from hypothesaes import get_text_for_printing
from hypothesaes.errors import DataError, MissingFileError, OptionError
from hypothesaes.utils import (
    filter_invalid_texts,
    load_json,
    load_prompt,
    save_json,
    truncate_text,
)

TEXT = "one two  three\nfour five"


def test_texts_are_cut_as_the_original_cuts_them() -> None:
    theirs = peer.module("utils").truncate_text
    for options in (
        {},
        {"max_words": 3},
        {"max_words": 5},
        {"max_chars": 7},
        {"max_words": 4, "max_chars": 9},
        {"max_words": 1, "truncation_message": "..."},
    ):
        assert truncate_text(TEXT, **options) == theirs(TEXT, **options)
        once = truncate_text(TEXT, **options)
        assert truncate_text(once, **options) == theirs(once, **options)


def test_texts_for_printing() -> None:
    assert get_text_for_printing(TEXT, None) == "one two  three four five"
    assert get_text_for_printing(TEXT, 3) == "one[... rest of text is truncated]"
    assert truncate_text(TEXT, max_words=2, truncation_message="") == "one two"


def test_trap_28_marks_of_the_tokenizer_are_text(monkeypatch: pytest.MonkeyPatch) -> None:
    """What `tiktoken` is told; it may not be installed."""
    import sys
    from types import SimpleNamespace

    class Encoding:
        def encode(self, text: str, disallowed_special: Any) -> list[str]:
            assert disallowed_special == ()
            return text.split(" ")

        def decode(self, tokens: list[str]) -> str:
            return " ".join(tokens)

    there = SimpleNamespace(get_encoding=lambda name: Encoding())
    monkeypatch.setitem(sys.modules, "tiktoken", there)
    cut = truncate_text("a <|endoftext|> c", max_tokens=2, truncation_message="!")
    assert cut == "a <|endoftext|>!"
    monkeypatch.setitem(sys.modules, "tiktoken", None)
    with pytest.raises(OptionError, match="tiktoken"):
        truncate_text("a b", max_tokens=1)


def test_texts_that_are_missing_or_blank_are_filtered(capsys: pytest.CaptureFixture[str]) -> None:
    assert filter_invalid_texts(["a", None, " ", "", "b"]) == ["a", "b"]
    assert "3 texts" in capsys.readouterr().out
    assert filter_invalid_texts(["a"]) == ["a"] and capsys.readouterr().out == ""


def test_prompts_of_the_package_and_of_ones_own(tmp_path: Path) -> None:
    for name, places in (
        ("annotate", ("{hypothesis}", "{text}")),
        ("interpret-neuron-binary", ("{positive_texts}", "{negative_texts}")),
        ("surface-similarity", ("{text_a}", "{text_b}")),
    ):
        assert all(place in load_prompt(name) for place in places)
    own = tmp_path / "own.txt"
    own.write_text("Is {text} ä?", encoding="utf-8")
    assert load_prompt(str(own)) == load_prompt(str(tmp_path / "own")) == "Is {text} ä?"
    with pytest.raises(MissingFileError, match="one of .*`annotate`"):
        load_prompt("nothing")


def test_json_files_are_written_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "new" / "data.json"
    assert load_json(str(path)) == {}
    save_json({"a": [1, None]}, str(path))
    assert load_json(str(path)) == {"a": [1, None]}
    with pytest.raises(TypeError):
        save_json({"a": object()}, str(path))
    assert json.loads(path.read_text()) == {"a": [1, None]}
    assert [file.name for file in path.parent.iterdir()] == ["data.json"]
    path.write_text("{")
    with pytest.raises(DataError, match="line 1"):
        load_json(str(path))
    assert path.read_text() == "{"
