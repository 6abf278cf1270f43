"""Small tables as text, HTML, LaTeX and Markdown. Whatever comes from data or models is escaped:
it changes no layout, and no terminal, browser or LaTeX obeys it."""

from __future__ import annotations

import html
import re
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

_WRAP = 44
"""Characters of a cell in a line of text."""

_TEX = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    **{c: f"\\{c}" for c in "{}$&#_%"},
}

_COMMANDS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
"""What a terminal obeys, what ends a line, and what turns the direction of writing."""


@dataclass(frozen=True)
class Grid:
    """A table: cells of text, aligned `l` or `r` by column."""

    heads: Sequence[str]
    rows: Sequence[Sequence[str]]
    align: str
    title: str = ""
    groups: Sequence[tuple[int, str]] = field(default=())
    """Numbers of rows before which a line of its own stands, and the line."""


def plain(text: str) -> str:
    """`text` in one line."""
    return _COMMANDS.sub(" ", text)


def tex(text: str) -> str:
    """`text` for LaTeX."""
    escaped = "".join(_TEX.get(c, c) for c in plain(text))
    escaped = re.sub("`([^`]*)`", r"\\texttt{\1}", escaped)
    return re.sub('"([^"]*)"', r"``\1''", escaped)


def markdown(text: str) -> str:
    """`text` for a cell in Markdown."""
    escaped = re.sub(r"([\\|*_\[\]`#])", r"\\\1", plain(text))
    return html.escape(escaped, quote=False)


def as_text(grid: Grid) -> list[str]:
    """Lines; the last column, if it is of words, is wrapped."""
    cells = [[plain(cell) for cell in row] for row in [grid.heads, *grid.rows]]
    columns = range(len(grid.heads))
    wide = [min(max(len(row[j]) for row in cells), _WRAP) for j in columns]
    lines = []
    before = dict(grid.groups)
    for number, row in enumerate(cells, start=-1):
        if number in before:
            lines.append(plain(before[number]))
        parts = [textwrap.wrap(cell, _WRAP) or [""] for cell in row]
        for line in range(max(map(len, parts), default=0)):
            part = [cell[line] if line < len(cell) else "" for cell in parts]
            side = [_to_side(part[j], wide[j], grid.align[j]) for j in columns]
            lines.append("  ".join(side).rstrip())
        if number == -1:
            lines.append("-" * (sum(wide) + 2 * (len(wide) - 1)))
    return lines


def _to_side(cell: str, width: int, align: str) -> str:
    return cell.rjust(width) if align == "r" else cell.ljust(width)


def as_html(grid: Grid) -> str:
    """A table without styles beyond the alignment."""
    sides = {"l": "left", "r": "right"}

    def row(tag: str, cells: Sequence[str]) -> str:
        # Wordings may be in a language that is written from the right.
        parts = (
            f'<{tag} style="text-align:{sides[a]}" dir="auto">{html.escape(plain(cell))}</{tag}>'
            for a, cell in zip(grid.align, cells)
        )
        return f"<tr>{''.join(parts)}</tr>"

    caption = f"<caption>{html.escape(plain(grid.title))}</caption>" if grid.title else ""
    span = len(grid.heads)

    def group(line: str) -> str:
        cell = f'<th colspan="{span}" style="text-align:left">{html.escape(plain(line))}</th>'
        return f"<tr>{cell}</tr>"

    body = _grouped(grid, lambda cells: row("td", cells), group)
    return (
        f"<table>{caption}<thead>{row('th', grid.heads)}</thead>"
        f"<tbody>{''.join(body)}</tbody></table>"
    )


def as_latex(grid: Grid, label: str, notes: Sequence[str]) -> str:
    """A floating table for the package booktabs, words in columns that wrap."""
    wraps = [any(len(row[j]) > 30 for row in grid.rows) for j in range(len(grid.heads))]
    columns = "".join(r"p{0.35\linewidth}" if w else a for w, a in zip(wraps, grid.align))

    def row(cells: Sequence[str]) -> str:
        return "  " + " & ".join(map(tex, cells)) + r" \\"

    def group(line: str) -> str:
        return rf"  \addlinespace \multicolumn{{{len(grid.heads)}}}{{l}}{{\emph{{{tex(line)}}}}} \\"

    lines = [
        r"% \usepackage{booktabs}",
        r"\begin{table}[htbp]",
        r"  \centering\footnotesize",
        rf"  \caption{{{tex(grid.title)}}}",
        rf"  \label{{tab:{label}}}",
        rf"  \begin{{tabular}}{{{columns}}}",
        r"  \toprule",
        row(grid.heads),
        r"  \midrule",
        *_grouped(grid, row, group),
        r"  \bottomrule",
        r"  \end{tabular}",
        r"  \par\smallskip\begin{minipage}{\linewidth}",
        f"  {tex(' '.join(notes))}",
        r"  \end{minipage}",
        r"\end{table}",
    ]
    return "\n".join(lines) + "\n"


def as_markdown(grid: Grid) -> str:
    """A table of GitHub's kind."""

    def row(cells: Sequence[str]) -> str:
        return f"| {' | '.join(map(markdown, cells))} |"

    rule = "|".join("---:" if a == "r" else "---" for a in grid.align)
    rest = [""] * (len(grid.heads) - 1)
    body = _grouped(grid, row, lambda line: f"| **{markdown(line)}** | {' | '.join(rest)} |")
    return "\n".join([row(grid.heads), f"|{rule}|", *body])


def _grouped(
    grid: Grid, row: Callable[[Sequence[str]], str], group: Callable[[str], str]
) -> list[str]:
    before = dict(grid.groups)
    lines = []
    for number, cells in enumerate(grid.rows):
        if number in before:
            lines.append(group(before[number]))
        lines.append(row(cells))
    return lines
