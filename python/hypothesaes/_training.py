"""A training of an autoencoder: its data and options go in, the trained autoencoder comes out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from . import _native, progress
from ._arrays import Array, check_finite, matrix, whole
from .errors import OptionError
from .progress import Bar

if TYPE_CHECKING:
    from .sae import SparseAutoencoder

DEAD_AFTER_STEPS = 256
"""Default of `dead_neuron_threshold_steps`."""

_UNLIMITED = 1e12
"""A gradient is never longer."""

_NAMES = {
    "n_neurons": "m_total_neurons",
    "k": "k_active_neurons",
    "max_epochs": "n_epochs",
    "clip_norm": "clip_grad",
    "dead_after": "dead_neuron_threshold_steps",
}
"""What the library's options are called here."""


@dataclass(frozen=True)
class Training:
    """All that determines an autoencoder."""

    x: Array
    """Training rows, n x d."""
    validation: Array | None
    options: Mapping[str, Any]
    """As `_native.train` takes them."""


def plan(
    sae: SparseAutoencoder,
    x: Any,
    validation: Any,
    *,
    batch_size: int,
    learning_rate: float,
    n_epochs: int,
    aux_coef: float,
    multi_coef: float,
    patience: int,
    clip_grad: float | None,
    seed: int,
    names: tuple[str, str] = ("X_train", "X_val"),
) -> Training:
    """The training that `SparseAutoencoder.fit` stands for; `names`: what the user calls the rows.

    Raises
    ------
    DataError, OptionError
        For rows and options that cannot train.
    """
    x = _rows(x, names[0], sae.input_dim)
    whole(sae.k_active_neurons, "k_active_neurons", 1, len(x), "training rows")
    if validation is not None:
        validation = _rows(validation, names[1], sae.input_dim)
    batch_size = whole(batch_size, "batch_size", 1, 16_384)
    n_epochs = whole(n_epochs, "n_epochs", 1, 1_000_000)
    patience = whole(patience, "patience", 1)
    options = {
        "n_neurons": sae.m_total_neurons,
        "k": sae.k_active_neurons,
        "batch_top_k": sae.use_batch_topk,
        "prefixes": sae.prefix_lengths or [],
        "multi_k": sae.multi_k,
        "multi_coef": float(multi_coef),
        "aux_k": sae.aux_k,
        "aux_coef": float(aux_coef),
        "batch_size": batch_size,
        "learning_rate": float(learning_rate),
        "max_epochs": n_epochs,
        # Only validation rows end a training early.
        "patience": n_epochs if validation is None else patience,
        "clip_norm": _UNLIMITED if clip_grad is None else float(clip_grad),
        "dead_after": _dead_after(sae.dead_neuron_threshold_steps, batch_size, len(x)),
        "seed": whole(seed, "seed", 0),
    }
    return Training(x, validation, options)


def train(training: Training, show_progress: bool) -> _native.Autoencoder:
    """Carries it out, saying so if it stops early."""
    bar = Bar("Training", show=show_progress)
    try:
        model = _native.train(
            training.x, training.validation, json.dumps(training.options), bar
        )
    except OptionError as error:
        raise OptionError(in_our_words(str(error))) from None
    finally:
        bar.close()
    n_epochs = len(json.loads(model.history))
    if training.validation is not None and n_epochs < training.options["max_epochs"]:
        progress.say(
            f"Training stopped early after {n_epochs} epochs; the weights are those of epoch "
            f"{model.best_epoch}"
        )
    return model


def history(model: _native.Autoencoder) -> dict[str, list[float]]:
    """A value per epoch, under the original's names; no `val_loss` without validation rows."""
    epochs = json.loads(model.history)
    validated = [epoch["validation_fvu"] for epoch in epochs]
    return {
        "train_loss": [epoch["train_loss"] for epoch in epochs],
        "val_loss": [] if None in validated else validated,
        "dead_neuron_ratio": [epoch["n_dead"] / model.n_neurons for epoch in epochs],
    }


def _rows(values: Any, name: str, dim: int) -> Array:
    found = matrix(values, name, dim)
    if not len(found):
        raise OptionError(f"`{name}` has no rows: give at least one")
    check_finite(found, name)
    return found


def _dead_after(steps: int, batch_size: int, n: int) -> int:
    """Rows without firing after which a neuron is dead.

    The default, 256 steps of 512 rows, is more than a whole training on small data, which would
    leave every dead neuron dead. Two passes are enough to tell.
    """
    rows = steps * batch_size
    return max(min(rows, 2 * n) if steps == DEAD_AFTER_STEPS else rows, 1)


def in_our_words(message: str, names: Mapping[str, str] = _NAMES) -> str:
    """A message of the library with the names that options have here."""
    for theirs, ours in names.items():
        message = message.replace(f"`{theirs}`", f"`{ours}`")
    return message
