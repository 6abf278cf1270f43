"""From embeddings and labels to tested hypotheses, in four functions: `train_sae`,
`generate_hypotheses` (or `interpret_sae`, without labels), `evaluate_hypotheses`."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from . import _checkpoints, _frames, _pipeline, _results, _training
from ._arrays import matrix, to_numpy, whole
from ._asked import distinct
from ._labels import target
from .annotate import annotate_texts_with_concepts
from .interpret_neurons import NeuronInterpreter, ScoringConfig
from .progress import say
from .sae import SparseAutoencoder, get_sae_checkpoint_name, say_saved
from .select_neurons import select_neurons

__all__ = ["evaluate_hypotheses", "generate_hypotheses", "interpret_sae", "train_sae"]

BASE_DIR = Path(__file__).parent.parent
"""Folder of the package. Nothing is written there."""

_METHODS = ("separation_score", "correlation", "lasso")


def train_sae(
    embeddings: Any,
    M: int,
    K: int,
    *,
    matryoshka_prefix_lengths: Sequence[int] | None = None,
    batch_topk: bool = False,
    checkpoint_dir: str | None = None,
    overwrite_checkpoint: bool = False,
    val_embeddings: Any = None,
    aux_k: int | None = None,
    multi_k: int | None = None,
    dead_neuron_threshold_steps: int = 256,
    batch_size: int = 512,
    learning_rate: float = 5e-4,
    n_epochs: int = 100,
    aux_coef: float = 1 / 32,
    multi_coef: float = 0.0,
    patience: int = 3,
    clip_grad: float | None = 1.0,
    show_progress: bool = True,
    seed: int = 0,
) -> SparseAutoencoder:
    """Train a sparse autoencoder, or take the one of an earlier call.

    Parameters
    ----------
    embeddings : array, n x d
        Read where they lie, not copied.
    M : int
        Neurons, 1 to 65,536.
    K : int
        Neurons active per text, 1 to M.
    matryoshka_prefix_lengths : sequence of int, optional
        Numbers of neurons that must reconstruct a text by themselves, rising to M.
    batch_topk : bool
        Let the strongest activations of a whole batch count, K per text on average.
    checkpoint_dir : str, optional
        Folder for a checkpoint called as `get_sae_checkpoint_name` has it. One that is there is
        used if it was trained on these embeddings with these options, or if the original package
        wrote it and its sizes fit. Any other is moved aside, and the reason is printed.
    overwrite_checkpoint : bool
        Train anyway, and write over what is there.
    val_embeddings : array, optional
        Training stops when these are no longer reconstructed better. Without them it goes on for
        `n_epochs`.
    aux_k, multi_k, dead_neuron_threshold_steps
        As in `SparseAutoencoder`.
    batch_size, learning_rate, n_epochs, aux_coef, multi_coef, patience, clip_grad, show_progress, \
