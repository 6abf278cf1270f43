"""Texts with what a run says of them: examples of a hypothesis, and its concepts in new texts."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from . import _frames, _input, _native, _own
from ._folder import Folder
from ._own import Row
from .errors import DataError, OptionError, RunError

_TESTED = ("present", "absent", "missing", "random")

Key = tuple[int, str]
"""A text: its row, and of pairs the side, a or b, else nothing."""


def examples(folder: Folder, hypothesis: str, kind: str, n: int, seed: int) -> Any:
    """At most `n` texts, as `Run.examples` describes them."""
    row = _found(_all(folder), hypothesis)
    kinds = _TESTED if row.get("neuron_id") is None else ("top", *_TESTED)
    if kind not in kinds:
        there = ", ".join(kinds)
        raise OptionError(f"`kind` is `{kind}`: of {row['hypothesis_id']} there are {there}")
    if n < 1:
        raise OptionError(f"`n` is `{n}`: ask for 1 or more")
    values = _values(folder, row)
    activations = _activations(folder, row) if kind == "top" else {}
    if kind == "top":
        # Equal activations in the order of the rows.
        chosen = sorted(activations, key=lambda key: (-activations[key], key))[:n]
    else:
        wanted = {"present": (1,), "absent": (0,), "missing": (None,), "random": (1, 0, None)}[kind]
        drawn = sorted(key for key, value in values.items() if value in wanted)
        chosen = random.Random(seed).sample(drawn, min(n, len(drawn)))
    return _shown(folder, chosen, values, activations)


def annotate(
    folder: Folder,
    data: Any,
    text: str | None,
    hypotheses: Sequence[str] | None,
    approve: Callable[[str], bool],
    watch: _native.Watch,
) -> Any:
    """`data` with a column for each hypothesis, as `Run.annotate` describes it."""
    data = _input.readable(_framed(data))
    there = _frames.names(data)
    usual = folder.option("data", "data.text")
    if text is None and usual in there:
        text = usual
    text = _input.named(text, "text", there, ("text",))
    rows = _chosen(folder, hypotheses)
    names = [row["hypothesis_id"].lower() for row in rows]
    if taken := [name for name in names if name in there]:
        raise DataError(f"the data have a column `{taken[0]}` already: rename it")
    texts = _input.texts(data, text)
    # A row without a text has no annotation; nothing is asked about it.
    full = [i for i, value in enumerate(texts) if value is not None and value.strip()]
    concepts, asked = [row["hypothesis"] for row in rows], [str(texts[i]) for i in full]
    found = _native.annotate_more(folder.path, concepts, asked, approve, watch)
    columns: dict[str, list[int | None]] = {}
    for name, answers in zip(names, found.tolist()):
        column: list[int | None] = [None] * len(texts)
        for i, answer in zip(full, answers):
            column[i] = None if answer < 0 else answer
        columns[name] = column
    return _joined(data, columns, folder.kind)


def _framed(data: Any) -> Any:
    """Texts alone, as a list or a column, with a name for their column."""
    if hasattr(data, "to_frame") and not hasattr(data, "columns"):
        return data.to_frame("text")
    if isinstance(data, Sequence) and not isinstance(data, (str, bytes)):
        return {"text": list(data)}
    return data


def _joined(data: Any, columns: Mapping[str, list[int | None]], kind: str) -> Any:
    """The user's data unchanged, with the columns to their right."""
    module = type(data).__module__.partition(".")[0]
    if module == "pandas":
        return data.assign(
            **{
                name: [math.nan if v is None else v for v in column] if None in column else column
                for name, column in columns.items()
            }
        )
    if module == "polars":
        import polars

        new = [polars.Series(name, column, dtype=polars.Int8) for name, column in columns.items()]
        return data.with_columns(new)
    own = {name: _frames.column(data, name) for name in _frames.names(data)}
    return _frames.frame({**own, **columns}, kind)


def _all(folder: Folder) -> list[Row]:
    """The run's hypotheses, and the user's own."""
    return _own.tested(folder) or _own.rows_of(folder.table("hypotheses"))


def _chosen(folder: Folder, ids: Sequence[str] | None) -> list[Row]:
    if ids is None:
        chosen = _own.rows_of(folder.table("hypotheses"))
    else:
        rows = _all(folder)
        chosen = [_found(rows, name) for name in ([ids] if isinstance(ids, str) else ids)]
    if not chosen:
        raise RunError(f"run directory `{folder.path}`: there is no hypothesis to annotate with")
    return list({row["hypothesis_id"]: row for row in chosen}.values())


def _found(rows: Sequence[Row], name: str) -> Row:
    by_id = {row["hypothesis_id"]: row for row in rows}
    if str(name).upper() in by_id:
        return by_id[str(name).upper()]
    raise OptionError(f"there is no hypothesis `{name}`: there are {', '.join(by_id) or 'none'}")


def _values(folder: Folder, row: Row) -> dict[Key, int | None]:
    """The annotation of every held-out text."""
    if row.get("source") == "user":
        return _own.annotations_of(folder, row["hypothesis"])
    table = folder.table("annotations")
    found = zip(table.column("hypothesis_id"), _keys(table), table.column("value"))
    values = {key: value for name, key, value in found if name == row["hypothesis_id"]}
    return {key: None if value is None else int(value) for key, value in values.items()}


def _activations(folder: Folder, row: Row) -> dict[Key, float]:
    table = folder.table("activations")
    found = zip(table.column("neuron_id"), _keys(table), table.column("activation"))
    return {key: activation for neuron, key, activation in found if neuron == row["neuron_id"]}


def _keys(table: _native.Table) -> list[Key]:
    """The text that each row of a table is about."""
    rows = table.column("row_id")
    sides = table.column("side") if "side" in table.names else [""] * len(rows)
    return list(zip(rows, sides))


def _shown(
    folder: Folder,
    chosen: Sequence[Key],
    values: Mapping[Key, int | None],
    activations: Mapping[Key, float],
) -> Any:
    rows = folder.table("rows")
    at = {i: position for position, i in enumerate(rows.column("row_id"))}
    columns: dict[str, list[Any]] = {"row_id": [i for i, _ in chosen]}
    is_paired = "text_b" in rows.names
    if is_paired:
        columns["side"] = [side for _, side in chosen]
    for name in ("split", "target"):
        column = rows.column(name)
        columns[name] = [column[at[i]] for i, _ in chosen]
    first = rows.column("text")
    other = rows.column("text_b") if is_paired else first
    columns["text"] = [(other if side == "b" else first)[at[i]] for i, side in chosen]
    missing = math.nan if folder.kind == "pandas" else None
    columns["annotation"] = [missing if values.get(key) is None else values[key] for key in chosen]
    if activations:
        columns["activation"] = [activations[key] for key in chosen]
    return _frames.frame(columns, folder.kind)
