"""Golden values of clustered inference: statsmodels, and formulas written out densely.

    python scripts/golden/clustered.py > crates/math/tests/golden/clustered.json
"""

import itertools
import json
import sys

import numpy as np
import scipy
import statsmodels
import statsmodels.api as sm
from dense import cr2, dummies, flags, kish, written

LEVEL = 0.95
# With fewer clusters the jackknife judges.
FEWEST = 8


def jackknife(x, weights, scores, clusters):
    """CR3: what every cluster moves the coefficients by when it is left out, one step of it."""
    moved = []
    for g in np.unique(clusters):
        rest = clusters != g
        gram = (x[rest] * weights[rest, None]).T @ x[rest]
        moved.append(np.linalg.solve(gram, x[~rest].T @ scores[~rest]))
    moved, g = np.array(moved), len(moved)
    return moved, (g - 1) / g * moved.T @ moved, [g - 1.0] * x.shape[1]


def sandwich(x, weights, scores, clusters):
    if len(np.unique(clusters)) >= FEWEST:
        return cr2(x, weights, scores, clusters)
    return jackknife(x, weights, scores, clusters)[1:]


def case(name, model, columns, y, clusters, v, df, coefficients, **more):
    return {
        "name": name,
        "model": model,
        "columns": written(columns),
        "y": np.asarray(y).tolist(),
        "clusters": [int(c) for c in clusters],
        "coefficients": np.asarray(coefficients).tolist(),
        "covariance": np.asarray(v).tolist(),
        "df": list(df),
        **more,
    }


def target(random, x, clusters, heavy=False):
    shift = random.normal(size=clusters.max() + 1)[clusters]
    noise = random.standard_t(2, size=len(x)) if heavy else random.normal(size=len(x))
    return np.round(1 + x @ np.linspace(0.5, -0.5, x.shape[1]) + shift + noise, 3)


def least_squares(random, name, sizes, shares, weighted=False, heavy=False, constant=False, intercept=True):
    clusters = np.repeat(np.arange(len(sizes)), sizes)
    n = len(clusters)
    x = flags(random, n, shares)
    if constant:
        x[:, 0] = (clusters % 3 == 0).astype(float)
    if not intercept:
        x = x - flags(random, n, shares)
    y = target(random, x, clusters, heavy)
    order = random.permutation(n)
    x, y, clusters = x[order], y[order], clusters[order] * 7 % 1000
    weights = np.round(random.random(n) * 3 + 0.2, 2) if weighted else np.ones(n)
    full = sm.add_constant(x) if intercept else x
    fit = sm.WLS(y, full, weights=weights).fit()
    v, df = sandwich(full, weights, weights * fit.resid, clusters)
    if len(sizes) < FEWEST:
        moved = jackknife(full, weights, weights * fit.resid, clusters)[0]
        for g, change in zip(np.unique(clusters), moved):
            rest = clusters != g
            refit = sm.WLS(y[rest], full[rest], weights=weights[rest]).fit()
            assert np.allclose(fit.params - refit.params, change)
    more = {"weights": weights.tolist()} if weighted else {}
    return case(name, "least_squares", x, y, clusters, v, df, fit.params, intercept=intercept, **more)


def likelihood(random, name, family, sizes, weighted=False, intercept=True):
    clusters = np.repeat(np.arange(len(sizes)), sizes)
    n = len(clusters)
    x = flags(random, n, [0.5, 0.35])
    if not intercept:
        x = x - flags(random, n, [0.5, 0.35])
    eta = x @ [0.6, -0.4] + 0.5 * random.normal(size=len(sizes))[clusters]
    logit = isinstance(family, sm.families.Binomial)
    y = (random.random(n) < 1 / (1 + np.exp(-eta))).astype(float) if logit else random.poisson(np.exp(eta)).astype(float)
    weights = kish(np.round(random.random(n) * 3 + 0.2, 2)) if weighted else np.ones(n)
    full = sm.add_constant(x) if intercept else x
    fit = sm.GLM(y, full, family=family, var_weights=weights).fit(tol=1e-14, maxiter=100)
    m = fit.fittedvalues
    v, df = sandwich(full, weights * (m * (1 - m) if logit else m), weights * (y - m), clusters)
    more = {"weights": weights.tolist()} if weighted else {}
    return case(name, "logit" if logit else "poisson", x, y, clusters, v, df, fit.params, intercept=intercept, **more)


def absorbed(random, nested):
    levels = np.repeat(np.arange(12), 5)
    clusters = levels // 2 if nested else np.arange(60) % 9
    x = flags(random, 60, [0.5, 0.3])
    y = target(random, x, levels)
    full = np.hstack([x, dummies(levels)])
    fit = sm.OLS(y, full).fit()
    if nested:
        within = x - dummies(levels) @ np.linalg.lstsq(dummies(levels), x, rcond=None)[0]
        v, df = sandwich(within, np.ones(60), fit.resid, clusters)
        # Absorbing changes nothing: the adjustment of the full design gives the same.
        wide, narrow = (cr2(of, np.ones(60), fit.resid, clusters)[0][:2, :2] for of in (full, within))
        assert np.allclose(wide, narrow, rtol=1e-9)
    else:
        robust = fit.get_robustcov_results("cluster", groups=clusters, use_correction=True)
        v, df = robust.cov_params()[:2, :2], [8.0, 8.0]
    name = "absorbed, nested" if nested else "absorbed, crossed"
    return case(name, "least_squares", x, y, clusters, v, df, fit.params[:2], intercept=False, absorbed=[levels.tolist()])


