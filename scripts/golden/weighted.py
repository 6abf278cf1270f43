"""Golden values of weighted, offset, paired and absorbed regressions, of effects and of pairs.

    python scripts/golden/weighted.py > crates/math/tests/golden/weighted.json
"""

import json
import sys

import numpy as np
import scipy
import statsmodels
import statsmodels.api as sm
from dense import dummies, flags, hc1, hc2, hc3, kish, written
from scipy import optimize, stats
from statsmodels.stats.proportion import proportion_confint

LEVEL = 0.95


def data(random, n, shares):
    x = flags(random, n, shares)
    return x, np.round(2 + x @ np.linspace(1, -1, len(shares)) + random.normal(size=n) * (1 + x[:, 0]), 3)


def some_weights(random, n):
    return np.round(random.random(n) * 4 + 0.1, 2)


def case(name, model, columns, y, coefficients, errors, df, classical, effects=None, **more):
    return {
        "name": name, "model": model, "columns": written(columns), "y": np.asarray(y).tolist(),
        "coefficients": list(coefficients), "robust": list(errors), "df": list(df),
        "classical": list(classical), **(effects or {}), **more,
    }


def explained(full, y, w, j, centre):
    """R2 with all columns minus R2 without column j."""
    def r2(design):
        fit = sm.WLS(y, design, weights=w).fit()
        middle = np.average(y, weights=w) if centre else 0.0
        return 1 - np.sum(w * fit.resid**2) / np.sum(w * (y - middle) ** 2)
    return r2(full) - r2(np.delete(full, j, axis=1))


def spread(v, w, centre=True):
    middle = np.average(v, weights=w) if centre else 0.0
    return np.sqrt(np.average((v - middle) ** 2, weights=w))


def least_squares(name, x, y, weights=None, offset=None, intercept=True):
    w = np.ones(len(y)) if weights is None else weights
    o = np.zeros(len(y)) if offset is None else offset
    full = sm.add_constant(x, has_constant="add") if intercept else x
    used = w > 0
    fit = sm.WLS((y - o)[used], full[used], weights=w[used]).fit()
    v, df = hc3(full[used], w[used], w[used] * fit.resid)
    shift = int(intercept)
    p = x.shape[1]
    effects = {
        "r_squared_change": [explained(full, y - o, w, j + shift, intercept) for j in range(p)],
        "standardised": [fit.params[j + shift] * spread(x[:, j], w, intercept) / spread(y, w, intercept) for j in range(p)],
    }
    if weights is None:
        assert np.allclose(fit.get_robustcov_results("HC3").bse, np.sqrt(np.diag(v)), rtol=1e-10)
    more = {} if weights is None else {"weights": (w * 3.7).tolist()}
    more |= {} if offset is None else {"offset": o.tolist()}
    return case(name, "least_squares", x, y, fit.params, np.sqrt(np.diag(v)), df, fit.bse, effects, intercept=intercept, **more)


def absorbed(random, name, factors, weighted=False):
    n = len(factors[0])
    x, y = data(random, n, [0.5, 0.3])
    y = y + sum(np.sin(f * 2.0) for f in factors)
    w = some_weights(random, n) if weighted else np.ones(n)
    full = np.hstack([x, dummies(factors[0])] + [dummies(f, 1) for f in factors[1:]])
    fit = sm.WLS(y, full, weights=w).fit()
    rank = np.linalg.matrix_rank(full)
    assert rank == full.shape[1]
    if len(factors) == 1:
        v, df = hc2(full, w, w * fit.resid)
        if not weighted:
            assert np.allclose(v, fit.get_robustcov_results("HC2").cov_params(), rtol=1e-8)
    else:
        v, df = hc1(full, w, w * fit.resid, n, rank), [float(n - rank)] * 2
        assert np.allclose(v, fit.get_robustcov_results("HC1").cov_params(), rtol=1e-8)
    effects = {"r_squared_change": [explained(full, y, w, j, True) for j in range(2)]}
    more = {"weights": w.tolist()} if weighted else {}
    return case(
        name, "least_squares", x, y, fit.params[:2], np.sqrt(np.diag(v))[:2], df[:2], fit.bse[:2], effects,
        intercept=False, absorbed=[f.tolist() for f in factors], **more,
    )


