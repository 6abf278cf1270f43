"""What every module that asks a language model needs: its arguments brought into the form of the
library, a bar, and answers that are asked for until they can be read."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from . import _native
from .errors import DataError, OptionError
from .progress import Bar, say

T = TypeVar("T")

_LOCAL_ONLY = ("tokenizer_kwargs", "llm_sampling_kwargs")
"""Arguments of models that versions before 2.0 ran in the same process: nobody takes them here."""

_CAPS = ("max_output_tokens", "max_completion_tokens", "max_tokens")


def request_options(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Options of `Client.complete` for the keyword arguments of a request.

    `reasoning_effort` goes before `reasoning["effort"]`, `verbosity` before `text["verbosity"]`;
    what has no name of its own travels as it is, in `extra`.
    """
    left = {k: v for k, v in arguments.items() if v is not None and k not in _LOCAL_ONLY}
    caps = [left.pop(name) for name in _CAPS if name in left]
    reasoning = dict(left.pop("reasoning", {}))
    thinks = reasoning.pop("effort", None)
    text = dict(left.pop("text", {}))
    if "verbosity" in left:
        text["verbosity"] = left.pop("verbosity")
    options = {
        "temperature": left.pop("temperature", None),
        "effort": left.pop("reasoning_effort", thinks),
        "max_output": caps[0] if caps else None,
    }
    extra = {**left, **({"reasoning": reasoning} if reasoning else {})}
    if text:
        extra["text"] = text
    return {k: v for k, v in {**options, "extra": extra or None}.items() if v is not None}


def as_json(options: Mapping[str, Any]) -> str:
    """The options as the library takes them."""

    def plain(value: Any) -> Any:
        if hasattr(value, "item"):  # a number of numpy
            return value.item()
        raise OptionError(f"`{value!r}` cannot be sent to a server: it is no JSON value")

    return json.dumps(options, sort_keys=True, default=plain)


def concurrency(n_workers: int, default: int) -> int | None:
    """Most calls under way at once.

    The original's default is a guess that suits one account. Ours is paced to the limits that the
    server tells, so that only a number which the caller chose counts.
    """
    if n_workers < 1:
        raise OptionError(f"`n_workers` is `{n_workers}`: it must be at least 1")
    return None if n_workers == default else n_workers


def as_texts(values: Any, argument: str = "texts") -> list[str | None]:
    """A list, array or column as Python texts; what is missing (None, NaN) is None."""
    if isinstance(values, str):
        raise OptionError(f"`{argument}` is a single text: give a list of texts")
    ways = (getattr(values, name, None) for name in ("to_list", "to_pylist", "tolist"))
    way = next((way for way in ways if way is not None), None)
    items = list(values) if way is None else list(way())
    return [_as_text(item, row, argument) for row, item in enumerate(items)]


def all_texts(values: Any, argument: str = "texts") -> list[str]:
    """The same where none may be missing."""
    texts = as_texts(values, argument)
    if None in texts:
        row = texts.index(None)
        raise DataError(f"row {row} of `{argument}` is missing: leave it out everywhere")
    return [text for text in texts if text is not None]


def is_missing(value: object) -> bool:
    """Whether this is None or what data frames put in its place."""
    is_nan = isinstance(value, float) and value != value
    return value is None or is_nan or type(value).__name__ in ("NAType", "NaTType")


def _as_text(item: Any, row: int, argument: str) -> str | None:
    if isinstance(item, str):
        if not item.isascii():
            _check_unicode(item, row, argument)
        return item
    if is_missing(item):
        return None
    kind = type(item).__name__
    raise DataError(f"row {row} of `{argument}` is `{item!r}` ({kind}): every text must be a str")


