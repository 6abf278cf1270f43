"""The answer of a run to be read: text, HTML, LaTeX and Markdown of one table with its notes."""

from __future__ import annotations

import html
import textwrap
from collections.abc import Sequence
from typing import Any

from . import _own, _render
from ._folder import Folder
from ._input import safe
from ._render import Grid

__all__ = ["Summary"]

_HEADS = (
    "id",
    "with - without",
    "p (Holm)",
    "beside the others",
    "p (Holm)",
    "present",
    "fidelity",
    "the text ...",
)
_ALIGN = "lrrrrrrl"
_PARTS = {
    "holds": "Hold",
    "other": "Do not hold, or could not be tested",
    "user": "Your own, exploratory",
}


class Summary:
    """What a run found, in the manner of a regression table.

    Shown by itself in a notebook; `str`, `as_text`, `as_html`, `as_latex` and `as_markdown` give
    it as text.
    """

    def __init__(self, folder: Folder) -> None:
        own = _own.tested(folder)
        rows = _own.rows_of(folder.table("hypotheses"))
        rows += [row for row in own if row["source"] == "user"]
        evaluation = folder.json("evaluate", "evaluation.json")
        task = folder.task()
        self._label = safe(task.target)
        self._headline = _headline(evaluation, task.target)
        self._facts = _facts(folder, evaluation)
        self._notes = _notes(evaluation, task, own)
        self._grid = _grid(rows, f"Hypotheses about {task.target}")

    def as_text(self) -> str:
        """Plain text for a terminal or a log."""
        lines = _render.as_text(self._grid)
        rule = "=" * max(map(len, lines))
        facts = [f"{name + ':':<24}{_render.plain(value)}" for name, value in self._facts]
        notes = [textwrap.fill(_render.plain(note), len(rule)) for note in self._notes]
        head = [textwrap.fill(_render.plain(self._headline), len(rule)), rule, *facts, rule]
        return "\n".join([*head, *lines, rule, *notes])

    def as_html(self) -> str:
        """HTML without scripts, styles or links."""
        facts = "".join(
            f"<li>{html.escape(name)}: {html.escape(_render.plain(value))}</li>"
            for name, value in self._facts
        )
        notes = "".join(f"<li>{html.escape(_render.plain(note))}</li>" for note in self._notes)
        headline = html.escape(_render.plain(self._headline))
        return (
            f"<div><p><strong>{headline}</strong></p><ul>{facts}</ul>"
            f"{_render.as_html(self._grid)}<ul>{notes}</ul></div>"
        )

    def as_latex(self) -> str:
        """A table for the LaTeX package booktabs, with a caption, a label and notes."""
        return _render.as_latex(self._grid, self._label, [self._headline, *self._notes])

    def as_markdown(self) -> str:
        """Markdown, as GitHub shows it."""
        said = _render.markdown
        facts = [f"- {said(name)}: {said(value)}" for name, value in self._facts]
        notes = [f"- {said(note)}" for note in self._notes]
        parts = [f"**{said(self._headline)}**", "\n".join(facts)]
        return "\n\n".join([*parts, _render.as_markdown(self._grid), "\n".join(notes)]) + "\n"

    def __str__(self) -> str:
        return self.as_text()

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return self.as_html()

    def _repr_latex_(self) -> str:
        return self.as_latex()


def headline(folder: Folder) -> str:
    """The answer in one sentence."""
    evaluation = folder.json("evaluate", "evaluation.json")
    return _headline(evaluation, folder.task().target)


def _headline(evaluation: dict[str, Any], target: str) -> str:
    n, hold = len(evaluation["hypotheses"]), evaluation["n_hold"]
    together = f", {evaluation['n_hold_jointly']} of them beside all others too" if hold else ""
    return (
        f"{hold} of {n} hypotheses about `{target}` hold on {evaluation['n']:,} held-out texts "
        f"(Holm-adjusted p < {evaluation['options']['alpha']}){together}."
    )


