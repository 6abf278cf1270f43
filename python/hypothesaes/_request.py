"""What a call to `discover` or `plan` asks for: arguments go in, a folder and the assignments of
options that the library takes come out."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from . import _input, _native
from .errors import OptionError

RUNS = "runs"
"""Where run directories lie whose place the user does not name."""

CONFIRM = ("ask", "never", "plan")

TASKS = ("continuous", "binary", "multiclass", "count", "ordinal")

_KEYS = {
    "text": "data.text",
    "target": "data.target",
    "group": "data.group",
    "text_b": "data.text_b",
    "task": "data.task",
    "positive": "data.positive",
    "levels": "data.levels",
    "weight": "data.weight",
    "exposure": "data.exposure",
    "controls": "data.controls",
    "fixed_effects": "data.fixed_effects",
    "strata": "data.strata",
    "hypotheses": "evaluate.hypotheses",
    "gold": "evaluate.gold",
    "context": "interpret.context",
    "n_hypotheses": "select.n",
    "saes": "sae.sizes",
    "embedder": "embed.embedder",
    "interpreter": "interpret.interpreter",
    "annotator": "annotate.annotator",
    "max_cost": "llm.max_cost",
    "seed": "seed",
}
"""The option that each argument sets."""

_DEFAULTS: dict[str, object] = {"n_hypotheses": 20, "seed": 0}
_LISTS = ("levels", "controls", "fixed_effects", "hypotheses")
"""Arguments that are several; one may come by itself."""

_PARTS = ("split.discover", "split.validation", "split.heldout")


@dataclass(frozen=True)
class Request:
    """A run to be done in a folder. Without assignments, it goes on with the folder's options."""

    folder: str
    assignments: tuple[str, ...] = ()
    kind: str = "table"
    local: bool = False
    frozen: bool = False
    batch: bool = False
    wait: bool = False
    confirm: str = "ask"
    progress: bool = True


def make(
    *,
    data: Any,
    split: str | Sequence[float] | None,
    out: str | os.PathLike[str] | None,
    options: Mapping[str, Any] | None,
    confirm: str,
    local: bool,
    frozen: bool,
    batch: bool,
    wait: bool,
    progress: bool,
    **named: Any,
) -> Request:
    """The request of the arguments of `discover`; a data frame is written to a file on the way.

    `named` are the arguments that set one option each.
    """
    if confirm not in CONFIRM:
        raise OptionError(f"`confirm` is `{confirm}`: choose ask, never or plan")
    folder = None if out is None else os.path.expanduser(os.fspath(out))
    chosen = _chosen(named, options or {}, split)
    asked = {role: chosen.pop(f"data.{role}", None) for role in _input.ROLES}
    beside = RUNS if folder is None else os.path.normpath(os.path.join(folder, os.pardir))
    read = _input.prepare(data, asked, beside)
    columns = {f"data.{role}": name for role, name in read.columns.items() if name is not None}
    values = {"data.path": read.path, **columns, **chosen}
    assignments = tuple(f"{key}={_toml(key, value)}" for key, value in values.items())
    if folder is None:
        folder = _native.locate(RUNS, assignments)
    return Request(
        folder, assignments, read.kind, local, frozen, batch, wait, confirm, bool(progress)
    )


def _chosen(
    named: Mapping[str, Any], options: Mapping[str, Any], split: str | Sequence[float] | None
) -> dict[str, Any]:
    """The options that are not left to the library, by their names."""
    if "data.path" in options:
        raise OptionError("`data.path` stands in `options`: the first argument says what is read")
    chosen: dict[str, Any] = {}
    for argument, key in _KEYS.items():
        value = _given(argument, named[argument])
        if key in options and value != _DEFAULTS.get(argument):
            raise OptionError(f"`{key}` is given twice: as `{argument}` and in `options`")
        chosen[key] = value
    if split is not None:
        if twice := [key for key in _PARTS if key in options]:
            raise OptionError(f"`{twice[0]}` is given twice: as `split` and in `options`")
        chosen.update(zip(_PARTS, _shares(split)))
    chosen["sae.sizes"] = _sizes(named["saes"])
    chosen.update(options)
    return {key: value for key, value in chosen.items() if value is not None}


def _given(argument: str, value: Any) -> Any:
    """The value of an argument as its option has it."""
    if argument in _LISTS and value is not None:
        value = [value] if isinstance(value, (str, int)) else list(value)
    if argument == "task" and value not in (None, *TASKS):
        raise OptionError(f"`task` is `{value}`: choose {', '.join(TASKS[:-1])} or {TASKS[-1]}")
    if argument == "gold" and value is not None:
        if not isinstance(value, (str, os.PathLike)):
            raise OptionError(f"`gold` is a `{type(value).__name__}`: give the path of a file")
        value = os.path.expanduser(os.fspath(value))
    return value


def _shares(split: str | Sequence[float]) -> list[float]:
    try:
        shares = [float(share) for share in (split.split("/") if isinstance(split, str) else split)]
    except (TypeError, ValueError):
        shares = []
    if len(shares) != 3:
        raise OptionError(
            f"`split` is `{split}`: give the shares of discover, validation and held-out texts, as "
            'in "70/15/15"'
        )
    return shares


def _sizes(saes: Any) -> list[str] | None:
    """Autoencoders as `M:K`, also from pairs."""
    if saes is None:
        return None
    return [
        size if isinstance(size, str) else ":".join(map(str, size))
        for size in ([saes] if isinstance(saes, str) else saes)
    ]


def _toml(key: str, value: Any) -> str:
    """A value as the library reads it."""
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return repr(value)
    if isinstance(value, (str, os.PathLike)):
        # What JSON escapes is escaped alike in TOML, which minds one character more.
        return json.dumps(os.fspath(value), ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(_toml(key, part) for part in value)}]"
    raise OptionError(
        f"`{key}` is a `{type(value).__name__}`: an option is a text, a number, a bool or a list"
    )
