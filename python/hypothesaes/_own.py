"""The user's own hypotheses, tested on a run's held-out texts: wordings go in, rows of the table
`hypotheses` come out.

Every such test looks at held-out texts that were looked at before. So each is marked exploratory,
and p-values are adjusted over the run's hypotheses and all of the user's that were ever tested on
these texts. They are kept in a file of the run directory, a line each, to which several processes
may append.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Sequence
from itertools import repeat
from typing import Any

import numpy as np
import numpy.typing as npt

from . import _native
from ._folder import Folder
from .errors import OptionError, RunError

FILE = "own_hypotheses.jsonl"

MARKS = ("source", "is_exploratory")
"""What tells the user's rows from the run's."""

_WORDED = ("hypothesis", "origin", "neuron_id", "sae_id", "selection_score")
_SIGNS = {1: "1", 0: "0", -1: "-"}
_VALUES = {sign: value for value, sign in _SIGNS.items()}

Row = dict[str, Any]
Place = tuple[int, str]
"""A row, and of pairs the side."""
Annotations = npt.NDArray[np.int8]


def test(
    folder: Folder,
    concepts: Sequence[str],
    approve: Callable[[str], bool],
    watch: _native.Watch,
) -> list[Row]:
    """A row per concept, with several classes one for each, tested beside the run's hypotheses
    and all own ones."""
    concepts = _checked(concepts)
    folder.table("hypotheses")
    known = _read(folder)
    by = _annotator(folder)
    open_ = [c for c in dict.fromkeys(concepts) if c not in known or _is_open(known[c], by)]
    if open_:
        found = _native.annotate_more(folder.path, open_, None, approve, watch)
        _append(folder, [_record(folder, c, by, row) for c, row in zip(open_, found)])
    own: dict[str, list[Row]] = {}
    for row in tested(folder):
        if row["source"] == "user":
            own.setdefault(row["hypothesis"], []).append(row)
    n_missing = sum(own[concept][0]["n_missing"] for concept in open_)
    watch.say(
        f"{len(own)} hypotheses of your own were tested on these held-out texts so far, which were "
        "looked at before: exploratory"
        + (f"; {n_missing} annotations are missing, the same call asks again" if n_missing else "")
    )
    return [row for concept in concepts for row in own[concept]]


def tested(folder: Folder) -> list[Row]:
    """The run's hypotheses, then the user's, adjusted together and each class by class if there
    are several; nothing if none are the user's."""
    own = _read(folder)
    if not own:
        return []
    hypotheses = folder.table("hypotheses")
    names, ran = hypotheses.names, rows_of(hypotheses)
    heldout = _heldout(folder)
    mine = [[_VALUES[sign] for sign in record["annotations"]] for record in own.values()]
    found = _annotations(folder, ran, heldout)
    columns = np.vstack([found, np.array(mine, np.int8)])
    # How well they predict together is not looked at.
    options = {**folder.json("evaluate", "evaluation.json")["options"], "n_bootstrap": 20}
    seed = folder.option("evaluate", "seed")
    told = json.loads(_native.evaluate(folder.path, columns, seed, json.dumps(options)))
    n, n_ran = len(columns), len(found)
    note = f"exploratory: the held-out texts were used before; adjusted over {n} hypotheses"
    every = told["hypotheses"]
    classes = [every[start : start + n] for start in range(0, len(every), n)]
    rows = []
    for row, evaluated in zip(ran, (tested for part in classes for tested in part[:n_ran])):
        # What belongs to wording and neuron is not known to the evaluation.
        known = {name: value for name, value in evaluated.items() if name not in _WORDED}
        rows.append({**row, **known, "source": "sae", "is_exploratory": False})
    for part in classes:
        for concept, evaluated in zip(own, part[n_ran:]):
            warning = "; ".join(filter(None, [evaluated["warning"], note]))
            row = {**dict.fromkeys(names), **evaluated, "hypothesis": concept, "warning": warning}
            rows.append({**row, "source": "user", "is_exploratory": True})
    return rows


