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


_METRICS = {"r_squared": "R2", "auc": "AUC", "deviance": "Explained deviance"}
"""The measure that comes first for each kind of target; the others are in the table `models`."""


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
        self._notes = _notes(evaluation, task, rows, own)
        self._grid = _grid(rows, f"Hypotheses about {task.target}")

    def as_text(self) -> str:
        """Plain text for a terminal or a log."""
        lines = _render.as_text(self._grid)
        rule = "=" * max(map(len, lines))
        wide = max(len(name) for name, _ in self._facts) + 2
        told = [(_render.plain(f"{name}:"), _render.plain(value)) for name, value in self._facts]
        facts = [f"{name:<{wide}}{value}" for name, value in told]
        notes = [textwrap.fill(_render.plain(note), len(rule)) for note in self._notes]
        head = [textwrap.fill(_render.plain(self._headline), len(rule)), rule, *facts, rule]
        return "\n".join([*head, *lines, rule, *notes])

    def as_html(self) -> str:
        """HTML without scripts, styles or links."""
        facts = "".join(
            f"<li>{html.escape(_render.plain(name))}: {html.escape(_render.plain(value))}</li>"
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
    # With several classes each hypothesis is tested on every one.
    n = len({tested["id"] for tested in evaluation["hypotheses"]})
    hold = evaluation["n_hold"]
    together = f", {evaluation['n_hold_jointly']} of them beside all others too" if hold else ""
    texts = "pairs" if evaluation.get("is_paired") else "texts"
    return (
        f"{hold} of {n} hypotheses about `{target}` hold on {evaluation['n']:,} held-out {texts} "
        f"(Holm-adjusted p < {evaluation['options']['alpha']}){together}."
    )


def _facts(folder: Folder, evaluation: dict[str, Any]) -> list[tuple[str, str]]:
    facts = [("Run directory", folder.path)]
    facts += [("Data", note) for note in folder.json("data", "summary.json")["notes"]]
    for model in evaluation["models"]:
        measure, name = model["measure"], _name(model)
        if name is not None:
            facts.append((name, interval(measure, "") if measure else "could not be computed"))
    # Run directories of earlier versions were not checked.
    checks = folder.json_if_there("evaluate", "checks.json")
    return facts if checks is None else facts + _checked(checks)


def _name(model: dict[str, Any]) -> str | None:
    """What is said of how well something predicts; None if nothing is."""
    if model["metric"] not in _METRICS:
        return None
    name, fit = _METRICS[model["metric"]], model["fit"].replace("_", "-")
    of = model.get("predictors", "hypotheses")
    if of != "hypotheses":
        if fit != "cross-fitted":
            return None
        name += f" of the {of}"
    in_brackets = f" ({model['class']})" if model.get("class") is not None else ""
    return f"{name}, {fit}{in_brackets}"


def _checked(checks: dict[str, Any]) -> list[tuple[str, str]]:
    """What speaks for the test and against it."""
    facts = []
    if checks["placebo"] is not None:
        runs = checks["placebo"]["runs"]
        tested, hold = (sum(run[name] for run in runs) for name in ("n_tested", "n_hold"))
        facts.append(("Shuffled targets", f"{hold} of {tested} neurons hold ({len(runs)} runs)"))
    leakage = checks["leakage"]
    near, groups = leakage["n_near"], leakage["n_groups"]
    if near == 0 and groups == 0:
        told = "none found"
    else:
        # None: there are too many texts to look.
        known = "not looked for nearly known texts"
        if near is not None:
            known = f"{near} of {leakage['n_heldout']} held-out texts nearly known"
        told = f"{known}, {groups} groups on both sides"
    facts.append(("Leakage", told))
    if checks["gold"] is not None:
        facts += _by_hand(checks["gold"]["hypotheses"])
    return facts


def _by_hand(hypotheses: Sequence[dict[str, Any]]) -> list[tuple[str, str]]:
    """How far the annotator agrees with annotations by hand."""
    kappas = [h["kappa"]["value"] for h in hypotheses if h["kappa"] is not None]
    if not kappas:
        return []
    return [("Kappa, by hand", f"{min(kappas):.2f} to {max(kappas):.2f}")]


def _notes(
    evaluation: dict[str, Any],
    task: Any,
    rows: Sequence[dict[str, Any]],
    own: Sequence[dict[str, Any]],
) -> list[str]:
    level = f"{100 * evaluation['options']['conf_level']:g} %"
    has_controls = any(row.get("adjusted_separation") is not None for row in rows)
    held = "the controls" if has_controls else "nothing else"
    groups = evaluation.get("n_groups")
    independent = "Texts count as independent."
    if groups is not None:
        independent = f"Texts of one group count as one cluster ({groups:,} groups)."
    notes = [
        f"With - without: {_difference(evaluation, task)}, {held} held equal; a hypothesis holds "
        f"if this does. Beside the others: effect in one regression on all hypotheses, in "
        f"{_unit(evaluation, task)}. Intervals cover {level}.",
        "A hypothesis goes with the target; it need not be its cause. Fidelity is the F1 of "
        f"wording and neuron on validation texts. {independent}",
    ]
    brought = {row["hypothesis_id"] for row in rows if _is_brought(row)}
    if brought:
        notes.append(f"{', '.join(sorted(brought))}: your own, not found in these data.")
    mine = [row for row in own if row["source"] == "user"]
    if mine:
        hold = sum(row["status"] == "holds" for row in own if row["source"] == "sae")
        notes.append(
            "Your own hypotheses were tested later, on held-out texts that were looked at before. "
            f"Their p-values are adjusted over all {len(own)} hypotheses; so adjusted, {hold} of "
            f"the {len(own) - len(mine)} of the run hold."
        )
    return notes + list(evaluation["messages"])


def _difference(evaluation: dict[str, Any], task: Any) -> str:
    """What is compared."""
    if evaluation.get("is_paired"):
        gain = "share of wins minus losses" if task.binary else f"mean of `{task.target}` in favour"
        return f"{gain} of the text that alone has it"
    if task.kind == "multiclass":
        return "difference of the shares of the class in brackets"
    if task.binary:
        return f"difference of the shares of `{task.binary[0]}`"
    per = ", per unit of the exposure if there is one" if task.kind == "count" else ""
    return f"difference of means{per}"


def _unit(evaluation: dict[str, Any], task: Any) -> str:
    """Unit of the effects beside the others."""
    of = "the class in brackets" if task.kind == "multiclass" else f"`{task.target}`"
    if task.binary:
        of = "winning" if evaluation.get("is_paired") else f"`{task.binary[0]}`"
    return {
        "logit": f"log-odds of {of}",
        "linear_probability": f"shares of {of}",
        "ordinal": f"log-odds of a higher {of}",
        "poisson": f"logs of the mean {of}",
        "negative_binomial": f"logs of the mean {of}",
    }.get(evaluation["model"], f"units of {of}")


def _is_brought(row: dict[str, Any]) -> bool:
    """Whether the user brought it to the run, rather than testing it later."""
    return row.get("origin") == "own" and row.get("source") != "user"


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
    value = row[_claim(row)[0]]
    return -abs(value) if value is not None else 1.0


def _claim(row: dict[str, Any]) -> tuple[str, str]:
    """The column of what is tested, and how those that belong to it begin: the separation, beside
    the controls if there are any."""
    if row.get("adjusted_separation") is not None:
        return "adjusted_separation", "adjusted_"
    return "separation", "separation_"


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    present, fidelity = row["prevalence"], row["fidelity_f1"]
    claim, prefix = _claim(row)
    of_class = f" ({row['class']})" if row.get("class") is not None else ""
    return (
        row["hypothesis_id"],
        effect(row, claim, prefix),
        p_value(row[f"{prefix}p_holm"]),
        effect(row, "estimate", "") or row["status"].replace("_", " "),
        p_value(row["p_holm"]),
        "" if present is None else f"{100 * present:.0f} %",
        "" if fidelity is None else f"{fidelity:.2f}",
        row["hypothesis"] + of_class,
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