def expit(e):
    return 1 / (1 + np.exp(-e))


def slope(f, b):
    """Gradient by central differences."""
    steps = 1e-6 * np.eye(len(b))
    return np.array([(f(b + s) - f(b - s)) / 2e-6 for s in steps])


def marginal(full, o, w, b, v, l, kind):
    """Average marginal effect and its error, the gradient by differences."""
    def effect(b):
        def mean(value):
            moved = full.copy()
            moved[:, l] = value
            return np.average(expit(moved @ b + o), weights=w)
        if kind == "flag":
            return mean(1.0) - mean(0.0)
        if kind == "pair":
            return 0.5 * (mean(1.0) - mean(-1.0))
        p = expit(full @ b + o)
        return np.average(p * (1 - p) * b[l], weights=w)
    g = slope(effect, b)
    return effect(b), np.sqrt(g @ v @ g)


def logit(random, name, x, weights=None, offset=None, intercept=True, flip=None):
    n = len(x)
    o = np.zeros(n) if offset is None else offset
    y = (random.random(n) < expit(x @ np.linspace(0.8, -0.6, x.shape[1]) + o)).astype(float)
    w = np.ones(n) if weights is None else kish(weights)
    full = sm.add_constant(x, has_constant="add") if intercept else x
    fit = sm.GLM(y, full, family=sm.families.Binomial(), var_weights=w, offset=o).fit(tol=1e-14, maxiter=100)
    p = fit.fittedvalues
    v, df = hc3(full, w * p * (1 - p), w * (y - p))
    shift = int(intercept)
    found = []
    for j in range(x.shape[1]):
        values = set(np.unique(x[:, j]))
        kind = "flag" if values <= {0, 1} and intercept else "pair" if values <= {-1, 0, 1} else "slope"
        found.append(marginal(full, o, w, fit.params, v, j + shift, kind))
    if weights is None and offset is None and intercept:
        theirs = sm.Logit(y, full).fit(disp=False, tol=1e-14).get_margeff(at="overall", dummy=True).margeff
        assert np.allclose(theirs, [m[0] for m in found], rtol=1e-7)
    more = {} if weights is None else {"weights": (weights * 0.01).tolist()}
    more |= {} if offset is None else {"offset": o.tolist()}
    effects = {"marginal": [m[0] for m in found], "marginal_error": [m[1] for m in found]}
    return case(name, "logit", x, y, fit.params, np.sqrt(np.diag(v)), df, fit.bse, effects, intercept=intercept, **more)


def penalised(b, x, y, w):
    eta = x @ b
    p = expit(eta)
    information = (x * (w * p * (1 - p))[:, None]).T @ x
    return np.sum(w * (y * eta - np.logaddexp(0, eta))) + 0.5 * np.linalg.slogdet(information)[1]


def firth(random, name, intercept, weighted):
    """A separated column; profile by optimisation."""
    n = 60
    x = flags(random, n, [0.5, 0.25])
    if not intercept:
        x = x - flags(random, n, [0.5, 0.25])
    y = (random.random(n) < 0.5).astype(float)
    y[x[:, 1] == 1], y[x[:, 1] == -1] = 1.0, 0.0
    w = kish(some_weights(random, n)) if weighted else np.ones(n)
    full = sm.add_constant(x) if intercept else x
    j = full.shape[1] - 1

    def top(fixed):
        def whole(b):
            return np.insert(b, j, fixed) if fixed is not None else b
        start = np.zeros(full.shape[1] - (fixed is not None))
        best = optimize.minimize(lambda b: -penalised(whole(b), full, y, w), start, method="BFGS", options={"gtol": 1e-9})
        best = optimize.minimize(lambda b: -penalised(whole(b), full, y, w), best.x, method="Nelder-Mead",
                                 options={"xatol": 1e-10, "fatol": 1e-14, "maxiter": 20000})
        return whole(best.x), -best.fun

    b, height = top(None)
    ratio = 2 * (height - top(0.0)[1])
    more = {"weights": (w * 5).tolist()} if weighted else {}
    return {
        "name": name, "model": "logit", "columns": written(x), "y": y.tolist(), "intercept": intercept,
        "coefficients": b.tolist(), "statistic": np.sqrt(ratio), "p_value": stats.chi2.sf(ratio, 1), **more,
    }


