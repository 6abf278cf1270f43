"""Which neurons tell most about the target. In go activations (n texts x m neurons) and a target,
out come the chosen neurons with their scores."""

from __future__ import annotations

from collections.abc import Callable
from difflib import get_close_matches
from typing import Any

import numpy as np

from . import _labels, _native, progress
from ._arrays import Array, Floats, check_finite, check_length, matrix, to_numpy, whole
from .errors import OptionError
from .progress import Bar

__all__ = [
    "select_neurons",
    "select_neurons_correlation",
    "select_neurons_custom",
    "select_neurons_lasso",
    "select_neurons_separation_score",
]

Selection = tuple[list[int], list[float]]
"""The chosen neurons, best first unless said otherwise, and what each scores."""

METHODS = ("lasso", "correlation", "separation_score", "custom")

_OPTIONS = (
    "abs_correlation",
    "alpha",
    "max_iter",
    "metric_fn",
    "n_top_activating",
    "n_zero_activating",
    "seed",
    "verbose",
)
"""What one method or another takes; a method passes over those of the others."""


def select_neurons_lasso(
    activations: Any,
    target: Any,
    n_select: int,
    classification: bool = False,
    alpha: float | None = None,
    max_iter: int = 1000,
    verbose: bool = False,
) -> Selection:
    """The neurons that together tell most about the target, by an L1 penalty.

    Columns are standardised. The penalty falls until exactly `n_select` neurons have a coefficient
    that is not 0; the search adapts to the scale of the target.

    Parameters
    ----------
    activations : array, n x m
    target : array, n
    n_select : int
        How many neurons are wanted.
    classification : bool
        Logistic loss, for a target of two classes; else squared error.
    alpha : float, optional
        One penalty, in scikit-learn's unit, instead of the search (`Lasso(alpha)`,
        `LogisticRegression(C=1 / alpha)` with an intercept that is not penalised).
    max_iter : int
        Taken and not needed: every solution converges.
    verbose : bool
        Print the penalty that chose, and show progress.

    Returns
    -------
    (list of int, list of float)
        Neurons and coefficients per standard deviation of the activation, the largest in absolute
        value first. Fewer than `n_select` if there are no more, which is printed.
    """
    del max_iter
    z, y = _arguments(activations, target, n_select, classification)
    if alpha is not None and not (np.isfinite(alpha) and alpha > 0):
        raise OptionError(f"`alpha` is `{alpha}`, allowed: above 0")
    return _ranked(z, y, n_select, "lasso", classification, alpha, verbose)


def select_neurons_correlation(
    activations: Any, target: Any, n_select: int, **kwargs: Any
) -> Selection:
    """The neurons whose activation correlates most with the target, in absolute value.

    Parameters
    ----------
    activations : array, n x m
    target : array, n
    n_select : int
        How many neurons are wanted.
    **kwargs
        Options of other methods, which change nothing here.

    Returns
    -------
    (list of int, list of float)
        Neurons and Pearson correlations. A constant neuron has none and is never chosen.
    """
    _check_options(kwargs)
    z, y = _arguments(activations, target, n_select)
    return _ranked(z, y, n_select, "correlation", False)


def select_neurons_separation_score(
    activations: Any,
    target: Any,
    n_select: int,
    n_top_activating: int = 100,
    n_zero_activating: int | None = None,
    **kwargs: Any,
) -> Selection:
    """The neurons with the largest difference in mean target, in absolute value.

    Parameters
    ----------
    activations : array, n x m
    target : array, n
    n_select : int
        How many neurons are wanted.
    n_top_activating : int
        Of the texts on which a neuron fires (activation above 0), at most so many count: those on
        which it fires most strongly.
    n_zero_activating : int, optional
        Of the texts on which it does not (activation 0), a random sample of so many counts, all if
        there are fewer; None: all.
    **kwargs
        `seed` of that sample, 0 by default. Options of other methods change nothing here.

    Returns
    -------
    (list of int, list of float)
        Neurons and differences, in the unit of the target. A neuron that fires on no text, or on
        all, has none and is never chosen.
    """
    _check_options(kwargs)
    z, y = _arguments(activations, target, n_select)
    n_top = whole(n_top_activating, "n_top_activating", 1)
    if n_zero_activating is None:
        return _ranked(z, y, n_select, "separation_score", False, n_top=n_top)
    n_zero = whole(n_zero_activating, "n_zero_activating", 1)
    random = np.random.default_rng(kwargs.get("seed", 0))
    scores = np.array([_separation(column, y, n_top, n_zero, random) for column in z.T])
    return _best(np.argsort(-np.abs(scores), kind="stable"), scores, n_select)


