"""Selection of neurons: equal to scikit-learn, SciPy and the original where these are right."""

from __future__ import annotations

from typing import Any

import numpy as np
import peer
import pytest

from hypothesaes.errors import DataError, OptionError
from hypothesaes.select_neurons import (
    select_neurons,
    select_neurons_correlation,
    select_neurons_custom,
    select_neurons_lasso,
    select_neurons_separation_score,
)

N, M = 300, 24


def activations(seed: int = 0) -> Any:
    """Sparse, without ties; every neuron fires on more than a tenth of the texts."""
    random = np.random.default_rng(seed)
    z = np.where(random.random((N, M)) < random.uniform(0.2, 0.5, M), random.gamma(2, 1, (N, M)), 0)
    return z.astype(np.float32)


def targets(z: Any, seed: int = 1) -> Any:
    random = np.random.default_rng(seed)
    return 2 * z[:, 0] - z[:, 1] + 0.5 * z[:, 2] + random.normal(size=len(z))


Z = activations()
Y = targets(Z)
CLASSES = (Y > np.median(Y)).astype(int)
PAIRS = Z - activations(2)
"""Differences of two texts, as for pairs."""


def close(found: Any, expected: Any, tolerance: float = 1e-5) -> None:
    assert found[0] == list(expected[0])
    np.testing.assert_allclose(found[1], expected[1], rtol=tolerance, atol=tolerance)


def best(scores: Any, n: int) -> tuple[list[int], Any]:
    order = np.argsort(-np.abs(scores))[:n]
    return order.tolist(), scores[order]


@pytest.mark.parametrize("z", [Z, PAIRS], ids=["texts", "pairs"])
def test_correlation_is_pearsons(z: Any) -> None:
    scipy = pytest.importorskip("scipy.stats")
    expected = np.array([scipy.pearsonr(z[:, j], Y)[0] for j in range(M)])
    close(select_neurons_correlation(z, Y, 5), best(expected, 5))
    close(select_neurons(z.tolist(), Y.tolist(), 5, "correlation", verbose=True), best(expected, 5))


@pytest.mark.parametrize("z", [Z, PAIRS], ids=["texts", "pairs"])
@pytest.mark.parametrize("scale", [1.0, 1e7])
def test_lasso_solves_scikit_learns_problem(z: Any, scale: float) -> None:
    linear = pytest.importorskip("sklearn.linear_model")
    scaled = (z - z.mean(axis=0)).astype(float) / z.std(axis=0)
    fit = linear.Lasso(alpha=0.3 * scale, tol=1e-10, max_iter=10**5).fit(scaled, scale * Y)
    n = int((fit.coef_ != 0).sum())
    found = select_neurons_lasso(z, scale * Y, n, alpha=0.3 * scale)
    close((found[0], np.array(found[1]) / scale), best(fit.coef_ / scale, n))


@pytest.mark.parametrize("labels", [CLASSES, CLASSES == 1, 2 * CLASSES - 1, CLASSES.astype(str)])
def test_lasso_of_classes_solves_scikit_learns_problem(labels: Any) -> None:
    linear = pytest.importorskip("sklearn.linear_model")
    scaled = (Z - Z.mean(axis=0)) / Z.std(axis=0)
    options = {"l1_ratio": 1, "solver": "saga", "tol": 1e-10, "max_iter": 10**5}
    fit = linear.LogisticRegression(C=1 / 12, **options).fit(scaled, CLASSES)
    n = int((fit.coef_ != 0).sum())
    assert 0 < n < M
    found = select_neurons(Z, labels, n, "lasso", classification=True, alpha=12)
    close(found, best(fit.coef_[0], n), 1e-4)


def test_separation_by_hand() -> None:
    def score(column: Any, n_top: int) -> float:
        order = [i for i in np.argsort(-column) if column[i] > 0][:n_top]
        return float(Y[order].mean() - Y[column == 0].mean())

    for n_top in (10, 1000):
        expected = np.array([score(Z[:, j], n_top) for j in range(M)])
        found = select_neurons_separation_score(Z, Y, 5, n_top_activating=n_top)
        close(found, best(expected, 5))


def original(name: str) -> Any:
    pytest.importorskip("sklearn")
    return getattr(peer.module("select_neurons"), name)


@pytest.mark.parametrize("z", [Z, PAIRS], ids=["texts", "pairs"])
def test_scores_are_those_of_the_original(z: Any) -> None:
    theirs = original("select_neurons")
    for method, options in (
        ("correlation", {}),
        ("separation_score", {"n_top_activating": 20}),
        ("lasso", {"alpha": 0.2}),
        ("custom", {"metric_fn": lambda column, y: float(column @ y)}),
    ):
        if z is PAIRS and method == "separation_score":
            # Its zeros are too few to be compared.
            continue
        # Where fewer are left, it fills up with neurons whose coefficient is 0.
        n = 3 if method == "lasso" else 6
        expected = theirs(z, Y, n, method, **options)
        close(select_neurons(z, Y, n, method, **options), expected, 1e-3)


