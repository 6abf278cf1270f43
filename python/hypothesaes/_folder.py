"""A run directory as it is read: a name of a table goes in, a data frame or the library's own table
comes out. Nothing is kept in memory; a folder that was made anew since is noticed."""

from __future__ import annotations

import csv
import json
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from . import _frames, _native
from .errors import MissingFileError, RunError

STATE = "state.json"

_STAGES = {
    "rows": "data",
    "dropped": "data",
    "signal": "signal",
    "saes": "sae",
    "training": "sae",
    "neuron_health": "sae",
    "activations": "sae",
    "neurons": "select",
    "fidelity": "interpret",
    "wordings": "interpret",
    "annotations": "annotate",
    "calibration": "annotate",
    "hypotheses": "evaluate",
    "effects": "evaluate",
    "models": "evaluate",
    "overlap": "evaluate",
    "strata": "evaluate",
    "subgroups": "evaluate",
    "deciles": "evaluate",
    "roc": "evaluate",
    "placebo": "evaluate",
    "leakage": "evaluate",
    "gold": "evaluate",
    "dictionary": "report",
}
"""The stage that makes each table."""

_DATA = ("rows", "activations", "annotations")
"""The tables that have a row per text lie in a folder of their own."""

_ENDS = ("", "_conf_low", "_conf_high")
_TEST = ("", "_std_error", "_p_value", "_conf_low", "_conf_high")
_SHARES = ("agreement", "kappa", "pabak", "sensitivity", "specificity")
_CORRECTED = ("naive", "ppi", "dsl", "by_hand")
_EFFECTS = (*_CORRECTED, *(f"joint_{effect}" for effect in _CORRECTED))
_OPTIONAL: dict[str, tuple[str, ...]] = {
    "strata": (
        "hypothesis_id",
        "stratum",
        "n",
        "n_present",
        *(f"separation{part}" for part in _TEST),
    ),
    "subgroups": (
        "hypothesis_id",
        "factor",
        "level",
        "n",
        "n_present",
        "estimate",
        "std_error",
        "conf_low",
        "conf_high",
        "p_equal",
    ),
    "deciles": ("bin", "n", "predicted", "observed"),
    "roc": ("false_positive_rate", "true_positive_rate"),
    "placebo": ("run", "n_tested", "n_hold"),
    "leakage": ("row_id", "other_row_id", "other_split", "jaccard"),
    "gold": (
        "hypothesis_id",
        "n",
        *(f"{share}{end}" for share in _SHARES for end in _ENDS),
        *(f"{effect}{part}" for effect in _EFFECTS for part in _TEST),
        "ppi_p_holm",
        "dsl_p_holm",
        "joint_ppi_p_holm",
        "joint_dsl_p_holm",
        "warning",
    ),
}
"""The columns of tables that only some runs have; the others have no rows of them."""

_COST: dict[str, type] = {
    "stage": str,
    "model": str,
    "calls": int,
    "tokens_in": int,
    "tokens_cached": int,
    "tokens_out": int,
    "dollars": float,
    "seconds": float,
}
"""Columns of the table of costs, which changes with every call and so is no stage's."""


@dataclass(frozen=True)
class Task:
    """What the target is."""

    target: str
    kind: str
    """continuous, binary, multiclass, count or ordinal."""
    binary: tuple[str, str] | None
    """The positive and the negative class."""


