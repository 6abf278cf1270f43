"""Golden values of crates/math/src/lasso, scores.rs and controls: scikit-learn, scipy and numpy.

    python scripts/golden/selection.py > crates/math/tests/golden/selection.json

Where no library has the problem (unpenalised controls, Poisson), scipy finds the support by
L-BFGS-B on the positive and negative parts and then solves the first-order conditions on it.
"""

import json
import sys
import warnings

import numpy as np
import scipy
import sklearn
from scipy.optimize import minimize, root
from scipy.stats import pearsonr
from sklearn.linear_model import Lasso, LogisticRegression
from sklearn.preprocessing import StandardScaler

SHARES = (0.6, 0.2, 0.05)


def logistic(eta, y):
    p = 1 / (1 + np.exp(-eta))
    return np.logaddexp(0, eta) - y * eta, p - y


def poisson(eta, y):
    return np.exp(eta) - y * eta, np.exp(eta) - y


def squared(eta, y):
    return (eta - y) ** 2 / 2, eta - y


def minimum(loss, c, x, y, w, offset, share):
    """Coefficients of x at this share of the largest penalty, those of c being unpenalised."""
    total, q = w.sum(), c.shape[1]
    # Independent columns of the same span.
    u, s, _ = np.linalg.svd(c, full_matrices=False)
    c = u[:, s > 1e-9 * s[0]] if q else c
    q = c.shape[1]
    design = np.column_stack([c, x])

    def slopes(theta):
        return design.T @ (w * loss(design @ theta + offset, y)[1]) / total

    null = root(lambda g: slopes(np.concatenate([g, np.zeros(x.shape[1])]))[:q], np.zeros(q), tol=1e-13)
    null = null.x if q else np.zeros(0)
    at_null = slopes(np.concatenate([null, np.zeros(x.shape[1])]))
    assert np.abs(at_null[:q]).max(initial=0) < 1e-10
    penalty = share * np.abs(at_null[q:]).max()
    m = x.shape[1]

    def split(v):
        theta = np.concatenate([v[:q], v[q : q + m] - v[q + m :]])
        value = (w * loss(design @ theta + offset, y)[0]).sum() / total + penalty * v[q:].sum()
        g = slopes(theta)
        return value, np.concatenate([g[:q], g[q:] + penalty, -g[q:] + penalty])

    bounds = [(None, None)] * q + [(0, None)] * (2 * m)
    start = np.concatenate([null, np.zeros(2 * m)])
    options = {"maxiter": 100_000, "maxfun": 1_000_000, "ftol": 1e-16, "gtol": 1e-9}
    v = minimize(split, start, jac=True, method="L-BFGS-B", bounds=bounds, options=options).x
    coefficients = v[q : q + m] - v[q + m :]
    support = np.flatnonzero(np.abs(coefficients) > 1e-5)
    signs = np.sign(coefficients[support])

    def conditions(t):
        theta = np.zeros(q + m)
        theta[:q], theta[q + support] = t[:q], t[q:]
        g = slopes(theta)
        return np.concatenate([g[:q], g[q + support] + penalty * signs])

    t = root(conditions, np.concatenate([v[:q], coefficients[support]]), tol=1e-14).x
    theta = np.zeros(q + m)
    theta[:q], theta[q + support] = t[:q], t[q:]
    g = slopes(theta)
    assert np.abs(conditions(t)).max() < 1e-11, np.abs(conditions(t)).max()
    assert (np.sign(theta[q + support]) == signs).all()
    rest = np.delete(np.abs(g[q:]), support)
    assert rest.max(initial=0) < penalty
    return {"lambda": penalty, "coefficients": theta[q:].tolist()}


def dummies(*factors):
    return np.column_stack([np.eye(f.max() + 1)[f] for f in factors])


def saga(x, y, penalty):
    fit = LogisticRegression(l1_ratio=1, C=1 / (len(y) * penalty), solver="saga", tol=1e-13, max_iter=10**6)
    fit.fit(x, y)
    assert fit.n_iter_[0] < 10**6
    return {"lambda": penalty, "coefficients": fit.coef_[0 if len(fit.coef_) == 1 else slice(None)].tolist()}


def liblinear(x, y, penalty, **options):
    fit = LogisticRegression(
        l1_ratio=1, C=1 / (len(y) * penalty), solver="liblinear", tol=1e-12, max_iter=10**7, **options
    )
    fit.fit(x, y)
    return {"lambda": penalty, "coefficients": fit.coef_[0].tolist()}


