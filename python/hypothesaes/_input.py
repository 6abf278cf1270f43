"""The user's data as a file that the library reads: a data frame or a path goes in, a path and the
names of its columns come out."""

from __future__ import annotations

import math
import os
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from difflib import get_close_matches
from typing import Any

from . import _frames, _native
from .errors import ColumnError, DataError, OptionError

_INPUTS = "inputs"
_SHOWN = 20
"""Names of columns in a message, at most."""


@dataclass(frozen=True)
class Input:
    """What is to be read."""

    path: str
    columns: Mapping[str, Any]
    """The names of its columns by what they serve for, as in `ROLES`; None if nothing does."""
    kind: str
    """The kind of data frame that results come in."""


def prepare(data: Any, asked: Mapping[str, Any], beside: str) -> Input:
    """The input of a run; a data frame is written to a file in a folder of `beside`.

    `asked` has the user's names of columns, or None, for each of `ROLES`.

    Raises
    ------
    ColumnError
        A data frame lacks a column. The columns of a file are looked for when it is read.
    """
    if isinstance(data, (str, os.PathLike)):
        return Input(os.path.expanduser(os.fspath(data)), asked, _frames.kind())
    kind = _frames.kind(data)
    data = readable(data)
    found = _found(asked, _frames.names(data))
    # No other column is written: these alone decide whether a run is the same.
    readers = _readers(found)
    table = _table(data, list(readers), tuple(readers.values()))
    return Input(_write(table, found["target"], beside), found, kind)


def _found(asked: Mapping[str, Any], there: Sequence[str]) -> dict[str, Any]:
    """The columns that are there for each of `ROLES`."""
    found: dict[str, Any] = {}
    for role in ROLES:
        names = asked[role]
        if role in _USUAL or (names is not None and role not in _SEVERAL):
            found[role] = named(names, role, there, _USUAL.get(role, ()))
        elif names is None:
            found[role] = None
        else:
            # An option may name one by itself, as an argument does.
            listed = [names] if isinstance(names, (str, int)) else names
            found[role] = [named(name, role, there) for name in listed]
    return found


def _readers(found: Mapping[str, Any]) -> dict[str, Callable[[Any], Any]]:
    """What reads each column that is to be written; one that serves twice is written once.

    Raises
    ------
    OptionError
        Two roles want one column that cannot serve for both.
    """
    readers: dict[str, Callable[[Any], Any]] = {}
    role_of: dict[str, str] = {}
    for role in ROLES:
        names = found[role] if role in _SEVERAL else [found[role]]
        for name in names or ():
            if name is None:
                continue
            other = role_of.setdefault(name, role)
            if other != role and {other, role} & set(_ALONE):
                raise OptionError(
                    f"`{name}` is named twice: as `{other}` and as `{role}`, which are different "
                    "columns"
                )
            # A group may be of numbers too, which another role wants as they are.
            if name not in readers or readers[name] is _group:
                readers[name] = ROLES[role]
    return readers


def readable(data: Any) -> Any:
    """`data` as something whose columns have names and can be read more than once."""
    module = _module(data)
    if module == "polars" and hasattr(data, "collect"):
        return data.collect()
    if isinstance(data, (Mapping, _native.Table)):
        return data
    if module in ("pandas", "polars", "pyarrow") and hasattr(data, "columns"):
        return data
    if hasattr(data, "__arrow_c_stream__"):
        return _native.Table.from_stream(data)
    raise DataError(
        f"the data are a `{type(data).__name__}`: pass a pandas or polars data frame, an Arrow "
        "table, a mapping of columns, or the path of a file"
    )


def named(name: Any, argument: str, there: Sequence[str], usual: Sequence[str] = ()) -> str:
    """The column that `argument` names, or the usual one if it names none."""
    shown = "`, `".join(there[:_SHOWN]) + ("`, ..." if len(there) > _SHOWN else "`")
    if name is None:
        found = next((column for column in there if column.lower() in usual), None)
        if found is None:
            raise ColumnError(
                f"say which column is the {argument}: `{argument}=`; there are `{shown}"
            )
        return found
    asked = str(name)
    if there.count(asked) > 1:
        raise ColumnError(f"there are several columns `{asked}`: rename them, so that one is meant")
    if asked in there:
        return asked
    near = get_close_matches(asked, there, n=3, cutoff=0.5)
    hint = f"did you mean `{'` or `'.join(near)}`? " if near else ""
    raise ColumnError(
        f"`{argument}` names the column `{asked}`, which is not there; {hint}there are `{shown}"
    )


def texts(data: Any, name: str) -> list[str | None]:
    """A column of texts; None is missing."""
    values = _table(data, [name], (_text,)).column(name)
    return [None if v is None else _checked(v, _text, name, row) for row, v in enumerate(values)]


