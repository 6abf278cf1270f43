"""Which texts of a neuron are shown or scored: those that fire it, and those that do not.

Random draws come from a stream of their own, the one that NumPy has promised never to change: the
same seed gives the same texts as the original package, and nobody else's numbers are touched."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from . import _arrays
from .errors import OptionError
from .progress import say
from .utils import truncate_text

Examples = dict[str, list[Any]]


def sample_top_zero(
    texts: Sequence[str],
    activations: npt.ArrayLike,
    neuron_idx: int,
    n_examples: int,
    max_words_per_example: int | None = None,
    random_seed: int | None = None,
) -> Examples:
    """The texts that fire a neuron most, and random ones that do not fire it.

    Parameters
    ----------
    texts : sequence of str
        n texts.
    activations : array, n x m
        What the m neurons make of them.
    neuron_idx : int
        The neuron.
    n_examples : int
        Texts in all, half of each kind; fewer if there are not so many.
    max_words_per_example : int, optional
        Words of a text that are shown; the rest is cut off.
    random_seed : int, optional
        Of the draw; without one every call draws anew.

    Returns
    -------
    dict
        `positive_texts` (the strongest last), `negative_texts`, `positive_activations`,
        `negative_activations`. A neuron that fires nowhere has no positive texts.
    """
    values = column(activations, neuron_idx, len(texts))
    half = n_examples // 2
    firing = np.flatnonzero(values > 0)
    if len(firing) < half:
        say(f"[WARNING] neuron {neuron_idx} fires on {len(firing)} texts only: all are taken")
    top = firing[np.argsort(values[firing], kind="stable")][len(firing) - min(half, len(firing)) :]
    silent = np.flatnonzero(values == 0)
    if len(silent) < half:
        say(f"[WARNING] neuron {neuron_idx} is silent on {len(silent)} texts only: all are taken")
    drawn = _draw(np.random.RandomState(random_seed), silent, half)
    return _examples(texts, values, top, drawn, max_words_per_example)


def sample_percentile_bins(
    texts: Sequence[str],
    activations: npt.ArrayLike,
    neuron_idx: int,
    n_examples: int,
    max_words_per_example: int | None = None,
    high_percentile: tuple[float, float] = (90, 100),
    low_percentile: tuple[float, float] | None = None,
    random_seed: int | None = None,
) -> Examples:
    """Random texts between two percentiles of what fires a neuron, against others.

    Parameters
    ----------
    high_percentile : (float, float)
        Percentiles, 0 to 100, of the positive activations between which positive texts are drawn.
    low_percentile : (float, float), optional
        The same for the negative ones; by default these are drawn from the texts that do not fire
        the neuron.
    texts, activations, neuron_idx, n_examples, max_words_per_example, random_seed
        As in `sample_top_zero`.

    Returns
    -------
    dict
        As `sample_top_zero`, in the order of the draw.
    """
    values = column(activations, neuron_idx, len(texts))
    half = n_examples // 2
    firing = np.flatnonzero(values > 0)
    high = _between(values, firing, high_percentile)
    low = np.flatnonzero(values == 0)
    if low_percentile is not None:
        low = _between(values, firing, low_percentile)
    for name, found in ((high_percentile, high), (low_percentile or "zero", low)):
        if len(found) < half:
            say(f"[WARNING] neuron {neuron_idx} has {len(found)} texts at {name}: all are taken")
    stream = np.random.RandomState(random_seed)
    high, low = _draw(stream, high, half), _draw(stream, low, half)
    return _examples(texts, values, high, low, max_words_per_example)


def sample_custom(
    texts: Sequence[str],
    activations: npt.ArrayLike,
    neuron_idx: int,
    random_seed: int | None = None,
    *,
    n_examples: int = 20,
    max_words_per_example: int | None = None,
    **sampling_kwargs: Any,
) -> Examples:
    """The form of a sampling function of one's own; this one does as `sample_top_zero` does.

    Such a function is called with `texts`, `activations`, `neuron_idx`, `n_examples`,
    `max_words_per_example`, `random_seed`, and the entries of `sampling_kwargs`, all by name. It
    returns a dict with a value for each placeholder of the prompt that it is used with; to score
    interpretations, it needs the keys of `sample_top_zero`.
    """
    del sampling_kwargs
    return sample_top_zero(
        texts, activations, neuron_idx, n_examples, max_words_per_example, random_seed
    )


def dense(activations: Any, n_texts: int) -> npt.NDArray[Any]:
    """Activations as an array, texts x neurons; tensors and sparse matrices are taken too."""
    if hasattr(activations, "toarray"):
        activations = activations.toarray()
    found = _arrays.matrix(activations, "activations")
    _arrays.check_length(found, "activations", n_texts, "texts")
    return found


def column(activations: Any, neuron: int, n_texts: int) -> npt.NDArray[Any]:
    """The activations of one neuron."""
    found = dense(activations, n_texts)
    if not 0 <= neuron < found.shape[1]:
        raise OptionError(f"there is no neuron `{neuron}`: they are 0 to {found.shape[1] - 1}")
    return np.asarray(found[:, neuron])


def _between(
    values: npt.NDArray[Any], firing: npt.NDArray[np.intp], percentiles: tuple[float, float]
) -> npt.NDArray[np.intp]:
    """The texts whose activations lie between two percentiles of those that are positive."""
    if not len(firing):
        return firing
    low, high = np.percentile(values[firing], percentiles)
    return firing[np.flatnonzero((values[firing] >= low) & (values[firing] <= high))]


def _draw(
    stream: np.random.RandomState, rows: npt.NDArray[np.intp], n: int
) -> npt.NDArray[np.intp]:
    if len(rows) < n:
        return rows
    drawn: npt.NDArray[np.intp] = stream.choice(rows, size=n, replace=False)
    return drawn


def _examples(
    texts: Sequence[str],
    values: npt.NDArray[Any],
    positive: npt.NDArray[np.intp],
    negative: npt.NDArray[np.intp],
    max_words: int | None,
) -> Examples:
    # A column of pandas would look its rows up by label.
    of = texts if isinstance(texts, list) else list(texts)

    def shown(rows: npt.NDArray[np.intp]) -> list[str]:
        return [truncate_text(of[row], max_words) if max_words else of[row] for row in rows]

    return {
        "positive_texts": shown(positive),
        "negative_texts": shown(negative),
        "positive_activations": values[positive].tolist(),
        "negative_activations": values[negative].tolist(),
    }
