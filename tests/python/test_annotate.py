"""Pairs of text and concept: few requests, right answers, nothing twice, nothing lost."""

from __future__ import annotations

import json
import re
import urllib.request
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from canned import Canned, canned, parts  # noqa: F401

from hypothesaes import annotate as module
from hypothesaes.annotate import (
    annotate,
    annotate_single_text,
    annotate_texts_with_concepts,
    generate_cache_key,
    get_annotation_cache,
    parse_completion,
    parse_completion_json,
    save_annotation_cache,
)
from hypothesaes.errors import ColumnError, DataError, KeyRefusedError, OptionError

CONCEPTS = [f'mentions "{word}"' for word in "food pizza staff great slow price wait menu".split()]
ONE_PAIR = re.compile(r'PROPERTY: "(.*)"\nTEXT: "(.*)"', re.DOTALL)


def post(service: Any, path: str, body: dict[str, Any]) -> Any:
    request = urllib.request.Request(f"{service.root}{path}", json.dumps(body).encode())
    return json.load(urllib.request.urlopen(request))


def truth(service: Any, texts: list[str], concepts: list[str]) -> dict[str, list[int]]:
    labels = post(service, "/sim/truth", {"texts": texts, "concepts": concepts})["labels"]
    return {concept: [row[i] for row in labels] for i, concept in enumerate(concepts)}


def test_trap_25_one_request_asks_about_many_concepts(simulated: Any, reviews: Any) -> None:
    service = simulated()
    texts = reviews[0][:40]
    found = annotate_texts_with_concepts(texts, CONCEPTS)
    assert {c: list(of) for c, of in found.items()} == truth(service, texts, CONCEPTS)
    assert all(of.dtype == np.int64 for of in found.values())
    asked = service.requests()
    # A parameter that the model refuses costs one more.
    assert asked <= len(texts) + 2
    again = annotate_texts_with_concepts(texts, CONCEPTS, cache_name="a name changes nothing")
    assert {c: list(of) for c, of in again.items()} == truth(service, texts, CONCEPTS)
    assert annotate_single_text(texts[3], CONCEPTS[0])[0] == found[CONCEPTS[0]][3]
    assert service.requests() == asked


def test_what_is_kept_needs_no_key(
    canned: Canned, monkeypatch: pytest.MonkeyPatch
) -> None:
    canned.answer = lambda _: '{"1": true, "2": true}'
    first = annotate([("a", "b"), ("a", "c")])
    monkeypatch.delenv("OPENAI_API_KEY")
    assert annotate([("a", "b"), ("a", "c")]) == first == {"b": {"a": 1}, "c": {"a": 1}}
    monkeypatch.delenv("OPENAI_BASE_URL")
    with pytest.raises(KeyRefusedError):
        annotate([("a", "b")])