seed
        As in `SparseAutoencoder.fit`.
    """
    x = matrix(embeddings, "embeddings")
    sae = SparseAutoencoder(
        x.shape[1],
        M,
        K,
        aux_k=aux_k,
        multi_k=multi_k,
        dead_neuron_threshold_steps=dead_neuron_threshold_steps,
        prefix_lengths=matryoshka_prefix_lengths,
        use_batch_topk=batch_topk,
    )
    training = _training.plan(
        sae,
        x,
        val_embeddings,
        batch_size=batch_size,
        learning_rate=learning_rate,
        n_epochs=n_epochs,
        aux_coef=aux_coef,
        multi_coef=multi_coef,
        patience=patience,
        clip_grad=clip_grad,
        seed=seed,
        names=("embeddings", "val_embeddings"),
    )
    if checkpoint_dir is None:
        sae._model = _training.train(training, show_progress)
        return sae
    path = os.path.join(checkpoint_dir, get_sae_checkpoint_name(M, K, matryoshka_prefix_lengths))
    if os.path.exists(path) and not overwrite_checkpoint:
        sae._model = _pipeline.reused(path, training)
    if sae._model is None:
        sae._model = _training.train(training, show_progress)
        moved = _checkpoints.save(sae._model, path, training, overwrite=overwrite_checkpoint)
        say_saved(path, moved)
    return sae


def interpret_sae(
    texts: Sequence[str],
    embeddings: Any,
    sae: SparseAutoencoder | Sequence[SparseAutoencoder],
    *,
    neuron_indices: Sequence[int] | None = None,
    n_random_neurons: int | None = None,
    n_top_neurons: int | None = None,
    interpreter_model: str = "gpt-5.2",
    n_examples_for_interpretation: int = 20,
    max_words_per_example: int = 256,
    interpret_temperature: float = 0.7,
    max_interpretation_tokens: int | None = None,
    interpret_llm_kwargs: Mapping[str, Any] | None = None,
    n_candidates: int = 1,
    print_examples_n: int = 3,
    print_examples_max_chars: int | None = 1024,
    task_specific_instructions: str | None = None,
    annotator_model: str | None = None,
    seed: int = 0,
) -> Any:
    """Put neurons into words, without a target.

    Parameters
    ----------
    texts : sequence of str, n
    embeddings : array, n x d
    sae : SparseAutoencoder or sequence of them
        Neurons of several are counted on.
    neuron_indices, n_random_neurons, n_top_neurons
        Exactly one of them: which neurons, how many at random, or how many of those that fire on
        most texts.
    interpreter_model : str
    n_examples_for_interpretation : int
        Texts that the model is shown of a neuron: half fire it most, half do not fire it.
    max_words_per_example : int
        Words of a text that the model is shown.
    interpret_temperature : float
        Left out for a model that refuses it.
    max_interpretation_tokens : int, optional
    interpret_llm_kwargs : mapping, optional
        More of the request, such as `reasoning_effort`.
    n_candidates : int
        Interpretations per neuron.
    print_examples_n : int
        Texts on which a neuron fires most that are printed and returned.
    print_examples_max_chars : int, optional
        Characters of a text that are printed; None: all.
    task_specific_instructions : str, optional
        What the texts are and what features look like; None: generic examples.
    annotator_model : str, optional
        Taken and not needed, as in version 0.2.0.
    seed : int
        Of the random neurons.

    Returns
    -------
    data frame
        A row per neuron: `neuron_idx`; `source_sae`, (M, K), if `sae` is a sequence;
        `interpretation`, a list of several if `n_candidates` is above 1; `top_example_1` and so
        on; `prevalence`, the share of texts on which it fires; `warning`, such as why there is no
        interpretation.
    """
    del annotator_model
    _pipeline.one_way(neuron_indices, n_random_neurons, n_top_neurons)
    known, (x,) = _pipeline.usable(texts, embeddings=matrix(embeddings, "embeddings"))
    whole(n_candidates, "n_candidates", 1)
    neurons = _pipeline.neurons(sae, x)
    counts = (neurons.activations > 0).sum(axis=0)
    chosen = _pipeline.chosen(counts, neuron_indices, n_random_neurons, n_top_neurons, seed)
    config = _pipeline.config(
        n_examples_for_interpretation,
        max_words_per_example,
        interpret_temperature,
        max_interpretation_tokens,
        interpret_llm_kwargs,
        n_candidates,
        task_specific_instructions,
    )
    interpreter = NeuronInterpreter(interpreter_model=interpreter_model)
    found = interpreter.interpret_neurons(known, neurons.activations, chosen, config)
    shares = [float(counts[j] / len(known)) for j in chosen]
    examples = [
        _pipeline.top_texts(known, neurons.activations[:, j], print_examples_n) for j in chosen
    ]
    columns = {
        "neuron_idx": chosen,
        **neurons.source_sae(chosen),
        "interpretation": [found[j][0] if n_candidates == 1 else found[j] for j in chosen],
        **_pipeline.example_columns(examples, print_examples_n),
        "prevalence": shares,
        "warning": [_pipeline.why_missing(found[j], bool(counts[j])) for j in chosen],
    }
    if print_examples_n > 0:
        for j, share, of in zip(chosen, shares, examples):
            _pipeline.say_neuron(j, neurons, share, found[j], of, print_examples_max_chars)
    return _results.frame(columns, like=texts)


def generate_hypotheses(
    texts: Sequence[str],
    labels: Any,
    embeddings: Any,
    sae: SparseAutoencoder | Sequence[SparseAutoencoder],
    *,
    cache_name: str | None = None,
    classification: bool | None = None,
    selection_method: str = "separation_score",
    n_selected_neurons: int = 20,
    interpreter_model: str = "gpt-5.2",
    annotator_model: str = "gpt-5-mini",
    n_examples_for_interpretation: int = 20,
    max_words_per_example: int = 256,
    interpret_temperature: float = 0.7,
    max_interpretation_tokens: int | None = None,
    interpret_llm_kwargs: Mapping[str, Any] | None = None,
    annotation_llm_kwargs: Mapping[str, Any] | None = None,
    n_candidate_interpretations: int = 1,
    n_scoring_examples: int = 100,
    scoring_metric: str = "f1",
    n_workers_interpretation: int = 10,
    n_workers_annotation: int = 30,
    task_specific_instructions: str | None = None,
) -> Any:
    """Find neurons that go with the labels, and put them into words.

    Parameters
    ----------
    texts : sequence of str, n
    labels : array, n
        Numbers, flags, or two words.
    embeddings : array, n x d
    sae : SparseAutoencoder or sequence of them
        Neurons of several are counted on.
    cache_name : str, optional
        Imported annotations of this name are used (`hypothesaes.migrate`). Answers are kept with
        and without it.
    classification : bool, optional
        Whether labels are two classes; None: all of them decide (0 and 1, -1 and 1, flags and two
        words are). The larger counts as 1, which is printed where it is not evident.
    selection_method : {"separation_score", "correlation", "lasso"}
        See `select_neurons`.
    n_selected_neurons : int
    interpreter_model, annotator_model : str
        Who words neurons, and who looks for the wordings in texts to score them.
    n_examples_for_interpretation, max_words_per_example, interpret_temperature, \
