"""Neurons put into words, and such words scored."""

from __future__ import annotations

import json
import re
import urllib.request
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import peer
from canned import Canned, canned  # noqa: F401

from hypothesaes.errors import ColumnError, DataError, OptionError
from hypothesaes.interpret_neurons import (
    DEFAULT_TASK_SPECIFIC_INSTRUCTIONS,
    InterpretConfig,
    LLMConfig,
    NeuronInterpreter,
    SamplingConfig,
    ScoringConfig,
    sample_custom,
    sample_percentile_bins,
    sample_top_zero,
)

TEXTS = [f"text number {i}" for i in range(40)]


def planted(service: Any, texts: list[str], lexicon: list[str]) -> Any:
    """Activations of neurons that stand for concepts of the simulated service."""
    body = json.dumps({"texts": texts, "concepts": lexicon}).encode()
    reply = urllib.request.urlopen(urllib.request.Request(f"{service.root}/sim/truth", body))
    labels = np.array(json.load(reply)["labels"], dtype=np.float32)
    strength = np.random.default_rng(0).uniform(0.5, 2, labels.shape).astype(np.float32)
    return labels * strength


@pytest.fixture
def lexicon() -> list[str]:
    from conftest import LEXICON

    if not LEXICON.exists():
        pytest.skip("there is no lexicon beside the simulated service")
    return list(json.loads(LEXICON.read_text())["concepts"])


def ramp(n_neurons: int = 3) -> Any:
    """Neuron j fires on the texts from 5 (j + 1) on, the more the later; the last on none."""
    values = np.zeros((len(TEXTS), n_neurons), dtype=np.float32)
    for j in range(n_neurons - 1):
        values[5 * (j + 1) :, j] = np.arange(1, len(TEXTS) - 5 * (j + 1) + 1)
    return values


def test_trap_17_planted_concepts_are_found_and_worded_once(
    simulated: Any, reviews: Any, lexicon: list[str]
) -> None:
    service = simulated()
    texts = reviews[0][:600]
    activations = planted(service, texts, lexicon)
    common = [int(i) for i in np.argsort(-(activations > 0).sum(axis=0))[:6]]
    before = service.requests()
    found = NeuronInterpreter().interpret_neurons(texts, activations, common)
    assert list(found) == common
    right = [found[i] == [lexicon[i]] for i in common]
    assert sum(right) >= 5, found
    assert service.requests() - before == len(common)

    scores = NeuronInterpreter(cache_name="a name").score_interpretations(texts, activations, found)
    good = [scores[i][lexicon[i]] for i, is_right in zip(common, right) if is_right]
    # Not always 1: what tells may stand behind the 256 words that are read.
    assert all(min(of["f1"], of["f1_reported"], of["f1_weighted"]) > 0.85 for of in good), good
    assert all(of["n_scored"] <= 100 and of["n_missing"] == 0 for of in good)
    before = service.requests()
    again = NeuronInterpreter().interpret_neurons(texts, activations, common)
    assert again == found
    assert NeuronInterpreter().score_interpretations(texts, activations, again) == scores
    assert service.requests() == before


def test_candidates_differ_in_their_examples(canned: Canned) -> None:
    canned.answer = lambda asked: f'- "wording {hash(asked) % 10**9}"'
    config = InterpretConfig(SamplingConfig(n_examples=8), LLMConfig(temperature=0.7), 3)
    found = NeuronInterpreter().interpret_neurons(TEXTS, ramp(), [1, 0, 1], config)
    assert list(found) == [1, 0]
    assert len({wording for of in found.values() for wording in of}) == 6
    assert len(canned.bodies) == 6
    # Version 0.2.0 asks for one at a time.
    assert NeuronInterpreter().interpret_neuron(TEXTS, ramp(), 0, config) == found[0][0]
    assert len(canned.bodies) == 6


