"""What annotations tell of a target: each hypothesis by itself, and all of them together.

In go columns of 1 (true), 0 (false), NaN (missing), for pairs of texts also -1, and a target. A
missing annotation is left out where it is missing, and nowhere else. Tables and words are made in
`evaluation`.

Pairs: a column is 1 where the first text alone has the concept, -1 where the second alone has it, 0
where both or neither do; the target says how the first compares with the second. Nothing here
changes if the two texts of a pair change places.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from . import _native
from ._arrays import Floats
from .errors import DataError

LEVEL = 0.95
"""Coverage of every interval."""

_FOLDS = 10
_SEED = 0
_FEW = 10
"""Fewer texts than this on one side of a hypothesis are warned of."""

Estimate = dict[str, Any]
"""std_error, p_value, conf_low, conf_high, ... as the library has them; None is not known."""


@dataclass
class Separation:
    """Mean target where a hypothesis is true, minus the mean where it is not."""

    value: float | None
    student_p: float | None
    """Of Student's t with equal variances, as the original has it."""
    estimate: Estimate
    mean_present: float | None
    mean_absent: float | None
    n: int
    """Annotations that are there."""
    n_present: int
    n_absent: int
    n_missing: int
    prevalence: float | None
    """Share of the annotations that are not 0."""
    warnings: list[str]


@dataclass
class Term:
    """A hypothesis in the regression."""

    status: str
    """fitted, constant, aliased (by the hypothesis `of`, or by several) or untested."""
    estimate: Estimate = field(default_factory=dict)
    """With the value."""
    value: float | None = None
    """What the original reports: the coefficient of the plain fit, and its p-value that trusts the
    model; of the penalised fit where the plain one has no solution."""
    classical_p: float | None = None
    variance: str | None = None
    """Where the standard error comes from: hc3, classical, or profile (of a penalised fit)."""
    of: list[int] = field(default_factory=list)


@dataclass
class Joint:
    """A regression on all hypotheses that can be told apart."""

    terms: list[Term]
    n: int = 0
    """Texts with all annotations."""
    metrics: dict[str, float] = field(default_factory=dict)
    message: str = ""
    """Why there is no regression, or what to know of it."""


def are_pairs(columns: Sequence[Floats]) -> bool:
    """Whether any annotation is -1."""
    return any(bool((column == -1).any()) for column in columns)


def middle(y: Floats) -> float:
    """The target of two texts that are alike: 1/2 between 0 and 1, else 0, as of a difference."""
    return 0.5 if y.min() >= 0 and y.max() <= 1 else 0.0


def separation(column: Floats, y: Floats, pairs: bool) -> Separation:
    """The separation of one hypothesis."""
    known = ~np.isnan(column)
    present, absent = y[column == 1], y[column == 0]
    if pairs:
        centre = middle(y)
        present = np.concatenate([present, 2 * centre - y[column == -1]])
        found = _against(present, centre)
        mean_absent: float | None = centre
    else:
        found = {}
        if len(present) and len(absent):
            found = json.loads(_native.mean_difference(present, absent, LEVEL))
        mean_absent = float(absent.mean()) if len(absent) else None
    n = int(known.sum())
    return Separation(
        value=found.get("value"),
        student_p=found.get("pooled_p"),
        estimate=found,
        mean_present=float(present.mean()) if len(present) else None,
        mean_absent=mean_absent,
        n=n,
        n_present=len(present),
        n_absent=len(absent),
        n_missing=len(column) - n,
        prevalence=float((column[known] != 0).mean()) if n else None,
        warnings=_warnings(column[known], len(present), len(absent), len(column) - n, pairs),
    )


def _against(values: Floats, centre: float) -> Estimate:
    """Mean minus `centre`, with Student's t of one sample."""
    if not len(values):
        return {}
    if np.ptp(values) == 0:
        return _unanimous(values, centre)
    # The intercept of a regression without columns is the mean.
    nothing = np.empty((0, len(values)))
    term = json.loads(_native.regress(nothing, values - centre, "ols", LEVEL))["terms"][0]
    return {**term["estimate"], "pooled_p": term["classical_p"]}


def _unanimous(values: Floats, centre: float) -> Estimate:
    """Without any spread there is no t; of pairs that all went one way there is the sign test."""
    value = float(values[0]) - centre
    p = min(1.0, 2 * 0.5 ** len(values)) if value else 1.0
    return {"value": value, "p_value": p, "pooled_p": p}


