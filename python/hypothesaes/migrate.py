"""Takes over what the original package has kept, so that it need not be paid for again: annotation
caches, which are JSON, and embedding caches, which are pickles."""

from __future__ import annotations

import glob
import json
import os
import pickle
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from . import _clients, _imported, _vectors, embedding
from .errors import DataError, MissingFileError, OptionError
from .progress import say

__all__ = ["annotation_cache", "embedding_cache"]


def annotation_cache(
    path: str | os.PathLike[str], cache_name: str | None = None, model: str | None = None
) -> int:
    """Take over the annotations of a cache file of the original.

    Parameters
    ----------
    path : path
        Such as `annotation_cache/NAME_interp-scoring.json` or `NAME_hypothesis-eval.json`.
    cache_name : str, optional
        Under which they are used; by default that of the file, NAME.
    model : str, optional
        The model that gave them, which the file does not tell. They are used for this annotator
        alone, or, without it, for any.

    Returns
    -------
    int
        How many there are. They are used where `cache_name` is given, for pairs of text and concept
        that have no answer of their own. The original tells texts apart by their first and last
        100 characters: where two texts of a call are equal there, both are asked for.
    """
    path = os.fspath(path)
    name = _imported.name_of(path) if cache_name is None else cache_name
    try:
        with open(path, encoding="utf-8") as file:
            found = json.load(file)
    except FileNotFoundError:
        raise MissingFileError(f"there is no file `{path}`") from None
    except ValueError as error:
        raise DataError(f"`{path}` is no JSON ({error}): mend it or leave it out") from None
    if not isinstance(found, dict):
        raise DataError(f"`{path}` is no annotation cache: it must be a JSON object")
    entries = [(key, _annotation(key, value, path)) for key, value in found.items()]
    kept = [(key, value) for key, value in entries if value is not None]
    total = _imported.keep(_clients.client(needs_key=False), name, kept, model)
    say(f"{total} annotations of `{path}` are kept under the cache name `{name}`")
    return total


def _annotation(key: str, value: Any, path: str) -> int | None:
    if "|||" not in key:
        raise DataError(f"`{path}` is no annotation cache: `{key[:60]}` is no key of one")
    if value is None:
        return None
    if isinstance(value, int) or (isinstance(value, float) and value.is_integer()):
        return int(value)
    raise DataError(f"`{path}` has `{value!r}` for `{key[:60]}`: annotations are whole numbers")


def embedding_cache(
    path: str | os.PathLike[str],
    model: str,
    trust_pickle: bool = False,
    cache_name: str | None = None,
) -> int:
    """Take over the vectors of an embedding cache of the original.

    Parameters
    ----------
    path : path
        A folder with files `chunk_*.npy`, or one of these.
    model : str
        The model that gave them, which the files do not tell.
    trust_pickle : bool
        The files are pickles. Reading a pickle can run whatever its writer put into it. Only
        arrays, texts, lists and numbers are let through here, but that is no proof against a
        forged file: say True only of files that you trust.
    cache_name : str, optional
        Under which `load_embedding_cache` gives them out, too.

    Returns
    -------
    int
        How many there are. `get_openai_embeddings` and `get_local_embeddings` do not ask for them
        any more; those of OpenAI's models are kept as answers of the server that the environment
        names, so that `hypothesaes.discover` finds them too, unless EMB_CACHE_DIR puts them
        elsewhere.
    """
    path = os.fspath(path)
    if not trust_pickle:
        raise OptionError(
            f"`{path}` holds pickles, and reading a pickle can run code that its writer put into "
            "it: if you trust where the files come from, say trust_pickle=True"
        )
    total = 0
    for file in _chunks(path):
        texts, vectors = _read(file)
        _keep(texts, vectors, model)
        if cache_name:
            embedding.update_embedding_cache(cache_name, dict(zip(texts, vectors)))
        total += len(texts)
    say(f"{total} vectors of `{path}` are kept for `{model}`")
    return total


def _chunks(path: str) -> list[str]:
    if os.path.isfile(path):
        return [path]
    found = sorted(glob.glob(os.path.join(glob.escape(path), "chunk_*.npy")))
    if not found:
        raise MissingFileError(f"there are no files `chunk_*.npy` in `{path}`")
    return found


def _keep(texts: list[str], vectors: npt.NDArray[np.float32], model: str) -> None:
    if model.startswith("text-embedding-"):
        client = _clients.client(needs_key=False, folder=embedding._folder())
        client.put_vectors(texts, vectors, model)
    else:
        prefix = embedding._prefix(model)
        _vectors.save(embedding._file(), model, [prefix + text for text in texts], vectors)


def _read(path: str) -> tuple[list[str], npt.NDArray[np.float32]]:
    """The texts and vectors of a file, which holds an array of such pairs."""
    try:
        with open(path, "rb") as file:
            pairs = _unpickled(file)
    except (ValueError, EOFError, pickle.UnpicklingError, AttributeError, TypeError) as error:
        raise DataError(f"`{path}` cannot be read: {error}") from error
    texts: list[str] = []
    vectors: list[npt.NDArray[np.float32]] = []
    for row, pair in enumerate(pairs):
        text, vector = pair if len(pair) == 2 else (None, None)
        array = np.asarray(vector if isinstance(text, str) else [], dtype=np.float32)
        if array.ndim != 1 or not array.size or not np.isfinite(array).all():
            raise DataError(f"row {row} of `{path}` is no text with a vector of finite numbers")
        if vectors and len(array) != len(vectors[0]):
            raise DataError(
                f"row {row} of `{path}` has {len(array)} numbers, the others have "
                f"{len(vectors[0])}: these are vectors of two models"
            )
        texts.append(str(text))
        vectors.append(array)
    return texts, np.array(vectors, dtype=np.float32)


def _unpickled(file: BinaryIO) -> Any:
    """The array of objects in a `.npy` file."""
    version = np.lib.format.read_magic(file)
    header = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }.get(version)
    if header is None:
        raise ValueError(f"it has version {version} of the format")
    _, _, dtype = header(file)
    if not dtype.hasobject:
        raise ValueError("it holds no texts")
    return _Cautious(file).load()


_ARRAYS = {
    "ndarray": np.ndarray,
    "dtype": np.dtype,
    # They live in different places in different versions; arrays and numbers know where.
    "_reconstruct": np.empty(0).__reduce__()[0],
    "scalar": np.float32(0).__reduce__()[0],
    "_frombuffer": np.empty(1).__reduce_ex__(5)[0],
}


class _Cautious(pickle.Unpickler):
    """Builds arrays, and what pickles write without naming a class: texts, numbers, lists."""

    def find_class(self, module: str, name: str) -> Any:
        if module.partition(".")[0] == "numpy" and name in _ARRAYS:
            return _ARRAYS[name]
        raise pickle.UnpicklingError(f"it asks for `{module}.{name}`, which no vector needs")
