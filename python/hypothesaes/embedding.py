"""Vectors of texts, from a server or a model on this computer: texts go in, a dict from text to
vector comes out. Every vector is kept under model and text as it arrives, and had once."""

from __future__ import annotations

import glob
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np
import numpy.typing as npt

from . import _clients, _native, _vectors
from ._asked import concurrency, distinct, watching
from .errors import DataError, OptionError
from .progress import say
from .utils import filter_invalid_texts

__all__ = [
    "CACHE_DIR",
    "get_local_embeddings",
    "get_openai_embeddings",
    "load_embedding_cache",
    "update_embedding_cache",
]

Vector = npt.NDArray[np.float32]

CACHE_DIR = os.environ.get("EMB_CACHE_DIR") or os.path.dirname(_native.answers_file())
"""Folder of what is kept, at the time of the import. `EMB_CACHE_DIR` names another one, and is
looked at by every call."""

TFIDF_SVD = "tfidf-svd"
"""The embedded model, which learns from the texts themselves."""

_N_WORKERS = 5


def get_openai_embeddings(
    texts: Sequence[str],
    model: str = "text-embedding-3-small",
    batch_size: int = 256,
    n_workers: int = _N_WORKERS,
    cache_name: str | None = None,
    show_progress: bool = True,
    chunk_size: int = 50000,
    timeout: float | None = None,
) -> dict[str, Vector]:
    """Vectors of texts by a model of the server that the environment names.

    Parameters
    ----------
    texts : sequence of str
        A list, array or column; what is missing or blank is left out and said.
    model : str
        Name of the model.
    n_workers : int
        Most calls under way at once; the default leaves it to the server's limits.
    cache_name : str, optional
        Taken and not needed: what is kept is found by model and text.
    show_progress : bool
        Whether a bar is shown.
    batch_size, chunk_size
        Taken and not needed: a call holds as many texts as the limits allow, and each vector is
        kept as it arrives.
    timeout : float, optional
        Seconds after which a call that has not come back is made again.

    Returns
    -------
    dict of str to ndarray
        The vector, float32, of each text asked for, cut to what the model reads if it is too long;
        a text that the server gives none for is left out and said.
    """
    del batch_size, chunk_size
    wanted = distinct(filter_invalid_texts(texts))
    found = _vectors.load(_file(), model, wanted)
    _hint(cache_name, model)
    most = concurrency(n_workers, _N_WORKERS)
    found.update(_from_server(wanted, found, model, "", show_progress, timeout, most))
    return {text: found[text] for text in wanted if text in found}


def get_local_embeddings(
    texts: Sequence[str],
    model: str = "nomic-ai/modernbert-embed-base",
    batch_size: int = 128,
    show_progress: bool = True,
    cache_name: str | None = None,
    chunk_size: int = 50000,
    device: Any = None,
) -> dict[str, Vector]:
    """Vectors of texts by a sentence model on this computer.

    The model runs inside this package if it is in the hub's cache or a folder, and is brought from the
    hub if it is not; the server at `OPENAI_BASE_URL` is asked instead if that is this computer. The package
    `sentence-transformers`, if it is installed, takes over what cannot be had or run here, and every
    `device` but the CPU.

    Parameters
    ----------
    texts : sequence of str
        A list, array or column; what is missing or blank is left out and said.
    model : str
        Name of the model, `NAME@REVISION`, or its folder. `tfidf-svd` is the embedded one, which needs
        no model. It learns from the texts of the call, so that all texts which are to be compared
        belong into one call; nothing is kept of it.
    batch_size : int
        Texts that `sentence-transformers` reads at once; what runs here reads as many as suits it.
    show_progress : bool
        Whether a bar is shown.
    cache_name, chunk_size
        Taken and not needed: what is kept is found by model and text.
    device : torch.device or str, optional
        Where `sentence-transformers` runs; by default the model runs here, on all cores.

    Returns
    -------
    dict of str to ndarray
        The vector, float32, of each text asked for, of length 1 if the model runs here. Models of
        nomic-ai read the text behind `clustering: `, instructor models behind an instruction, others the
        text alone, as in the original.
    """
    del chunk_size
    wanted = distinct(filter_invalid_texts(texts))
    if model == TFIDF_SVD:
        return _of_texts_alone(wanted, show_progress)
    prefix = _prefix(model)
    sent = {prefix + text: text for text in wanted}
    kept = _vectors.load(_file(), model, list(sent))
    found = {sent[text]: vector for text, vector in kept.items()}
    _hint(cache_name, model)
    left = [text for text in wanted if text not in found]
    if left:
        found.update(_made(left, model, prefix, batch_size, show_progress, device))
    return {text: found[text] for text in wanted if text in found}


def _made(
    left: Sequence[str], model: str, prefix: str, batch_size: int, show: bool, device: Any
) -> dict[str, Vector]:
    """The vectors of whatever can make them: what runs here, a server that is here, or the package."""
    has_package = _is_installed("sentence_transformers")
    elsewhere = device is not None and not str(device).startswith("cpu")
    if has_package and (elsewhere or _is_instructor(model)):
        return _from_model(left, model, prefix, batch_size, show, device)
    client = _clients.client(needs_key=False, folder=_folder())
    if client.is_here and not os.path.isdir(model):
        return _from_server(left, {}, model, prefix, show, None, None)
    why = f"`{model}` is not in the hub's cache; name it as the hub does, `OWNER/NAME`, or by its folder"
    try:
        vectors = _run_here(left, model, prefix, show)
    except (DataError, OptionError) as error:
        vectors, why = None, str(error)
    if vectors is not None:
        return dict(zip(left, vectors))
    if has_package:
        say(f"{why}; `sentence-transformers` is asked instead")
        return _from_model(left, model, prefix, batch_size, show, device)
    raise OptionError(
        f"{why}; in Python, OPENAI_BASE_URL names a server on this computer that has it, and "
        f'model="{TFIDF_SVD}" is the embedded one, which needs nothing'
    )