def _facts(folder: Folder, evaluation: dict[str, Any]) -> list[tuple[str, str]]:
    facts = [("Run directory", folder.path)]
    facts += [("Data", note) for note in folder.json("data", "summary.json")["notes"]]
    names = {"r_squared": "R2", "auc": "AUC"}
    for fit in evaluation["models"]:
        measure = fit["measure"]
        name = f"{names[fit['metric']]}, {fit['fit'].replace('_', '-')}"
        facts.append((name, interval(measure, "") if measure else "could not be computed"))
    return facts


def _notes(evaluation: dict[str, Any], task: Any, own: Sequence[dict[str, Any]]) -> list[str]:
    level = f"{100 * evaluation['options']['conf_level']:g} %"
    unit, means = f"units of `{task.target}`", "means"
    if task.binary:
        unit, means = f"log-odds of `{task.binary[0]}`", f"the shares of `{task.binary[0]}`"
    notes = [
        f"With - without: difference of {means}, nothing else held equal; a hypothesis holds if "
        f"this does. Beside the others: effect in one regression on all hypotheses, in {unit}. "
        f"Intervals cover {level}.",
        "A hypothesis goes with the target; it need not be its cause. Fidelity is the F1 of "
        "wording and neuron on validation texts. Texts count as independent.",
    ]
    mine = [row for row in own if row["source"] == "user"]
    if mine:
        hold = sum(row["status"] == "holds" for row in own if row["source"] == "sae")
        notes.append(
            "Your own hypotheses were tested later, on held-out texts that were looked at before. "
            f"Their p-values are adjusted over all {len(own)} hypotheses; so adjusted, {hold} of "
            f"the {len(own) - len(mine)} of the run hold."
        )
    return notes + list(evaluation["messages"])


def _grid(rows: Sequence[dict[str, Any]], title: str) -> Grid:
    parts: dict[str, list[dict[str, Any]]] = {name: [] for name in _PARTS}
    for row in rows:
        holds = "holds" if row["status"] == "holds" else "other"
        parts["user" if row.get("source") == "user" else holds].append(row)
    cells: list[tuple[str, ...]] = []
    groups = []
    for name, members in parts.items():
        if members:
            groups.append((len(cells), _PARTS[name]))
        cells += [_cells(row) for row in sorted(members, key=_strength)]
    return Grid(_HEADS, cells, _ALIGN, title, groups)


def _strength(row: dict[str, Any]) -> float:
    return -abs(row["separation"]) if row["separation"] is not None else 1.0


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    present, fidelity = row["prevalence"], row["fidelity_f1"]
    return (
        row["hypothesis_id"],
        effect(row, "separation", "separation_"),
        p_value(row["separation_p_holm"]),
        effect(row, "estimate", "") or row["status"].replace("_", " "),
        p_value(row["p_holm"]),
        "" if present is None else f"{100 * present:.0f} %",
        "" if fidelity is None else f"{fidelity:.2f}",
        row["hypothesis"],
    )


def effect(row: dict[str, Any], name: str, prefix: str) -> str:
    """An effect with its interval."""
    ends = {"conf_low": row[f"{prefix}conf_low"], "conf_high": row[f"{prefix}conf_high"]}
    return interval({"value": row[name], **ends}, "+")


def interval(measure: dict[str, Any], sign: str) -> str:
    """A value with its interval, as far as there is one."""
    value, low, high = measure["value"], measure["conf_low"], measure["conf_high"]
    if value is None:
        return ""
    if low is None or high is None:
        return f"{value:{sign}.2f}"
    return f"{value:{sign}.2f} [{low:{sign}.2f}, {high:{sign}.2f}]"


def p_value(p: float | None) -> str:
    """A p-value to three digits, never 0."""
    if p is None:
        return ""
    return "< 0.001" if p < 0.001 else f"{p:.3f}"
