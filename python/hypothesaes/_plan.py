"""What a run would ask of language models and cost, shown before anything is asked, and the user's
word on it."""

from __future__ import annotations

import html
import json
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from . import _frames, _native, _render
from ._render import Grid
from ._request import Request
from .errors import OptionError

if TYPE_CHECKING:
    from ._run import Run

__all__ = ["Plan"]

_COLUMNS = (
    "stage",
    "work",
    "model",
    "server",
    "calls",
    "tokens",
    "dollars",
    "minutes",
    "day_share",
    "kept",
)

Estimate = dict[str, Any]


class Plan:
    """What a run would do and cost. Nothing was asked of anybody for it.

    Attributes
    ----------
    folder : str
        The run directory.
    table : data frame
        A row per kind of question: `stage`, `work` in words, `model`, `server`, `calls`, `tokens`,
        `dollars` at list price (missing if the price is unknown), `minutes` under the account's
        limits, `day_share` of the day's quota, and `kept`, the share of answers that are kept
        already. No rows if no model is to be asked.
    stages : data frame
        A row per stage: whether its result is `reused`, and why it is done again if it is not.
    dollars : float or None
        At most so much; None if a price is unknown, 0 if nothing is asked.
    """

    def __init__(self, request: Request, run: Callable[[Request], Run]) -> None:
        self._request, self._run = request, run
        self.folder = request.folder
        told = json.loads(
            _native.plan(
                request.folder,
                request.assignments,
                "report",
                request.local,
                request.frozen,
                request.batch,
            )
        )
        self._estimate: Estimate | None = told["estimate"]
        rows = self._estimate["rows"] if self._estimate else []
        self.table = _frames.frame(
            {name: [row[name] for row in rows] for name in _COLUMNS}, request.kind
        )
        stages = told["stages"]
        names = ("stage", "reused", "again_because")
        self.stages = _frames.frame({n: [s[n] for s in stages] for n in names}, request.kind)
        self._fates = [_fate(stage) for stage in stages]
        self.dollars = dollars(self._estimate) if self._estimate else 0.0

    def run(self) -> Run:
        """Do it, without asking again."""
        return self._run(replace(self._request, confirm="never"))

    def __repr__(self) -> str:
        fates = "\n".join(f"{stage:>9}  {_render.plain(fate)}" for stage, fate in self._fates)
        cost = as_text(self._estimate) if self._estimate else "No language model is asked."
        return f"Plan of {self.folder}\n{fates}\n\n{cost}"

    def _repr_html_(self) -> str:
        fates = _render.as_html(Grid(("stage", "what becomes of it"), self._fates, "ll"))
        cost = "<p>No language model is asked.</p>"
        if self._estimate:
            notes = "".join(f"<li>{html.escape(note)}</li>" for note in _notes(self._estimate))
            cost = f"{_render.as_html(_grid(self._estimate))}<ul>{notes}</ul>"
        return f"<div><p>Plan of <code>{html.escape(self.folder)}</code></p>{cost}{fates}</div>"


def consent(estimate: Estimate, confirm: str) -> bool:
    """Whether the user wants it asked.

    Raises
    ------
    OptionError
        There is nobody to say yes.
    """
    if confirm == "never" or (dollars(estimate) == 0 and not estimate["leaving"]):
        return True
    if confirm == "plan":
        return False
    question = f"Spend up to {money(dollars(estimate))}? [y/N] "
    if not _somebody():
        raise _nobody(estimate)
    print(as_text(estimate), flush=True)
    try:
        return input(question).strip().lower() in ("y", "yes")
    except (EOFError, NotImplementedError):
        # A notebook that is executed without a reader.
        raise _nobody(estimate) from None


def dollars(estimate: Estimate) -> float | None:
    """List price of everything; None if a price is unknown."""
    prices = [row["dollars"] for row in estimate["rows"]]
    return None if None in prices else sum(prices)


def as_text(estimate: Estimate) -> str:
    """The table of costs with its notes."""
    return "\n".join([*_render.as_text(_grid(estimate)), "", *_notes(estimate)])


def money(amount: float | None) -> str:
    """Dollars; an unknown price is never shown as nothing."""
    if amount is None:
        return "an unknown price"
    if 0 < amount < 0.01:
        return "< $0.01"
    return f"${amount:.2f}"


def _nobody(estimate: Estimate) -> OptionError:
    return OptionError(
        f"language models are to be asked, for up to {money(dollars(estimate))}, and there is "
        'nobody to say yes: pass `confirm="never"`, with `max_cost` as a ceiling; '
        '`hypothesaes.plan` shows the costs, `local=True` asks no model'
    )


def _somebody() -> bool:
    """Whether there is somebody at a terminal or a notebook."""
    notebook = sys.modules.get("IPython")
    shell = notebook.get_ipython() if notebook else None
    if shell is not None and hasattr(shell, "kernel"):
        return True
    return all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stdout))


def _grid(estimate: Estimate) -> Grid:
    heads = ("stage", "asked", "of", "calls", "tokens", "cost", "time", "of a day", "kept")
    rows = [_cells(row, estimate["is_batch"]) for row in estimate["rows"]]
    calls, tokens = (sum(row[name] for row in estimate["rows"]) for name in ("calls", "tokens"))
    total = ("total", "", "", f"{calls:,}", f"{tokens:,}", money(dollars(estimate)), "", "", "")
    return Grid(heads, [*rows, total], "lllrrrrrr")


def _cells(row: dict[str, Any], is_batch: bool) -> tuple[str, ...]:
    share = row["day_share"]
    return (
        row["stage"],
        row["work"],
        row["model"],
        f"{row['calls']:,}",
        f"{row['tokens']:,}",
        money(row["dollars"]),
        "<= 24 h" if is_batch else _time(row["minutes"]),
        "" if share is None else f"{100 * share:.0f} %",
        f"{100 * row['kept']:.0f} %",
    )


def _notes(estimate: Estimate) -> list[str]:
    source, date = estimate["price_source"]
    notes = [f"At most, at list prices of {date} ({source})."]
    if dollars(estimate) is None:
        notes.append("An unknown price counts against no ceiling.")
    if estimate["spent"]:
        spent = money(estimate["spent"])
        notes.append(f"This run has cost {spent} so far; no answer is paid for twice.")
    if not estimate["is_batch"] and estimate["batch_dollars"] is not None:
        notes.append(f"By batch jobs, {money(estimate['batch_dollars'])}: `batch=True`.")
    leaving = [f"Up to {n:,} texts go to {host}." for host, n in estimate["leaving"].items()]
    kept = "`local=True` keeps all of them here." if leaving else "No text leaves this computer."
    return [*notes, *leaving, kept]


def _time(minutes: float | None) -> str:
    if minutes is None:
        return "?"
    if minutes < 1:
        return f"{60 * minutes:.0f} s"
    return f"{minutes:.0f} min" if minutes < 120 else f"{minutes / 60:.0f} h"


def _fate(stage: dict[str, Any]) -> tuple[str, str]:
    if stage["reused"]:
        return stage["stage"], "would be reused"
    why = stage["again_because"]
    return stage["stage"], f"would be done again because {why}" if why else "would be done"
