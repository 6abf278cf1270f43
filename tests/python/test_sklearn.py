"""The estimator keeps scikit-learn's conventions, by scikit-learn's own checks."""

from __future__ import annotations

import pickle
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from test_sae import X

from hypothesaes.errors import DataError, OptionError

pytest.importorskip("sklearn", minversion="1.6")

from scipy import sparse
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import check_estimator

from hypothesaes.sklearn import SparseAutoencoder

FAST = {"n_features": 32, "k": 4, "max_epochs": 20}

EXPECTED_FAILURES: dict[str, str] = {}
"""Checks that do not apply, with the reason. There are none."""


@pytest.mark.parametrize("sparsity", ["topk", "batch_topk"])
def test_scikit_learns_own_checks_pass(sparsity: str) -> None:
    results = check_estimator(
        SparseAutoencoder(max_epochs=3, sparsity=sparsity),
        expected_failed_checks=EXPECTED_FAILURES,
        on_fail=None,
        on_skip=None,
    )
    failed = {r["check_name"]: r["exception"] for r in results if r["status"] == "failed"}
    assert not failed
    assert sum(r["status"] == "passed" for r in results) > 40


def test_what_is_fitted() -> None:
    estimator = SparseAutoencoder(**FAST)
    assert estimator.fit(X) is estimator
    assert estimator.components_.shape == (32, 16) and estimator.n_features_in_ == 16
    assert np.linalg.norm(estimator.components_, axis=1) == pytest.approx(np.ones(32), rel=1e-4)
    history = estimator.history_
    assert list(history["epoch"]) == list(range(1, len(history) + 1))
    # Every tenth row told when to stop.
    best = int(np.argmin(np.array(history["validation_fvu"])))
    assert best + 1 == estimator.best_epoch_
    names = estimator.get_feature_names_out()
    assert names[[0, 31]].tolist() == ["sparseautoencoder0", "sparseautoencoder31"]


def test_transform_is_sparse_and_inverted() -> None:
    estimator = SparseAutoencoder(**FAST)
    z = estimator.fit_transform(X)
    assert sparse.issparse(z) and z.format == "csr" and z.dtype == np.float32
    assert z.shape == (400, 32) and z.nnz <= 4 * 400 and z.data.min() > 0
    expected = estimator.sae_.get_activations(X, show_progress=False)
    np.testing.assert_array_equal(z.toarray(), expected)
    back = estimator.inverse_transform(z)
    np.testing.assert_allclose(back, estimator.inverse_transform(z.toarray()), atol=1e-6)
    bias = estimator.sae_.state_dict()["input_bias"]
    np.testing.assert_allclose(back, z @ estimator.components_ + bias, atol=1e-4)
    unsorted = z.copy()
    unsorted.indices[:4], unsorted.data[:4] = z.indices[:4][::-1], z.data[:4][::-1]
    unsorted.has_sorted_indices = False
    np.testing.assert_allclose(estimator.inverse_transform(unsorted), back, atol=1e-6)
    for wrong in (z[:, :3], -z):
        with pytest.raises(DataError):
            estimator.inverse_transform(wrong)


def test_in_pipelines_searches_clones_and_pickles() -> None:
    y = (X[:, 0] > 0).astype(int)
    pipeline = make_pipeline(SparseAutoencoder(**FAST), LogisticRegression())
    assert pipeline.fit(X, y).score(X, y) > 0.6
    search = GridSearchCV(pipeline, {"sparseautoencoder__k": [2, 6]}, cv=2).fit(X, y)
    assert search.best_params_["sparseautoencoder__k"] in (2, 6)
    estimator = SparseAutoencoder(**FAST, prefix_lengths=[8, 32]).fit(X)
    twin = clone(estimator)
    assert twin.get_params() == estimator.get_params() and not hasattr(twin, "components_")
    loaded = pickle.loads(pickle.dumps(estimator))
    for other in (loaded, twin.fit(X)):
        assert (other.transform(X) != estimator.transform(X)).nnz == 0
    assert "SparseAutoencoder" in estimator._repr_html_()


def test_trap_07_random_state_decides() -> None:
    def components(random_state: Any) -> Any:
        return SparseAutoencoder(**FAST, random_state=random_state).fit(X).components_

    np.testing.assert_array_equal(components(None), components(None))
    np.testing.assert_array_equal(components(None), components(0))
    one, other = (components(np.random.RandomState(3)) for _ in range(2))
    np.testing.assert_array_equal(one, other)
    assert not np.array_equal(components(1), components(0))


def test_trap_08_parameters_out_of_range_are_named() -> None:
    for message, options in (
        ("`k` is `40`, allowed: 1 to 32 (`n_features`)", {"n_features": 32, "k": 40}),
        ("`k` is `8`, allowed: 1 to 5 (rows to train on, of n_samples=6)", {"k": 8}),
        ("choose one of topk, batch_topk", {"sparsity": "relu", "k": 2}),
        ("`validation_fraction` is `1.0`", {"validation_fraction": 1.0, "k": 2}),
        ("`prefix_lengths` is", {"prefix_lengths": [8, 32], "k": 2}),
    ):
        with pytest.raises(OptionError) as refused:
            SparseAutoencoder(**options).fit(X[:6])
        assert message in str(refused.value)


def test_the_package_does_not_need_scikit_learn() -> None:
    script = (
        "import sys; sys.modules['sklearn'] = None; import hypothesaes; "
        "from hypothesaes import *; print(train_sae)"
    )
    subprocess.run([sys.executable, "-c", script], check=True, capture_output=True)
