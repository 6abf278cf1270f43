"""The sparse autoencoder as an estimator of scikit-learn, which must be installed.

    from hypothesaes.sklearn import SparseAutoencoder

    make_pipeline(SparseAutoencoder(n_features=256, k=8), LogisticRegression()).fit(x, y)

`hypothesaes.SparseAutoencoder` is the class of the original package, whose constructor and `fit`
differ from scikit-learn's conventions; `sae_` of a fitted estimator is one of these.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from numbers import Integral
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_array, check_is_fitted, validate_data

from . import _frames, _native, sae
from ._arrays import Array, whole
from ._training import in_our_words
from .errors import DataError, OptionError
from .progress import Bar

__all__ = ["SparseAutoencoder"]

_NAMES = {"n_neurons": "n_features", "prefixes": "prefix_lengths"}
"""What the library's options are called here."""

_SPARSITIES = ("topk", "batch_topk")


class SparseAutoencoder(TransformerMixin, BaseEstimator):  # type: ignore[misc, unused-ignore]
    """A top-k sparse autoencoder: every row becomes a few active features.

    Parameters
    ----------
    n_features : int, default 256
        Features (neurons) that a row is described by, 1 to 65,536.
    k : int, default 8
        Features active per row, 1 to `n_features`, and no more than there are rows.
    prefix_lengths : sequence of int, optional
        Numbers of features that must reconstruct a row by themselves (Matryoshka), rising to
        `n_features`.
    sparsity : {"topk", "batch_topk"}, default "topk"
        The `k` strongest features of every row; or the strongest of a whole batch, `k` per row on
        average, and a threshold later.
    aux_k : int, optional
        Dead features that try to explain what the others leave; 2 k by default.
    aux_coef : float, default 1/32
        Weight of that attempt in the loss.
    batch_size : int, default 512
        Rows per step, at most.
    learning_rate : float, default 0.002
        Step length of Adam.
    max_epochs : int, default 200
        Passes over the rows, at most.
    patience : int, default 10
        Passes without a better reconstruction after which training stops.
    validation_fraction : float, optional, default 0.1
        Share of the rows, drawn at random, that are set aside to tell when to stop. None: none,
        and the rows are not copied.
    random_state : int, RandomState or None, default None
        Everything random follows from it. None is 0: the same rows always give the same features.
    show_progress : bool, default False

    Attributes
    ----------
    components_ : array of float32, n_features x n_features_in_
        What each feature adds to a row when it is active with strength 1.
    sae_ : hypothesaes.SparseAutoencoder
        The same for the functions of this package, such as `hypothesaes.generate_hypotheses`.
    history_ : data frame
        A row per epoch: `epoch`, `train_loss`, `train_fvu` and `validation_fvu` (shares of the
        variance that are not reconstructed), `n_dead`.
    best_epoch_ : int
        The epoch, from 1, whose weights were kept.
    n_features_in_ : int
    feature_names_in_ : array of str
        If `fit` was given a data frame.
    """

    def __init__(
        self,
        n_features: int = 256,
        k: int = 8,
        prefix_lengths: Sequence[int] | None = None,
        sparsity: str = "topk",
        *,
        aux_k: int | None = None,
        aux_coef: float = 1 / 32,
        batch_size: int = 512,
        learning_rate: float = 0.002,
        max_epochs: int = 200,
        patience: int = 10,
        validation_fraction: float | None = 0.1,
        random_state: Any = None,
        show_progress: bool = False,
    ) -> None:
        self.n_features = n_features
        self.k = k
        self.prefix_lengths = prefix_lengths
        self.sparsity = sparsity
        self.aux_k = aux_k
        self.aux_coef = aux_coef
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.max_epochs = max_epochs
        self.patience = patience
        self.validation_fraction = validation_fraction
        self.random_state = random_state
        self.show_progress = show_progress

    def fit(self, X: Any, y: Any = None) -> SparseAutoencoder:
        """Train on rows.

        Parameters
        ----------
        X : array, n x n_features_in_
            Of 32 or 64 bits.
        y : ignored
        """
        rows = validate_data(self, X, dtype=[np.float32, np.float64])
        options, fraction = self._checked(len(rows))
        train, validation = _split(rows, fraction, options["seed"])
        bar = Bar("Training", show=self.show_progress)
        try:
            model = _native.train(train, validation, json.dumps(options), bar)
        except OptionError as error:
            raise OptionError(in_our_words(str(error), _NAMES)) from None
        finally:
            bar.close()
        self.sae_ = sae.SparseAutoencoder.of(model)
        self.components_ = model.weights()["decoder"]
        self.best_epoch_ = model.best_epoch
        return self

    def transform(self, X: Any) -> Any:
        """Activations of rows.

        Returns
        -------
        scipy.sparse.csr_matrix of float32, n x n_features
            Only what is above 0 is kept.
        """
        check_is_fitted(self)
        rows = validate_data(self, X, dtype=[np.float32, np.float64], reset=False)
        starts, indices, data = self.sae_.model.encode(rows)
        return sparse.csr_matrix((data, indices, starts), shape=(len(rows), self._n_features_out))

    def inverse_transform(self, X: Any) -> npt.NDArray[np.float32]:
        """Rows made of activations again.

        Parameters
        ----------
        X : sparse matrix or array, n x n_features
            Not negative.

        Returns
        -------
        array of float32, n x n_features_in_
        """
        check_is_fitted(self)
        z = sparse.csr_matrix(check_array(X, accept_sparse="csr", dtype=np.float32))
        if z.shape[1] != self._n_features_out:
            raise DataError(f"`X` has {z.shape[1]} columns, {self._n_features_out} expected")
        if z.nnz and z.data.min() < 0:
            raise DataError("`X` holds a negative number: activations are 0 or above")
        # Sorted in a copy: what is given stays as it is.
        z = z.sorted_indices()
        return self.sae_.model.decode(
            z.indptr.astype(np.int64), z.indices.astype(np.int32), z.data
        )

    def get_feature_names_out(self, input_features: Any = None) -> npt.NDArray[np.object_]:
        """`sparseautoencoder0` and so on, a name for each feature."""
        check_is_fitted(self)
        return np.array([f"sparseautoencoder{j}" for j in range(self._n_features_out)], object)

    @property
    def history_(self) -> Any:
        check_is_fitted(self)
        epochs = json.loads(self.sae_.model.history)
        return _frames.frame({name: [e[name] for e in epochs] for name in epochs[0]})

    @property
    def _n_features_out(self) -> int:
        return int(self.components_.shape[0])

    def _checked(self, n: int) -> tuple[dict[str, Any], float]:
        """Options of the library, and the share of validation rows."""
        m = whole(self.n_features, "n_features", 1, 65_536)
        if self.sparsity not in _SPARSITIES:
            raise OptionError(
                f"`sparsity` is `{self.sparsity}`: choose one of {', '.join(_SPARSITIES)}"
            )
        fraction = 0.0 if self.validation_fraction is None else float(self.validation_fraction)
        if not 0 <= fraction < 1:
            raise OptionError(f"`validation_fraction` is `{fraction}`, allowed: 0 to below 1")
        n_train = n - round(fraction * n)
        k = whole(self.k, "k", 1, m, "`n_features`")
        whole(k, "k", 1, n_train, f"rows to train on, of n_samples={n}")
        options = {
            "n_neurons": m,
            "k": k,
            "prefixes": [int(end) for end in self.prefix_lengths or []],
            "batch_top_k": self.sparsity == "batch_topk",
            "aux_k": self.aux_k,
            "aux_coef": float(self.aux_coef),
            "batch_size": whole(self.batch_size, "batch_size", 1, 16_384),
            "learning_rate": float(self.learning_rate),
            "max_epochs": whole(self.max_epochs, "max_epochs", 1, 1_000_000),
            "patience": whole(self.patience, "patience", 1),
            "seed": self._seed(),
        }
        return options, fraction

    def _seed(self) -> int:
        if self.random_state is None:
            return 0
        if isinstance(self.random_state, Integral):
            return whole(self.random_state, "random_state", 0)
        return int(check_random_state(self.random_state).randint(2**31 - 1))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        # Activations are of 32 bits, whatever the rows are.
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags


def _split(rows: Array, fraction: float, seed: int) -> tuple[Array, Array | None]:
    """Training and validation rows; without validation rows nothing is copied."""
    n_validation = round(fraction * len(rows))
    if n_validation == 0:
        return rows, None
    order = np.random.default_rng(seed).permutation(len(rows))
    return rows[np.sort(order[n_validation:])], rows[np.sort(order[:n_validation])]
