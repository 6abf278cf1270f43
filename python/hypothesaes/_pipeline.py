"""What the functions of `quickstart` have in common: usable rows, neurons with where they come
from, and the wording of each neuron that is kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from . import _checkpoints, _frames, _native, progress
from ._arrays import Array, check_length, whole
from ._asked import as_texts, is_missing
from ._training import Training
from .errors import ColumnError, DataError, OptionError
from .interpret_neurons import (
    InterpretConfig,
    LLMConfig,
    NeuronInterpreter,
    SamplingConfig,
    ScoringConfig,
)
from .sae import get_multiple_sae_activations
from .utils import get_text_for_printing

Metrics = Mapping[str | None, Mapping[str, float]]
"""Figures of each wording of a neuron."""

SCORES = ("f1", "precision", "recall", "correlation")
"""What wordings can be ranked by."""

_FIDELITY = {
    "fidelity_precision": "precision_weighted",
    "fidelity_recall": "recall_reported",
    "fidelity_f1": "f1_weighted",
    "fidelity_balanced_f1": "f1_reported",
    "fidelity_correlation": "correlation_reported",
}
"""Columns, and what `score_interpretations` calls them."""


@dataclass(frozen=True)
class Neurons:
    """Activations of one or several autoencoders side by side."""

    activations: Array
    sources: list[tuple[int, int]] | None
    """(M, K) of the autoencoder of every column, if a list was given."""

    def source_sae(self, chosen: Sequence[int]) -> dict[str, list[Any]]:
        """The column of that name, if there is to be one."""
        of = self.sources
        return {} if of is None else {"source_sae": [of[neuron] for neuron in chosen]}


@dataclass(frozen=True)
class Kept:
    """The wording of a neuron that is kept."""

    wording: str | None
    score: float | None
    metrics: Mapping[str, float]
    warning: str


def usable(texts: Any, **beside: Array) -> tuple[list[str], list[Array]]:
    """The texts that are not missing or blank, and the rows of `beside` that belong to them.

    Raises
    ------
    DataError
        If something of `beside` has another number of rows, or there is no text.
    """
    given = as_texts(texts)
    for name, values in beside.items():
        check_length(values, name, len(given), "texts")
    kept = [row for row, text in enumerate(given) if text is not None and text.strip()]
    if not kept:
        raise DataError("`texts` holds no text: give at least one")
    if len(kept) == len(given):
        return [str(text) for text in given], list(beside.values())
    progress.say(
        f"Warning: {len(given) - len(kept)} texts are missing or blank; they are left out, with "
        f"their rows of {' and '.join(beside)}"
    )
    return [str(given[row]) for row in kept], [values[kept] for values in beside.values()]


def neurons(sae: Any, x: Array) -> Neurons:
    """Activations of an autoencoder, or of a list of them."""
    activations, sources = get_multiple_sae_activations(sae, x, return_neuron_source_info=True)
    progress.say(f"Activations shape: {activations.shape}")
    return Neurons(activations, sources if isinstance(sae, (list, tuple)) else None)


def config(
    n_examples: int,
    max_words: int | None,
    temperature: float | None,
    max_tokens: int | None,
    llm_kwargs: Mapping[str, Any] | None,
    n_candidates: int,
    instructions: str | None,
) -> InterpretConfig:
    """How neurons are interpreted; without instructions the prompt has its own examples."""
    return InterpretConfig(
        sampling=SamplingConfig(n_examples=n_examples, max_words_per_example=max_words),
        llm=LLMConfig(
            temperature=temperature,
            max_output_tokens=max_tokens,
            llm_kwargs=dict(llm_kwargs or {}),
        ),
        n_candidates=n_candidates,
        **({} if instructions is None else {"task_specific_instructions": instructions}),
    )


def choose(
    interpreter: NeuronInterpreter,
    texts: Sequence[str],
    activations: Array,
    interpretations: Mapping[int, Sequence[str | None]],
    metric: str,
    scoring: ScoringConfig,
    llm_kwargs: Mapping[str, Any] | None,
) -> list[Kept]:
    """The wording of each neuron that describes it best.

    Several are chosen between on some of the scoring texts, and the score of the best is that on
    others. Without scoring texts the first is kept.
    """
    worded = {
        neuron: [wording for wording in of if wording is not None]
        for neuron, of in interpretations.items()
    }
    scored = {neuron: of for neuron, of in worded.items() if of}
    metrics: Mapping[int, Metrics] = {}
    if scoring.n_examples and scored:
        metrics = interpreter.score_interpretations(
            texts=texts,
            activations=activations,
            interpretations=scored,
            config=scoring,
            **(llm_kwargs or {}),
        )
    return [
        _best(of, metrics.get(neuron, {}), metric)
        if of
        else Kept(None, None, {}, why_missing([], bool((activations[:, neuron] > 0).any())))
        for neuron, of in worded.items()
    ]


def why_missing(wordings: Sequence[str | None], fires: bool) -> str:
    """What to say of a neuron's wordings; empty if there is one."""
    if any(wording is not None for wording in wordings):
        return ""
    why = "the model gave no usable wording" if fires else "the neuron fires on no text"
    return f"no interpretation: {why}"


