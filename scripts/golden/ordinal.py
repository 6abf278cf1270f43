"""Golden values for the proportional-odds regression: statsmodels and complex-step derivatives.

Run from the project's root: python3 scripts/golden/ordinal.py
"""

import json
import platform

import numpy as np
import scipy
import statsmodels
from scipy.stats import chi2
from statsmodels.miscmodels.ordinal_model import OrderedModel
from statsmodels.tools.numdiff import approx_fprime_cs, approx_hess_cs

rng = np.random.default_rng(11)


def expit(t):
    return 1 / (1 + np.exp(-t))


def probabilities(theta, x, cuts, free=None, delta=None):
    eta = x @ theta[cuts:]
    ends = [theta[k] - eta for k in range(cuts)]
    if free is not None:
        ends = [ends[0]] + [ends[k] - delta[k - 1] * x[:, free] for k in range(1, cuts)]
    below = np.column_stack([np.zeros(len(x))] + [expit(e) for e in ends] + [np.ones(len(x))])
    return below[:, 1:] - below[:, :-1]


def case(y, x, values, weights=None, cluster=None):
    n, q = x.shape
    cuts = y.max()
    w = np.ones(n) if weights is None else weights
    model = OrderedModel(y, x, distr="logit")

    def rows(theta):
        return w * np.log(probabilities(theta, x, cuts)[np.arange(n), y])

    if weights is None:
        fit = model.fit(method="bfgs", disp=0, maxiter=500, gtol=1e-9)
        theta = np.concatenate([model.transform_threshold_params(fit.params)[1:-1], fit.params[:q]])
    else:
        share = np.array([w[y <= k].sum() for k in range(cuts)]) / w.sum()
        theta = np.concatenate([np.log(share / (1 - share)), np.zeros(q)])
    total = lambda t: rows(t).sum()
    for _ in range(20):  # to the last digit
        theta = theta - np.linalg.solve(approx_hess_cs(theta, total), approx_fprime_cs(theta, total))
    inverse = np.linalg.inv(-approx_hess_cs(theta, total))
    classical = np.sqrt(np.diag(inverse))[cuts:]
    if weights is None:  # they agree on everything that both say
        assert abs(fit.params[:q] - theta[cuts:]).max() < 1e-5
        assert abs(fit.bse[:q] - classical).max() < 1e-4
        assert abs(fit.llf - total(theta)) < 1e-6

    by = np.arange(n) if cluster is None else cluster
    groups = len(np.unique(by))
    sum_by = lambda s: np.array([s[by == g].sum(0) for g in np.unique(by)])
    scores = sum_by(approx_fprime_cs(theta, rows))
    covariance = inverse @ scores.T @ scores @ inverse * groups / (groups - 1)

    def effect(theta, j):
        if set(np.unique(x[:, j])) <= {0.0, 1.0}:
            ends = [x.copy(), x.copy()]
            for end, value in zip(ends, [0.0, 1.0]):
                end[:, j] = value
            low, high = (probabilities(theta, end, cuts) @ values for end in ends)
            return (w * (high - low)).sum() / w.sum()
        density = [expit(theta[k] - x @ theta[cuts:]) for k in range(cuts)]
        slope = sum(step * f * (1 - f) for step, f in zip(np.diff(values), density))
        return (w * slope * theta[cuts + j]).sum() / w.sum()

    def error(j, covariance):
        g = approx_fprime_cs(theta, lambda t: effect(t, j))
        return float(np.sqrt(g @ covariance @ g))

    def proportional(j):
        def free_rows(t):
            p = probabilities(t[: cuts + q], x, cuts, j, t[cuts + q:])
            return w * np.log(p[np.arange(n), y])
        at = np.concatenate([theta, np.zeros(cuts - 1)])
        info = -approx_hess_cs(at, lambda t: free_rows(t).sum())
        s = approx_fprime_cs(at, free_rows)
        rest, free = slice(0, cuts + q), slice(cuts + q, None)
        e = info[free, rest] @ np.linalg.inv(info[rest, rest])
        variance = info[free, free] - e @ info[rest, free]
        if cluster is not None or weights is not None:
            v = sum_by(s[:, free] - s[:, rest] @ e.T)
            variance = v.T @ v * groups / (groups - 1)
        u = s.sum(0)[free]
        statistic = u @ np.linalg.solve(variance, u)
        return [float(statistic), float(chi2.sf(statistic, cuts - 1))]

    share = np.array([w[y == k].sum() for k in range(cuts + 1)]) / w.sum()
    return {
        "y": y.tolist(), "columns": x.T.tolist(), "values": values.tolist(),
        "weights": None if weights is None else weights.tolist(),
        "cluster": None if cluster is None else cluster.tolist(),
        "thresholds": theta[:cuts].tolist(), "coefficients": theta[cuts:].tolist(),
        "classical": classical.tolist(), "robust": np.sqrt(np.diag(covariance))[cuts:].tolist(),
        "effects": [effect(theta, j) for j in range(q)],
        "effect_classical": [error(j, inverse) for j in range(q)],
        "effect_robust": [error(j, covariance) for j in range(q)],
        "proportional": [proportional(j) for j in range(q)] if cuts > 1 else None,
        "log_likelihood": total(theta), "null": float((w * np.log(share[y])).sum()),
        "fitted": (probabilities(theta, x, cuts) @ values).tolist(),
    }


def draw(n, cuts, effects, continuous=True):
    x = (rng.uniform(size=(n, len(effects))) < 0.3).astype(float)
    if continuous:
        x[:, -1] = np.round(rng.normal(size=n), 2)
    latent = x @ effects + rng.logistic(size=n)
    return np.searchsorted(cuts, latent), x


y, x = draw(160, [-1.0, 0.2, 1.0, 2.0], [0.8, -0.5, 0.6])
two, x2 = draw(90, [0.3], [1.0, 0.5])
three, x3 = draw(150, [-0.5, 1.0], [0.7, 0.3], continuous=False)
golden = {
    "versions": {
        "python": platform.python_version(),
        "numpy": np.__version__,
        "scipy": scipy.__version__,
        "statsmodels": statsmodels.__version__,
    },
    "five_levels": case(y, x, np.array([1.0, 2.0, 3.0, 4.0, 5.0])),
    "two_levels": case(two, x2, np.array([0.0, 1.0])),
    "clusters": case(three, x3, np.array([0.0, 1.0, 5.0]), cluster=np.arange(150) // 6),
    "weights": case(three, x3, np.array([0.0, 1.0, 5.0]), weights=np.round(rng.uniform(0.5, 3, 150), 2)),
}
with open("crates/math/tests/golden/ordinal.json", "w") as out:
    json.dump(golden, out)
