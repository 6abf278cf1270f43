"""Golden values for power: statsmodels and scipy.

Run from the project's root: python3 scripts/golden/power.py
"""

import json
import platform

import numpy as np
import scipy
import statsmodels
from scipy.optimize import brentq
from scipy.stats import nct, norm, t
from statsmodels.stats.power import TTestIndPower, normal_power_het

tests = TTestIndPower()


def means(n, prevalence, sd, alpha, separation, solve=True):
    n1 = n * prevalence
    ratio = (n - n1) / n1
    power = lambda size: tests.power(size, n1, alpha, ratio=ratio)
    # solve_power stops early; from where it does, to the last digit.
    smallest = None
    if solve:
        near = tests.solve_power(nobs1=n1, alpha=alpha, power=0.8, ratio=ratio)
        smallest = sd * brentq(lambda size: power(size) - 0.8, 0.99 * near, 1.01 * near, xtol=1e-14)
        assert abs(smallest / sd - near) < 1e-3
    return {
        "texts": n, "prevalence": prevalence, "sd": sd, "alpha": alpha, "separation": separation,
        "power": power(separation / sd), "smallest": smallest,
    }


def clusters(n, prevalence, sd, alpha, separation, effect, count):
    error = sd * np.sqrt(effect * (1 / (n * prevalence) + 1 / (n * (1 - prevalence))))
    df = count - 1
    critical, shift = t.isf(alpha / 2, df), separation / error
    return {
        "texts": n, "prevalence": prevalence, "sd": sd, "alpha": alpha, "separation": separation,
        "design_effect": effect, "clusters": count,
        "power": nct.sf(critical, df, shift) + nct.cdf(-critical, df, shift),
    }


def means_of(variance, n, prevalence, mean, alpha, separation):
    with_, without = mean + (1 - prevalence) * separation, mean - prevalence * separation
    # statsmodels takes the standard deviation of an estimate times sqrt(nobs).
    std = np.sqrt(variance(with_) / prevalence + variance(without) / (1 - prevalence))
    return {
        "texts": n, "prevalence": prevalence, "mean": mean, "alpha": alpha, "separation": separation,
        "power": normal_power_het(separation, n, alpha, std_null=std, std_alternative=std),
    }


share = lambda p: p * (1 - p)
golden = {
    "versions": {
        "python": platform.python_version(),
        "numpy": np.__version__,
        "scipy": scipy.__version__,
        "statsmodels": statsmodels.__version__,
    },
    "means": [
        means(1000, 0.1, 1.3, 0.05, 0.3), means(60, 0.5, 2.0, 0.05, 1.0), means(8, 0.25, 1.0, 0.05, 2.0),
        means(5, 0.4, 1.0, 0.1, 3.0), means(100_000, 0.02, 1.0, 0.05 / 20, 0.08), means(200, 0.3, 1.0, 0.01, 0.0),
        means(3, 1 / 3, 1.0, 0.05, 4.0, solve=False),  # scipy has no values further out
    ],
    "clusters": [
        clusters(1000, 0.2, 1.0, 0.05, 0.4, 2.5, 12), clusters(1000, 0.2, 1.0, 0.05, -0.6, 4.0, 3),
        clusters(50_000, 0.1, 3.0, 0.001, 0.2, 1.7, 400),
    ],
    "shares": [
        means_of(share, 500, 0.2, 0.3, 0.05, 0.12), means_of(share, 500, 0.2, 0.3, 0.05, -0.1),
        means_of(share, 20_000, 0.01, 0.5, 0.0025, 0.11),
    ],
    "counts": [
        means_of(lambda m: 1.8 * m, 800, 0.15, 2.5, 0.05, 0.6), means_of(lambda m: 1.8 * m, 800, 0.15, 2.5, 0.05, -0.5),
    ],
}
with open("crates/math/tests/golden/power.json", "w") as out:
    json.dump(golden, out, indent=0)
