"""Golden values for effects corrected for annotation errors: the formula, dense; statsmodels.

Run from the project's root: python3 scripts/golden/rectify.py
"""

import json
import platform

import numpy as np
import scipy
import statsmodels
import statsmodels.api as sm
from scipy.optimize import root

rng = np.random.default_rng(23)
mean_of = {
    "identity": lambda e: e,
    "logit": lambda e: 1 / (1 + np.exp(-e)),
    "log": lambda e: np.exp(e),
}
bend_of = {
    "identity": lambda e: np.ones_like(e),
    "logit": lambda e: mean_of["logit"](e) * (1 - mean_of["logit"](e)),
    "log": lambda e: np.exp(e),
}
family = {"identity": sm.families.Gaussian(), "logit": sm.families.Binomial(), "log": sm.families.Poisson()}


def annotated(n, concepts):
    truth = (rng.uniform(size=(n, concepts)) < 0.4).astype(float)
    flip = rng.uniform(size=truth.shape) < np.where(truth == 1, 0.2, 0.1)
    return truth, np.where(flip, 1 - truth, truth)


def case(link, n, concepts, chances=None, clusters=None, weighted=False, exposed=False, paired=False):
    truth, machine = annotated(n, concepts)
    if paired:
        truth, machine = (a - b for a, b in zip((truth, machine), annotated(n, concepts)))
    control = np.round(rng.normal(size=(n, 1)), 2)
    offset = np.round(rng.normal(size=n) / 2, 2) if exposed else np.zeros(n)
    w = np.round(rng.uniform(0.3, 3, size=n), 2) if weighted else np.ones(n)
    eta = offset + (0 if paired else 0.2) + truth @ np.array([0.9, -0.5])[:concepts] + 0.3 * control[:, 0]
    y = {
        "identity": lambda: np.round(eta + rng.normal(size=n), 2),
        "logit": lambda: (rng.uniform(size=n) < mean_of["logit"](eta)).astype(float),
        "log": lambda: rng.poisson(np.exp(eta)).astype(float),
    }[link]()
    if chances:
        pi = np.round(rng.uniform(0.2, 0.6, size=n), 2)
        gold = rng.uniform(size=n) < pi
    else:
        gold = np.isin(np.arange(n), rng.permutation(n)[: n // 4])
        pi = np.full(n, gold.mean())
    cluster = None if clusters is None else rng.integers(clusters, size=n)
    one = np.ones((n, 0 if paired else 1))
    x_hat, x = np.hstack([one, machine, control]), np.hstack([one, truth, control])
    r = gold / pi
    mean, bend = mean_of[link], bend_of[link]
    p = x.shape[1]

    def m(x, b):
        return x * (w * (y - mean(x @ b + offset)))[:, None]

    def total(l, b):
        return l * m(x_hat, b) + r[:, None] * (m(x, b) - l * m(x_hat, b))

    def slope(l, b):
        part = lambda x, share: x.T @ (x * (share * w * bend(x @ b + offset))[:, None])
        return part(x_hat, l * (1 - r)) + part(x, r)

    def solve(l, start):
        found = root(lambda b: total(l, b).sum(0), start, jac=lambda b: -slope(l, b), tol=1e-13)
        assert abs(total(l, found.x).sum(0)).max() < 1e-8 * n, found
        return found.x

    by = np.arange(n) if cluster is None else cluster
    labels = np.unique(by)
    sum_by = lambda u: np.array([u[by == g].sum(0) for g in labels])

    def influence(l, b, scale=1.0, slope_at=None):
        d = m(x, b) - l * m(x_hat, b)
        centre = np.zeros(p) if chances else d[gold].mean(0)
        u = l * m(x_hat, b) + scale * r[:, None] * (d - centre) + centre
        return sum_by(u) @ np.linalg.inv(slope(l if slope_at is None else slope_at, b)).T

    def error(l, b):
        k = gold.sum() if cluster is None else len(np.unique(cluster[gold]))
        df = k - p if cluster is None else k - 1
        u = influence(l, b, np.sqrt(k / df))
        return np.sqrt((u * u).sum(0) * len(labels) / (len(labels) - 1)), df

    # As weights of the variance, so that HC0 is that of weighted moments.
    model = sm.GLM(y, x_hat, family=family[link], var_weights=w, offset=offset)
    naive = model.fit(tol=1e-13, maxiter=200, cov_type="HC0")
    full = solve(1.0, naive.params)
    first = one.shape[1]
    a = influence(0.0, full, slope_at=1.0)[:, first : first + concepts]
    b = influence(1.0, full)[:, first : first + concepts]
    weight = float(np.clip(-(a * (b - a)).sum() / ((b - a) ** 2).sum(), 0, 1))
    power = solve(weight, full)
    human = solve(0.0, full)
    if cluster is not None:
        naive = model.fit(tol=1e-13, maxiter=200, cov_type="cluster",
                          cov_kwds={"groups": cluster, "use_correction": False})
    naive_error = naive.bse * np.sqrt(len(labels) / (len(labels) - 1))
    return {
        "link": link, "y": y.tolist(), "machine": machine.T.astype(int).tolist(),
        "human": [[int(v) if g else None for v, g in zip(c, gold)] for c in truth.T],
        "control": control[:, 0].tolist(), "intercept": not paired,
        "weights": w.tolist() if weighted else None, "offset": offset.tolist() if exposed else None,
        "chances": pi.tolist() if chances else None,
        "cluster": None if cluster is None else cluster.tolist(),
        "naive": naive.params.tolist(), "naive_error": naive_error.tolist(),
        "full": full.tolist(), "full_error": error(1.0, full)[0].tolist(),
        "weight": weight, "power": power.tolist(), "power_error": error(weight, power)[0].tolist(),
        "human_fit": human.tolist(), "human_error": error(0.0, human)[0].tolist(),
        "df": int(error(1.0, full)[1]),
    }


golden = {
    "versions": {
        "python": platform.python_version(),
        "numpy": np.__version__,
        "scipy": scipy.__version__,
        "statsmodels": statsmodels.__version__,
    },
    "cases": [
        case("identity", 200, 2),
        case("identity", 200, 1, chances=True),
        case("logit", 300, 2),
        case("logit", 300, 1, clusters=40),
        case("log", 200, 2, chances=True, clusters=30),
        case("identity", 200, 2, weighted=True),
        case("log", 250, 1, weighted=True, exposed=True),
        case("logit", 300, 2, paired=True),
        case("identity", 200, 1, paired=True, clusters=40),
    ],
}
with open("crates/math/tests/golden/rectify.json", "w") as out:
    json.dump(golden, out)
