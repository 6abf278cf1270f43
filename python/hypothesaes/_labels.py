"""What the labels are: every one is looked at, always with the same result. In go numbers, flags or
words, out come numbers, whether they are two classes, and which class counts as 1."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from . import progress
from ._arrays import Array, Floats, to_numpy
from ._asked import is_missing
from .errors import DataError, OptionError


@dataclass(frozen=True)
class Target:
    """Labels as numbers."""

    y: Floats
    """n; 0 and 1 if `classification`."""
    classification: bool
    note: str
    """Which class counts as 1, where that is not evident; else empty."""

    def say(self) -> None:
        """Print the note, if there is one."""
        if self.note:
            progress.say(self.note)


def target(labels: Any, classification: bool | None = None, name: str = "labels") -> Target:
    """Reads labels; `classification`: what the user says they are, None: what they look like.

    Two classes are what is 0 and 1, -1 and 1, true and false, or two words, as numbers or as text.
    The larger number, or the later word, counts as 1.

    Raises
    ------
    DataError
        If a label is missing, or is neither a number nor one of two words, or all are equal.
    OptionError
        If they are not two classes though `classification` says so.
    """
    numbers, words, is_flags = _read(labels, name)
    distinct = np.unique(numbers)
    shown = words or [f"{value:g}" for value in distinct[:2]]
    if len(distinct) == 1:
        raise DataError(f"`{name}` is `{shown[0]}` in every row: they must vary")
    looks_so = bool(words) or is_flags or set(distinct.tolist()) in ({0.0, 1.0}, {-1.0, 1.0})
    if not (looks_so if classification is None else classification):
        return Target(numbers, False, _note(name, shown) if words else "")
    if len(distinct) > 2:
        raise OptionError(
            f"`classification` is `True`, but `{name}` has {len(distinct)} values: compare one "
            "class with all others, or pass `classification=False`"
        )
    y = (numbers == distinct[1]).astype(np.float64)
    evident = is_flags or distinct.tolist() == [0.0, 1.0] and not words
    return Target(y, True, "" if evident else _note(name, shown))


def _note(name: str, shown: list[str]) -> str:
    return f"`{name}`: two classes, {shown[0]} and {shown[1]}; {shown[1]} counts as 1"


def _read(labels: Any, name: str) -> tuple[Floats, list[str], bool]:
    """Numbers, the two words that they stand for if they do, and whether they are flags."""
    found = to_numpy(labels)
    if found.ndim == 2 and found.shape[1] == 1:
        found = found[:, 0]
    if found.ndim != 1:
        raise DataError(f"`{name}` has the shape {found.shape}, and one value per text is needed")
    if len(found) == 0:
        raise DataError(f"`{name}` is empty")
    if found.dtype.kind in "biuf":
        numbers = found.astype(np.float64)
        _check(numbers, found, name)
        return numbers, [], found.dtype.kind == "b"
    return _of_objects(found.tolist(), name)


def _of_objects(values: list[Any], name: str) -> tuple[Floats, list[str], bool]:
    parsed = [_parse(value) for value in values]
    words = sorted({value for value in parsed if isinstance(value, str)})
    if not words:
        numbers = np.array([np.nan if value is None else value for value in parsed], np.float64)
        _check(numbers, values, name)
        return numbers, [], all(isinstance(value, (bool, np.bool_)) for value in values)
    missing = [row for row, value in enumerate(parsed) if value is None]
    if missing:
        raise _missing(name, missing[0], len(missing))
    if any(not isinstance(value, str) for value in parsed):
        row = next(row for row, value in enumerate(parsed) if isinstance(value, str))
        raise DataError(
            f"`{name}` is `{values[row]}` at row {row}, which is no number as others are"
        )
    if len(words) > 2:
        listed = ", ".join(f"`{word}`" for word in words[:4])
        raise DataError(
            f"`{name}` has {len(words)} words without an order, such as {listed}: compare one "
            "class with all others, as in `labels == 'WORD'`"
        )
    numbers = np.array([float(value == words[-1]) for value in parsed])
    return numbers, words, words == ["false", "true"]


def _parse(value: Any) -> float | str | None:
    """A number, a word, or None for what is missing; "0", " 0" and 0 are the same label."""
    if is_missing(value):
        return None
    if not isinstance(value, str):
        try:
            return float(value)
        except (TypeError, ValueError):
            return str(value)
    text = value.strip()
    if text.lower() in ("", "na", "nan", "null", "none"):
        return None
    if text.lower() in ("true", "false"):
        return text.lower()
    try:
        return float(text)
    except ValueError:
        return text


def _check(numbers: Floats, values: Array | list[Any], name: str) -> None:
    missing = np.flatnonzero(np.isnan(numbers))
    if len(missing):
        raise _missing(name, int(missing[0]), len(missing))
    infinite = np.flatnonzero(np.isinf(numbers))
    if len(infinite):
        row = infinite[0]
        raise DataError(f"`{name}` is `{values[row]}` at row {row}: it must be finite")


def _missing(name: str, row: int, n: int) -> DataError:
    others = f" and in {n - 1} more rows" if n > 1 else ""
    return DataError(f"`{name}` is missing at row {row}{others}: leave such rows out")