class Folder:
    """A run directory and the kind of data frame that its tables come in."""

    def __init__(self, path: str, kind: str) -> None:
        self.path = path
        self.kind = kind
        self._seen = _files(self._stages())

    def table(self, name: str) -> _native.Table:
        """A table of the library's own.

        Raises
        ------
        RunError
            The run has not come to it yet, or does not make it, or the folder was made anew.
        """
        stages = self._stages()
        if _STAGES[name] not in stages:
            raise RunError(
                f"run directory `{self.path}`: there is no table `{name}` yet, as the stage "
                f"{_STAGES[name]} is not done; `plan` shows what is left, `plan.run()` does it"
            )
        now = _files(stages)
        if any(now.get(file) != digest for file, digest in self._seen.items()):
            raise RunError(
                f"run directory `{self.path}` was made anew since: `hypothesaes.load` reads what "
                "is there now; `out=` gives a run a directory of its own"
            )
        path = self._path(name)
        if not os.path.exists(path):
            raise RunError(
                f"run directory `{self.path}` has no table `{name}`: it is made where language "
                "models are asked"
            )
        return _native.Table.read(path)

    def frame(self, name: str) -> Any:
        """A table as a data frame; no rows of what only some runs have."""
        if name in _OPTIONAL and self.is_done(_STAGES[name]) and not self.has(name):
            return self.framed({column: [] for column in _OPTIONAL[name]}, name)
        table = self.table(name)
        if self.kind != "pandas":
            return _frames.from_table(table, self.kind)
        return self.framed({column: table.column(column) for column in table.names}, name)

    def framed(self, columns: Mapping[str, list[Any]], name: str) -> Any:
        """Columns, of which some are those of the table `name`, as a data frame."""
        numbers = self._numbers(name) if self.kind == "pandas" else set()
        # pandas would take a column of numbers that are all missing for one of objects.
        empty = {c for c in numbers & columns.keys() if all(v is None for v in columns[c])}
        filled = {c: [math.nan] * len(v) if c in empty else v for c, v in columns.items()}
        return _frames.frame(filled, self.kind)

    def cost(self) -> Any:
        """What was spent; no rows if no model was asked."""
        path = os.path.join(self.path, "tables", "cost.csv")
        rows: list[dict[str, str]] = []
        if os.path.exists(path):
            with open(path, encoding="utf-8", newline="") as file:
                rows = list(csv.DictReader(file))
        columns = {
            name: [of(row[name]) if row[name] else None for row in rows]
            for name, of in _COST.items()
        }
        return _frames.frame(columns, self.kind)

    def json(self, *names: str) -> Any:
        """A JSON file of the run directory."""
        path = os.path.join(self.path, *names)
        try:
            with open(path, encoding="utf-8") as file:
                return json.load(file)
        except FileNotFoundError:
            raise RunError(f"run directory `{self.path}` has no `{'/'.join(names)}`") from None
        except ValueError as why:
            raise RunError(f"run directory `{self.path}`: `{names[-1]}` is damaged: {why}") from why

    def has(self, name: str) -> bool:
        """Whether there is such a table."""
        return os.path.exists(self._path(name))

    def json_if_there(self, *names: str) -> Any:
        """A JSON file of the run directory, or None if it has none."""
        return self.json(*names) if os.path.exists(os.path.join(self.path, *names)) else None

    def is_done(self, stage: str) -> bool:
        return stage in self._stages()

    def stages(self) -> dict[str, float]:
        """The finished stages, in order, and the seconds that each took."""
        return {stage: record["seconds"] for stage, record in self._stages().items()}

    def digest(self, file: str) -> str:
        """The hash of a file of a stage."""
        return _files(self._stages())[file]

    def identity(self, stage: str) -> list[list[str]]:
        """What the result of a stage follows from: names and values."""
        return list(self._stages()[stage]["identity"])

    def option(self, stage: str, key: str) -> Any:
        """An option that the result of a stage follows from."""
        return next(json.loads(value) for name, value in self.identity(stage) if name == key)

    def task(self) -> Task:
        summary = self.json("data", "summary.json")
        task = summary["task"]
        binary = (task["positive"], task["negative"]) if task["kind"] == "binary" else None
        return Task(summary["target"], task["kind"], binary)

    def _path(self, name: str) -> str:
        """Where a table lies."""
        return os.path.join(self.path, "data" if name in _DATA else "tables", f"{name}.parquet")

    def _numbers(self, name: str) -> set[str]:
        """The columns of a table that hold numbers, so far as the data dictionary is written."""
        if not self.is_done("report") or name == "dictionary":
            return set()
        dictionary = self.table("dictionary")
        of, column, kind = (dictionary.column(part) for part in ("table", "column", "type"))
        found = zip(of, column, kind)
        return {c for t, c, k in found if t == name and k in ("number", "integer")}

    def _stages(self) -> dict[str, Any]:
        if not os.path.exists(os.path.join(self.path, STATE)):
            return {}
        return dict(self.json(STATE)["stages"])


def find(path: str) -> str:
    """`path`, if it is a run directory."""
    if not os.path.exists(path):
        raise MissingFileError(f"there is no folder `{path}`")
    if not os.path.exists(os.path.join(path, STATE)):
        raise RunError(
            f"`{path}` is no run directory: make one by `hypothesaes.discover` or on the command "
            "line by `hypothesaes run FILE`"
        )
    return path


def _files(stages: dict[str, Any]) -> dict[str, str]:
    """The hash of every file of every stage, but for the page, which tells what was paid: nothing the
    second time."""
    files = [item for record in stages.values() for item in record["files"].items()]
    return {file: about["blake3"] for file, about in files if file != "report.html"}