def test_what_the_interpreter_is_asked(canned: Canned) -> None:
    canned.answer = lambda _: "- says"
    config = InterpretConfig(
        sampling=SamplingConfig(n_examples=6, max_words_per_example=2),
        llm=LLMConfig(max_interpretation_tokens=70, llm_kwargs={"verbosity": "low"}),
        interpretation_prompt_name="interpret-neuron-binary-reasoning",
        task_specific_instructions="These are {texts}.",
    )
    texts = [f'He said:\n"{i}" and more' for i in range(40)]
    interpreter = NeuronInterpreter("gpt5.2")
    found = interpreter.interpret_neurons(texts, ramp(), [0], config, reasoning_effort="low")
    assert found == {0: ["says"]}
    body, prompt = canned.bodies[0], canned.prompts()[0]
    assert body["model"] == "gpt-5.2" and body["reasoning"]["effort"] == "low"
    assert body["text"]["verbosity"] == "low" and body["max_output_tokens"] >= 70
    assert "These are {texts}." in prompt
    lists = re.findall(r"SAMPLES:\n(\[.*?\n\])", prompt, re.DOTALL)
    assert [len(json.loads(shown)) for shown in lists] == [3, 3]
    assert all(text.startswith("He said:[...") for text in json.loads(lists[0]))


@pytest.mark.parametrize("name", ["interpretation_prompt_name", "prompt_name"])
def test_trap_15_no_instructions_are_the_default_ones(name: str, canned: Canned) -> None:
    canned.answer = lambda _: '- "says"'
    more: Any = {name: "interpret-neuron-binary"}
    config = InterpretConfig(task_specific_instructions=None, **more)
    NeuronInterpreter().interpret_neurons(TEXTS, ramp(), [0], config)
    prompt = canned.prompts()[0]
    assert "None" not in prompt
    assert DEFAULT_TASK_SPECIFIC_INSTRUCTIONS in prompt


def test_trap_16_a_neuron_that_never_fires_is_not_interpreted(
    canned: Canned, capsys: pytest.CaptureFixture[str]
) -> None:
    for function in (sample_top_zero, sample_percentile_bins, sample_custom):
        drawn = function(TEXTS, ramp(), 2, n_examples=10)
        assert drawn["positive_texts"] == [] and len(drawn["negative_texts"]) == 5
    found = NeuronInterpreter().interpret_neurons(TEXTS, ramp(), [2])
    assert found == {2: [None]}
    assert "neuron 2 fires on no text" in capsys.readouterr().out
    scores = NeuronInterpreter().score_interpretations(TEXTS, ramp(), found)
    assert scores[2][None]["f1"] == 0 and scores[2][None]["n_scored"] == 0
    assert canned.bodies == []


@pytest.mark.parametrize(
    ("answer", "wording"),
    [
        ('- "mentions dogs"', "mentions dogs"),
        ('mentions dogs"', "mentions dogs"),
        ("**mentions dogs**", "mentions dogs"),
        ("<think>cats?</think>\n\n- “mentions dogs”\nBecause they bark.", "mentions dogs"),
        ('- "mentions "tap water""', 'mentions "tap water"'),
        ("<think>it could be", None),
        ('- ""', None),
    ],
)
def test_trap_22_only_a_whole_answer_is_an_interpretation(
    answer: str, wording: str | None, canned: Canned, capsys: pytest.CaptureFixture[str]
) -> None:
    canned.answer = lambda _: answer
    assert NeuronInterpreter().interpret_neurons(TEXTS, ramp(), [0]) == {0: [wording]}
    said = capsys.readouterr().out
    assert ("1 of 1 interpretations are missing" in said) == (wording is None)
    if wording is None:
        canned.answer = lambda _: "- found at last"
        assert NeuronInterpreter().interpret_neurons(TEXTS, ramp(), [0]) == {0: ["found at last"]}


def test_trap_20_a_missing_annotation_is_left_out_of_the_scores(canned: Canned) -> None:
    # The strongest text has no annotation; the others are annotated rightly.
    def answer(asked: str) -> str:
        number = int(re.findall(r"number (\d+)", asked)[-1])
        return "Maybe" if number == 39 else "Yes" if number >= 5 else "No"

    canned.answer = answer
    scores = NeuronInterpreter().score_interpretations(
        TEXTS,
        ramp(),
        {0: ["a", None]},
        ScoringConfig(n_examples=10),
        annotate_prompt_name="annotate-simple",
        max_retries=1,
    )[0]
    assert (scores["a"]["n_scored"], scores["a"]["n_missing"]) == (9, 1)
    assert scores["a"]["recall"] == scores["a"]["precision"] == scores["a"]["f1"] == 1
    assert set(scores) == {"a", None}


