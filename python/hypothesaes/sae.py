"""Sparse autoencoders: they turn an embedding into a few active neurons.

In go embeddings (n x d), out come a `SparseAutoencoder` and activations (n x m). This is the class of
the original package; `hypothesaes.sklearn.SparseAutoencoder` is the same as an estimator of
scikit-learn.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from copy import copy
from typing import Any

import numpy as np
import numpy.typing as npt

from . import _checkpoints, _native, _training, progress
from ._arrays import Array, matrix, whole
from ._training import DEAD_AFTER_STEPS
from .errors import DataError, OptionError, RunError
from .progress import Bar

__all__ = [
    "SparseAutoencoder",
    "get_multiple_sae_activations",
    "get_sae_checkpoint_name",
    "load_model",
    "load_models",
]


class SparseAutoencoder:
    """A top-k sparse autoencoder.

    ::

        a = ReLU(top_k(W_enc (x - b_in) + b_neuron))        x_hat = W_dec a + b_in

    Parameters
    ----------
    input_dim : int
        Numbers of an embedding (d).
    m_total_neurons : int
        Neurons (M, m), 1 to 65,536.
    k_active_neurons : int
        Neurons active per row (K), 1 to M.
    aux_k : int, optional
        Dead neurons that try to explain what the others leave; 2 K by default.
    multi_k : int, optional
        Neurons per row of a second, less sparse reconstruction; there is none by default.
    dead_neuron_threshold_steps : int
        Steps without firing after which a neuron is dead, counted in training rows: times
        `batch_size` of `fit`. The default is never more than two passes over the rows, so that
        dead neurons are tried on small data too.
    prefix_lengths : sequence of int, optional
        Numbers of neurons that must reconstruct a row by themselves (Matryoshka), rising to M.
    use_batch_topk : bool
        Let the strongest activations of a whole batch count, K per row on average, and a threshold
        later.
    device : str
        Taken and not needed: everything runs on the processor.

    Attributes
    ----------
    input_dim, m_total_neurons, k_active_neurons, aux_k, multi_k, dead_neuron_threshold_steps, \
