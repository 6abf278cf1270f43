"""The report of a run, written where the user wants it, with or without texts."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from . import _charts, _native
from ._folder import STATE, Folder
from .errors import RunError

_NAME = "report.html"


def write(folder: Folder, path: str | os.PathLike[str] | None, texts: bool) -> Path:
    """Writes the report to `path`, by default into the run directory; where it lies."""
    if not folder.is_done("evaluate"):
        raise RunError(
            f"run directory `{folder.path}`: there is nothing to report yet, as the stage evaluate is "
            "not done; `plan` shows what is left, `plan.run()` does it"
        )
    own = Path(folder.path, _NAME)
    stands = _is_as_wanted(folder, texts) and own.exists()
    if stands and path is None:
        return own
    if path is None:
        path = Path(folder.path, "report-with-texts.html" if texts else "report-no-texts.html")
    content = own.read_bytes() if stands else _made(folder.path, texts)
    _charts.write(path, content)
    return Path(path).expanduser()


def _is_as_wanted(folder: Folder, texts: bool) -> bool:
    """Whether the run's own report has texts, or has none, as is wanted."""
    return folder.is_done("report") and folder.option("report", "report.texts") == texts


def _made(path: str, texts: bool) -> bytes:
    """A report made anew in a copy, so that the run stays as it is. Nobody is asked for anything."""
    with tempfile.TemporaryDirectory(prefix=".report-", dir=path) as place:
        _copy(path, place)
        assignment = f"report.texts={str(texts).lower()}"
        _native.run(place, [assignment], "report", False, True, False, False, None)
        return Path(place, _NAME).read_bytes()


def _copy(path: str, to: str) -> None:
    """Copies a run directory: as links where that is possible, for its files are replaced and never
    changed; what is written to in place is copied."""
    for root, folders, files in os.walk(path):
        folders[:] = [name for name in folders if not name.startswith(".") and name != "exports"]
        there = Path(to, os.path.relpath(root, path))
        there.mkdir(exist_ok=True)
        for name in files:
            source, target = Path(root, name), there / name
            if name.endswith(".jsonl") or name == STATE or name.startswith("."):
                shutil.copyfile(source, target)
                continue
            try:
                os.link(source, target)
            except OSError:
                shutil.copyfile(source, target)
