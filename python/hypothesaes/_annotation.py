"""How pairs of text and concept are asked about: many together, in the library's prompts, or each
in a prompt of the user's. Either way in go distinct texts and concepts, out come verdicts by pair.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from . import _native
from ._asked import Questions, as_json, request_options
from ._prompts import fill
from .errors import DataError
from .llm_api import model_abbrev_to_id, normalize_llm_kwargs
from .progress import Bar
from .utils import load_prompt, truncate_text

Pair = tuple[int, int]
"""Places of a text and of a concept."""

Verdicts = dict[Pair, int]

DEFAULT_PROMPT = "annotate"

_ALL_WORDS = 2**31 - 1

_STACKS = (10, 5, 2, 1)
"""Concepts that are asked of a text at once: the most, and what a calibration may fall back to."""


@dataclass
class Pairs:
    """What is asked: `wanted` has, for each text, the places of its concepts."""

    texts: list[str] = field(default_factory=list)
    concepts: list[str] = field(default_factory=list)
    wanted: list[list[int]] = field(default_factory=list)

    @staticmethod
    def of(tasks: Iterable[tuple[str, str]]) -> Pairs:
        """The distinct texts and concepts of (text, concept) tasks, and their distinct pairs."""
        texts: dict[str, dict[int, None]] = {}
        concepts: dict[str, int] = {}
        for text, concept in tasks:
            place = concepts.setdefault(concept, len(concepts))
            texts.setdefault(text, {})[place] = None
        return Pairs(list(texts), list(concepts), [list(of) for of in texts.values()])

    def __iter__(self) -> Iterator[Pair]:
        return ((t, c) for t, of in enumerate(self.wanted) for c in of)

    def __len__(self) -> int:
        return sum(map(len, self.wanted))

    def without(self, known: Mapping[Pair, int]) -> Pairs:
        """The pairs that are not known; texts and concepts keep their places."""
        left = [[c for c in of if (t, c) not in known] for t, of in enumerate(self.wanted)]
        return Pairs(self.texts, self.concepts, left)


@dataclass(frozen=True)
class Stacked:
    """Asks about many concepts at once, in prompts of the library."""

    model: str
    options: Mapping[str, Any]

    def kept(self, client: _native.Client, pairs: Pairs) -> Verdicts:
        """What is known without asking.

        A call that is large enough finds out how many concepts go together without loss, so that
        answers may lie under any of these numbers; fewer at once are not worse.
        """
        known: Verdicts = {}
        for stack in _STACKS:
            left = pairs.without(known)
            if not len(left):
                break
            options = as_json({**self.options, "stack": stack})
            values = client.annotated(left.texts, left.concepts, left.wanted, self.model, options)
            known.update(_verdicts(values))
        return known

    def ask(self, client: _native.Client, pairs: Pairs, watch: Bar) -> tuple[Verdicts, list[str]]:
        """The verdicts, and for each pair without one the reason."""
        options = as_json({**self.options, "stack": _STACKS[0], "seed": 0})
        values, missing = client.annotate(
            pairs.texts, pairs.concepts, pairs.wanted, self.model, options, "annotate", watch
        )
        return _verdicts(values), [why for _, _, why in missing]


@dataclass(frozen=True)
class Single:
    """Asks about one pair at a time, in a prompt of the user's."""

    model: str
    prompt_name: str
    system_name: str | None
    max_words: int | None
    questions: Questions

    def kept(self, client: _native.Client, pairs: Pairs) -> Verdicts:
        return self._ask(client, pairs, None)[0]

    def ask(self, client: _native.Client, pairs: Pairs, watch: Bar) -> tuple[Verdicts, list[str]]:
        return self._ask(client, pairs, watch)

    def _ask(
        self, client: _native.Client, pairs: Pairs, watch: Bar | None
    ) -> tuple[Verdicts, list[str]]:
        system = load_prompt(self.system_name) if self.system_name else ""
        template = load_prompt(self.prompt_name)
        shown = [truncate_text(text, self.max_words) for text in pairs.texts]
        prompts = []
        for text, concept in pairs:
            values = {"hypothesis": pairs.concepts[concept], "text": shown[text]}
            prompts.append((system, fill(self.prompt_name, template, values, "an annotation")))
        keys = [("annotation",)] * len(prompts)
        answers = self.questions.answers(client, prompts, keys, watch)
        found = {pair: value for pair, (value, _) in zip(pairs, answers) if value is not None}
        return found, [why for value, why in answers if value is None]


def annotator(
    model: str,
    annotate_prompt_name: str = DEFAULT_PROMPT,
    max_words_per_example: int | None = None,
    temperature: float | None = None,
    max_output_tokens: int | None = None,
    max_retries: int = 3,
    reasoning_effort: str | None = None,
    verbosity: str | None = None,
    parse_fn: Callable[[str], int | None] | None = None,
    system_prompt_name: str | None = None,
    **completion_kwargs: Any,
) -> Stacked | Single:
    """Who asks, for the arguments of `annotate_single_text` without text, concept and timeout."""
    request = normalize_llm_kwargs(
        completion_kwargs,
        default_verbosity=verbosity,
        default_reasoning_effort=reasoning_effort,
        default_max_output_tokens=max_output_tokens,
    )
    if temperature is not None:
        request.setdefault("temperature", temperature)
    options = request_options(request)
    name = model_abbrev_to_id.get(model, model)
    is_usual = parse_fn is None or parse_fn is parse_completion
    if annotate_prompt_name == DEFAULT_PROMPT and not system_prompt_name and is_usual:
        # The library's own prompts settle how long an answer is.
        options.pop("max_output", None)
        return Stacked(name, {**options, "max_words": max_words_per_example or _ALL_WORDS})
    parse = parse_completion if parse_fn is None or is_usual else _lowered(parse_fn)
    questions = Questions(name, as_json(options), "annotate", parse, max_retries)
    return Single(
        name, annotate_prompt_name, system_prompt_name, max_words_per_example, questions
    )


def parse_completion(completion: str) -> int | None:
    """What an answer says.

    Parameters
    ----------
    completion : str
        The answer as it came: `**Yes**`, `"yes"`, `Answer: Yes`, `{"answer": "Yes"}`, a word after
        thoughts, with or without a reason behind it.

    Returns
    -------
    int or None
        1 for yes, 0 for no, None for neither.
    """
    verdict = _native.yes_no(completion)
    return None if verdict is None else int(verdict)


def _lowered(parse: Callable[[str], int | None]) -> Callable[[str], int | None]:
    """The original hands its parsers the answer in small letters, without space around it."""

    def lowered(answer: str) -> int | None:
        value = parse(answer.strip().lower())
        if value is None or isinstance(value, (int, np.integer, np.bool_)):
            return None if value is None else int(value)
        raise DataError(f"`parse_fn` returned `{value!r}`: it must return a whole number or None")

    return lowered


def _verdicts(values: Any) -> Verdicts:
    """Of a matrix concepts x texts; what is missing or not wanted is negative."""
    return {(int(t), int(c)): int(values[c, t]) for c, t in np.argwhere(values >= 0)}