def select_neurons_custom(
    activations: Any, target: Any, n_select: int, metric_fn: Callable[[Array, Array], float]
) -> Selection:
    """The neurons with the largest value of a function of your own.

    Parameters
    ----------
    activations : array, n x m
    target : array, n
    n_select : int
        How many neurons are wanted.
    metric_fn : callable
        Given the activations of a neuron and the target, both as NumPy arrays of n values, returns
        its score. A neuron whose score is NaN is never chosen.

    Returns
    -------
    (list of int, list of float)
        Neurons and scores, the largest **last**.
    """
    z, y = matrix(activations, "activations"), to_numpy(target)
    check_length(y, "target", len(z), "activations")
    whole(n_select, "n_select", 1)
    scores = np.array([float(metric_fn(z[:, j], y)) for j in range(z.shape[1])])
    neurons, found = _best(np.argsort(scores, kind="stable")[::-1], scores, n_select)
    return neurons[::-1], found[::-1]


def select_neurons(
    activations: Any,
    target: Any,
    n_select: int,
    method: str = "lasso",
    classification: bool = False,
    **kwargs: Any,
) -> Selection:
    """The neurons that tell most about the target, by one of several methods.

    Parameters
    ----------
    activations : array, n x m
    target : array, n
        Numbers, flags, or two words.
    n_select : int
        How many neurons are wanted.
    method : {"lasso", "correlation", "separation_score", "custom"}
    classification : bool
        Whether the target is two classes, of which the larger counts as 1.
    **kwargs
        Options of the method: see `select_neurons_lasso` and the others. `custom` needs
        `metric_fn`.

    Returns
    -------
    (list of int, list of float)
        Neurons and what each scores: a coefficient, correlation, difference, or your own.
    """
    if classification:
        # Refuses a target of more than two classes for every method.
        _labels.target(target, True, "target")
    if method == "lasso":
        return select_neurons_lasso(
            activations, target, n_select, classification=classification, **kwargs
        )
    if method == "correlation":
        return select_neurons_correlation(activations, target, n_select, **kwargs)
    if method == "separation_score":
        return select_neurons_separation_score(activations, target, n_select, **kwargs)
    if method == "custom":
        if "metric_fn" not in kwargs:
            raise OptionError("the method `custom` needs `metric_fn`: a function (column, target)")
        return select_neurons_custom(activations, target, n_select, **kwargs)
    raise OptionError(f"`method` is `{method}`: choose one of {', '.join(METHODS)}")


def _arguments(
    activations: Any, target: Any, n_select: int, classification: bool = False
) -> tuple[Array, Floats]:
    z = matrix(activations, "activations")
    known = _labels.target(target, classification, "target")
    known.say()
    check_length(known.y, "target", len(z), "activations")
    check_finite(z, "activations")
    whole(n_select, "n_select", 1)
    return z, known.y


def _ranked(
    z: Array,
    y: Floats,
    n_select: int,
    method: str,
    classification: bool,
    alpha: float | None = None,
    verbose: bool = False,
    n_top: int | None = None,
) -> Selection:
    bar = Bar("Selecting neurons", show=verbose)
    try:
        neurons, scores, penalty, messages = _native.select(
            z, y, n_select, method, classification, alpha, n_top, bar
        )
    finally:
        bar.close()
    if verbose and penalty is not None:
        progress.say(f"L1 penalty alpha = {penalty:.2e}: {len(neurons)} neurons")
    for message in messages:
        progress.say(f"Warning: {message}")
    return neurons, scores


def _separation(
    column: Array, y: Floats, n_top: int, n_zero: int, random: np.random.Generator
) -> float:
    fires, silent = np.flatnonzero(column > 0), np.flatnonzero(column == 0)
    if not len(fires) or not len(silent):
        return np.nan
    top = fires[np.argsort(-column[fires], kind="stable")[:n_top]]
    if n_zero < len(silent):
        silent = random.choice(silent, n_zero, replace=False)
    return float(y[top].mean() - y[silent].mean())


def _best(order: Array, scores: Floats, n_select: int) -> Selection:
    """The first `n_select` of `order` that have a score."""
    chosen = [int(j) for j in order if not np.isnan(scores[j])][:n_select]
    if len(chosen) < n_select:
        progress.say(
            f"Warning: {len(chosen)} neurons selected instead of {n_select}: no more have a score"
        )
    return chosen, [float(scores[j]) for j in chosen]


def _check_options(given: dict[str, Any]) -> None:
    for name in given:
        if name not in _OPTIONS:
            near = get_close_matches(name, _OPTIONS, 1)
            hint = f", did you mean `{near[0]}`?" if near else f": there are {', '.join(_OPTIONS)}"
            raise OptionError(f"no method takes `{name}`{hint}")