prefix_lengths, use_batch_topk, device
        As above; `aux_k` with its default filled in.
    best_epoch : int
        The epoch, from 1, whose weights were kept; 0 if it was trained elsewhere or not at all.
    """

    def __init__(
        self,
        input_dim: int,
        m_total_neurons: int,
        k_active_neurons: int,
        *,
        aux_k: int | None = None,
        multi_k: int | None = None,
        dead_neuron_threshold_steps: int = DEAD_AFTER_STEPS,
        prefix_lengths: Sequence[int] | None = None,
        use_batch_topk: bool = False,
        device: str = "cpu",
    ) -> None:
        self.input_dim = whole(input_dim, "input_dim", 1)
        m = self.m_total_neurons = whole(m_total_neurons, "m_total_neurons", 1, 65_536)
        why = "`m_total_neurons`"
        self.k_active_neurons = whole(k_active_neurons, "k_active_neurons", 1, m, why)
        if aux_k is None:
            aux_k = min(2 * self.k_active_neurons, m)
        self.aux_k = whole(aux_k, "aux_k", 0, m, why)
        self.multi_k = None if multi_k is None else whole(multi_k, "multi_k", 1, m, why)
        self.dead_neuron_threshold_steps = whole(
            dead_neuron_threshold_steps, "dead_neuron_threshold_steps", 0
        )
        self.prefix_lengths = _checked_prefixes(prefix_lengths, m)
        self.use_batch_topk = bool(use_batch_topk)
        self.device = device
        self._model: _native.Autoencoder | None = None

    @classmethod
    def of(cls, model: _native.Autoencoder) -> SparseAutoencoder:
        """One that the library has trained or read."""
        options = json.loads(model.options)
        # A clock that is no whole number of steps was the default, cut to two passes.
        rows, batch_size = options.get("dead_after") or 1, options.get("batch_size") or 2
        steps = DEAD_AFTER_STEPS if rows % batch_size else rows // batch_size
        sae = cls(
            model.dim,
            model.n_neurons,
            model.k,
            aux_k=options.get("aux_k"),
            multi_k=options.get("multi_k"),
            dead_neuron_threshold_steps=steps,
            prefix_lengths=options.get("prefixes") or None,
            use_batch_topk=model.threshold is not None,
        )
        sae._model = model
        return sae

    @property
    def model(self) -> _native.Autoencoder:
        """The trained autoencoder as the library has it.

        Raises
        ------
        RunError
            If there is none yet.
        """
        if self._model is None:
            raise RunError("the autoencoder is not trained: call `fit`, or `load_model`")
        return self._model

    @property
    def best_epoch(self) -> int:
        return 0 if self._model is None else self._model.best_epoch

    def fit(
        self,
        X_train: Any,
        X_val: Any = None,
        save_dir: str | None = None,
        batch_size: int = 512,
        learning_rate: float = 5e-4,
        n_epochs: int = 200,
        aux_coef: float = 1 / 32,
        multi_coef: float = 0.0,
        patience: int = 5,
        show_progress: bool = True,
        clip_grad: float | None = 1.0,
        *,
        seed: int = 0,
    ) -> dict[str, list[float]]:
        """Train on embeddings, which are read where they lie.

        Parameters
        ----------
        X_train : array, n x input_dim
        X_val : array, optional
            Rows on which training stops early. Without them it goes on for `n_epochs`.
        save_dir : str, optional
            Folder for a checkpoint called as `get_sae_checkpoint_name` has it. A checkpoint of
            another training that is there is moved aside.
        batch_size : int
            Rows per step, at most.
        learning_rate : float
            Step length of Adam.
        n_epochs : int
            Passes over the rows, at most.
        aux_coef, multi_coef : float
            Weights of what dead neurons and the second reconstruction add to the loss.
        patience : int
            Passes without a better reconstruction of `X_val` after which training stops.
        show_progress : bool
        clip_grad : float, optional
            Longest gradient; None: any.
        seed : int
            Everything random follows from it: same seed and data, same bytes.

        Returns
        -------
        dict
            `train_loss`, `val_loss` (share of the variance of `X_val` that is not reconstructed;
            empty without it) and `dead_neuron_ratio`, a value per epoch. The weights kept are those
            of the best epoch.
        """
        training = _training.plan(
            self,
            X_train,
            X_val,
            batch_size=batch_size,
            learning_rate=learning_rate,
            n_epochs=n_epochs,
            aux_coef=aux_coef,
            multi_coef=multi_coef,
            patience=patience,
            clip_grad=clip_grad,
            seed=seed,
        )
        self._model = _training.train(training, show_progress)
        if save_dir is not None:
            name = get_sae_checkpoint_name(
                self.m_total_neurons, self.k_active_neurons, self.prefix_lengths
            )
            path = os.path.join(save_dir, name)
            say_saved(path, _checkpoints.save(self._model, path, training))
        return _training.history(self._model)

    def get_activations(
        self, inputs: Any, batch_size: int = 16384, show_progress: bool = True
    ) -> npt.NDArray[np.float32]:
        """How strongly every neuron fires on every row.

        Parameters
        ----------
        inputs : array, n x input_dim
        batch_size : int
            Taken and not needed.
        show_progress : bool

        Returns
        -------
        array of float32, n x m
            At most `k_active_neurons` values of a row are above 0, the others are 0 (on average,
            with batch top-k).
        """
        del batch_size
        x = matrix(inputs, "inputs", self.input_dim)
        bar = Bar("Computing activations", show=show_progress)
        try:
            return self.model.activations(x, bar)
        finally:
            bar.close()

    def forward(self, x: Any) -> tuple[npt.NDArray[np.float32], dict[str, Array]]:
        """Reconstructions (n x input_dim) of rows, and `{"activations": n x m}`."""
        rows = matrix(x, "x", self.input_dim)
        decoded = self.model.decode(*self.model.encode(rows))
        return decoded, {"activations": self.get_activations(rows, show_progress=False)}

    __call__ = forward

    def judged(self, embeddings: Any) -> SparseAutoencoder:
        """The same autoencoder, told the rows that it is for (n x input_dim).

        The file of one that the original package saved does not say how much its rows vary, which
        errors are measured in. Until it is told, `save` writes the file that was read again.
        """
        sae = copy(self)
        sae._model = self.model.judged(matrix(embeddings, "embeddings", self.input_dim))
        return sae

    def state_dict(self) -> dict[str, Array]:
        """The weights under the names that the original gives them, as NumPy arrays."""
        weights = self.model.weights()
        return {
            "input_bias": weights["input_bias"],
            "neuron_bias": weights["neuron_bias"],
            "threshold": np.array(self.model.threshold or 0.0, np.float32),
            "encoder.weight": weights["encoder"],
            "decoder.weight": weights["decoder"].T,
        }

    def save(self, save_path: str) -> str:
        """Write the trained autoencoder, as safetensors whatever the name, and return the path."""
        model = self.model
        _checkpoints.make_folder(save_path)
        model.save(os.fspath(save_path))
        say_saved(save_path)
        return save_path

    def to(self, *args: Any, **kwargs: Any) -> SparseAutoencoder:
        """Nothing: there is one device. For code written for torch."""
        return self

    def eval(self) -> SparseAutoencoder:
        """Nothing: activations never change an autoencoder. For code written for torch."""
        return self

    def __repr__(self) -> str:
        state = "" if self._model else ", not trained"
        return (
            f"SparseAutoencoder(input_dim={self.input_dim}, "
            f"m_total_neurons={self.m_total_neurons}, "
            f"k_active_neurons={self.k_active_neurons}{state})"
        )


def get_sae_checkpoint_name(
    m_total_neurons: int, k_active_neurons: int, prefix_lengths: Sequence[int] | None = None
) -> str:
    """The name of a checkpoint in `checkpoint_dir`, such as ``SAE_M=256_K=8.pt``."""
    sizes = f"M={m_total_neurons}_K={k_active_neurons}"
    if prefix_lengths is None:
        return f"SAE_{sizes}.pt"
    return f"SAE_matryoshka_{sizes}_prefixes={'-'.join(str(n) for n in prefix_lengths)}.pt"


def load_model(path: str, device: str = "cpu") -> SparseAutoencoder:
    """Read an autoencoder that this package or the original has saved.

    Parameters
    ----------
    path : str
        What it holds decides, not its name. Nothing in it is run.
    device : str
        Taken and not needed.

    Raises
    ------
    DataError
        If the file is damaged, or holds several autoencoders (see `load_models`).
    MissingFileError
        If there is no such file.
    """
    models = load_models(path)
    if len(models) > 1:
        raise DataError(f"`{path}` holds {len(models)} autoencoders: read it by `load_models`")
    models[0].device = device
    progress.say(f"Loaded the autoencoder in {path}")
    return models[0]


def load_models(path: str) -> list[SparseAutoencoder]:
    """All autoencoders of a file, as ``sae/model.safetensors`` of a run may hold several."""
    return [SparseAutoencoder.of(model) for model in _native.load(os.fspath(path))]


def get_multiple_sae_activations(
    sae_list: Any, X: Any, return_neuron_source_info: bool = False, **kwargs: Any
) -> Any:
    """Activations of several autoencoders side by side.

    Parameters
    ----------
    sae_list : SparseAutoencoder or sequence of them
    X : array, n x d
    return_neuron_source_info : bool
    **kwargs
        For `get_activations`.

    Returns
    -------
    array of float32, n x (sum of m)
        The neurons of the first autoencoder, then those of the next. With
        `return_neuron_source_info` also a list with (M, K) of the autoencoder of every column.
    """
    saes = list(sae_list) if isinstance(sae_list, (list, tuple)) else [sae_list]
    if not saes:
        raise OptionError("`sae_list` is empty: give at least one autoencoder")
    x = matrix(X, "X")
    if len(saes) == 1:
        activations = saes[0].get_activations(x, **kwargs)
    else:
        total = sum(sae.m_total_neurons for sae in saes)
        activations, start = np.empty((len(x), total), np.float32), 0
        for sae in saes:
            end = start + sae.m_total_neurons
            activations[:, start:end] = sae.get_activations(x, **kwargs)
            start = end
    if not return_neuron_source_info:
        return activations
    sources = [
        (sae.m_total_neurons, sae.k_active_neurons)
        for sae in saes
        for _ in range(sae.m_total_neurons)
    ]
    return activations, sources


def say_saved(path: str, moved: str | None = None) -> None:
    """Print where an autoencoder was saved; `moved`: where that which was there is now."""
    if moved:
        progress.say(f"The other autoencoder in {path} is now {moved}")
    progress.say(f"Saved the autoencoder to {path}")


def _checked_prefixes(prefixes: Sequence[int] | None, m: int) -> list[int] | None:
    if prefixes is None:
        return None
    found = [whole(n, "prefix_lengths", 1, m, "`m_total_neurons`") for n in prefixes]
    if not found or found[-1] != m or any(a >= b for a, b in zip(found, found[1:])):
        raise OptionError(
            f"`prefix_lengths` is `{list(prefixes)}`, allowed: numbers that rise and end at {m} "
            "(`m_total_neurons`)"
        )
    return found