def test_trap_20_a_missing_annotation_is_a_value(
    simulated: Any, reviews: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    service = simulated("--p-poison", "0.5", "--poison-kind", "400")
    texts = reviews[0][:50]
    found = annotate_texts_with_concepts(texts, CONCEPTS[:2])
    values = np.array(list(found.values()))
    n = int(np.isnan(values).sum())
    assert 0 < n < values.size
    assert re.search(rf"^{n} of 100 annotations are missing \(.+\)", capsys.readouterr().out, re.M)
    right = np.array(list(truth(service, texts, CONCEPTS[:2]).values()))
    assert (values[~np.isnan(values)] == right[~np.isnan(values)]).all()
    tasks = [(text, concept) for concept in CONCEPTS[:2] for text in texts]
    empty = annotate(tasks, use_cache_only=True, uncached_value=-7)
    assert sum(value == -7 for of in empty.values() for value in of.values()) == n

    post(service, "/sim/config", {"p_poison": 0})
    before = service.stats()["pairs_asked"]
    again = annotate_texts_with_concepts(texts, CONCEPTS[:2])
    assert {c: list(of) for c, of in again.items()} == truth(service, texts, CONCEPTS[:2])
    assert service.stats()["pairs_asked"] - before == n


def test_trap_18_another_text_model_or_effort_is_another_question(simulated: Any) -> None:
    service = simulated()
    ends = "x" * 120
    texts = [f"{ends} pizza {ends}", f"{ends} soup {ends}"]
    assert generate_cache_key("c", texts[0]) == generate_cache_key("c", texts[1])
    [found] = annotate_texts_with_concepts(texts, ['mentions "pizza"']).values()
    assert list(found) == [1, 0]
    for more in ({"model": "gpt-5-nano"}, {"reasoning_effort": "low"}):
        before = service.stats()["pairs_asked"]
        annotate_texts_with_concepts(texts, ['mentions "pizza"'], **more)
        assert service.stats()["pairs_asked"] >= before + 2


def test_trap_27_equal_texts_and_concepts_keep_their_rows(simulated: Any) -> None:
    service = simulated()
    texts = ["a pizza", "a soup", "a pizza", "a pizza"]
    found = annotate_texts_with_concepts(texts, ['mentions "pizza"', 'mentions "pizza"'])
    assert {c: list(of) for c, of in found.items()} == {'mentions "pizza"': [1, 0, 1, 1]}
    assert service.stats()["pairs_asked"] == 2


def test_trap_28_blank_texts_keep_their_rows_and_marks_are_text(
    simulated: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    service = simulated()
    texts = ["<|endoftext|> pizza", "", None, float("nan"), " \n", "{pizza} %s"]
    found = annotate_texts_with_concepts(texts, ['mentions "pizza"'])['mentions "pizza"']
    np.testing.assert_array_equal(found, [1, np.nan, np.nan, np.nan, np.nan, 1])
    assert service.stats()["pairs_asked"] == 2
    assert "have no text, or no concept" in capsys.readouterr().out
    missing = annotate_texts_with_concepts(["a"], [None])  # type: ignore[list-item]
    assert np.isnan(missing[None])  # type: ignore[index]
    assert list(annotate_texts_with_concepts([], ["c"])["c"]) == []
    assert annotate([]) == {}
    with pytest.raises(DataError, match=r"row 1 of `texts` is `5` \(int\)"):
        annotate_texts_with_concepts(["a", 5], ["c"])  # type: ignore[list-item]
    with pytest.raises(OptionError, match="`texts` is a single text"):
        annotate_texts_with_concepts("abc", ["c"])
    with pytest.raises(DataError, match="row 0 of `texts` .* surrogates"):
        annotate_texts_with_concepts(["\ud83d"], ["c"])


def test_columns_are_taken_as_they_come(simulated: Any) -> None:
    pandas = pytest.importorskip("pandas")
    simulated()
    column = pandas.Series(["a pizza", None, "a soup"], index=[7, 5, 3])
    for texts in (column, np.array(column, dtype=object), tuple(column)):
        found = annotate_texts_with_concepts(texts, pandas.Series(['mentions "pizza"']))
        np.testing.assert_array_equal(found['mentions "pizza"'], [1, np.nan, 0])


def test_only_words_that_are_read_count(simulated: Any) -> None:
    simulated()
    task = [("one two three pizza", 'mentions "pizza"')]
    for own in ({}, {"annotate_prompt_name": "annotate-simple"}):
        assert annotate(task, **own)[task[0][1]][task[0][0]] == 1
        assert annotate(task, max_words_per_example=3, **own)[task[0][1]][task[0][0]] == 0


def test_workers_limit_the_calls_under_way(simulated: Any, reviews: Any) -> None:
    service = simulated("--latency", "0.05")
    annotate_texts_with_concepts(reviews[0][:30], CONCEPTS[:2], n_workers=2)
    assert service.stats()["peak_inflight"] <= 2
    with pytest.raises(OptionError, match="`n_workers` is `0`"):
        annotate([("a", "new")], n_workers=0)


@pytest.mark.parametrize("name", ["annotate-simple", "annotate-user-json"])
def test_own_prompts_ask_about_one_pair_each(name: str, simulated: Any, reviews: Any) -> None:
    service = simulated()
    own: dict[str, Any] = {"annotate_prompt_name": name}
    if name == "annotate-user-json":
        own |= {"system_prompt_name": "annotate-system-json", "parse_fn": parse_completion_json}
    texts = reviews[0][:10]
    found = annotate_texts_with_concepts(texts, CONCEPTS[:3], **own)
    assert {c: list(of) for c, of in found.items()} == truth(service, texts, CONCEPTS[:3])
    assert service.requests() == 30
    annotate_texts_with_concepts(texts, CONCEPTS[:3], **own)
    assert annotate_single_text(texts[0], CONCEPTS[0], **own)[0] == found[CONCEPTS[0]][0]
    assert service.requests() == 30


def test_a_prompt_and_parser_of_ones_own(canned: Canned, tmp_path: Path) -> None:
    prompt = tmp_path / "mine.txt"
    prompt.write_text('As {{"v": 1}}: {hypothesis} / {text}')
    seen: list[str] = []

    def parse(answer: str) -> int | None:
        seen.append(answer)
        return {"agrees": 1, "neither": 0, "disagrees": -1}.get(answer)

    canned.answer = lambda asked: " Agrees\n" if "a {b}" in asked else "Disagrees"
    own = {"annotate_prompt_name": str(prompt), "parse_fn": parse}
    assert annotate([("a {b}", "c"), ("d", "c")], **own) == {"c": {"a {b}": 1, "d": -1}}
    assert set(canned.prompts()) == {'As {"v": 1}: c / a {b}', 'As {"v": 1}: c / d'}
    assert set(seen) == {"agrees", "disagrees"}
    prompt.write_text("{hypothesis} {text} {label}")
    with pytest.raises(ColumnError, match=r"`\{label\}`.*`hypothesis`, `text`"):
        annotate([("a", "c")], annotate_prompt_name=str(prompt))


def test_trap_20_an_unreadable_answer_is_asked_for_again_and_then_missing(
    canned: Canned, capsys: pytest.CaptureFixture[str]
) -> None:
    own = {"annotate_prompt_name": "annotate-simple"}
    tasks = [("good", "c"), ("bad", "c")]
    canned.answer = lambda asked: "Maybe" if 'TEXT: "bad"' in asked else "**Yes**"
    assert annotate(tasks, max_retries=2, **own) == {"c": {"good": 1, "bad": None}}
    assert len(canned.bodies) == 3
    assert "1 of 2 annotations are missing (its answer cannot be read)" in capsys.readouterr().out
    assert annotate(tasks, use_cache_only=True, uncached_value=9, **own)["c"]["bad"] == 9
    assert len(canned.bodies) == 3
    # The next call asks for the missing one alone.
    canned.answer = lambda asked: "no"
    assert annotate(tasks, **own) == {"c": {"good": 1, "bad": 0}}
    assert len(canned.bodies) == 4

    def broken(answer: str) -> int:
        return int(answer)

    assert annotate_single_text("good", "c", parse_fn=broken, max_retries=1)[0] is None
    assert "ValueError" in capsys.readouterr().out
    with pytest.raises(DataError, match="`parse_fn` returned `'no'`"):
        annotate_single_text("good", "c", parse_fn=str)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        ("Yes", 1),
        ("**Yes**", 1),
        ('"yes"', 1),
        ("Answer: Yes", 1),
        ('{"answer": "Yes", "reasoning": "no doubt"}', 1),
        ("<think>no?</think>\nYes. It does.", 1),
        ("No. It says nothing of it.", 0),
        ("no", 0),
        ("Maybe", None),
        ("<think>yes", None),
        ("", None),
    ],
)
def test_trap_21_a_verdict_is_read_in_every_dress(answer: str, verdict: int | None) -> None:
    assert parse_completion(answer) == verdict
    assert parse_completion_json(answer) == verdict


