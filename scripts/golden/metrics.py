"""Golden values for metrics, multiplicity and ridge: numpy, scikit-learn, statsmodels.

Run from the project's root: python3 scripts/golden/metrics.py
"""

import json
import platform

import numpy as np
import sklearn
import statsmodels
from sklearn.linear_model import Ridge
from sklearn.metrics import r2_score, roc_auc_score
from statsmodels.stats.multitest import multipletests

rng = np.random.default_rng(1)


def delong(y, s):
    """AUC and DeLong's standard error straight from the definition, O(n^2)."""
    positive, negative = s[y == 1], s[y == 0]
    psi = (positive[:, None] > negative) + 0.5 * (positive[:, None] == negative)
    v10, v01 = psi.mean(1), psi.mean(0)
    return psi.mean(), np.sqrt(v10.var(ddof=1) / len(v10) + v01.var(ddof=1) / len(v01))


def r2_error(y, f):
    """Jackknife standard error of R2, which the delta method approaches."""
    n = len(y)
    keep = ~np.eye(n, dtype=bool)
    leave = np.array([r2_score(y[k], f[k]) for k in keep])
    return np.sqrt((n - 1) / n * ((leave - leave.mean()) ** 2).sum())


y = rng.normal(size=400)
f = 0.6 * y + rng.normal(size=400)
b = (y > 0.3).astype(float)
s = np.round(f, 1)  # ties
auc, auc_error = delong(b, s)
assert abs(auc - roc_auc_score(b, s)) < 1e-12
p = np.concatenate([rng.uniform(size=12), [0.001, 0.004, 0.01, 0.01]])

x = np.round(rng.normal(size=(60, 3)), 3).astype(np.float32)
ry = np.round(x @ [1.0, -0.5, 0.0] + rng.normal(size=60), 3)
fold = np.arange(60) % 4
penalties = np.array([1e-4, 1e-3, 1e-2, 3e-2, 0.1, 0.3, 1, 3, 10, 30, 100, 1e3, 1e4])
prediction = np.zeros(60)
for k in range(4):
    a, t = x[fold != k].astype(float), ry[fold != k]
    centred = a - a.mean(0)
    unit = np.trace(centred.T @ centred) / 3
    best = None
    for penalty in penalties * unit:
        model = Ridge(alpha=penalty).fit(a, t)
        hat = np.trace(centred @ np.linalg.inv(centred.T @ centred + penalty * np.eye(3)) @ centred.T)
        gcv = len(t) * ((t - model.predict(a)) ** 2).sum() / (len(t) - 1 - hat) ** 2
        if best is None or gcv < best[0]:
            best = (gcv, model)
    prediction[fold == k] = best[1].predict(x[fold == k].astype(float))

golden = {
    "versions": {
        "python": platform.python_version(),
        "numpy": np.__version__,
        "scikit-learn": sklearn.__version__,
        "statsmodels": statsmodels.__version__,
    },
    "metrics": {
        "y": y.tolist(), "f": f.tolist(), "b": b.tolist(), "s": s.tolist(),
        "r_squared": r2_score(y, f), "r_squared_error": r2_error(y, f),
        "auc": auc, "auc_error": auc_error,
    },
    "multiplicity": {
        "p": p.tolist(),
        **{m: multipletests(p, method=m)[1].tolist() for m in ["bonferroni", "holm", "fdr_bh"]},
    },
    "ridge": {
        "x": x.flatten().tolist(), "y": ry.tolist(), "fold": fold.tolist(),
        "prediction": prediction.tolist(),
    },
}
with open("crates/math/tests/golden/metrics.json", "w") as out:
    json.dump(golden, out, indent=0)
