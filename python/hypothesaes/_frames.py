"""Tables in the kind of data frame that the user has: pandas, polars, or the package's own."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any

from . import _native


def frame(columns: Mapping[str, Sequence[Any]], like: Any = None) -> Any:
    """A data frame of equally long columns, of the kind of `like` (see `kind`)."""
    which = kind(like)
    if which == "pandas":
        import pandas

        return pandas.DataFrame(dict(columns))
    if which == "polars":
        import polars

        return polars.DataFrame(dict(columns), strict=False)
    return _native.Table.from_columns(list(columns), [list(c) for c in columns.values()])


def from_table(table: _native.Table, like: Any = None) -> Any:
    """The same of a table of the library; polars takes it over without a copy."""
    which = kind(like)
    if which == "polars":
        import polars

        return polars.DataFrame(table)
    if which == "pandas":
        return frame({name: table.column(name) for name in table.names}, like)
    return table


def kind(like: Any = None) -> str:
    """`pandas`, `polars` or `table`: that of `like`, else pandas if it is installed, then polars.

    `like`: a data frame, or one of these three words.
    """
    if isinstance(like, str) and like in ("pandas", "polars", "table"):
        return like
    module = type(like).__module__.partition(".")[0]
    if module in ("pandas", "polars"):
        return module
    for name in ("pandas", "polars"):
        if name in sys.modules or _is_installed(name):
            return name
    return "table"


def column(data: Any, name: str) -> list[Any]:
    """A column of a data frame or mapping as Python values; None is missing."""
    if isinstance(data, _native.Table):
        return data.column(name)
    values = data[name]
    module = type(data).__module__.partition(".")[0]
    if module == "pandas":
        return [None if missing else v for v, missing in zip(values.tolist(), values.isna())]
    for method in ("to_list", "to_pylist", "tolist"):
        if hasattr(values, method):
            return list(getattr(values, method)())
    return list(values)


def names(data: Any) -> list[str]:
    """The names of the columns of a data frame or mapping."""
    if isinstance(data, _native.Table):
        return data.names
    columns = getattr(data, "column_names", None) or getattr(data, "columns", None)
    return [str(name) for name in (data if columns is None else columns)]


def _is_installed(name: str) -> bool:
    from importlib.util import find_spec

    return find_spec(name) is not None