max_interpretation_tokens, interpret_llm_kwargs, task_specific_instructions
        As in `interpret_sae`.
    annotation_llm_kwargs : mapping, optional
        More of the annotator's requests.
    n_candidate_interpretations : int
        Wordings per neuron, of which the best is kept.
    n_scoring_examples : int
        Texts on which wordings are scored: half fire the neuron most, half do not fire it. 0: they
        are not scored, and the first is kept.
    scoring_metric : {"f1", "precision", "recall", "correlation"}
    n_workers_interpretation, n_workers_annotation : int
        Most calls under way at once; the defaults leave it to the server's limits.

    Returns
    -------
    data frame
        A row per neuron, in order of selection: `neuron_idx`; `source_sae`, (M, K), if `sae` is a
        sequence; `target_{selection_method}`; `interpretation`, None where there is none;
        `{scoring_metric}_fidelity_score`: of several wordings that of the kept one, on texts that
        the choice does not rest on. Then `fidelity_precision`, `fidelity_recall`, `fidelity_f1`,
        `fidelity_balanced_f1`, `fidelity_correlation`, on texts that the interpreter was not shown
        (all but the balanced one with texts that fire the neuron as frequent as they are);
        `prevalence`, the share of texts on which the neuron fires; `warning`.
    """
    _pipeline.one_of(selection_method, "selection_method", _METHODS)
    _pipeline.one_of(scoring_metric, "scoring_metric", _pipeline.SCORES)
    whole(n_scoring_examples, "n_scoring_examples", 0)
    whole(n_candidate_interpretations, "n_candidate_interpretations", 1)
    known, (x, raw) = _pipeline.usable(
        texts, embeddings=matrix(embeddings, "embeddings"), labels=to_numpy(labels)
    )
    y = target(raw, classification)
    y.say()
    say(f"Embeddings shape: {x.shape}")
    neurons = _pipeline.neurons(sae, x)
    z = neurons.activations
    n = whole(n_selected_neurons, "n_selected_neurons", 1, z.shape[1], "neurons")
    say(f"\nStep 1: Selecting the {n} neurons that tell most about the labels")
    selected, scores = select_neurons(z, y.y, n, selection_method, y.classification, verbose=True)
    say("\nStep 2: Interpreting the selected neurons")
    interpreter = NeuronInterpreter(
        interpreter_model,
        annotator_model,
        n_workers_interpretation,
        n_workers_annotation,
        cache_name,
    )
    config = _pipeline.config(
        n_examples_for_interpretation,
        max_words_per_example,
        interpret_temperature,
        max_interpretation_tokens,
        interpret_llm_kwargs,
        n_candidate_interpretations,
        task_specific_instructions,
    )
    found = interpreter.interpret_neurons(known, z, selected, config)
    if n_scoring_examples:
        say("\nStep 3: Scoring the interpretations")
    scoring = ScoringConfig(n_scoring_examples, max_words_per_example)
    kept = _pipeline.choose(
        interpreter, known, z, found, scoring_metric, scoring, annotation_llm_kwargs
    )
    columns = {
        "neuron_idx": selected,
        **neurons.source_sae(selected),
        f"target_{selection_method}": scores,
        "interpretation": [best.wording for best in kept],
        **(_pipeline.fidelity(kept, scoring_metric) if n_scoring_examples else {}),
        "prevalence": [float((z[:, j] > 0).mean()) for j in selected],
        "warning": [best.warning for best in kept],
    }
    return _results.frame(columns, like=texts)


def evaluate_hypotheses(
    hypotheses_df: Any,
    texts: Sequence[str],
    labels: Any,
    *,
    cache_name: str | None = None,
    annotator_model: str = "gpt-5-mini",
    max_words_per_example: int = 256,
    classification: bool | None = None,
    n_workers_annotation: int = 30,
    corrected_pval_threshold: float = 0.1,
    annotation_llm_kwargs: Mapping[str, Any] | None = None,
) -> tuple[dict[str, Any], Any]:
    """Test hypotheses on texts that were not used to find them.

    Parameters
    ----------
    hypotheses_df : data frame
        What `generate_hypotheses` returned, or any with a column `interpretation`.
    texts : sequence of str, n
    labels : array, n
    cache_name : str, optional
        Imported annotations of this name are used (`hypothesaes.migrate`). Answers are kept with
        and without it.
    annotator_model : str
    max_words_per_example : int
        Words of a text that the annotator reads.
    classification : bool, optional
        As in `generate_hypotheses`.
    n_workers_annotation : int
        Most calls under way at once; the default leaves it to the server's limits.
    corrected_pval_threshold : float
        As in `score_hypotheses`.
    annotation_llm_kwargs : mapping, optional
        More of the annotator's requests.

    Returns
    -------
    (dict, data frame)
        As `score_hypotheses` returns them; the data frame is of the kind of `hypotheses_df`, has a
        row for each of its rows, and `neuron_idx` at the right if that has it. Annotations that
        could not be had are counted in `n_missing`, left out, and asked for by the next call.
    """
    wordings = _pipeline.wordings_of(hypotheses_df)
    known, (raw,) = _pipeline.usable(texts, labels=to_numpy(labels))
    y = target(raw, classification)
    y.say()
    asked = distinct(wording for wording in wordings if wording is not None)
    say(f"Step 1: Annotating {len(known)} texts with {len(asked)} hypotheses")
    annotations = {}
    if asked:
        annotations = annotate_texts_with_concepts(
            texts=known,
            concepts=asked,
            max_words_per_example=max_words_per_example,
            model=annotator_model,
            cache_name=cache_name,
            n_workers=n_workers_annotation,
            **(annotation_llm_kwargs or {}),
        )
    say("Step 2: Testing how the hypotheses go with the labels")
    nothing = np.full(len(known), np.nan)
    columns = [
        nothing if wording is None else np.asarray(annotations[wording], np.float64)
        for wording in wordings
    ]
    extra = {}
    if "neuron_idx" in _frames.names(hypotheses_df):
        extra["neuron_idx"] = _frames.column(hypotheses_df, "neuron_idx")
    return _results.scored(
        wordings, columns, y, corrected_pval_threshold, like=hypotheses_df, extra=extra
    )