def _best(wordings: Sequence[str], metrics: Metrics, metric: str) -> Kept:
    if not metrics:
        return Kept(wordings[0], None, {}, "")
    if len(set(wordings)) == 1:
        of = metrics[wordings[0]]
        return Kept(wordings[0], of[metric], of, _unscored(of))

    def rank(wording: str) -> float:
        value = metrics[wording][f"{metric}_choice"]
        return -np.inf if np.isnan(value) else value

    # The first of equal ones.
    best = max(wordings, key=rank)
    of = metrics[best]
    score = of[f"{metric}_reported"]
    if np.isnan(score):
        return Kept(best, None, of, "too few texts to score it apart from the choice")
    return Kept(best, score, of, _unscored(of))


def _unscored(metrics: Mapping[str, float]) -> str:
    n = int(metrics["n_missing"])
    return f"{n} scoring texts have no annotation" if n else ""


def fidelity(kept: Sequence[Kept], metric: str) -> dict[str, list[float | None]]:
    """Columns: the score, and how faithful wordings are on texts their interpreter did not see."""
    columns = {f"{metric}_fidelity_score": [of.score for of in kept]}
    for ours, theirs in _FIDELITY.items():
        values = [of.metrics.get(theirs, np.nan) for of in kept]
        columns[ours] = [None if np.isnan(value) else float(value) for value in values]
    return columns


def top_texts(texts: Sequence[str], column: Array, n: int) -> list[str]:
    """The texts on which a neuron fires most, at most `n`."""
    order = np.argsort(-column, kind="stable")[:n]
    return [texts[i] for i in order if column[i] > 0]


def one_way(indices: Any, n_random: int | None, n_top: int | None) -> None:
    """Refuses anything but one way to choose neurons.

    Raises
    ------
    OptionError
    """
    if sum(way is not None for way in (indices, n_random, n_top)) != 1:
        raise OptionError(
            "give exactly one of `neuron_indices`, `n_random_neurons` and `n_top_neurons`"
        )


def chosen(
    counts: Array, indices: Any, n_random: int | None, n_top: int | None, seed: int
) -> list[int]:
    """Neurons by number, at random, or those that fire on most texts (`counts`).

    Raises
    ------
    OptionError
        For neurons that are not there.
    """
    m = len(counts)
    if n_random is not None:
        whole(n_random, "n_random_neurons", 1, m, "neurons")
        drawn = np.random.default_rng(seed).choice(m, n_random, replace=False)
        return [int(j) for j in drawn]
    if n_top is not None:
        whole(n_top, "n_top_neurons", 1, m, "neurons")
        return [int(j) for j in np.argsort(-counts, kind="stable")[:n_top]]
    return [whole(j, "neuron_indices", 0, m - 1, "neurons from 0") for j in indices]


def one_of(value: str, name: str, allowed: Sequence[str]) -> str:
    """Refuses what is not in `allowed`.

    Raises
    ------
    OptionError
    """
    if value not in allowed:
        raise OptionError(f"`{name}` is `{value}`: choose one of {', '.join(allowed)}")
    return value


def reused(path: str, training: Training) -> _native.Autoencoder | None:
    """What `training` would come to, from a file that is there; says whether it is used."""
    found, why = _checkpoints.find(path, training)
    if found is None:
        progress.say(f"The autoencoder in {path} is not used, as {why}; another one is trained")
    elif found.data_hash:
        progress.say(f"Loaded the autoencoder in {path}: it was trained on these embeddings")
    else:
        progress.say(
            f"Loaded the autoencoder in {path}: its sizes fit, but whether it was trained on "
            "these embeddings cannot be checked"
        )
    return found


def example_columns(examples: Sequence[Sequence[str]], n: int) -> dict[str, list[str | None]]:
    """Columns `top_example_1` to `n`."""
    return {
        f"top_example_{i + 1}": [of[i] if i < len(of) else None for of in examples]
        for i in range(n)
    }


def say_neuron(
    neuron: int,
    neurons: Neurons,
    share: float,
    wordings: Sequence[str | None],
    examples: Sequence[str],
    max_chars: int | None,
) -> None:
    """Print a neuron's first wording, with the texts that fire it most."""
    of = ""
    if neurons.sources is not None:
        m, k = neurons.sources[neuron]
        of = f" of the autoencoder M={m}, K={k}"
    progress.say(f"\nNeuron {neuron}{of} (fires on {100 * share:.1f}% of texts): {wordings[0]}")
    progress.say("\nTexts that fire it most:")
    for i, text in enumerate(examples, 1):
        progress.say(f"{i}. {get_text_for_printing(text, max_chars=max_chars)}")
    progress.say("-" * 100)


def wordings_of(hypotheses: Any) -> list[str | None]:
    """The hypotheses of a data frame; None where a neuron has none."""
    names = _frames.names(hypotheses)
    if "interpretation" not in names:
        there = ", ".join(f"`{name}`" for name in names)
        raise ColumnError(f"`hypotheses_df` has no column `interpretation`; there are {there}")
    found = []
    for row, value in enumerate(_frames.column(hypotheses, "interpretation")):
        if not isinstance(value, str) and not is_missing(value):
            raise DataError(f"`interpretation` is `{value}` at row {row}: it must be a text")
        found.append(value if isinstance(value, str) and value.strip() else None)
    if not found:
        raise DataError("`hypotheses_df` has no rows: there is nothing to test")
    return found
