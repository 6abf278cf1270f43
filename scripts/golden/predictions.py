"""Golden values for metrics of predictions: scikit-learn, scipy and the definition.

Run from the project's root: python3 scripts/golden/predictions.py
"""

import json
import platform

import numpy as np
import scipy
import sklearn
from scipy.stats import somersd
from sklearn.metrics import (
    brier_score_loss,
    d2_log_loss_score,
    d2_tweedie_score,
    log_loss,
    r2_score,
    roc_auc_score,
)
from statsmodels.stats.multitest import multipletests

rng = np.random.default_rng(5)
n = 150
w = np.round(rng.gamma(2, size=n), 3)
x = rng.normal(size=n)
y = np.round(x + rng.normal(size=n), 3)
f = np.round(0.7 * x, 2)
b = (y > 0.4).astype(float)
p = np.round(1 / (1 + np.exp(-x)), 3)
p[:2] = [0, 1]  # as wrong, or right, as can be
exposure = np.round(rng.uniform(0.5, 3, size=n), 2)
counts = rng.poisson(exposure * np.exp(0.5 * x)).astype(float)
mu = np.round(exposure * np.exp(0.4 * x), 3)
ordinal = np.clip(np.round(y + 2), 0, 4)
fold = np.arange(n) % 3


def deviance_explained(counts, mu, exposure, w):
    """By scipy's x log x, with a null model of one rate."""
    null = exposure * (w * counts).sum() / (w * exposure).sum()
    def of(m):
        return 2 * (w * (scipy.special.xlogy(counts, counts / m) - counts + m)).sum()
    return 1 - of(mu) / of(null)


def concordance(y, f, w, fold):
    """From all pairs."""
    higher = (y[:, None] > y) & (fold[:, None] == fold)
    ordered = (f[:, None] > f) + 0.5 * (f[:, None] == f)
    pairs = w[:, None] * w * higher
    return (pairs * ordered).sum() / pairs.sum()


one = np.ones(n)
same = np.zeros(n)
assert abs(concordance(b, f, w, same) - roc_auc_score(b, f, sample_weight=w)) < 1e-12
assert abs(deviance_explained(counts, mu, one, w) - d2_tweedie_score(counts, mu, power=1, sample_weight=w)) < 1e-12
share = np.full(n, np.average(b, weights=w))
q = rng.uniform(size=14) ** 2

golden = {
    "versions": {
        "python": platform.python_version(),
        "numpy": np.__version__,
        "scipy": scipy.__version__,
        "scikit-learn": sklearn.__version__,
    },
    "w": w.tolist(), "y": y.tolist(), "f": f.tolist(), "b": b.tolist(), "p": p.tolist(),
    "exposure": exposure.tolist(), "counts": counts.tolist(), "mu": mu.tolist(),
    "ordinal": ordinal.tolist(), "fold": fold.tolist(),
    "r_squared": r2_score(y, f, sample_weight=w),
    "log_loss": log_loss(b, p, sample_weight=w),
    "log_loss_null": log_loss(b, share, sample_weight=w),
    "mcfadden": d2_log_loss_score(b, p, sample_weight=w),
    "brier": brier_score_loss(b, p, sample_weight=w),
    "brier_null": brier_score_loss(b, share, sample_weight=w),
    "deviance": d2_tweedie_score(counts, mu, power=1, sample_weight=w),
    "deviance_exposure": deviance_explained(counts, mu, exposure, w),
    "auc": roc_auc_score(b, f, sample_weight=w),
    "auc_fold": concordance(b, f, w, fold),
    # scipy's D(first | second) leaves out the pairs that are tied in the first.
    "somers_d": somersd(ordinal, f).statistic,
    "concordance": concordance(ordinal, f, w, same),
    "benjamini_yekutieli": {"p": q.tolist(), "adjusted": multipletests(q, method="fdr_by")[1].tolist()},
}
with open("crates/math/tests/golden/predictions.json", "w") as out:
    json.dump(golden, out)