def _table(data: Any, names: list[str], read: Sequence[Callable[[Any], Any]]) -> _native.Table:
    """Some columns of `data`; what is no Arrow table is read value by value."""
    if not isinstance(data, Mapping) and _module(data) != "pandas":
        part = data.select(names)
        if isinstance(part, _native.Table):
            return part
        return _native.Table.from_stream(_spelled_out(part) if _module(part) == "polars" else part)
    columns = [_column(data, name, of) for name, of in zip(names, read)]
    if len({len(column) for column in columns}) > 1:
        told = ", ".join(f"`{name}` {len(column)}" for name, column in zip(names, columns))
        raise DataError(f"columns differ in length: {told}")
    return _native.Table.from_columns(names, columns)


def _spelled_out(frame: Any) -> Any:
    """A polars frame whose categories are texts, as files know them."""
    import polars

    return frame.with_columns(polars.col(polars.Categorical, polars.Enum).cast(polars.String))


def _column(data: Any, name: str, read: Callable[[Any], Any]) -> list[Any]:
    # The labels of a pandas frame need not be texts.
    labels = data if isinstance(data, Mapping) else data.columns
    label = next(label for label in labels if str(label) == name)
    values = [_plain(value) for value in _frames.column(data, label)]
    return [None if v is None else _checked(v, read, name, row) for row, v in enumerate(values)]


def _checked(value: Any, read: Callable[[Any], Any], name: str, row: int) -> Any:
    try:
        return read(value)
    except TypeError as why:
        shown = repr(value) if len(repr(value)) < 60 else repr(value)[:57] + "..."
        raise DataError(f"column `{name}`, row {row} (from 0): `{shown}` is {why}") from None


def _plain(value: Any) -> Any:
    """A value without NumPy around it; None for what is not a number."""
    if hasattr(value, "item") and not isinstance(value, (str, bytes)):
        value = value.item()
    return None if isinstance(value, float) and math.isnan(value) else value


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    raise TypeError(f"a {type(value).__name__}, not a text: turn the column into text")


def _target(value: Any) -> bool | int | float | str:
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, (bool, int, float, str)):
        return value
    raise TypeError(f"a {type(value).__name__}: a target is a number or a text")


def _number(value: Any) -> bool | int | float | str:
    if isinstance(value, (Decimal, bool, int, float, str)):
        return _target(value)
    raise TypeError(f"a {type(value).__name__}, not a number")


def _control(value: Any) -> bool | int | float | str:
    if isinstance(value, (Decimal, bool, int, float, str)):
        return _target(value)
    raise TypeError(f"a {type(value).__name__}: a control is a number, a flag or a text")


def _group(value: Any) -> str:
    # Equal values stay together, whatever they are.
    return str(value)


def _category(value: Any) -> bool | int | float | str:
    # Numbers stay numbers, by whose size their levels are ordered.
    return value if isinstance(value, (bool, int, float, str)) else str(value)


ROLES: Mapping[str, Callable[[Any], Any]] = {
    "text": _text,
    "target": _target,
    "group": _group,
    "text_b": _text,
    "weight": _number,
    "exposure": _number,
    "controls": _control,
    "fixed_effects": _category,
    "strata": _category,
}
"""What columns serve for, in the order in which they are written, and what reads their values."""

_USUAL = {"text": ("text",), "target": ("target", "label")}
"""What the columns that must be there are called if the user does not say."""

_SEVERAL = ("controls", "fixed_effects")
_ALONE = ("text", "target", "text_b")
"""What serves for these can serve for nothing else."""


def _write(table: _native.Table, target: str, beside: str) -> str:
    """Writes a data frame where the same one is found again.

    Which run directory goes with an input is told by the input's path (`_native.locate`), so that
    the file must lie somewhere before there is a run directory. It is called by what it holds:
    `runs/inputs/stars-0f3a5b7c9d1e.parquet`, to which belongs `runs/stars-0f3a5b7c9d1e-1`. The
    same frame gives the same name, and so finds what was made of it; another frame never
    overwrites it. A run directory does not need the file once its data are read.
    """
    folder = os.path.normpath(os.path.join(beside, _INPUTS))
    os.makedirs(folder, exist_ok=True)
    unfinished = os.path.join(folder, f".{uuid.uuid4().hex}.parquet")
    try:
        digest = table.write(unfinished)
        path = os.path.join(folder, f"{safe(target)}-{digest[:12]}.parquet")
        if not os.path.exists(path):
            os.replace(unfinished, path)
    finally:
        if os.path.exists(unfinished):
            os.remove(unfinished)
    return path


def safe(name: str) -> str:
    """`name` with nothing in it that a path or a LaTeX label minds."""
    kept = "".join(c if c.isascii() and c.isalnum() else "-" for c in name).strip("-")
    return kept[:40] or "data"


def _module(data: Any) -> str:
    return type(data).__module__.partition(".")[0]