def test_the_default_prompts_ask_through_the_library(canned: Canned) -> None:
    canned.answer = lambda _: '{"1": true, "2": false}'
    annotate([("t", "a"), ("t", "b")], verbosity="low", temperature=0.0, metadata={"run": "7"})
    body = canned.bodies[0]
    asked = json.loads(parts(body)[1])
    assert asked["text"] == "t" and len(asked["concepts"]) == 2
    assert body["text"]["verbosity"] == "low" and body["metadata"] == {"run": "7"}
    assert not any(ONE_PAIR.search(prompt) for prompt in canned.prompts())


def test_trap_19_caches_of_the_originals_kind_are_written_whole(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "n_hypothesis-eval.json"
    assert get_annotation_cache(str(path)) == {}
    save_annotation_cache(str(path), {generate_cache_key("c", "t"): 1})
    assert get_annotation_cache(str(path)) == {"c|||t[...]t": 1}
    assert [file.name for file in path.parent.iterdir()] == [path.name]
    path.write_text('{"cut off')
    assert get_annotation_cache(str(path)) == {}
    [aside] = path.parent.iterdir()
    assert aside.name != path.name and aside.read_text() == '{"cut off'


def test_a_cache_of_the_original_is_named_and_left_alone(
    canned: Canned, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    canned.answer = lambda _: '{"1": true}'
    path = tmp_path / "n_hypothesis-eval.json"
    path.write_text('{"b|||a[...]a": 0}')
    for _ in range(2):
        assert annotate([("a", "b")], cache_path=str(path)) == {"b": {"a": 1}}
    out = capsys.readouterr().out
    assert out.count("hypothesaes.migrate.annotation_cache") == 1
    assert path.read_text() == '{"b|||a[...]a": 0}'
    assert module.DEFAULT_N_WORKERS == 30
