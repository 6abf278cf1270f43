"""Golden values of regressions of counts: statsmodels, and formulas written out densely.

    python scripts/golden/counts.py > crates/math/tests/golden/counts.json
"""

import json
import sys
import warnings

import numpy as np
import scipy
import statsmodels
import statsmodels.api as sm
from dense import dummies, flags, hc1, hc2, hc3, kish, written
from scipy import optimize, stats

LEVEL = 0.95


def case(name, model, x, y, coefficients, errors, df, classical, **more):
    return {
        "name": name, "model": model, "columns": written(x), "y": np.asarray(y).tolist(),
        "coefficients": list(coefficients), "robust": list(errors), "df": list(df), "classical": list(classical), **more,
    }


def marginal(full, o, w, b, v, l, discrete):
    def effect(b):
        if not discrete:
            return np.average(np.exp(full @ b + o) * b[l], weights=w)
        def mean(value):
            moved = full.copy()
            moved[:, l] = value
            return np.average(np.exp(moved @ b + o), weights=w)
        return mean(1.0) - mean(0.0)
    steps = 1e-6 * np.eye(len(b))
    g = np.array([(effect(b + s) - effect(b - s)) / 2e-6 for s in steps])
    return effect(b), np.sqrt(g @ v @ g)


def poisson(random, name, x, weighted=False, offset=False, over=0.0):
    n = len(x)
    o = np.round(0.7 * random.normal(size=n), 2) if offset else np.zeros(n)
    rate = np.exp(0.4 + x @ np.linspace(0.6, -0.5, x.shape[1]) + o)
    y = random.poisson(rate * (random.gamma(1 / over, over, n) if over else 1)).astype(float)
    weights = np.round(random.random(n) * 3 + 0.2, 2)
    w = kish(weights) if weighted else np.ones(n)
    full = sm.add_constant(x)
    fit = sm.GLM(y, full, family=sm.families.Poisson(), var_weights=w, offset=o).fit(tol=1e-14, maxiter=100)
    m = fit.fittedvalues
    v, df = hc3(full, w * m, w * (y - m))
    found = [marginal(full, o, w, fit.params, v, j + 1, set(np.unique(x[:, j])) <= {0, 1}) for j in range(x.shape[1])]
    more = {"weights": weights.tolist()} if weighted else {}
    more |= {"offset": o.tolist()} if offset else {}
    return case(
        name, "poisson", x, y, fit.params, np.sqrt(np.diag(v)), df, fit.bse,
        marginal=[f[0] for f in found], marginal_error=[f[1] for f in found], **more,
    )


def negative_binomial(random, name, x, alpha, offset=False):
    n = len(x)
    o = np.round(0.5 * random.normal(size=n), 2) if offset else np.zeros(n)
    rate = np.exp(0.8 + x @ np.linspace(0.6, -0.5, x.shape[1]) + o)
    y = random.poisson(rate * random.gamma(1 / alpha, alpha, n)).astype(float)
    full = sm.add_constant(x)
    model = sm.NegativeBinomial(y, full, loglike_method="nb2", offset=o)
    start = model.fit(disp=False, maxiter=500).params
    best = model.fit(start_params=start, disp=False, method="newton", maxiter=100, tol=1e-13)
    b, a = best.params[:-1], best.params[-1]
    m = np.exp(full @ b + o)
    v, df = hc3(full, m / (1 + a * m), (y - m) / (1 + a * m))
    fixed = sm.GLM(y, full, family=sm.families.NegativeBinomial(alpha=a), offset=o).fit(tol=1e-14, maxiter=100, scale=1.0)
    assert np.allclose(fixed.params, b, atol=1e-6)
    more = {"offset": o.tolist()} if offset else {}
    return case(name, "negative_binomial", x, y, b, np.sqrt(np.diag(v)), df, fixed.bse, dispersion=a, **more)