def patterns(count):
    return np.array(list(itertools.product([1.0, -1.0], repeat=count)))


def wild(random, sizes, weighted):
    """All sign patterns; the interval by bisection on refitted p-values."""
    clusters = np.repeat(np.arange(len(sizes)), sizes)
    n = len(clusters)
    x = flags(random, n, [0.4, 0.5])
    y = target(random, x, clusters)
    w = np.round(random.random(n) * 3 + 0.2, 2) if weighted else np.ones(n)
    full, j = sm.add_constant(x), 1
    others = np.delete(full, j, axis=1)
    member = dummies(clusters)
    signs = patterns(len(sizes)) @ member.T

    def solve(design, target):
        return np.linalg.solve((design * w[:, None]).T @ design, (design * w[:, None]).T @ target)

    bread = np.linalg.inv((full * w[:, None]).T @ full)

    def statistic(target, null):
        """t squared of column j for every column of `target`."""
        b = solve(full, target)
        scores = (full @ bread[:, j] * w)[:, None] * (target - full @ b)
        return (b[j] - null) ** 2 / ((member.T @ scores) ** 2).sum(axis=0)

    def p_value(null):
        rest = y - null * full[:, j]
        fitted = others @ solve(others, rest)
        drawn = (null * full[:, j] + fitted)[:, None] + (rest - fitted)[:, None] * signs.T
        seen = statistic(y[:, None], null)[0]
        return np.mean(statistic(drawn, null) >= seen * (1 - 1e-9))

    value = solve(full, y)[j]
    step = abs(value) / np.sqrt(statistic(y[:, None], 0.0)[0])

    def bound(side):
        inside, outside = 0.0, step
        while p_value(value + side * outside) > 1 - LEVEL:
            inside, outside = outside, 2 * outside
        while outside - inside > 1e-7 * outside:
            middle = (inside + outside) / 2
            if p_value(value + side * middle) > 1 - LEVEL:
                inside = middle
            else:
                outside = middle
        return value + side * outside

    more = {"weights": w.tolist()} if weighted else {}
    return {
        "columns": written(x), "y": y.tolist(), "clusters": clusters.tolist(), "column": j - 1,
        "value": value, "p_value": p_value(0.0), "conf_low": bound(-1), "conf_high": bound(1), **more,
    }


def score(random, family, sizes):
    """Kline and Santos' score bootstrap over all sign patterns."""
    clusters = np.repeat(np.arange(len(sizes)), sizes)
    n = len(clusters)
    x = flags(random, n, [0.5, 0.4])
    eta = 0.9 * x[:, 0] + 0.5 * random.normal(size=len(sizes))[clusters]
    logit = isinstance(family, sm.families.Binomial)
    y = (random.random(n) < 1 / (1 + np.exp(-eta))).astype(float) if logit else random.poisson(np.exp(eta)).astype(float)
    full, j = sm.add_constant(x), 1
    others = np.delete(full, j, axis=1)
    m = sm.GLM(y, others, family=family).fit(tol=1e-14, maxiter=100).fittedvalues
    w = m * (1 - m) if logit else m
    shares = np.linalg.solve((others * w[:, None]).T @ others, (others * w[:, None]).T @ full[:, j])
    sums = dummies(clusters).T @ ((y - m) * (full[:, j] - others @ shares))
    drawn = patterns(len(sizes)) @ sums
    return {
        "model": "logit" if logit else "poisson", "columns": written(x), "y": y.tolist(),
        "clusters": clusters.tolist(), "column": j - 1,
        "p_value": np.mean(drawn**2 >= sums.sum() ** 2 * (1 - 1e-9)),
    }


def main():
    random = np.random.default_rng(11)
    binomial, poisson = sm.families.Binomial(), sm.families.Poisson()
    cases = [
        least_squares(random, "balanced", [6] * 12, [0.5, 0.3]),
        least_squares(random, "unbalanced", [1, 1, 2, 3, 5, 8, 13, 21], [0.5, 0.2]),
        least_squares(random, "weighted", [4, 5, 6, 7, 8, 9, 10], [0.5, 0.3], weighted=True),
        least_squares(random, "many small", [1, 2, 2] * 15, [0.4, 0.15, 0.5], weighted=True),
        least_squares(random, "constant in clusters", [5] * 11, [0.5, 0.3], constant=True),
        least_squares(random, "heavy tails", [7] * 9, [0.5, 0.1], heavy=True),
        least_squares(random, "pairs", [5] * 10, [0.5, 0.4], intercept=False),
        least_squares(random, "two clusters", [9, 11], [0.5]),
        likelihood(random, "logit", binomial, [24] * 8),
        likelihood(random, "weighted logit", binomial, [9, 15] * 8, weighted=True),
        likelihood(random, "logit of pairs", binomial, [20] * 10, intercept=False),
        likelihood(random, "poisson", poisson, [2, 8, 12] * 4),
        likelihood(random, "logit of six", binomial, [20, 30, 40] * 2),
        absorbed(random, nested=True),
        absorbed(random, nested=False),
    ]
    json.dump(
        {
            "versions": {"numpy": np.__version__, "scipy": scipy.__version__, "statsmodels": statsmodels.__version__},
            "level": LEVEL,
            "cases": cases,
            "wild": [wild(random, [6] * 9, False), wild(random, [3, 5, 7, 9, 4, 4, 6, 8], True)],
            "score": [score(random, binomial, [18] * 9), score(random, poisson, [4, 8] * 5)],
        },
        sys.stdout,
        default=float,
    )


if __name__ == "__main__":
    main()