def test_trap_27_neurons_with_one_interpretation_keep_their_own_scores(canned: Canned) -> None:
    canned.answer = lambda asked: "Yes" if re.search(r'TEXT: "text number 3\d', asked) else "No"
    config = ScoringConfig(n_examples=20)
    scores = NeuronInterpreter().score_interpretations(
        TEXTS, ramp(), {0: ["a"], 1: ["a"]}, config, annotate_prompt_name="annotate-simple"
    )
    # Neuron 0 is silent on 5 texts, neuron 1 on 10; both are sampled at their 10 strongest.
    assert [scores[i]["a"]["n_scored"] for i in (0, 1)] == [15, 20]
    assert [scores[i]["a"]["recall"] for i in (0, 1)] == [1, 1]
    assert len(canned.bodies) == 20


def test_trap_29_the_reported_scores_are_of_texts_that_were_not_shown(canned: Canned) -> None:
    # An annotator that knows the texts which the interpreter was shown, and says no to others.
    shown: set[str] = set()

    def answer(asked: str) -> str:
        if "SAMPLES" in asked:
            shown.update(re.findall(r'"(text number \d+)"', asked))
            return f'- "wording {len(canned.bodies)}"'
        text = re.findall(r'TEXT: "(text number \d+)"', asked)[-1]
        return "Yes" if text in shown and int(text.split()[-1]) >= 20 else "No"

    canned.answer = answer
    activations = np.zeros((40, 1))
    activations[20:, 0] = np.arange(1, 21)
    interpreter = NeuronInterpreter()
    for n_candidates in (1, 2):
        config = InterpretConfig(SamplingConfig(n_examples=10), n_candidates=n_candidates)
        found = interpreter.interpret_neurons(TEXTS, activations, [0], config)
        scores = interpreter.score_interpretations(
            TEXTS,
            activations,
            found,
            ScoringConfig(n_examples=40),
            annotate_prompt_name="annotate-simple",
        )[0]
        for wording in found[0]:
            of = scores[wording]
            assert of["recall"] == 5 / 20 and of["precision"] == 1
            assert of["recall_reported"] == of["f1_weighted"] == 0
            assert of["recall_choice"] >= of["recall"]


def test_precision_is_also_told_for_the_shares_in_which_texts_come(canned: Canned) -> None:
    # Right on every text that fires the neuron, wrong on half of the silent ones.
    even = re.compile(r'TEXT: "text number \d*[02468]"')
    canned.answer = lambda asked: "No" if even.search(asked) else "Yes"
    activations = np.zeros((40, 1))
    activations[[1, 3], 0] = 1
    of = NeuronInterpreter().score_interpretations(
        TEXTS, activations, {0: ["a"]}, ScoringConfig(n_examples=76),
        annotate_prompt_name="annotate-simple",
    )[0]["a"]  # fmt: skip
    silent = [i for i in range(40) if i not in (1, 3)]
    alarms = sum(i % 2 for i in silent)
    assert of["recall"] == 1
    assert of["precision_weighted"] == pytest.approx(2 / (2 + alarms))
    assert of["correlation"] == pytest.approx(
        np.corrcoef(activations[:, 0], [i % 2 for i in range(40)])[0, 1]
    )


def test_samples_are_those_of_the_original_and_nobody_elses_numbers_change() -> None:
    values = ramp()
    np.random.seed(5)
    state = np.random.get_state()[1].tolist()
    one = sample_top_zero(TEXTS, values, 1, 12, random_seed=3)
    two = sample_percentile_bins(TEXTS, values, 1, 12, None, (50, 100), (0, 50), random_seed=3)
    assert np.random.get_state()[1].tolist() == state
    assert one == sample_top_zero(TEXTS, values, 1, 12, random_seed=3)
    assert one != sample_top_zero(TEXTS, values, 1, 12, random_seed=4)

    # As the original draws: from NumPy's global numbers, seeded.
    np.random.seed(3)
    zero = np.random.choice(np.where(values[:, 1] == 0)[0], size=6, replace=False)
    assert one["negative_texts"] == [TEXTS[i] for i in zero]
    assert one["positive_texts"] == TEXTS[-6:]
    assert one["positive_activations"] == values[-6:, 1].tolist()
    firing = np.where(values[:, 1] > 0)[0]
    middle = np.percentile(values[firing, 1], 50)
    np.random.seed(3)
    high = np.random.choice(firing[values[firing, 1] >= middle], size=6, replace=False)
    low = np.random.choice(firing[values[firing, 1] <= middle], size=6, replace=False)
    assert two["positive_texts"] == [TEXTS[i] for i in high]
    assert two["negative_texts"] == [TEXTS[i] for i in low]


