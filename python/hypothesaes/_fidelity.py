"""How well annotations of an interpretation agree with the neuron that it is of."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ._sampling import Examples
from .errors import ColumnError

METRICS = ("recall", "precision", "f1", "correlation")
"""Those of the original."""

_NEEDED = ("positive_texts", "negative_texts", "positive_activations", "negative_activations")
_CUT = "[... rest of text is truncated]"


@dataclass
class Scored:
    """The texts on which the interpretations of a neuron are scored."""

    texts: list[str]
    activations: npt.NDArray[Any]
    is_positive: npt.NDArray[np.bool_]
    rests: npt.NDArray[np.bool_]
    """Texts on which the choice between interpretations rests."""
    reports: npt.NDArray[np.bool_]
    """Texts that say how good the chosen one is."""
    share: float
    """Of all texts, those that fire the neuron."""

    @staticmethod
    def of(examples: Examples, shown: Collection[str], is_chosen: bool, share: float) -> Scored:
        """`shown`: texts that the interpreter saw; `is_chosen`: whether there are several
        interpretations, of which one will be chosen."""
        absent = [name for name in _NEEDED if name not in examples]
        if absent:
            raise ColumnError(
                f"the sampling function gives no `{absent[0]}`: to score interpretations it must "
                f"return {', '.join(f'`{name}`' for name in _NEEDED)}"
            )
        positive, negative, strong, weak = (list(examples[name]) for name in _NEEDED)
        is_positive = np.repeat([True, False], [len(positive), len(negative)])
        texts = [*positive, *negative]
        seen = np.array([_is_among(text, shown) for text in texts], dtype=bool)
        second = np.array([*np.arange(len(positive)), *np.arange(len(negative))]) % 2 == 1
        reports = ~seen & second if is_chosen else ~seen
        rests = ~reports if is_chosen else np.ones(len(texts), dtype=bool)
        return Scored(texts, np.array([*strong, *weak]), is_positive, rests, reports, share)

    def metrics(self, values: Sequence[int | None]) -> dict[str, float]:
        """What annotations of the texts come to.

        The original's four figures, of all texts. Then: `n_scored`, `n_missing`; the four again
        with `_choice`, of the texts on which a choice between interpretations may rest, and with
        `_reported`, of other texts, none of which the interpreter was shown; `precision_weighted`
        and `f1_weighted`, which are of these too, with texts that fire the neuron and texts that
        do not in the shares in which they come. NaN where a figure cannot be told.
        """
        there = np.array([value is not None for value in values], dtype=bool)
        is_true = np.array([bool(value) for value in values], dtype=bool)
        found = {name: 0.0 if value != value else value for name, value in self._of(is_true, there)}
        found["n_scored"] = float(there.sum())
        found["n_missing"] = float((~there).sum())
        for part, rows in (("choice", self.rests), ("reported", self.reports)):
            found.update((f"{name}_{part}", v) for name, v in self._of(is_true, there & rows))
        return {**found, **self._weighted(is_true, there & self.reports)}

    def _of(
        self, is_true: npt.NDArray[np.bool_], rows: npt.NDArray[np.bool_]
    ) -> list[tuple[str, float]]:
        annotated, positive = is_true[rows], self.is_positive[rows]
        strength = self.activations[rows]
        if positive.all() or not positive.any():
            return [(name, float("nan")) for name in METRICS]
        hits = float((annotated & positive).sum())
        recall = hits / positive.sum()
        precision = hits / annotated.sum() if annotated.any() else 0.0
        varies = annotated.any() and not annotated.all() and np.ptp(strength) > 0
        correlation = np.corrcoef(strength, annotated)[0, 1] if varies else 0.0
        values = (recall, precision, _f1(recall, precision), correlation)
        return [(name, float(value)) for name, value in zip(METRICS, values)]

    def _weighted(
        self, is_true: npt.NDArray[np.bool_], rows: npt.NDArray[np.bool_]
    ) -> dict[str, float]:
        positive, negative = is_true[rows & self.is_positive], is_true[rows & ~self.is_positive]
        precision = f1 = float("nan")
        if len(positive) and len(negative):
            hits = self.share * float(positive.mean())
            alarms = (1 - self.share) * float(negative.mean())
            precision = hits / (hits + alarms) if hits + alarms > 0 else 0.0
            f1 = _f1(float(positive.mean()), precision)
        return {"precision_weighted": precision, "f1_weighted": f1}


def nothing() -> dict[str, float]:
    """The figures of an interpretation that is missing: the original's are 0."""
    of_parts = [f"{name}_{part}" for part in ("choice", "reported") for name in METRICS]
    untold = [*of_parts, "precision_weighted", "f1_weighted"]
    zero = [*METRICS, "n_scored", "n_missing"]
    return {**dict.fromkeys(zero, 0.0), **dict.fromkeys(untold, float("nan"))}


def _f1(recall: float, precision: float) -> float:
    return 2 * recall * precision / (recall + precision) if recall + precision > 0 else 0.0


def _is_among(text: str, shown: Collection[str]) -> bool:
    """Whether the interpreter saw this text, though each may have been cut at a word of its own."""
    if text in shown:
        return True
    words = " ".join(text.removesuffix(_CUT).split())
    for other in shown:
        start = " ".join(other.removesuffix(_CUT).split())
        is_start = other.endswith(_CUT) and words.startswith(start)
        if is_start or (text.endswith(_CUT) and start.startswith(words)):
            return True
    return False
