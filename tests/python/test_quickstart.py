"""The original's four functions from one end to the other, against the simulated service."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import hypothesaes
from hypothesaes import (
    evaluate_hypotheses,
    generate_hypotheses,
    get_openai_embeddings,
    interpret_sae,
    train_sae,
)
from hypothesaes.errors import ColumnError, DataError, OptionError

pytest.importorskip("pandas")

N = 600
N_HELDOUT = 200
FIDELITY = [
    "fidelity_precision",
    "fidelity_recall",
    "fidelity_f1",
    "fidelity_balanced_f1",
    "fidelity_correlation",
]


MADE: dict[str, Any] = {}


class World:
    """Reviews with embeddings, two autoencoders, and the service that words and annotates."""

    def __init__(self, service: Any, texts: list[str], stars: Any) -> None:
        self.service = service
        self.texts, self.stars = texts[:N], stars[:N]
        self.heldout, self.heldout_stars = texts[N : N + N_HELDOUT], stars[N : N + N_HELDOUT]
        if not MADE:
            # The same for every test, as nothing changes them.
            vectors = get_openai_embeddings(self.texts, show_progress=False)
            x = MADE["x"] = np.array([vectors[text] for text in self.texts])
            MADE["sae"] = train_sae(x, 32, 4, n_epochs=30, show_progress=False)
            MADE["small"] = train_sae(x, 8, 2, n_epochs=30, show_progress=False)
        self.x, self.sae, self.small = MADE["x"], MADE["sae"], MADE["small"]

    def generate(self, sae: Any = None, **options: Any) -> Any:
        return generate_hypotheses(
            self.texts, self.stars, self.x, sae or self.sae, n_selected_neurons=5, **options
        )

    def evaluate(self, hypotheses: Any, **options: Any) -> Any:
        return evaluate_hypotheses(hypotheses, self.heldout, self.heldout_stars, **options)


@pytest.fixture
def world(simulated: Callable[..., Any], reviews: Any) -> Callable[..., World]:
    def start(*flags: str) -> World:
        return World(simulated(*flags), *reviews)

    return start


def test_from_embeddings_to_tested_hypotheses(
    world: Callable[..., World], capsys: pytest.CaptureFixture[str]
) -> None:
    here = world()
    hypotheses = here.generate(cache_name="reviews", n_scoring_examples=40)
    assert list(hypotheses.columns) == [
        "neuron_idx",
        "target_separation_score",
        "interpretation",
        "f1_fidelity_score",
        *FIDELITY,
        "prevalence",
        "warning",
    ]
    scores = hypotheses["target_separation_score"].abs()
    assert len(hypotheses) == 5 and scores.is_monotonic_decreasing
    assert hypotheses["interpretation"].notna().all()
    assert hypotheses["f1_fidelity_score"].between(0, 1).all()
    z = here.sae.get_activations(here.x, show_progress=False)
    for row in hypotheses.itertuples():
        assert row.prevalence == pytest.approx((z[:, row.neuron_idx] > 0).mean())
    metrics, table = here.evaluate(hypotheses, cache_name="reviews")
    assert set(table["hypothesis"]) == set(hypotheses["interpretation"])
    assert table["neuron_idx"].tolist() == hypotheses["neuron_idx"].loc[table.index].tolist()
    assert metrics["n"] == N_HELDOUT and metrics["Significant"][1] == 5
    assert (table["n_missing"] == 0).all()
    printed = capsys.readouterr().out
    shapes = f"Embeddings shape: {here.x.shape}", "Activations shape: (600, 32)"
    for line in (*shapes, "Step 1", "Step 3"):
        assert line in printed

    # Again, from what is kept.
    asked = here.service.requests()
    again = here.generate(cache_name="other", n_scoring_examples=40)
    assert again.equals(hypotheses)
    metrics_again, table_again = here.evaluate(again)
    assert metrics_again == metrics and table_again.equals(table)
    assert here.service.requests() == asked


def test_a_list_of_autoencoders_counts_neurons_on(world: Callable[..., World]) -> None:
    here = world()
    both = [here.sae, here.small]
    found = here.generate(both, selection_method="correlation", n_scoring_examples=0)
    assert list(found.columns) == [
        "neuron_idx",
        "source_sae",
        "target_correlation",
        "interpretation",
        "prevalence",
        "warning",
    ]
    for row in found.itertuples():
        assert row.source_sae == ((32, 4) if row.neuron_idx < 32 else (8, 2))
    last = interpret_sae(here.texts, here.x, both, neuron_indices=[39, 0], print_examples_n=2)
    assert last["neuron_idx"].tolist() == [39, 0]
    assert last["source_sae"].tolist() == [(8, 2), (32, 4)]
    z = here.small.get_activations(here.x, show_progress=False)[:, 7]
    if z.any():
        assert last["top_example_1"][0] == here.texts[int(z.argmax())]


def test_interpreting_without_labels(
    world: Callable[..., World], capsys: pytest.CaptureFixture[str]
) -> None:
    here = world()
    found = interpret_sae(here.texts, here.x, here.sae, n_top_neurons=3, print_examples_n=1)
    names = ["neuron_idx", "interpretation", "top_example_1", "prevalence", "warning"]
    assert list(found.columns) == names
    counts = (here.sae.get_activations(here.x, show_progress=False) > 0).sum(axis=0)
    assert found["prevalence"].tolist() == (np.sort(counts)[::-1][:3] / N).tolist()
    printed = capsys.readouterr().out
    assert f"Neuron {found['neuron_idx'][0]}" in printed and "% of texts" in printed
    options = {"n_candidates": 2, "print_examples_n": 0}
    drawn = [
        interpret_sae(here.texts, here.x, here.sae, n_random_neurons=2, **options)
        for _ in range(2)
    ]
    assert drawn[0].equals(drawn[1]) and len(drawn[0]["interpretation"][0]) == 2
    assert "top_example_1" not in drawn[0]
    for message, which in (
        ("exactly one", {}),
        ("exactly one", {"neuron_indices": [1], "n_top_neurons": 2}),
        ("`n_top_neurons` is `33`, allowed: 1 to 32", {"n_top_neurons": 33}),
        ("`neuron_indices` is `32`", {"neuron_indices": [0, 32]}),
    ):
        with pytest.raises(OptionError, match=message):
            interpret_sae(here.texts, here.x, here.sae, **which)


def test_trap_16_a_neuron_that_fires_nowhere_keeps_its_row(world: Callable[..., World]) -> None:
    here = world()
    # These embeddings fire some neurons only.
    x = np.repeat(here.x[:2], 20, axis=0)
    z = here.sae.get_activations(x, show_progress=False)
    dead, alive = int(np.flatnonzero(z.max(axis=0) == 0)[0]), int(z[0].argmax())
    found = interpret_sae(here.texts[:40], x, here.sae, neuron_indices=[dead, alive])
    assert found["interpretation"].isna().tolist() == [True, False]
    assert found["warning"][0] == "no interpretation: the neuron fires on no text"
    assert found["top_example_1"].isna().tolist() == [True, False]


def test_trap_27_equal_wordings_and_missing_ones_keep_their_rows(
    world: Callable[..., World],
) -> None:
    pandas = pytest.importorskip("pandas")
    here = world()
    wordings = ["mentions friendly staff", None, "mentions friendly staff", float("nan"), "is long"]
    hypotheses = pandas.DataFrame({"interpretation": wordings, "neuron_idx": [4, 9, 2, 7, 1]})
    metrics, table = here.evaluate(hypotheses)
    assert len(table) == 5 and sorted(table["neuron_idx"]) == [1, 2, 4, 7, 9]
    row = table.set_index("neuron_idx")
    assert row.loc[4, "separation_score"] == row.loc[2, "separation_score"]
    assert row.loc[2, "status"] == "aliased"
    assert row.loc[9, "status"] == "untested" and pandas.isna(row.loc[9, "hypothesis"])
    assert row.loc[9, "warning"] == "there is no wording" and row.loc[9, "n"] == 0
    assert metrics["Significant"][1] == 5


def test_trap_20_missing_answers_are_counted_and_asked_for_again(
    world: Callable[..., World],
) -> None:
    here = world("--p-poison", "0.15", "--poison-kind", "refusal")
    frame = hypothesaes._frames.frame({"interpretation": ["mentions friendly staff"]})
    metrics, table = here.evaluate(frame)
    missing = int(table["n_missing"][0])
    assert 0 < missing < N_HELDOUT
    assert table["n"][0] == N_HELDOUT - missing == metrics["n"]
    assert metrics["n_incomplete"] == missing
    assert f"{missing} annotations are missing" in table["warning"][0]
    asked = here.service.requests()
    here.evaluate(frame)
    # The missing ones alone.
    assert 0 < here.service.requests() - asked <= 5 * missing


def test_trap_28_rows_without_text_are_left_out_with_what_belongs_to_them(
    world: Callable[..., World], capsys: pytest.CaptureFixture[str]
) -> None:
    here = world()
    expected = here.generate(n_scoring_examples=0)
    texts: list[Any] = [None, "  ", *here.texts]
    x = np.vstack([np.full((2, here.x.shape[1]), 9.0), here.x])
    labels = [5.0, 1.0, *here.stars]
    found = generate_hypotheses(
        texts, labels, x, here.sae, n_selected_neurons=5, n_scoring_examples=0
    )
    assert found.equals(expected)
    assert "2 texts are missing or blank" in capsys.readouterr().out
    with pytest.raises(DataError, match="`labels` has 600 rows and `texts` has 602"):
        generate_hypotheses(texts, here.stars, x, here.sae)


def test_trap_29_the_best_of_several_is_judged_on_other_texts(
    world: Callable[..., World], monkeypatch: pytest.MonkeyPatch
) -> None:
    here = world()
    from hypothesaes.interpret_neurons import NeuronInterpreter

    told: dict[str, dict[str, float]] = {
        "chosen": {"f1": 0.2, "f1_choice": 0.9, "f1_reported": 0.6},
        "other": {"f1": 0.9, "f1_choice": 0.5, "f1_reported": 0.9},
        "unknown": {"f1": 0.9, "f1_choice": float("nan"), "f1_reported": 0.9},
    }
    for of in told.values():
        of.update(n_missing=3)

    def interpret(self: Any, texts: Any, activations: Any, neurons: Any, config: Any) -> Any:
        assert config.n_candidates == 4
        return {neuron: [None, "unknown", "other", "chosen"] for neuron in neurons}

    def score(self: Any, interpretations: Any, **_: Any) -> Any:
        return {neuron: {w: told[w] for w in of} for neuron, of in interpretations.items()}

    monkeypatch.setattr(NeuronInterpreter, "interpret_neurons", interpret)
    monkeypatch.setattr(NeuronInterpreter, "score_interpretations", score)
    found = here.generate(n_candidate_interpretations=4)
    assert found["interpretation"].tolist() == ["chosen"] * 5
    assert found["f1_fidelity_score"].tolist() == [0.6] * 5
    assert found["fidelity_balanced_f1"].tolist() == [0.6] * 5
    assert found["warning"][0] == "3 scoring texts have no annotation"


def test_trap_36_labels_are_understood_by_all_of_them(
    world: Callable[..., World], capsys: pytest.CaptureFixture[str]
) -> None:
    here = world()
    liked = here.stars > 3
    options: dict[str, Any] = {"n_selected_neurons": 3, "n_scoring_examples": 0}
    expected = generate_hypotheses(here.texts, liked, here.x, here.sae, **options)
    for labels, said in (
        (2 * liked - 1, "-1 and 1; 1 counts as 1"),
        (np.where(liked, "up", "down"), "down and up; up counts as 1"),
        (liked.astype(int).astype(str), ""),
    ):
        capsys.readouterr()
        found = generate_hypotheses(here.texts, labels, here.x, here.sae, **options)
        assert found.equals(expected) and said in capsys.readouterr().out
    # One label in 600 is enough to tell that there are more than two.
    rare = liked.astype(float)
    rare[-1] = 0.5
    found = generate_hypotheses(here.texts, rare, here.x, here.sae, **options)
    assert len(found) == 3
    with pytest.raises(OptionError, match="has 3 values"):
        generate_hypotheses(here.texts, rare, here.x, here.sae, classification=True, **options)


def test_data_frames_of_the_users_kind_come_back(world: Callable[..., World]) -> None:
    polars = pytest.importorskip("polars")
    here = world()
    texts, stars = polars.Series(here.texts), polars.Series(here.stars)
    options: dict[str, Any] = {"n_selected_neurons": 3, "n_scoring_examples": 20}
    found = generate_hypotheses(texts, stars, here.x.tolist(), [here.sae], **options)
    assert isinstance(found, polars.DataFrame) and found["source_sae"][0] == "(32, 4)"
    metrics, table = here.evaluate(found)
    assert isinstance(table, polars.DataFrame) and len(table) == 3
    expected_metrics, expected = here.evaluate(found.to_dict(as_series=False))
    assert metrics == expected_metrics
    assert table["hypothesis"].to_list() == expected["hypothesis"].tolist()
    with pytest.raises(ColumnError, match="no column `interpretation`; there are `wording`"):
        here.evaluate(polars.DataFrame({"wording": ["a"]}))
    with pytest.raises(DataError, match="has no rows"):
        here.evaluate(found.head(0))


def test_nothing_is_printed_or_asked_for_bad_arguments(
    world: Callable[..., World], capsys: pytest.CaptureFixture[str]
) -> None:
    here = world()
    capsys.readouterr()
    asked = here.service.requests()
    for message, options in (
        ("choose one of separation_score, correlation, lasso", {"selection_method": "best"}),
        ("choose one of f1, precision, recall", {"scoring_metric": "accuracy"}),
        ("`n_scoring_examples` is `-1`", {"n_scoring_examples": -1}),
        ("`n_candidate_interpretations` is `0`", {"n_candidate_interpretations": 0}),
    ):
        with pytest.raises(OptionError, match=message):
            here.generate(**options)
    with pytest.raises(OptionError, match="`n_selected_neurons` is `33`, allowed: 1 to 32"):
        generate_hypotheses(here.texts, here.stars, here.x, here.sae, n_selected_neurons=33)
    with pytest.raises(DataError, match="in every row"):
        evaluate_hypotheses({"interpretation": ["a"]}, here.heldout, np.ones(N_HELDOUT))
    assert here.service.requests() == asked
    hypothesaes.display(prints=False)
    try:
        capsys.readouterr()
        here.generate(n_scoring_examples=0)
        assert capsys.readouterr().out == ""
    finally:
        hypothesaes.display(prints=True)
