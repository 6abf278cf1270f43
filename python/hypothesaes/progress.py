"""How work is told while it is done: one line of text that is drawn anew, in a terminal, Jupyter
or VS Code, without widgets; plain lines where nothing can be drawn anew."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

__all__ = ["Bar", "display", "say"]

_REDRAW = 0.1
"""Seconds between two drawings."""

_LINE = 30.0
"""Seconds between two lines where nothing can be drawn anew."""

_progress = "auto"
_prints = True


def display(*, progress: str | None = None, prints: bool | None = None) -> None:
    """Say what is shown.

    Parameters
    ----------
    progress : {"auto", "text", "off"}, optional
        ``auto`` draws one line anew where that can be done and writes plain lines elsewhere;
        ``text`` always writes plain lines; ``off`` shows no progress.
    prints : bool, optional
        Whether functions that the original package has too print what it prints.
    """
    from .errors import OptionError

    global _progress, _prints
    if progress is not None:
        if progress not in ("auto", "text", "off"):
            raise OptionError(f"`progress` is `{progress}`: choose auto, text or off")
        _progress = progress
    if prints is not None:
        _prints = prints


def say(text: str = "") -> None:
    """Print what the original package prints, unless that is switched off."""
    if _prints:
        print(text)


class Bar:
    """Tells how a piece of work goes; what `hypothesaes._native` calls a watch."""

    def __init__(self, description: str | None = None, *, show: bool = True) -> None:
        self._description = description
        self._write = _writer() if show and _progress != "off" else None
        self._stage, self._total, self._unit = "", 0, ""
        self._done, self._kept, self._extra = 0, 0, ""
        self._start, self._drawn = 0.0, 0.0

    def begin(self, stage: str, total: int, unit: str) -> None:
        self._stage = self._description or stage
        self._total, self._unit, self._extra = total, unit, ""
        self._done, self._kept = 0, 0
        self._start, self._drawn = time.monotonic(), 0.0
        if not isinstance(self._write, _Lines):
            self._draw()
        elif total:
            self._drawn = self._start
            self._write.line(f"{self._stage}: begins, {total} {unit}")

    def advance(self, done: int) -> None:
        self._done += done
        # What is there at once was done before, and tells nothing of the pace.
        if time.monotonic() - self._start < _REDRAW:
            self._kept = self._done
        self._draw()

    def asking(self, in_flight: int, spent: float | None, held: str | None, wait: float) -> None:
        money = f", ${spent:.2f}" if spent else ""
        waits = f"waits {wait:.0f} s for {held}" if held else f"{in_flight} under way"
        self._extra = f"{money}, {waits}"
        self._draw()

    def say(self, line: str) -> None:
        if self._write:
            self._write.line(line)
            self._drawn = 0.0

    def end(self, summary: str) -> None:
        if self._write and self._stage:
            took = _seconds(time.monotonic() - self._start)
            self._write.last(f"{self._stage}: {summary} ({took})")
        self._stage = ""

    def close(self) -> None:
        """Leaves the line as it stands if the work broke off."""
        if self._write and self._stage:
            self._write.last(self._text())
        self._stage = ""

    def _draw(self) -> None:
        now = time.monotonic()
        if self._write and now - self._drawn >= self._write.pace:
            self._drawn = now
            self._write.draw(self._text())

    def _text(self) -> str:
        if not self._total:
            return f"{self._stage}: {self._done} {self._unit}{self._extra}"
        share = min(self._done / self._total, 1.0)
        elapsed = time.monotonic() - self._start
        new, open_ = self._done - self._kept, self._total - self._done
        left = f", {_seconds(elapsed * open_ / new)} left" if new > 0 and open_ > 0 else ""
        count = f"{self._done}/{self._total} {self._unit}"
        bar = "" if isinstance(self._write, _Lines) else f"[{'#' * round(20 * share):<20}] "
        return f"{self._stage}: {bar}{100 * share:3.0f} % {count}{left}{self._extra}"


class _Terminal:
    """Draws over its own line on stderr."""

    pace = _REDRAW

    def draw(self, text: str) -> None:
        sys.stderr.write(f"\r\x1b[K{text[: _width()]}")
        sys.stderr.flush()

    def line(self, text: str) -> None:
        sys.stderr.write(f"\r\x1b[K{text}\n")
        sys.stderr.flush()

    last = line


class _Lines:
    """Plain lines, few of them."""

    pace = _LINE

    def draw(self, text: str) -> None:
        print(text, file=sys.stderr, flush=True)

    line = last = draw


class _Notebook:
    """One output that is replaced, as plain text."""

    pace = _REDRAW

    def __init__(self, show: Callable[..., Any]) -> None:
        self._show, self._handle = show, None

    def draw(self, text: str) -> None:
        data = {"text/plain": text}
        if self._handle is None:
            self._handle = self._show(data, raw=True, display_id=True)
        else:
            self._handle.update(data, raw=True)

    def line(self, text: str) -> None:
        self.last(text)

    def last(self, text: str) -> None:
        self.draw(text)
        self._handle = None


def _writer() -> Any:
    if _progress == "text":
        return _Lines()
    notebook = sys.modules.get("IPython")
    shell = notebook.get_ipython() if notebook else None
    if shell is not None and hasattr(shell, "kernel"):
        from IPython.display import display as show

        return _Notebook(show)
    return _Terminal() if sys.stderr is not None and sys.stderr.isatty() else _Lines()


def _width() -> int:
    import shutil

    return shutil.get_terminal_size().columns - 1


def _seconds(seconds: float) -> str:
    if seconds < 10:
        return f"{seconds:.1f} s"
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
