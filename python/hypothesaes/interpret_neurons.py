"""What neurons stand for, in words: texts and activations go in, and a language model, shown texts
that fire a neuron and texts that do not, words the feature that tells them apart. Interpretations
are scored by looking for them in texts. Every answer is kept, and asked for once."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from . import _clients, _fidelity, _native
from ._asked import (
    Questions,
    all_texts,
    as_json,
    concurrency,
    distinct,
    request_options,
    say_missing,
    watching,
)
from ._prompts import fill
from ._sampling import (
    Examples,
    column,
    dense,
    sample_custom,
    sample_percentile_bins,
    sample_top_zero,
)
from .annotate import CACHE_DIR, DEFAULT_N_WORKERS, annotate
from .errors import OptionError
from .llm_api import model_abbrev_to_id, normalize_llm_kwargs
from .progress import say
from .utils import load_prompt

__all__ = [
    "DEFAULT_TASK_SPECIFIC_INSTRUCTIONS",
    "InterpretConfig",
    "LLMConfig",
    "NeuronInterpreter",
    "SamplingConfig",
    "ScoringConfig",
    "sample_custom",
    "sample_percentile_bins",
    "sample_top_zero",
]

DEFAULT_TASK_SPECIFIC_INSTRUCTIONS = """Examples of features:
- "names two or more colours"
- "tells of a patient who has seizures"
- "gives a price in euros\""""

_N_WORKERS_INTERPRETATION = 10


@dataclass
class SamplingConfig:
    """Which texts the interpreter is shown."""

    function: Callable[..., Examples] = sample_top_zero
    """Called as `sample_custom` says."""
    n_examples: int = 20
    random_seed: int | None = 0
    """Of the first candidate; each further one adds 1. None: drawn anew every time, so that
    nothing kept is found again."""
    max_words_per_example: int | None = 256
    sampling_kwargs: dict[str, Any] = field(default_factory=dict)
    """Further arguments of the function."""


@dataclass
class LLMConfig:
    """How the interpreter is asked; what is None is left to the model."""

    temperature: float | None = None
    max_output_tokens: int | None = None
    max_interpretation_tokens: int | None = None
    """Another name of `max_output_tokens`, which goes before it."""
    timeout: float | None = None
    """Seconds."""
    reasoning_effort: str | None = None
    verbosity: str | None = None
    llm_kwargs: dict[str, Any] = field(default_factory=dict)
    """Further arguments of the request, as in `get_completion`."""
    tokenizer_kwargs: dict[str, Any] = field(default_factory=dict)
    """Taken and not needed."""


@dataclass
class InterpretConfig:
    """How neurons are interpreted."""

    sampling: SamplingConfig = field(default_factory=SamplingConfig)
    llm: LLMConfig = field(default_factory=LLMConfig)
    n_candidates: int = 1
    """Interpretations of each neuron."""
    interpretation_prompt_name: str = "interpret-neuron-binary"
    """A prompt of the package, or the path of a file of one's own."""
    task_specific_instructions: str | None = DEFAULT_TASK_SPECIFIC_INSTRUCTIONS
    """What the texts are and what features look like; None is the default."""
    prompt_name: str | None = None
    """The name that `interpretation_prompt_name` has in version 0.2.0."""


@dataclass
class ScoringConfig:
    """On which texts interpretations are scored."""

    n_examples: int = 100
    """Half of them fire the neuron most, half do not fire it."""
    max_words_per_example: int | None = 256
    sampling_function: Callable[..., Examples] = sample_top_zero
    sampling_kwargs: dict[str, Any] = field(default_factory=dict)


