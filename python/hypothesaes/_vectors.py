"""Vectors that no server gave, kept under model and text: one SQLite file, which several processes
may use at once. A batch is kept as a whole or not at all."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from hashlib import blake2b

import numpy as np
import numpy.typing as npt

from .errors import FileError
from .progress import say

Vector = npt.NDArray[np.float32]

_PATIENCE = 60.0
"""Seconds that one process waits for another's transaction."""

_AT_ONCE = 500
_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS vectors (key BLOB PRIMARY KEY, vector BLOB NOT NULL) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS named (name TEXT, text TEXT, vector BLOB NOT NULL, "
    "PRIMARY KEY (name, text)) WITHOUT ROWID",
)


def load(path: str, model: str, texts: Sequence[str]) -> dict[str, Vector]:
    """The vectors of those texts that are kept."""
    found: dict[str, Vector] = {}
    if not os.path.exists(path):
        return found
    with _opened(path) as file:
        for start in range(0, len(texts), _AT_ONCE):
            of = {_key(model, text): text for text in texts[start : start + _AT_ONCE]}
            marks = ",".join("?" * len(of))
            rows = file.execute(f"SELECT key, vector FROM vectors WHERE key IN ({marks})", [*of])
            found.update((of[key], _vector(blob)) for key, blob in rows)
    return found


def save(path: str, model: str, texts: Sequence[str], vectors: npt.NDArray[np.float32]) -> None:
    """Keeps the vectors, a row for each text."""
    rows = [(_key(model, text), _blob(vector)) for text, vector in zip(texts, vectors)]
    with _opened(path) as file, file:
        file.executemany("INSERT OR REPLACE INTO vectors VALUES (?, ?)", rows)


def load_named(path: str, name: str) -> dict[str, Vector]:
    """What was kept under a name, by text."""
    if not os.path.exists(path):
        return {}
    with _opened(path) as file:
        rows = file.execute("SELECT text, vector FROM named WHERE name = ? ORDER BY text", [name])
        return {text: _vector(blob) for text, blob in rows}


def save_named(path: str, name: str, vectors: dict[str, Vector]) -> None:
    """Keeps vectors under a name, beside those that are there."""
    rows = [(name, text, _blob(vector)) for text, vector in vectors.items()]
    with _opened(path) as file, file:
        file.executemany("INSERT OR REPLACE INTO named VALUES (?, ?, ?)", rows)


@contextmanager
def _opened(path: str) -> Iterator[sqlite3.Connection]:
    """The file, made if it is not there; a damaged one is set aside, never deleted."""
    try:
        os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
        try:
            file = _connect(path)
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError):
                raise
            aside = f"{path}.damaged-{time.time_ns()}"
            os.replace(path, aside)
            say(f"`{path}` is damaged ({error}): it was renamed to `{aside}`, and a new one begun")
            file = _connect(path)
        with closing(file):
            yield file
    except (OSError, sqlite3.Error) as error:
        raise FileError(f"the vectors in `{path}` cannot be used: {error}") from error


def _connect(path: str) -> sqlite3.Connection:
    file = sqlite3.connect(path, timeout=_PATIENCE)
    try:
        with file:
            for statement in _SCHEMA:
                file.execute(statement)
    except sqlite3.Error:
        file.close()
        raise
    return file


def _key(model: str, text: str) -> bytes:
    hashed = blake2b(digest_size=32)
    for part in (model, text):
        encoded = part.encode()
        hashed.update(len(encoded).to_bytes(8, "little") + encoded)
    return hashed.digest()


def _blob(vector: npt.ArrayLike) -> bytes:
    return np.ascontiguousarray(vector, dtype="<f4").tobytes()


def _vector(blob: bytes) -> Vector:
    # A copy, for the user may want to write into it.
    return np.frombuffer(blob, dtype="<f4").astype(np.float32)
