"""Golden values of crates/math/src/regression: statsmodels, and formulas written out densely.

    python scripts/golden/regression.py > crates/math/tests/golden/regression.json
"""

import json
import sys

import numpy as np
import scipy
import statsmodels
import statsmodels.api as sm
from scipy import optimize, stats

LEVEL = 0.95


def flags(random, n, shares):
    return (random.random((n, len(shares))) < shares).astype(float)


def robust(x, weights, residuals):
    """HC3 errors and Satterthwaite degrees of freedom, with n x n matrices and no algebra."""
    root = np.sqrt(weights)[:, None] * x
    bread = np.linalg.inv(root.T @ root)
    hat = root @ bread @ root.T
    left = np.eye(len(x)) - hat
    h = np.diag(hat)
    errors, freedoms = [], []
    for row in bread:
        pull = x @ row
        errors.append(np.sqrt(np.sum((pull * residuals / (1 - h)) ** 2)))
        c = root @ row / (1 - h)
        form = left @ np.diag(c**2) @ left
        freedoms.append(np.trace(form) ** 2 / np.trace(form @ form))
    return errors, freedoms


def least_squares(random):
    x = flags(random, 90, [0.5, 0.2, 0.04])
    y = 3 + x @ [1.0, -0.5, 0.3] + random.normal(size=90) * (1 + 2 * x[:, 1])
    y = np.round(y, 3)
    full = sm.add_constant(x)
    fit = sm.OLS(y, full).fit()
    hc3 = fit.get_robustcov_results("HC3", use_t=True)
    errors, freedoms = robust(full, np.ones(90), fit.resid)
    assert np.allclose(errors, hc3.bse, rtol=1e-12)
    return {
        "columns": x.T.tolist(),
        "y": y.tolist(),
        "coefficients": fit.params.tolist(),
        "hc3": hc3.bse.tolist(),
        "classical": fit.bse.tolist(),
        "df": freedoms,
        "p_from_df": (2 * stats.t.sf(np.abs(fit.params / np.maximum(errors, fit.bse)), freedoms)).tolist(),
    }


def logit(random):
    x = flags(random, 600, [0.5, 0.2, 0.1])
    p = 1 / (1 + np.exp(0.5 - x @ [1.0, -1.5, 0.5]))
    y = (random.random(600) < p).astype(float)
    full = sm.add_constant(x)
    fit = sm.Logit(y, full).fit(disp=False, tol=1e-14, method="newton")
    p = fit.predict()
    errors, freedoms = robust(full, p * (1 - p), y - p)
    return {
        "columns": x.T.tolist(),
        "y": y.tolist(),
        "coefficients": fit.params.tolist(),
        "hc3": errors,
        "classical": fit.bse.tolist(),
        "df": freedoms,
        "p_from_df": (2 * stats.t.sf(np.abs(fit.params / np.maximum(errors, fit.bse)), freedoms)).tolist(),
    }


def penalised(b, x, y):
    eta = x @ b
    p = 1 / (1 + np.exp(-eta))
    information = (x * (p * (1 - p))[:, None]).T @ x
    return np.sum(y * eta - np.logaddexp(0, eta)) + 0.5 * np.linalg.slogdet(information)[1]


def maximise(x, y, fixed=None, at=0.0):
    def whole(b):
        return b if fixed is None else np.insert(b, fixed, at)

    start = np.zeros(x.shape[1] - (fixed is not None))
    best = optimize.minimize(lambda b: -penalised(whole(b), x, y), start, method="BFGS", options={"gtol": 1e-9})
    best = optimize.minimize(
        lambda b: -penalised(whole(b), x, y), best.x, method="Nelder-Mead",
        options={"xatol": 1e-10, "fatol": 1e-14, "maxiter": 20000},
    )
    return whole(best.x), -best.fun


def firth(random):
    x = flags(random, 60, [0.5, 0.25])
    y = (random.random(60) < 0.4 + 0.2 * x[:, 0]).astype(float)
    y[x[:, 1] == 1] = 1.0
    full = sm.add_constant(x)
    coefficients, top = maximise(full, y)
    j = 2

    def ratio(at):
        return 2 * (top - maximise(full, y, j, at)[1])

    threshold = stats.chi2.ppf(LEVEL, 1)
    low = optimize.brentq(lambda at: ratio(at) - threshold, coefficients[j] - 4, coefficients[j], xtol=1e-7)
    high = optimize.brentq(lambda at: ratio(at) - threshold, coefficients[j], coefficients[j] + 12, xtol=1e-7)
    p = 1 / (1 + np.exp(-full @ coefficients))
    information = (full * (p * (1 - p))[:, None]).T @ full
    return {
        "columns": x.T.tolist(),
        "y": y.tolist(),
        "coefficients": coefficients.tolist(),
        "separated": j,
        "statistic": np.sqrt(ratio(0.0)),
        "p_value": stats.chi2.sf(ratio(0.0), 1),
        "conf_low": low,
        "conf_high": high,
        "std_error": np.sqrt(np.linalg.inv(information)[j, j]),
    }


def student():
    """Tails and quantiles of the t distribution."""
    cases = [(0.3, 1.0), (2.0, 1.7), (4.5, 2.0), (3.1, 11.4), (8.0, 250.0), (40.0, 15.0), (2.5, 1e4), (5.0, 1e6)]
    return [
        {"t": t, "df": df, "p": 2 * stats.t.sf(t, df), "quantile": stats.t.ppf(0.5 + LEVEL / 2, df)}
        for t, df in cases
    ]


def main():
    random = np.random.default_rng(7)
    json.dump(
        {
            "versions": {"numpy": np.__version__, "scipy": scipy.__version__, "statsmodels": statsmodels.__version__},
            "level": LEVEL,
            "least_squares": least_squares(random),
            "logit": logit(random),
            "firth": firth(random),
            "student": student(),
        },
        sys.stdout,
        default=float,
    )


if __name__ == "__main__":
    main()