def absorbed(random, name, factors):
    n = len(factors[0])
    x = flags(random, n, [0.5, 0.4])
    y = random.poisson(np.exp(0.5 + x @ [0.6, -0.4] + sum(0.5 * np.sin(f) for f in factors))).astype(float)
    y[factors[0] == 1] = 0
    told = factors[0] != 1
    full = np.hstack([x, dummies(factors[0])] + [dummies(f, 1) for f in factors[1:]])[told]
    full = full[:, full.any(axis=0)]
    fit = sm.GLM(y[told], full, family=sm.families.Poisson()).fit(tol=1e-14, maxiter=200)
    m = fit.fittedvalues
    if len(factors) == 1:
        v, df = hc2(full, m, y[told] - m)
    else:
        count, rank = told.sum(), full.shape[1]
        v, df = hc1(full, m, y[told] - m, count, rank), [float(count - rank)] * 2
    return case(
        name, "poisson", x, y, fit.params[:2], np.sqrt(np.diag(v))[:2], df[:2], fit.bse[:2],
        intercept=False, absorbed=[f.tolist() for f in factors],
    )


def separated(random):
    """A column that is true only of zeros: Firth's penalty and its profile, scaled by Pearson's
    dispersion at the penalised fit."""
    n = 50
    x = flags(random, n, [0.5, 0.2])
    y = random.poisson(2.0, n).astype(float)
    y[x[:, 1] == 1] = 0
    full = sm.add_constant(x)

    def maximise(w, fixed=None):
        def whole(b):
            return np.insert(b, 2, fixed) if fixed is not None else b
        def loss(b):
            eta = full @ whole(b)
            m = np.exp(eta)
            return -(np.sum(w * (y * eta - m)) + 0.5 * np.linalg.slogdet((full * (w * m)[:, None]).T @ full)[1])
        start = np.array([0.5, 0.0] + ([] if fixed is not None else [-1.0]))
        best = optimize.minimize(loss, start, method="BFGS", options={"gtol": 1e-9})
        best = optimize.minimize(loss, best.x, method="Nelder-Mead", options={"xatol": 1e-10, "fatol": 1e-14, "maxiter": 20000})
        return whole(best.x), -best.fun

    first, _ = maximise(np.ones(n))
    m = np.exp(full @ first)
    dispersion = max(1.0, np.sum((y - m) ** 2 / m) / (n - 3))
    w = np.ones(n) / dispersion
    b, top = maximise(w)
    ratio = 2 * (top - maximise(w, 0.0)[1])
    return {
        "model": "poisson", "columns": written(x), "y": y.tolist(), "coefficients": b.tolist(), "separated": 2,
        "statistic": np.sqrt(ratio), "p_value": stats.chi2.sf(ratio, 1),
    }


def main():
    warnings.simplefilter("ignore")
    random = np.random.default_rng(31)
    x = flags(random, 120, [0.5, 0.3])
    numbers = np.column_stack([x[:, 0], np.round(random.normal(size=120), 2)])
    cases = [
        poisson(random, "poisson", x),
        poisson(random, "poisson, offset", x, offset=True),
        poisson(random, "poisson, weights", x, weighted=True, offset=True),
        poisson(random, "poisson, overdispersed, numbers", numbers, over=1.5),
        poisson(random, "poisson, tiny", x[:15, :1]),
        negative_binomial(random, "negative binomial", x, 0.8),
        negative_binomial(random, "negative binomial, offset", flags(random, 300, [0.5, 0.3]), 2.5, offset=True),
        absorbed(random, "one factor", [random.integers(0, 10, 120)]),
        absorbed(random, "two factors", [random.integers(0, 8, 120), random.integers(0, 5, 120)]),
    ]
    json.dump(
        {
            "versions": {"numpy": np.__version__, "scipy": scipy.__version__, "statsmodels": statsmodels.__version__},
            "level": LEVEL,
            "cases": cases,
            "separated": separated(random),
        },
        sys.stdout,
        default=float,
    )


if __name__ == "__main__":
    main()