def _run_here(left: Sequence[str], model: str, prefix: str, show: bool) -> Any:
    """The vectors of a model that this package runs, kept as they come; None if it is not here."""
    kept_in = os.path.join(_folder(), "vectors")
    with watching("Embedding", show) as bar:
        return _native.sentence_vectors(left, model, prefix, kept_in, bar)


def load_embedding_cache(cache_name: str) -> dict[str, Vector]:
    """Vectors that `update_embedding_cache` kept under a name.

    Parameters
    ----------
    cache_name : str
        The name.

    Returns
    -------
    dict of str to ndarray
        By text. What the functions of this module had from models is not among them: it is kept by
        model and text, and they give it out without asking.

    Raises
    ------
    OptionError
        If the original has left its files there, which it takes an unpickler to read.
    """
    if not cache_name:
        return {}
    found = _vectors.load_named(_file(), cache_name)
    if not found and _chunks(cache_name):
        raise OptionError(
            f"`{os.path.join(_folder(), cache_name)}` holds pickles of the original, which can run "
            "code when they are read: hypothesaes.migrate.embedding_cache takes over those that "
            "you trust"
        )
    return found


def update_embedding_cache(
    cache_name: str, text2embedding: Mapping[str, npt.ArrayLike], chunk_size: int = 50000
) -> None:
    """Keep vectors under a name, for `load_embedding_cache`.

    Parameters
    ----------
    cache_name : str
        The name; an empty one keeps nothing.
    text2embedding : mapping of str to array
        Vectors by text.
    chunk_size : int
        Taken and not needed.
    """
    del chunk_size
    if cache_name:
        vectors = {text: np.asarray(v, dtype=np.float32) for text, v in text2embedding.items()}
        _vectors.save_named(_file(), cache_name, vectors)


def _from_server(
    wanted: Sequence[str],
    found: Mapping[str, Vector],
    model: str,
    prefix: str,
    show: bool,
    timeout: float | None,
    most: int | None,
) -> dict[str, Vector]:
    """The vectors that are not found yet, by text without the prefix."""
    left = [text for text in wanted if text not in found]
    if not left:
        return {}
    with _clients.asking(folder=_folder(), timeout=timeout, max_concurrent=most) as client:
        with watching("Embedding", show) as bar:
            vectors, absent = client.embed([prefix + text for text in left], model, None, bar)
    if absent:
        say(
            f"{len(absent)} of {len(left)} texts have no vector and are left out; the next call "
            "asks for them again"
        )
    lost = set(absent)
    return {text: vectors[row] for row, text in enumerate(left) if row not in lost}


def _from_model(
    left: Sequence[str], model: str, prefix: str, batch_size: int, show: bool, device: Any
) -> dict[str, Vector]:
    """The vectors of a model that runs in this process, each batch kept before it is used."""
    runs = import_module("sentence_transformers").SentenceTransformer(model, device=device)
    say(f"`{model}` runs on {getattr(runs, 'device', device)}")
    found: dict[str, Vector] = {}
    with watching("Embedding", show) as bar:
        bar.begin("embed", len(left), "texts")
        for texts in _batches(left, batch_size):
            sent: list[Any] = [prefix + text for text in texts]
            if _is_instructor(model):
                sent = [[prefix, text] for text in texts]
            encoded = runs.encode(sent, batch_size=batch_size, show_progress_bar=False)
            vectors = np.asarray(encoded, dtype=np.float32)
            _vectors.save(_file(), model, [prefix + text for text in texts], vectors)
            found.update(zip(texts, vectors))
            bar.advance(len(texts))
        bar.end(f"{len(left)} texts")
    return found


def _of_texts_alone(texts: Sequence[str], show: bool) -> dict[str, Vector]:
    if not texts:
        return {}
    with watching("Embedding", show) as bar:
        return dict(zip(texts, _native.tfidf_svd(texts, None, bar)))


def _prefix(model: str) -> str:
    """What the model is to read before a text."""
    if "nomic-ai" in model:
        return "clustering: "
    return "Represent the text for classification: " if _is_instructor(model) else ""


def _is_instructor(model: str) -> bool:
    return "instructor" in model and "nomic-ai" not in model


def _batches(texts: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    if size < 1:
        raise OptionError(f"`batch_size` is `{size}`: it must be at least 1")
    return (texts[start : start + size] for start in range(0, len(texts), size))


def _is_installed(package: str) -> bool:
    if package in sys.modules:
        return sys.modules[package] is not None
    return find_spec(package) is not None


def _folder() -> str:
    return os.environ.get("EMB_CACHE_DIR") or os.path.dirname(_native.answers_file())


def _file() -> str:
    return os.path.join(_folder(), "vectors.sqlite")


def _chunks(cache_name: str) -> list[str]:
    """Files of the original's."""
    return glob.glob(os.path.join(glob.escape(_folder()), glob.escape(cache_name), "chunk_*.npy"))


_told: set[str] = set()


def _hint(cache_name: str | None, model: str) -> None:
    """Says, once, that vectors of the original's could be taken over."""
    path = os.path.join(_folder(), cache_name or "")
    if not cache_name or path in _told or not _chunks(cache_name):
        return
    _told.add(path)
    say(
        f"`{path}` holds vectors of the original package, which are not read here: "
        f"hypothesaes.migrate.embedding_cache({path!r}, {model!r}, trust_pickle=True) takes them "
        "over, if you trust the files"
    )