def test_activations_and_texts_come_in_many_forms() -> None:
    pandas = pytest.importorskip("pandas")
    plain = sample_top_zero(TEXTS, ramp(), 0, 8, random_seed=0)
    series = pandas.Series(TEXTS, index=range(100, 140))
    assert sample_top_zero(series, ramp().tolist(), 0, 8, random_seed=0) == plain
    with pytest.raises(DataError, match="`activations` has 39 rows and `texts` has 40"):
        NeuronInterpreter().interpret_neurons(TEXTS, ramp()[1:], [0])
    with pytest.raises(OptionError, match="no neuron `3`: they are 0 to 2"):
        NeuronInterpreter().interpret_neurons(TEXTS, ramp(), [3])
    with pytest.raises(DataError, match="row 2 of `texts` is missing"):
        NeuronInterpreter().interpret_neurons([*TEXTS[:2], None, *TEXTS[3:]], ramp(), [0])


def test_sampling_functions_and_prompts_of_ones_own(canned: Canned, tmp_path: Path) -> None:
    prompt = tmp_path / "mine.txt"
    prompt.write_text("{{}} Most: {most}; some: {some}. {task_specific_instructions}")
    calls: list[dict[str, Any]] = []

    def mine(texts: list[str], activations: Any, neuron_idx: int, **more: Any) -> dict[str, Any]:
        calls.append({"n": len(texts), "shape": activations.shape, **more})
        order = np.argsort(-activations[:, neuron_idx])
        return {"most": [texts[i] for i in order[:2]], "some": texts[0]}

    canned.answer = lambda _: "- said"
    config = InterpretConfig(
        sampling=SamplingConfig(mine, 7, 4, 30, {"own": True}),
        n_candidates=2,
        interpretation_prompt_name=str(prompt),
        task_specific_instructions="Go.",
    )
    found = NeuronInterpreter().interpret_neurons(TEXTS, ramp(), [0], config)
    assert found == {0: ["said", "said"]}
    told = {"n": 40, "shape": (40, 3), "n_examples": 7, "max_words_per_example": 30, "own": True}
    assert calls == [{**told, "random_seed": 4}, {**told, "random_seed": 5}]
    text = '{} Most: [\n"text number 39",\n"text number 38"\n]; some: text number 0. Go.'
    assert canned.prompts() == [text, text]

    prompt.write_text("{most} {least}")
    with pytest.raises(ColumnError, match=r"`\{least\}`.*`most`, `some`") as caught:
        NeuronInterpreter().interpret_neurons(TEXTS, ramp(), [0], config)
    assert isinstance(caught.value, KeyError)
    with pytest.raises(ColumnError, match="`positive_texts`"):
        NeuronInterpreter().score_interpretations(
            TEXTS, ramp(), {0: ["a"]}, ScoringConfig(sampling_function=mine)
        )
    config.sampling.function = lambda **_: None  # type: ignore[assignment, return-value]
    with pytest.raises(OptionError, match="returned `NoneType`"):
        NeuronInterpreter().interpret_neurons(TEXTS, ramp(), [0], config)


def test_samplers_with_a_seed_draw_what_those_of_the_original_draw() -> None:
    original = peer.module("interpret_neurons")
    random = np.random.default_rng(1)
    z = np.where(random.random((400, 6)) < 0.2, random.random((400, 6)), 0).astype(np.float32)
    texts = [f"text {i} " + "word " * (i % 50) for i in range(len(z))]
    percentiles: list[dict[str, Any]] = [
        {}, {"high_percentile": (80, 100)}, {"low_percentile": (0, 30)}
    ]  # fmt: skip
    for neuron in range(z.shape[1]):
        for seed in (0, 3):
            arguments = (texts, z, neuron, 20, 30)
            expected = original.sample_top_zero(*arguments, random_seed=seed)
            assert sample_top_zero(*arguments, random_seed=seed) == expected
            for more in percentiles:
                expected = original.sample_percentile_bins(*arguments, **more, random_seed=seed)
                found = sample_percentile_bins(*arguments, **more, random_seed=seed)
                assert found == expected