class NeuronInterpreter:
    """Words what neurons stand for, and scores such wordings.

    Parameters
    ----------
    interpreter_model : str
        The model that words interpretations; name or short name.
    annotator_model : str
        The model that looks for them in texts.
    n_workers_interpretation, n_workers_annotation : int
        Most calls under way at once; the defaults leave it to the server's limits.
    cache_name : str, optional
        Imported annotations of this name are used (`hypothesaes.migrate`). Without it nothing is
        lost either.
    """

    def __init__(
        self,
        interpreter_model: str = "gpt-5.2",
        annotator_model: str = "gpt-5-mini",
        n_workers_interpretation: int = _N_WORKERS_INTERPRETATION,
        n_workers_annotation: int = DEFAULT_N_WORKERS,
        cache_name: str | None = None,
    ) -> None:
        self.interpreter_model = interpreter_model
        self.annotator_model = annotator_model
        self.n_workers_interpretation = n_workers_interpretation
        self.n_workers_annotation = n_workers_annotation
        self.cache_name = cache_name
        self._shown: dict[int, set[str]] = {}

    def interpret_neuron(
        self,
        texts: Sequence[str],
        activations: npt.ArrayLike,
        neuron_idx: int,
        config: InterpretConfig | None = None,
    ) -> str | None:
        """One interpretation of one neuron; arguments as in `interpret_neurons`."""
        config = replace(config or InterpretConfig(), n_candidates=1)
        return self.interpret_neurons(texts, activations, [neuron_idx], config)[neuron_idx][0]

    def interpret_neurons(
        self,
        texts: Sequence[str],
        activations: npt.ArrayLike,
        neuron_indices: Sequence[int],
        config: InterpretConfig | None = None,
        **llm_kwargs: Any,
    ) -> dict[int, list[str | None]]:
        """Interpretations of neurons.

        Parameters
        ----------
        texts : sequence of str
            n texts.
        activations : array, n x m
            What the m neurons make of them.
        neuron_indices : sequence of int
            The neurons, by column.
        config : InterpretConfig, optional
            How.
        **llm_kwargs
            Go before those of the config.

        Returns
        -------
        dict
            For each neuron its `n_candidates` interpretations; None for one that fires nowhere,
            and where there is no answer, which the next call asks for.
        """
        config = config or InterpretConfig()
        rows = all_texts(texts)
        values = dense(activations, len(rows))
        neurons = distinct(neuron_indices)
        tasks = [(neuron, number) for neuron in neurons for number in range(config.n_candidates)]
        prompts = [self._prompt(rows, values, *task, config) for task in tasks]
        asked = [(task, prompt) for task, prompt in zip(tasks, prompts) if prompt is not None]
        numbers = [str(number) for (_, number), _ in asked]
        answers = self._ask([prompt for _, prompt in asked], numbers, config, llm_kwargs)
        found = {task: answer for (task, _), answer in zip(asked, answers)}
        return {
            neuron: [found.get((neuron, number)) for number in range(config.n_candidates)]
            for neuron in neurons
        }

    def _prompt(
        self,
        texts: list[str],
        activations: npt.NDArray[Any],
        neuron: int,
        number: int,
        config: InterpretConfig,
    ) -> str | None:
        """What is asked of a neuron; None if nothing fires it."""
        sampling = config.sampling
        seed = sampling.random_seed
        if not (column(activations, neuron, len(texts)) > 0).any():
            if number == 0:
                say(f"[WARNING] neuron {neuron} fires on no text: it is not interpreted")
            return None
        examples = sampling.function(
            texts=texts,
            activations=activations,
            neuron_idx=neuron,
            n_examples=sampling.n_examples,
            max_words_per_example=sampling.max_words_per_example,
            random_seed=None if seed is None else seed + number,
            **sampling.sampling_kwargs,
        )
        examples = _checked(examples)
        if examples.get("positive_texts") == []:
            say(f"[WARNING] no text was drawn that fires neuron {neuron}: it is not interpreted")
            return None
        shown = self._shown.setdefault(int(neuron), set())
        for some in examples.values():
            shown.update(text for text in some if isinstance(text, str))
        name = config.prompt_name or config.interpretation_prompt_name
        instructions = config.task_specific_instructions
        if instructions is None:
            instructions = DEFAULT_TASK_SPECIFIC_INSTRUCTIONS
        filled = {"task_specific_instructions": instructions, **examples}
        return fill(name, load_prompt(name), filled, "the sampling function")

    def _ask(
        self,
        prompts: Sequence[str],
        numbers: Sequence[str],
        config: InterpretConfig,
        llm_kwargs: Mapping[str, Any],
    ) -> list[str | None]:
        """Interpretations for prompts and the numbers of their candidates."""
        if not prompts:
            return []
        llm = config.llm
        room = llm.max_output_tokens or llm.max_interpretation_tokens
        request = normalize_llm_kwargs(
            {**llm.llm_kwargs, **llm_kwargs},
            default_verbosity=llm.verbosity,
            default_reasoning_effort=llm.reasoning_effort,
            default_timeout=llm.timeout,
            default_max_output_tokens=room,
        )
        if llm.temperature is not None:
            request.setdefault("temperature", llm.temperature)
        timeout = request.pop("timeout", None)
        most = concurrency(self.n_workers_interpretation, _N_WORKERS_INTERPRETATION)
        name = model_abbrev_to_id.get(self.interpreter_model, self.interpreter_model)
        questions = Questions(name, as_json(request_options(request)), "interpret", _wording)
        with _clients.asking(timeout=timeout, max_concurrent=most) as client:
            with watching("Interpreting neurons") as bar:
                answers = questions.answers(
                    client,
                    [("", prompt) for prompt in prompts],
                    [("interpretation", number) for number in numbers],
                    bar,
                )
        reasons = [why for value, why in answers if value is None]
        say_missing("interpretations", reasons, len(prompts))
        return [value for value, _ in answers]

    def score_interpretations(
        self,
        texts: Sequence[str],
        activations: npt.ArrayLike,
        interpretations: Mapping[int, Sequence[str | None]],
        config: ScoringConfig | None = None,
        show_progress: bool = True,
        **annotation_kwargs: Any,
    ) -> dict[int, dict[str | None, dict[str, float]]]:
        """How well interpretations tell texts that fire a neuron from texts that do not.

        Parameters
        ----------
        texts, activations
            As in `interpret_neurons`.
        interpretations : dict
            What that returned.
        config : ScoringConfig, optional
            On which texts.
        show_progress : bool
            Whether a bar is shown.
        **annotation_kwargs
            As in `hypothesaes.annotate.annotate`.

        Returns
        -------
        dict
            `[neuron][interpretation]`: `recall`, `precision`, `f1` and `correlation` on all texts
            that were sampled, as the original has them. Half of these fire the neuron, and the
            interpreter may have been shown some. Therefore also: `n_scored` and `n_missing` (texts
            with and without annotation), the four with `_choice` (of texts on which to choose
            between interpretations), the four with `_reported` (of texts that neither were shown
            nor decide the choice), and of these `precision_weighted` and `f1_weighted`, for texts
            that fire the neuron as often as they do among all. NaN where a figure cannot be told.
        """
        config = config or ScoringConfig()
        rows = all_texts(texts)
        values = dense(activations, len(rows))
        scored = {
            neuron: self._scored(rows, values, neuron, of, config)
            for neuron, of in interpretations.items()
            if any(wording is not None for wording in of)
        }
        tasks = [
            (text, wording)
            for neuron, of in interpretations.items()
            for wording in distinct(of)
            if wording is not None
            for text in scored[neuron].texts
        ]
        cache = f"{self.cache_name}_interp-scoring.json"
        annotations = annotate(
            tasks=tasks,
            model=self.annotator_model,
            cache_path=os.path.join(CACHE_DIR, cache) if self.cache_name else None,
            n_workers=self.n_workers_annotation,
            show_progress=show_progress,
            progress_desc=f"Scoring interpretations of {len(scored)} neurons",
            **annotation_kwargs,
        )
        metrics: dict[int, dict[str | None, dict[str, float]]] = {}
        for neuron, of in interpretations.items():
            metrics[neuron] = {}
            for wording in distinct(of):
                if wording is None or not scored[neuron].texts:
                    metrics[neuron][wording] = _fidelity.nothing()
                else:
                    found = [annotations[wording][text] for text in scored[neuron].texts]
                    metrics[neuron][wording] = scored[neuron].metrics(found)
        return metrics

    def _scored(
        self,
        texts: list[str],
        activations: npt.NDArray[Any],
        neuron: int,
        wordings: Sequence[str | None],
        config: ScoringConfig,
    ) -> _fidelity.Scored:
        examples = config.sampling_function(
            texts=texts,
            activations=activations,
            neuron_idx=neuron,
            n_examples=config.n_examples,
            max_words_per_example=config.max_words_per_example,
            random_seed=int(neuron),
            **config.sampling_kwargs,
        )
        is_chosen = len({wording for wording in wordings if wording is not None}) > 1
        share = float(np.mean(activations[:, neuron] > 0))
        shown = self._shown.get(int(neuron), set())
        return _fidelity.Scored.of(_checked(examples), shown, is_chosen, share)


def _checked(examples: object) -> Examples:
    if isinstance(examples, Mapping):
        return dict(examples)
    kind = type(examples).__name__
    raise OptionError(f"the sampling function returned `{kind}`: it must return a dict of lists")


def _wording(answer: str) -> str | None:
    """The first interpretation in an answer, without thoughts, dash, stars and quotation marks."""
    return next(iter(_native.wordings(answer, 1)), None)