def _warnings(
    known: Floats, n_present: int, n_absent: int, n_missing: int, pairs: bool
) -> list[str]:
    found = []
    if n_missing:
        found.append(f"{n_missing} annotations are missing")
    what = "pairs tell for or against it" if pairs else "texts have it"
    if len(known) > n_present + n_absent:
        found.append("some annotations are neither 1 nor 0: the separation leaves them out")
    elif not len(known):
        pass
    elif not n_present:
        found.append(f"no {what}")
    elif n_present < _FEW:
        found.append(f"only {n_present} {what}")
    elif not pairs and not n_absent:
        found.append("all texts have it")
    elif not pairs and n_absent < _FEW:
        found.append(f"all but {n_absent} texts have it")
    return found


def joint(columns: Sequence[Floats], y: Floats, classification: bool) -> Joint:
    """Least squares, or a logit for two classes, on all hypotheses that vary.

    Texts that lack an annotation of one of them are left out.
    """
    found = Joint([Term(_kind(column)) for column in columns])
    varying = [j for j, term in enumerate(found.terms) if term.status == "fitted"]
    if not varying:
        found.message = "no hypothesis tells the texts apart"
        return found
    rows = ~np.isnan(np.stack([columns[j] for j in varying])).any(axis=0)
    design, target = np.stack([columns[j][rows] for j in varying]), y[rows]
    found.n = len(target)
    why = _obstacle(design, target)
    if not why:
        try:
            _fit(found, varying, design, target, "logit" if classification else "ols")
        except DataError as error:
            why = f"there is no regression ({error})"
    if why:
        found.message = why
        for j in varying:
            found.terms[j] = Term("untested")
    return found


def _kind(column: Floats) -> str:
    known = column[~np.isnan(column)]
    if not len(known):
        return "untested"
    return "fitted" if np.ptp(known) > 0 else "constant"


def _obstacle(design: npt.NDArray[Any], y: Floats) -> str:
    p, n = design.shape
    if n < p + 2:
        return f"{n} texts with all annotations are too few for a regression on {p} hypotheses"
    return "" if np.ptp(y) > 0 else "the target does not vary on the texts with all annotations"


def _fit(
    found: Joint, varying: Sequence[int], design: npt.NDArray[Any], y: Floats, model: str
) -> None:
    fit = json.loads(_native.regress(design, y, model, LEVEL))
    for j, term in zip(varying, fit["terms"][1:]):
        estimate = term.get("estimate", {})
        found.terms[j] = Term(
            term["status"],
            estimate,
            term.get("classical_value", estimate.get("value")),
            term.get("classical_p"),
            term.get("variance"),
            [varying[i] for i in term.get("of") or []],
        )
    if fit["penalised"]:
        found.message = "few texts of a class: the coefficients are penalised (Firth) estimates"
    found.metrics = _metrics(fit, design, y, model)


def _metrics(
    fit: dict[str, Any], design: npt.NDArray[Any], y: Floats, model: str
) -> dict[str, float]:
    fitted = np.array(fit["fitted"], np.float64)
    if model == "ols":
        found, most = {"r2": fit["r2"]}, len(y)
    else:
        area = _native.auc(y, fitted, LEVEL)
        found = {
            "auroc": area[0] if area else np.nan,
            "auprc": _or_nan(_native.average_precision(y, fitted)),
            "r2": fit["r2"],
        }
        # Every fold needs two of each class.
        most = int(min(y.sum(), len(y) - y.sum())) // 2
    crossed = _cross_fitted(design, y, model, min(_FOLDS, most))
    name = "r2" if model == "ols" else "auroc"
    ends = crossed[1:] if crossed else (np.nan, np.nan, np.nan)
    for end, value in zip(("", "_conf_low", "_conf_high"), ends):
        found[f"{name}_cross_fitted{end}"] = value
    return found


def _cross_fitted(
    design: npt.NDArray[Any], y: Floats, model: str, n_folds: int
) -> tuple[str, float, float, float] | None:
    if n_folds < 2:
        return None
    try:
        return _native.cross_fitted(design, y, model, n_folds, _SEED, LEVEL)
    except DataError:
        # The texts outside of some fold do not suffice for a fit.
        return None


def _or_nan(value: float | None) -> float:
    return np.nan if value is None else value