def mid_p(a, b):
    """Fisher's test, tables as likely as the one seen counting half."""
    (xa, na), (xb, nb) = a, b
    tables = stats.hypergeom(na + nb, xa + xb, na)
    p = tables.pmf(np.arange(max(0, xa + xb - nb), min(na, xa + xb) + 1))
    seen = tables.pmf(xa)
    return p[p < seen * (1 - 1e-7)].sum() + 0.5 * p[np.abs(p / seen - 1) <= 1e-7].sum()


def pairs(wins, n):
    low, high = proportion_confint(wins, n, 1 - LEVEL, method="wilson")
    fewer = min(wins, n - wins)
    exact = stats.binomtest(wins, n).pvalue
    p = 1.0 if 2 * wins == n else exact - stats.binom.pmf(fewer, n, 0.5)
    return {"wins": wins, "n": n, "share": wins / n, "p_value": p, "conf_low": low, "conf_high": high}


def main():
    random = np.random.default_rng(23)
    cases = []
    x, y = data(random, 60, [0.5, 0.2, 0.1])
    cases.append(least_squares("weights", x, y, some_weights(random, 60)))
    zero = some_weights(random, 60)
    zero[::7] = 0
    cases.append(least_squares("weights of 0", x, y, zero))
    cases.append(least_squares("offset", x, y, offset=np.round(random.normal(size=60), 2)))
    cases.append(least_squares("heavy tails", x, np.round(y + random.standard_t(1.5, size=60), 3)))
    cases.append(least_squares("tiny", np.array([[0, 0, 1, 1, 0, 1, 0.0]]).T, np.array([1.0, 2, 5, 3, 2.5, 4.5, 0])))
    near = np.column_stack([x[:, 0], np.round(x[:, 0] * 3 + 0.01 * random.normal(size=60), 4)])
    cases.append(least_squares("nearly collinear", near, y))
    controls = np.column_stack([x[:, 0], np.round(random.normal(size=60) * 1e4 + 5e4), np.round(random.random(60), 3)])
    cases.append(least_squares("controls", controls, y, some_weights(random, 60)))
    pair, noise = x - flags(random, 60, [0.5, 0.2, 0.1]), random.normal(size=60)
    cases.append(least_squares("differences of pairs", pair, np.round(pair[:, 0] + noise, 3), intercept=False))
    one, two = np.repeat(np.arange(12), 5), np.arange(60) % 4
    cases.append(absorbed(random, "one factor", [one]))
    cases.append(absorbed(random, "one factor, weights", [random.integers(0, 9, 70)], weighted=True))
    cases.append(absorbed(random, "two factors", [one, two]))
    cases.append(absorbed(random, "two factors, weights", [random.integers(0, 8, 80), random.integers(0, 6, 80)], weighted=True))
    x = flags(random, 200, [0.5, 0.4])
    cases.append(logit(random, "logit, weights", x, some_weights(random, 200)))
    cases.append(logit(random, "logit, offset", x, offset=np.round(0.5 * random.normal(size=200), 2)))
    cases.append(logit(random, "logit, numbers", np.column_stack([x[:, 0], np.round(random.normal(size=200), 2)])))
    pair = flags(random, 200, [0.5, 0.4]) - flags(random, 200, [0.5, 0.4])
    cases.append(logit(random, "pairs", pair, intercept=False))
    cases.append(logit(random, "pairs, weights", pair, some_weights(random, 200), intercept=False))
    json.dump(
        {
            "versions": {"numpy": np.__version__, "scipy": scipy.__version__, "statsmodels": statsmodels.__version__},
            "level": LEVEL,
            "cases": cases,
            "firth": [firth(random, "weights", True, True), firth(random, "pairs", False, False), firth(random, "pairs, weights", False, True)],
            "mid_p": [{"a": a, "b": b, "p_value": mid_p(a, b)} for a, b in [((7, 20), (12, 18)), ((0, 5), (9, 40)), ((3, 3), (2, 9)), ((30, 60), (30, 60))]],
            "pairs": [pairs(*c) for c in [(7, 10), (0, 4), (33, 80), (5, 10), (1, 1)]],
        },
        sys.stdout,
        default=float,
    )


if __name__ == "__main__":
    main()
