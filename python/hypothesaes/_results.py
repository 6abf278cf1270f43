"""The table and the figures that `score_hypotheses` returns, made of the statistics."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from . import _frames, _native, progress
from ._arrays import Floats
from ._labels import Target
from ._statistics import Estimate, Joint, Separation, Term, are_pairs, joint, separation

_ALPHA = 0.05
"""A hypothesis holds if its separation's p-value after Holm is below this."""

_WORDS = ("hypothesis", "interpretation", "regression_vcov", "status", "warning")
"""Columns of text."""

_ADJUSTED = ("holm", "bh", "bonferroni")


def scored(
    names: Sequence[str | None],
    columns: Sequence[Floats],
    y: Target,
    threshold: float,
    *,
    print_summary: bool = False,
    like: Any = None,
    extra: dict[str, list[Any]] | None = None,
) -> tuple[dict[str, Any], Any]:
    """What `score_hypotheses` returns; two hypotheses of one name stay two.

    `extra`: more columns to the right. `like`: see `_frames.kind`.
    """
    pairs = are_pairs(columns)
    separations = [separation(column, y.y, pairs) for column in columns]
    regression = joint(columns, y.y, y.classification)
    if print_summary:
        progress.say(summary(names, regression))
    threshold = threshold / len(names)
    below = [t for t in regression.terms if t.classical_p is not None and t.classical_p < threshold]
    fit = fit_metrics(regression, y.classification)
    in_sample = {name: value for name, value in fit.items() if "_cross_fitted" not in name}
    metrics: dict[str, Any] = {**in_sample, "Significant": (len(below), len(names), threshold)}
    metrics.update({name: value for name, value in fit.items() if name not in metrics})
    metrics["n"] = regression.n
    metrics["n_incomplete"] = len(y.y) - regression.n if regression.n else 0
    if regression.message:
        metrics["note"] = regression.message
    table = _table(names, separations, regression)
    return metrics, ordered({**table, **(extra or {})}, "separation_score", like)


def fit_metrics(joint: Joint, classification: bool) -> dict[str, float]:
    """The regression's metrics, NaN if there is no regression."""
    expected = ("auroc", "auprc", "r2") if classification else ("r2",)
    return joint.metrics or dict.fromkeys(expected, np.nan)


def summary(names: Sequence[str | None], joint: Joint) -> str:
    """The regression as lines of text: `regression_std_error` and `regression_p_value`."""
    heads = f"{'coef':>10} {'std error':>10} {'p value':>10}  hypothesis"
    lines = [f"{heads}   ({joint.n} texts; errors that do not trust the model)"]
    for name, term in zip(names, joint.terms):
        e = term.estimate
        numbers = (e.get("value", term.value), e.get("std_error"), e.get("p_value"))
        shown = " ".join(f"{term.status if v is None else format(v, '.4g'):>10}" for v in numbers)
        lines.append(f"{shown}  {name}")
    return "\n".join([*lines, joint.message] if joint.message else lines)


def ordered(columns: dict[str, list[Any]], by: str, like: Any) -> Any:
    """A data frame with the largest `by` first, ties and missing ones in the order they have.

    A pandas frame keeps the places of its rows before that as its index, as the original does.
    """
    of = columns[by]
    order = sorted(range(len(of)), key=lambda i: (of[i] is None, 0 if of[i] is None else -of[i]))
    found = frame({name: [column[i] for i in order] for name, column in columns.items()}, like)
    if _frames.kind(like) == "pandas":
        found.index = order
    return found


def frame(columns: dict[str, list[Any]], like: Any) -> Any:
    """A data frame of the kind of `like`, with what is missing as that kind has it."""
    which = _frames.kind(like)
    return _frames.frame({n: _shown(n, values, which) for n, values in columns.items()}, which)


def _shown(name: str, values: list[Any], which: str) -> Any:
    if which != "pandas":
        # Columns hold numbers or text there.
        return [str(v) if isinstance(v, (tuple, list)) else v for v in values]
    is_text = name in _WORDS or any(isinstance(v, (str, list, tuple)) for v in values)
    if is_text or None not in values:
        return values
    return np.array([np.nan if value is None else value for value in values], np.float64)


def _table(
    names: Sequence[str | None], separations: Sequence[Separation], joint: Joint
) -> dict[str, list[Any]]:
    of_separations = _estimates("separation", [s.estimate for s in separations])
    of_terms = _estimates("regression", [term.estimate for term in joint.terms])

    def each(value: Callable[[Separation], Any]) -> list[Any]:
        return [value(one) for one in separations]

    holm = of_separations["separation_p_holm"]
    return {
        "hypothesis": list(names),
        "separation_score": each(lambda s: s.value),
        "separation_pval": each(lambda s: s.student_p),
        "regression_coef": [term.value for term in joint.terms],
        "regression_pval": [term.classical_p for term in joint.terms],
        "feature_prevalence": each(lambda s: s.prevalence),
        **of_separations,
        **of_terms,
        "regression_vcov": [term.variance for term in joint.terms],
        "mean_present": each(lambda s: s.mean_present),
        "mean_absent": each(lambda s: s.mean_absent),
        "n": each(lambda s: s.n),
        "n_present": each(lambda s: s.n_present),
        "n_absent": each(lambda s: s.n_absent),
        "n_missing": each(lambda s: s.n_missing),
        "status": [_status(term, p) for term, p in zip(joint.terms, holm)],
        "warning": [
            _warning(name, s, term, names)
            for name, s, term in zip(names, separations, joint.terms)
        ],
    }


def _estimates(name: str, estimates: Sequence[Estimate]) -> dict[str, list[float | None]]:
    """Error, interval and p-values of a column of estimates."""
    p = [e.get("p_value") for e in estimates]
    adjusted = _native.adjust(p)
    return {
        f"{name}_std_error": [e.get("std_error") for e in estimates],
        f"{name}_conf_low": [e.get("conf_low") for e in estimates],
        f"{name}_conf_high": [e.get("conf_high") for e in estimates],
        f"{name}_p_value": p,
        **{f"{name}_p_{how}": adjusted[how] for how in _ADJUSTED},
    }


def _status(term: Term, holm: float | None) -> str:
    # What is the same on the texts with all annotations may still vary on its own.
    if term.status == "aliased" or (term.status == "constant" and holm is None):
        return term.status
    if holm is None:
        return "untested"
    return "holds" if holm < _ALPHA else "does_not_hold"


def _warning(
    name: str | None, separation: Separation, term: Term, names: Sequence[str | None]
) -> str:
    found = ["there is no wording"] if name is None else list(separation.warnings)
    if term.status == "aliased":
        others = f"`{names[term.of[0]]}`" if len(term.of) == 1 else "others together"
        found.append(f"its annotations follow from those of {others}: it has no coefficient")
    elif term.status == "constant" and separation.n_present and separation.n_absent:
        found.append("the same for all texts with all annotations: it has no coefficient")
    elif term.variance == "profile":
        found.append("few of its texts are of one class: the test is of a penalised (Firth) fit")
    elif term.status == "fitted" and term.estimate.get("std_error") is None and not term.variance:
        found.append("one text decides its coefficient, which cannot be tested")
    return "; ".join(found)
