"""Annotations of the original package that `hypothesaes.migrate` has taken over."""

from __future__ import annotations

import json
import os
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import TypeVar

from . import _native
from ._annotation import Pair, Pairs, Verdicts
from .llm_api import model_abbrev_to_id
from .progress import say

T = TypeVar("T")

_ENTRY = "imported annotation"
_THERE = "imported annotations"
_SUFFIXES = ("_interp-scoring.json", "_hypothesis-eval.json")
_AT_ONCE = 10_000

_told: set[str] = set()


def key(concept: str, text: str) -> str:
    """The original's key since 1.0: whatever is between the ends of the text does not matter."""
    return f"{concept}|||{text[:100]}[...]{text[-100:]}"


def _old_key(concept: str, text: str) -> str:
    """The same of version 0.2.0."""
    return f"{concept}|||{text[:100]}...{text[-100:]}"


def name_of(path: str | os.PathLike[str]) -> str:
    """The `cache_name` of a file of the original's."""
    name = os.path.basename(os.fspath(path))
    suffix = next((suffix for suffix in _SUFFIXES if name.endswith(suffix)), ".json")
    return name.removesuffix(suffix)


def keep(
    client: _native.Client, name: str, entries: Iterable[tuple[str, int]], model: str | None
) -> int:
    """Keeps annotations by key; how many there were."""
    total = 0
    model = None if model is None else model_abbrev_to_id.get(model, model)
    for some in _chunks(entries):
        client.put([((_ENTRY, name, key), json.dumps([value, model])) for key, value in some])
        total += len(some)
    if total:
        client.put([((_THERE, name), "yes")])
    return total


def is_there(client: _native.Client, name: str) -> bool:
    """Whether anything was imported under this name."""
    return client.get([(_THERE, name)]) != [None]


def find(client: _native.Client, name: str, pairs: Pairs, model: str) -> Verdicts:
    """The imported annotations of these pairs that may be taken for answers of `model`."""
    shared = _shared(pairs.texts)
    if shared:
        say(
            f"{len(shared)} texts have the same first and last 100 characters as another one, so "
            f"that the imported annotations of `{name}` do not tell them apart: they are not used "
            "for these"
        )
    found: Verdicts = {}
    is_untold = False
    for some in _chunks(pair for pair in pairs if pair[0] not in shared):
        for pair, entry in zip(some, _entries(client, name, pairs, some)):
            value, by = json.loads(entry) if entry else (None, None)
            if value is not None and by in (None, model):
                found[pair] = int(value)
                is_untold |= by is None
    if is_untold and name not in _told:
        _told.add(name)
        say(
            f"annotations of the original's cache `{name}` are used; it does not tell which model "
            f"gave them, and they are taken for `{model}`'s"
        )
    return found


def _entries(
    client: _native.Client, name: str, pairs: Pairs, some: list[Pair]
) -> Iterator[str | None]:
    """What is kept of some pairs, under the key of either version."""
    named = [(pairs.concepts[c], pairs.texts[t]) for t, c in some]
    new = client.get([(_ENTRY, name, key(*pair)) for pair in named])
    old = client.get([(_ENTRY, name, _old_key(*pair)) for pair in named])
    return (a or b for a, b in zip(new, old))


def _shared(texts: Sequence[str]) -> set[int]:
    """Places of the texts whose key is another one's too."""
    places = defaultdict(list)
    for place, text in enumerate(texts):
        places[text[:100], text[-100:]].append(place)
    return {place for of in places.values() if len(of) > 1 for place in of}


def _chunks(items: Iterable[T]) -> Iterator[list[T]]:
    left = iter(items)
    while some := list(islice(left, _AT_ONCE)):
        yield some


def hint(path: str | None) -> None:
    """Says that the file of the original's at `path` could be taken over."""
    if path is None or path in _told or not os.path.exists(path):
        return
    _told.add(path)
    say(
        f"`{path}` is a cache of the original package; it is not read here: "
        f"hypothesaes.migrate.annotation_cache({path!r}) takes its annotations over"
    )
