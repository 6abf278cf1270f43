"""Golden values of means.rs and proportions.rs in crates/math/src.

    python scripts/golden/comparisons.py > crates/math/tests/golden/comparisons.json
"""

import json
import sys

import numpy as np
import scipy
import statsmodels
from scipy.stats import fisher_exact, ttest_ind
from statsmodels.stats.proportion import confint_proportions_2indep

LEVEL = 0.95


def welch(random):
    a = np.round(random.normal(1, 3, 9), 3)
    b = np.round(random.normal(0, 1, 31), 3)
    test = ttest_ind(a, b, equal_var=False)
    interval = test.confidence_interval(LEVEL)
    return {
        "a": a.tolist(), "b": b.tolist(), "value": a.mean() - b.mean(), "statistic": test.statistic,
        "df": test.df, "p_value": test.pvalue, "conf_low": interval.low, "conf_high": interval.high,
    }


def common(random):
    a = np.round(random.normal(1, 1, 9), 3)
    b = np.round(random.normal(0, 2, 31), 3)
    test = ttest_ind(a, b)
    return {"a": a.tolist(), "b": b.tolist(), "value": a.mean() - b.mean(), "statistic": test.statistic}


def proportions():
    cases = []
    for a, b in [((56, 70), (48, 80)), ((3, 40), (90, 400)), ((0, 12), (7, 9)), ((5, 5), (130, 1000)), ((2, 9), (4000, 20000))]:
        low, high = confint_proportions_2indep(*a, *b, method="newcomb", compare="diff", alpha=1 - LEVEL)
        p = fisher_exact([[a[0], a[1] - a[0]], [b[0], b[1] - b[0]]]).pvalue
        cases.append({"a": a, "b": b, "conf_low": low, "conf_high": high, "p_value": p})
    return cases


def main():
    random = np.random.default_rng(5)
    json.dump(
        {
            "versions": {"numpy": np.__version__, "scipy": scipy.__version__, "statsmodels": statsmodels.__version__},
            "level": LEVEL,
            "welch": welch(random),
            "common": common(random),
            "proportions": proportions(),
        },
        sys.stdout,
        default=float,
    )


if __name__ == "__main__":
    main()
