"""Autoencoders in files: which file may stand for a training, and how another one keeps its place.
A file's name says how large an autoencoder is, and nothing of what it was trained on."""

from __future__ import annotations

import copyreg
import json
import os
import tempfile
from collections.abc import Iterable
from itertools import count
from typing import Any

import numpy as np

from . import _native
from ._training import Training, in_our_words
from .errors import FileError, HypothesaesError

_SIZES = ("n_neurons", "k", "batch_top_k", "prefixes", "multi_k")
"""Options that a file of the original package tells."""


def find(path: str, training: Training) -> tuple[_native.Autoencoder | None, str]:
    """What `training` would come to, from a file; else None and why the file is not that.

    An autoencoder of the original package is taken if its sizes fit: it does not know its data.
    """
    try:
        models = _native.load(path)
    except HypothesaesError as error:
        return None, f"it cannot be read ({error})"
    if len(models) != 1:
        return None, f"it holds {len(models)} autoencoders"
    model = models[0]
    if why := _difference(model, training):
        return None, why
    # One of the original learns what its errors are measured in, without which it cannot be saved.
    return (model if model.data_hash else model.judged(training.x)), ""


def save(
    model: _native.Autoencoder, path: str, training: Training, *, overwrite: bool = False
) -> str | None:
    """Writes what came of `training`.

    An autoencoder of another training that is there is moved aside, unless it may be overwritten;
    its new name is returned.
    """
    make_folder(path)
    moved = None
    if os.path.exists(path) and not overwrite and find(path, training)[0] is None:
        moved = _set_aside(path)
    model.save(path)
    return moved


def make_folder(path: str) -> None:
    """Makes the folder that a file is to go to.

    Raises
    ------
    FileError
    """
    folder = os.path.dirname(os.path.abspath(path))
    try:
        os.makedirs(folder, exist_ok=True)
    except OSError as error:
        raise FileError(f"the folder `{folder}` cannot be made: {error.strerror}") from error


def _difference(model: _native.Autoencoder, training: Training) -> str:
    dim = training.x.shape[1]
    if model.dim != dim:
        return f"it is for vectors of {model.dim} numbers, not {dim}"
    if why := _other_option(model, training, _SIZES):
        return why
    if not model.data_hash:
        return ""
    if model.data_hash != _hash(training):
        return "it was trained on other embeddings, or validated on others"
    return _other_option(model, training, training.options)


def _other_option(model: _native.Autoencoder, training: Training, names: Iterable[str]) -> str:
    stored = json.loads(model.options)
    for name in names:
        value, wanted = stored.get(name), training.options[name]
        if not _equal(value, wanted):
            return f"its {in_our_words(f'`{name}`')} is {value}, not {wanted}"
    return ""


def _set_aside(path: str) -> str | None:
    names = (f"{path}.before-{i}" for i in count(1))
    aside = next(name for name in names if not os.path.exists(name))
    try:
        os.rename(path, aside)
    except FileNotFoundError:
        # Another process has moved it.
        return None
    return aside


def _hash(training: Training) -> str:
    """What `data_hash` is of an autoencoder that `training` made."""
    return _native.hash_rows(training.x, training.validation)


def _equal(stored: Any, wanted: Any) -> bool:
    """Numbers are equal as the trainer has them, in 32 bits; nothing and an empty list are one."""
    if isinstance(stored, float) or isinstance(wanted, float):
        return None not in (stored, wanted) and np.float32(stored) == np.float32(wanted)
    return bool((stored or None) == (wanted or None))


def _reduced(model: _native.Autoencoder) -> tuple[Any, tuple[bytes]]:
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "model")
        model.save(path)
        with open(path, "rb") as file:
            return _restored, (file.read(),)


def _restored(content: bytes) -> _native.Autoencoder:
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "model")
        with open(path, "wb") as file:
            file.write(content)
        return _native.load(path)[0]


# So that whatever holds one can be pickled and copied: joblib, multiprocessing, copy.deepcopy.
copyreg.pickle(_native.Autoencoder, _reduced)
