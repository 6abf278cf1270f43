"""Which concepts are true of which texts, as a language model sees it: pairs of text and concept go
in, 1, 0 or nothing comes out. Every answer is kept before it is used, and asked for once."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from . import _clients, _imported, _native
from ._annotation import Pairs, Single, Stacked, Verdicts, annotator, parse_completion
from ._asked import as_texts, concurrency, distinct, is_missing, say_missing, watching
from .errors import DataError, FileError
from .progress import say

__all__ = [
    "CACHE_DIR",
    "DEFAULT_N_WORKERS",
    "annotate",
    "annotate_single_text",
    "annotate_texts_with_concepts",
    "generate_cache_key",
    "get_annotation_cache",
    "parse_completion",
    "parse_completion_json",
    "save_annotation_cache",
]

CACHE_DIR = os.path.join(os.path.dirname(_native.answers_file()), "annotation_cache")
"""Folder of caches of the original's kind. None is written here: answers are kept in the file of
answers, whatever the cache is called."""

DEFAULT_N_WORKERS = 30


def get_annotation_cache(cache_path: str) -> dict[str, Any]:
    """Read an annotation cache of the original's kind.

    Parameters
    ----------
    cache_path : str
        A JSON file. One that is damaged is set aside, not deleted.

    Returns
    -------
    dict
        Annotation by key (`generate_cache_key`); empty if there is no such file.
    """
    if not os.path.exists(cache_path):
        return {}
    with open(cache_path, encoding="utf-8") as file:
        try:
            found = json.load(file)
        except ValueError as error:
            aside = f"{cache_path}.damaged-{time.time_ns()}"
            os.replace(cache_path, aside)
            say(f"`{cache_path}` is damaged ({error}): it was renamed to `{aside}`")
            return {}
    if not isinstance(found, dict):
        raise DataError(f"`{cache_path}` holds no annotation cache: it is no JSON object")
    return found


def save_annotation_cache(cache_path: str, cache: dict[str, Any]) -> None:
    """Write an annotation cache of the original's kind, whole or not at all.

    Parameters
    ----------
    cache_path : str
        A JSON file; its folder is made.
    cache : dict
        Annotation by key.
    """
    beside = f"{cache_path}.{os.getpid()}.tmp"
    try:
        os.makedirs(os.path.dirname(cache_path) or ".", exist_ok=True)
        with open(beside, "w", encoding="utf-8") as file:
            json.dump(cache, file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, cache_path)
    except OSError as error:
        raise FileError(f"cannot write `{cache_path}`: {error}") from error


def generate_cache_key(concept: str, text: str) -> str:
    """The key of an annotation in a cache of the original's kind.

    Texts with the same first and last 100 characters have the same one; the answers that the
    package itself keeps are told apart by the whole text.
    """
    return _imported.key(concept, text)


def parse_completion_json(completion: str) -> int | None:
    """What an answer in JSON says: 1 for yes, 0 for no, None for neither (`parse_completion`)."""
    return parse_completion(completion)


def annotate_single_text(
    text: str,
    concept: str,
    annotate_prompt_name: str = "annotate",
    model: str = "gpt-5-mini",
    max_words_per_example: int | None = None,
    temperature: float | None = None,
    max_output_tokens: int | None = None,
    max_retries: int = 3,
    timeout: float | None = None,
    reasoning_effort: str | None = None,
    verbosity: str | None = None,
    *,
    parse_fn: Callable[[str], int | None] | None = None,
    system_prompt_name: str | None = None,
    **completion_kwargs: Any,
) -> tuple[int | None, float]:
    """Whether a concept is true of a text.

    Parameters
    ----------
    text, concept : str
        The pair.
    annotate_prompt_name : str
        A prompt of the package, or the path of a file of one's own with `{hypothesis}` and
        `{text}`. The default stands for the prompts of the library, which ask about many concepts
        at once; any other asks about one pair at a time.
    model : str
        Name or short name.
    max_words_per_example : int, optional
        Words of a text that are read; the rest is cut off.
    temperature, max_output_tokens, reasoning_effort, verbosity
        Of the request. The library's prompts settle length and form of the answer themselves; it
        thinks as little as it can unless an effort is given.
    max_retries : int
        Times that a prompt of one's own is asked whose answer cannot be read.
    timeout : float, optional
        Seconds after which a call that has not come back is made again.
    parse_fn : callable, optional
        Makes 1, 0 or None (unreadable) of an answer, which it gets in small letters.
    system_prompt_name : str, optional
        A prompt that is sent before the other, as it is.
    **completion_kwargs
        More of the request, as in `get_completion`.

    Returns
    -------
    tuple of (int or None, float)
        The annotation, None if there is none, and the seconds it took.
    """
    who = annotator(
        model, annotate_prompt_name, max_words_per_example, temperature, max_output_tokens,
        max_retries, reasoning_effort, verbosity, parse_fn, system_prompt_name, **completion_kwargs
    )  # fmt: skip
    start = time.perf_counter()
    pairs = Pairs.of([(text, concept)] if _is_usable((text, concept), 0) else [])
    found = _known(pairs, who, None)
    if len(found) < len(pairs):
        with _clients.asking(timeout=timeout) as client, watching("Annotating", show=False) as bar:
            found, reasons = who.ask(client, pairs, bar)
        say_missing("annotations", reasons, 1)
    return found.get((0, 0)), time.perf_counter() - start


def annotate(
    tasks: Sequence[tuple[str, str]],
    model: str = "gpt-5-mini",
    cache_path: str | None = None,
    n_workers: int = DEFAULT_N_WORKERS,
    show_progress: bool = True,
    progress_desc: str = "Annotating",
    use_cache_only: bool = False,
    uncached_value: int = 0,
    **annotation_kwargs: Any,
) -> dict[str, dict[str, int | None]]:
    """Whether concepts are true of texts, pair by pair.

    Parameters
    ----------
    tasks : sequence of (text, concept)
        Equal pairs are asked once.
    model : str
        Name or short name.
    cache_path : str, optional
        Its name says which imported annotations of the original may be used
        (`hypothesaes.migrate`); nothing is read or written there.
    n_workers : int
        Most calls under way at once; the default leaves it to the server's limits.
    show_progress : bool
        Whether a bar is shown, under `progress_desc`.
    use_cache_only : bool
        Ask nothing: what is not kept is `uncached_value`.
    **annotation_kwargs
        As in `annotate_single_text`.

    Returns
    -------
    dict
        `[concept][text]`: 1, 0, or None where there is no answer, which the next call asks for.
    """
    asked = [(text, concept) for text, concept in tasks]
    pairs = Pairs.of(task for row, task in enumerate(asked) if _is_usable(task, row))
    timeout = annotation_kwargs.pop("timeout", None)
    who = annotator(model, **annotation_kwargs)
    known = _known(pairs, who, cache_path)
    if use_cache_only:
        left = f"the others are set to {uncached_value}"
        say(f"{len(known)} of {len(pairs)} annotations are kept; {left}")
        return _by_concept(asked, pairs, known, uncached_value)
    open_ = pairs.without(known)
    say(f"{len(known)} of {len(pairs)} annotations are kept; {len(open_)} are asked for")
    blank = len(set(asked)) - len(pairs)
    if blank:
        say(f"{blank} annotations have no text, or no concept: they are left empty")
    if len(open_):
        most = concurrency(n_workers, DEFAULT_N_WORKERS)
        with _clients.asking(timeout=timeout, max_concurrent=most) as client:
            with watching(progress_desc, show_progress) as bar:
                new, reasons = who.ask(client, open_, bar)
        known.update(new)
        say_missing("annotations", reasons, len(pairs))
    return _by_concept(asked, pairs, known, None)


def annotate_texts_with_concepts(
    texts: Sequence[str],
    concepts: Sequence[str],
    model: str = "gpt-5-mini",
    cache_name: str | None = None,
    progress_desc: str = "Annotating",
    show_progress: bool = True,
    **annotation_kwargs: Any,
) -> dict[str, npt.NDArray[Any]]:
    """Whether each concept is true of each text.

    Parameters
    ----------
    texts : sequence of str
        A list, array or column.
    concepts : sequence of str
        Likewise.
    model : str
        Name or short name.
    cache_name : str, optional
        Imported annotations of this name are used (`hypothesaes.migrate`). Without it nothing is
        lost either.
    progress_desc, show_progress
        Of the bar.
    **annotation_kwargs
        As in `annotate` and `annotate_single_text`.

    Returns
    -------
    dict of str to ndarray
        For each concept an array with a value per text, in their order: int64, or float64 if one
        is missing, which then is NaN.
    """
    rows, names = as_texts(texts), as_texts(concepts, "concepts")
    path = os.path.join(CACHE_DIR, f"{cache_name}_hypothesis-eval.json") if cache_name else None
    results = annotate(
        [(row, name) for row in rows for name in names],  # type: ignore[misc]
        model=model,
        cache_path=path,
        show_progress=show_progress,
        progress_desc=progress_desc,
        **annotation_kwargs,
    )
    of: Any = results  # a text or concept that is missing is a key, too
    columns = {name: _column([of[name][row] for row in rows]) for name in distinct(names)}
    return columns  # type: ignore[return-value]


def _is_usable(task: tuple[Any, Any], row: int) -> bool:
    """Whether there are a text and a concept, neither of them blank."""
    for what, value in zip(("text", "concept"), task):
        if not isinstance(value, str) and not is_missing(value):
            kind = type(value).__name__
            raise DataError(f"the {what} of task {row} is `{value!r}` ({kind}): it must be a str")
    return all(isinstance(value, str) and value.strip() for value in task)


def _known(pairs: Pairs, who: Stacked | Single, cache_path: str | None) -> Verdicts:
    """What need not be asked: answers that are kept, then imported ones."""
    if not len(pairs):
        return {}
    client = _clients.client(needs_key=False)
    known = who.kept(client, pairs)
    if cache_path is not None:
        name = _imported.name_of(cache_path)
        if _imported.is_there(client, name):
            known.update(_imported.find(client, name, pairs.without(known), who.model))
        else:
            _imported.hint(cache_path)
    return known


def _by_concept(
    tasks: Sequence[tuple[str, str]], pairs: Pairs, known: Verdicts, otherwise: int | None
) -> dict[str, dict[str, int | None]]:
    found = {(pairs.texts[t], pairs.concepts[c]): value for (t, c), value in known.items()}
    results: dict[str, dict[str, int | None]] = {}
    for text, concept in tasks:
        results.setdefault(concept, {})[text] = found.get((text, concept), otherwise)
    return results


def _column(values: list[int | None]) -> npt.NDArray[Any]:
    """Whole numbers, unless one is missing: only floats have a NaN."""
    if None not in values:
        return np.array(values, dtype=np.int64)
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)