def test_the_search_finds_the_neurons_of_the_original() -> None:
    theirs = original("select_neurons")
    for y, classification in ((Y, False), (CLASSES, True)):
        expected = theirs(Z, y, 3, "lasso", classification=classification)[0]
        found = select_neurons(Z, y, 3, "lasso", classification=classification)[0]
        assert set(found) == set(expected) == {0, 1, 2}


def test_custom_gets_numpy_columns_and_the_target_as_it_is() -> None:
    seen = []

    def metric(column: Any, target: Any) -> float:
        seen.append((column, target))
        return float("nan") if len(seen) == 1 else -float(len(seen))

    neurons, scores = select_neurons_custom(Z.tolist(), CLASSES.astype(bool), 3, metric)
    assert (neurons, scores) == ([3, 2, 1], [-4.0, -3.0, -2.0])
    assert all(isinstance(c, np.ndarray) and c.shape == (N,) for c, _ in seen)
    assert all(isinstance(t, np.ndarray) and t.dtype == bool for _, t in seen)
    with pytest.raises(OptionError, match="metric_fn"):
        select_neurons(Z, Y, 3, "custom")


def test_trap_11_only_texts_that_a_neuron_fires_on_count() -> None:
    """A dead neuron on sorted labels, one that always fires, one that fires three times."""
    y = np.arange(N, dtype=float)
    z = np.zeros((N, 4), np.float32)
    z[:, 1] = 1 + np.arange(N)
    z[[0, 1, 2], 2] = 1.0
    z[150:, 3] = 1.0
    neurons, scores = select_neurons_separation_score(z, y, 4)
    # Of equal activations the first 100 count.
    expected = [1 - y[3:].mean(), y[150:250].mean() - y[:150].mean()]
    assert (neurons, scores) == ([2, 3], pytest.approx(expected))


def test_trap_12_a_constant_neuron_is_never_chosen(capsys: pytest.CaptureFixture[str]) -> None:
    z = Z.copy()
    z[:, 5:] = 0
    z[:, 4] = 3
    for method in ("correlation", "separation_score", "lasso"):
        neurons, scores = select_neurons(z, Y, 10, method)
        assert set(neurons) <= {0, 1, 2, 3}
        assert np.isfinite(scores).all()
        assert "instead of 10" in capsys.readouterr().out


def test_trap_13_a_target_in_the_millions() -> None:
    expected = select_neurons_lasso(Z, Y, 4)
    neurons, scores = select_neurons_lasso(Z, 5e6 * Y, 4)
    assert len(neurons) == 4
    close((neurons, np.array(scores) / 5e6), expected)


def test_zeros_are_sampled_the_same_every_time() -> None:
    one = select_neurons(Z, Y, 5, "separation_score", n_zero_activating=30)
    np.random.seed(7)
    assert select_neurons(Z, Y, 5, "separation_score", n_zero_activating=30) == one
    other = select_neurons(Z, Y, 5, "separation_score", n_zero_activating=30, seed=1)
    assert other[1] != one[1]
    everything = select_neurons(Z, Y, 5, "separation_score", n_zero_activating=10**6)
    close(everything, select_neurons(Z, Y, 5, "separation_score"))


def test_what_cannot_be_is_refused() -> None:
    nan = Z.copy()
    nan[7, 3] = np.nan
    for message, arguments, options in (
        ("`activations` has `nan` at row 7, column 3", (nan, Y, 3), {}),
        ("`target` has 299 rows and `activations` has 300", (Z, Y[1:], 3), {}),
        ("`n_select` is `0`, allowed: 1 or more", (Z, Y, 0), {}),
        ("`target` is missing at row 2", (Z, np.where(np.arange(N) == 2, np.nan, Y), 3), {}),
        ("has 300 values", (Z, Y, 3), {"classification": True}),
        ("choose one of lasso", (Z, Y, 3), {"method": "lassso"}),
        ("`alpha` is `-1`", (Z, Y, 3), {"alpha": -1}),
        ("did you mean `n_top_activating`", (Z, Y, 3, "correlation"), {"n_top_activate": 3}),
        ("`target` is `1` in every row", (Z, np.ones(N), 3), {}),
        ("row 0 has 2 entries and row 1 has 1", ([[1, 2], [3]], [0, 1], 1), {}),
    ):
        with pytest.raises((DataError, OptionError)) as refused:
            select_neurons(*arguments, **options)
        assert message in str(refused.value)
        assert isinstance(refused.value, ValueError)