def annotations_of(folder: Folder, concept: str) -> dict[Place, int | None]:
    """What a hypothesis of the user's is of every held-out text: 1, 0, or None for missing."""
    signs = _read(folder)[concept]["annotations"]
    places = _heldout(folder).items()
    return {i: None if signs[at] == "-" else _VALUES[signs[at]] for i, at in places}


def rows_of(table: _native.Table) -> list[Row]:
    """The rows of a table by the names of its columns."""
    names = table.names
    return [dict(zip(names, row)) for row in zip(*(table.column(name) for name in names))]


def _checked(concepts: Sequence[str]) -> list[str]:
    listed = [concepts] if isinstance(concepts, str) else list(concepts)
    for number, concept in enumerate(listed):
        if not isinstance(concept, str) or not concept.strip():
            raise OptionError(
                f"`hypotheses`, entry {number} (from 0) is `{concept!r}`: word each as what a text "
                "does, as in `mentions a refund`"
            )
    if not listed:
        raise OptionError("`hypotheses` is empty: word at least one, as in `mentions a refund`")
    return [" ".join(concept.split()) for concept in listed]


def _heldout(folder: Folder) -> dict[Place, int]:
    """Where each held-out text stands among them: of pairs, all first texts, then all second ones."""
    rows = folder.table("rows")
    sides = ("a", "b") if "text_b" in rows.names else ("",)
    split = zip(rows.column("row_id"), rows.column("split"))
    held = [row for row, part in split if part == "heldout"]
    places = [(row, side) for side in sides for row in held]
    return {place: at for at, place in enumerate(places)}


def _annotations(
    folder: Folder, ran: Sequence[Row], heldout: dict[Place, int]
) -> Annotations:
    """The run's own: hypotheses by held-out texts."""
    at = {name: number for number, name in enumerate(dict.fromkeys(_ids(ran)))}
    found = np.full((len(at), len(heldout)), -1, np.int8)
    table = folder.table("annotations")
    named = ["hypothesis_id", "row_id", "value"]
    sides = table.column("side") if "side" in table.names else repeat("")
    for hypothesis, row, value, side in zip(*map(table.column, named), sides):
        if value is not None:
            found[at[hypothesis], heldout[row, side]] = value
    return found


def _ids(rows: Sequence[Row]) -> list[str]:
    return [row["hypothesis_id"] for row in rows]


def _annotator(folder: Folder) -> str:
    """A hash of what determines an annotation, beside text and concept."""
    identity = folder.identity("annotate")
    told = json.dumps([pair for pair in identity if pair[0] not in ("hypotheses", "texts")])
    return hashlib.sha256(told.encode()).hexdigest()


def _is_open(record: Row, by: str) -> bool:
    return record["by"] != by or "-" in record["annotations"]


def _record(folder: Folder, concept: str, by: str, annotations: Annotations) -> Row:
    signs = "".join(_SIGNS[int(value)] for value in annotations)
    rows = folder.digest("data/rows.parquet")
    return {"rows": rows, "by": by, "hypothesis": concept, "annotations": signs}


def _read(folder: Folder) -> dict[str, Row]:
    """What was tested on the texts that are held out now, by wording, the first test first."""
    path = os.path.join(folder.path, FILE)
    if not os.path.exists(path):
        return {}
    rows = folder.digest("data/rows.parquet")
    own: dict[str, Row] = {}
    with open(path, encoding="utf-8") as file:
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            try:
                record = json.loads(line)
                if record["rows"] == rows:
                    own[record["hypothesis"]] = record
            except (ValueError, KeyError, TypeError) as why:
                raise RunError(
                    f"`{path}`, line {number}: is damaged ({why}); the file counts the hypotheses "
                    "of your own: mend the line or take it out"
                ) from why
    return own


def _append(folder: Folder, records: Sequence[Row]) -> None:
    """In one write, so that lines of several processes do not mix, nor with one that was torn."""
    lines = "".join(f"\n{json.dumps(record, ensure_ascii=False)}" for record in records) + "\n"
    with open(os.path.join(folder.path, FILE), "ab") as file:
        file.write(lines.encode())