def main():
    # scikit-learn warns of renamed arguments; it must still settle, which is checked.
    warnings.simplefilter("ignore", FutureWarning)
    random = np.random.default_rng(11)
    n, m = 80, 12
    # Eighths are exact in 32 bits.
    z = np.where(random.random((n, m)) < random.uniform(0.05, 0.5, m), random.integers(1, 24, (n, m)) / 8, 0.0)
    y = np.round(2 * z[:, 0] - z[:, 1] + 0.5 * z[:, 2] + random.normal(size=n), 3)
    classes = (y > np.median(y)).astype(float)
    scaled = StandardScaler().fit_transform(z)
    labels = np.digitize(y, np.quantile(y, [0.4, 0.8]))
    counts = random.poisson(np.exp(0.4 * z[:, 0] - 0.3 * z[:, 3])).astype(float)
    exposure = np.round(random.normal(0, 0.5, n), 3)
    weights = np.round(random.uniform(0.2, 2, n), 2)
    numeric = np.round(np.column_stack([random.normal(size=n) + z[:, 0], random.normal(size=n)]), 3)
    factors = [random.integers(0, 7, n), random.integers(0, 3, n)]
    # Pairs: the second half of the texts against the first; the target is who won, or by how much.
    pairs = z[n // 2 :] - z[: n // 2]
    margin = np.round(y[n // 2 :] - y[: n // 2] + random.normal(size=n // 2), 3)
    won = (margin > 0).astype(float)

    one, zero, none = np.ones(n), np.zeros(n), np.zeros((n, 0))
    mean = np.average(z, axis=0, weights=weights)
    weighted = z / np.sqrt(np.average((z - mean) ** 2, axis=0, weights=weights))
    rms = pairs / np.sqrt((pairs**2).mean(axis=0))
    everything = np.column_stack([numeric, dummies(*factors)])
    by_one = np.column_stack([numeric, dummies(factors[0])])

    out = {key: [] for key in (
        "squared", "logistic", "liblinear", "multinomial", "squared_weights", "squared_pairs", "logistic_pairs"
    )}
    for share in SHARES:
        top = np.abs(scaled.T @ (y - y.mean())).max() / n
        fit = Lasso(alpha=share * top, tol=1e-14, max_iter=10**6).fit(scaled, y)
        out["squared"].append({"lambda": share * top, "coefficients": fit.coef_.tolist()})

        top = np.abs(scaled.T @ (classes - classes.mean())).max() / n
        out["logistic"].append(saga(scaled, classes, share * top))
        # liblinear penalises the intercept: so little here that it makes no difference.
        out["liblinear"].append(liblinear(scaled, classes, share * top, intercept_scaling=1e6))

        shares = np.eye(3)[labels] - np.eye(3)[labels].mean(axis=0)
        out["multinomial"].append(saga(scaled, labels, share * np.abs(scaled.T @ shares).max() / n))

        top = np.abs(weighted.T @ (weights * (y - np.average(y, weights=weights)))).max() / weights.sum()
        fit = Lasso(alpha=share * top, tol=1e-14, max_iter=10**6).fit(weighted, y, sample_weight=weights)
        out["squared_weights"].append({"lambda": share * top, "coefficients": fit.coef_.tolist()})

        top = np.abs(rms.T @ margin).max() / len(margin)
        fit = Lasso(alpha=share * top, tol=1e-14, max_iter=10**6, fit_intercept=False).fit(rms, margin)
        out["squared_pairs"].append({"lambda": share * top, "coefficients": fit.coef_.tolist()})

        # Without an intercept it is the same problem.
        top = np.abs(rms.T @ (won - 0.5)).max() / len(won)
        out["logistic_pairs"].append(liblinear(rms, won, share * top, fit_intercept=False))

    def path(loss, c, x, y, w=one, offset=zero):
        return [minimum(loss, c, x, y, w, offset, share) for share in SHARES]

    column = one[:, None]
    out["squared_controls"] = path(squared, everything, weighted, y, weights)
    out["logistic_weights"] = path(logistic, column, weighted, classes, weights)
    out["logistic_one_factor"] = path(logistic, by_one, weighted, classes, weights)
    out["logistic_controls"] = path(logistic, everything, weighted, classes, weights)
    out["poisson"] = path(poisson, column, scaled, counts)
    out["poisson_controls"] = path(poisson, by_one, weighted, counts, weights, exposure)

    half = np.sqrt(weights)[:, None]

    def residual(v, c):
        return v - c @ np.linalg.lstsq(half * c, half[:, 0] * v, rcond=None)[0]

    def partial(c):
        u = residual(y, c)
        x = np.column_stack([residual(z[:, j], c) for j in range(m)])
        sums = (weights[:, None] * x * u[:, None]).sum(axis=0)
        return (sums / np.sqrt((weights[:, None] * x**2).sum(axis=0) * (weights * u**2).sum())).tolist()

    left = residual(y, everything)
    on = z > 0
    json.dump(
        {
            "versions": {"numpy": np.__version__, "scipy": scipy.__version__, "scikit-learn": sklearn.__version__},
            "z": z.tolist(),
            "y": y.tolist(),
            "classes": classes.tolist(),
            "labels": labels.tolist(),
            "counts": counts.tolist(),
            "exposure": exposure.tolist(),
            "weights": weights.tolist(),
            "numeric": numeric.T.tolist(),
            "factors": [f.tolist() for f in factors],
            "pairs": pairs.tolist(),
            "margin": margin.tolist(),
            "won": won.tolist(),
            **out,
            "correlation": [pearsonr(z[:, j], y)[0] for j in range(m)],
            "separation": [y[on[:, j]].mean() - y[~on[:, j]].mean() for j in range(m)],
            "correlation_one_factor": partial(by_one),
            "correlation_controls": partial(everything),
            "separation_controls": [
                np.average(left[on[:, j]], weights=weights[on[:, j]])
                - np.average(left[~on[:, j]], weights=weights[~on[:, j]])
                for j in range(m)
            ],
        },
        sys.stdout,
    )


if __name__ == "__main__":
    main()
