"""What users pass as arrays and columns: lists, NumPy, torch tensors, pandas, polars. Out come
NumPy arrays, copied only where the type of their numbers has to change."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from .errors import DataError, OptionError

Array = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]


def to_numpy(values: Any) -> Array:
    """Any array, column or list as a NumPy array of its own shape; torch need not be imported."""
    if hasattr(values, "detach"):
        return _of_tensor(values)
    if hasattr(values, "to_numpy"):
        return np.asarray(values.to_numpy())
    if isinstance(values, (list, tuple)) and values and hasattr(values[0], "detach"):
        return np.stack([_of_tensor(value) for value in values])
    return np.asarray(values)


def matrix(values: Any, name: str, n_columns: int | None = None) -> Array:
    """Rows of numbers, n x d, as float32 or float64; whatever is one of them is not copied.

    Raises
    ------
    DataError
        If `values` is no table of numbers, or does not have `n_columns` columns.
    """
    try:
        found = to_numpy(values)
        if found.dtype not in (np.float32, np.float64):
            # What is not a number is refused, and not read as one.
            if found.dtype.kind not in "biufO":
                raise ValueError(f"it holds {found.dtype}")
            found = found.astype(np.float32 if found.dtype.itemsize < 4 else np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(f"`{name}` is no table of numbers: {_why(values, error)}") from None
    if found.ndim != 2:
        raise DataError(
            f"`{name}` has the shape {found.shape}, and rows x columns are needed: "
            "a single row is `[row]`"
        )
    if n_columns is not None and found.shape[1] != n_columns:
        raise DataError(f"`{name}` has {found.shape[1]} columns, {n_columns} expected")
    return found


def check_finite(values: Array, name: str) -> None:
    """Refuses NaN and infinity, naming the place of the first.

    Raises
    ------
    DataError
    """
    # A sum tells in one pass and without a second array whether there is anything to look for.
    with np.errstate(invalid="ignore", over="ignore"):
        if np.isfinite(values.sum(dtype=np.float64)):
            return
    places = np.argwhere(~np.isfinite(values))
    if len(places):
        at = ", column ".join(str(i) for i in places[0])
        value = values[tuple(places[0])]
        raise DataError(f"`{name}` has `{value}` at row {at}: mend it or leave the row out")


def check_length(values: Sequence[Any] | Array, name: str, n: int, other: str) -> None:
    """Refuses what does not have `n` rows, as `other` has.

    Raises
    ------
    DataError
    """
    if len(values) != n:
        raise DataError(f"`{name}` has {len(values)} rows and `{other}` has {n}: they must agree")


def whole(value: Any, name: str, low: int, high: int | None = None, why: str = "") -> int:
    """A whole number from `low` to `high`; `why`: where the upper end comes from.

    Raises
    ------
    OptionError
    """
    allowed = f"{low} or more" if high is None else f"{low} to {high}{f' ({why})' if why else ''}"
    is_whole = not isinstance(value, (bool, np.bool_)) and isinstance(value, (int, np.integer))
    if not is_whole or value < low or (high is not None and value > high):
        raise OptionError(f"`{name}` is `{value}`, allowed: {allowed}")
    return int(value)


def _of_tensor(tensor: Any) -> Array:
    tensor = tensor.detach().cpu()
    # NumPy has no such numbers.
    return np.asarray(tensor.float() if str(tensor.dtype) == "torch.bfloat16" else tensor)


def _why(values: Any, error: Exception) -> str:
    """The first row that has another length, or what NumPy says."""
    try:
        lengths = [len(row) for row in values]
    except TypeError:
        return str(error)
    other = next((i for i, length in enumerate(lengths) if length != lengths[0]), None)
    if other is None:
        return str(error)
    return f"row 0 has {lengths[0]} entries and row {other} has {lengths[other]}"