def _check_unicode(text: str, row: int, argument: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise DataError(
            f"row {row} of `{argument}` is no Unicode: character {error.start} is half of a pair "
            'of surrogates; text.encode("utf-8", "replace").decode() is a text without it'
        ) from None


@contextmanager
def watching(description: str, show: bool = True) -> Iterator[Bar]:
    """A bar for work that is paid for."""
    bar = Bar(description, show=show)
    try:
        yield bar
    except KeyboardInterrupt:
        say("stopped: every answer that arrived is kept, and the same call goes on from there")
        raise
    finally:
        bar.close()


def say_missing(what: str, reasons: Sequence[str], total: int) -> None:
    """One line on what has no answer, with the most frequent reason."""
    if reasons:
        why = Counter(reasons).most_common(1)[0][0]
        say(
            f"{len(reasons)} of {total} {what} are missing ({why}); they are left empty, and the "
            "next call asks for them again"
        )


class Questions:
    """Prompts whose answers have to be read by `parse`.

    An answer that `parse` makes nothing of is kept too, under its number, so that it is not asked
    for again by mistake; a call asks for up to `tries` new ones.
    """

    def __init__(
        self, model: str, options: str, stage: str, parse: Callable[[str], T | None], tries: int = 3
    ) -> None:
        if tries < 1:
            raise OptionError(f"`max_retries` is `{tries}`: it must be at least 1")
        self._model, self._options, self._stage = model, options, stage
        self._parse: Callable[[str], Any] = parse
        self._tries = tries

    def answers(
        self,
        client: _native.Client,
        prompts: Sequence[tuple[str, str]],
        keys: Sequence[Sequence[str]],
        watch: Bar | None,
    ) -> list[tuple[Any, str]]:
        """What was read of the answer to each prompt, or None and why.

        Without a watch nothing is asked: the kept answers are gone through.
        """
        places: dict[tuple[object, ...], list[int]] = {}
        for place, (prompt, key) in enumerate(zip(prompts, keys)):
            places.setdefault((prompt, *key), []).append(place)
        firsts = [of[0] for of in places.values()]
        found = self._distinct(
            client, [prompts[i] for i in firsts], [tuple(keys[i]) for i in firsts], watch
        )
        answers: list[tuple[Any, str]] = [(None, "")] * len(prompts)
        for of, answer in zip(places.values(), found):
            for place in of:
                answers[place] = answer
        return answers

    def _distinct(
        self,
        client: _native.Client,
        prompts: list[tuple[str, str]],
        keys: list[tuple[str, ...]],
        watch: Bar | None,
    ) -> list[tuple[Any, str]]:
        found: list[tuple[Any, str]] = [(None, "not asked for yet")] * len(prompts)
        tries = dict.fromkeys(range(len(prompts)), self._tries)
        number = 0
        while tries:
            open_ = list(tries)
            asked = [prompts[i] for i in open_]
            named = [(*keys[i], str(number)) for i in open_]
            kept = client.completed(asked, named, self._model, self._options)
            new = [place for place, text in enumerate(kept) if text is None]
            for place, text in zip(open_, kept):
                if text is not None and self._note(found, place, text):
                    del tries[place]
            if watch is None:
                for place in new:
                    del tries[open_[place]]
            elif new:
                replies = client.complete(
                    [asked[i] for i in new],
                    [named[i] for i in new],
                    self._model,
                    self._options,
                    self._stage,
                    watch,
                )
                for place, reply in zip((open_[i] for i in new), replies):
                    self._take(found, tries, place, reply)
            number += 1
        return found

    def _take(
        self,
        found: list[tuple[Any, str]],
        tries: dict[int, int],
        place: int,
        reply: tuple[str | None, str | None],
    ) -> None:
        """Takes in a new reply; the prompt stays among those to be tried if it is of no use."""
        text, why = reply
        if text is None:
            # The client has tried what can help already.
            found[place] = (None, why or "no answer")
            del tries[place]
            return
        tries[place] -= 1
        if self._note(found, place, text) or tries[place] == 0:
            del tries[place]

    def _note(self, found: list[tuple[Any, str]], place: int, text: str) -> bool:
        try:
            value = self._parse(text)
        except DataError:
            raise
        except Exception as error:  # the parser may be the user's
            found[place] = (None, f"its answer cannot be read: {type(error).__name__}: {error}")
            return False
        found[place] = (value, "") if value is not None else (None, "its answer cannot be read")
        return value is not None


def distinct(items: Iterable[T]) -> list[T]:
    """Each once, in order of appearance."""
    return list(dict.fromkeys(items))
