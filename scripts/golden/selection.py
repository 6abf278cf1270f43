"""Golden values of crates/math/src/lasso and scores.rs: scikit-learn and scipy.

    python scripts/golden/selection.py > crates/math/tests/golden/selection.json
"""

import json
import sys
import warnings

import numpy as np
import scipy
import sklearn
from scipy.stats import pearsonr
from sklearn.linear_model import Lasso, LogisticRegression
from sklearn.preprocessing import StandardScaler


def main():
    # scikit-learn warns of renamed arguments; it must still settle, which is checked below.
    warnings.simplefilter("ignore", FutureWarning)
    random = np.random.default_rng(11)
    n, m = 80, 12
    # Eighths are exact in 32 bits.
    z = np.where(random.random((n, m)) < random.uniform(0.05, 0.5, m), random.integers(1, 24, (n, m)) / 8, 0.0)
    y = np.round(2 * z[:, 0] - z[:, 1] + 0.5 * z[:, 2] + random.normal(size=n), 3)
    classes = (y > np.median(y)).astype(float)
    scaled = StandardScaler().fit_transform(z)

    squared, logistic = [], []
    for share in (0.6, 0.2, 0.05):
        top = np.abs(scaled.T @ (y - y.mean())).max() / n
        fit = Lasso(alpha=share * top, tol=1e-14, max_iter=10**6).fit(scaled, y)
        squared.append({"lambda": share * top, "coefficients": fit.coef_.tolist()})

        top = np.abs(scaled.T @ (classes - classes.mean())).max() / n
        weight = 1 / (n * share * top)
        fit = LogisticRegression(l1_ratio=1, C=weight, solver="saga", tol=1e-13, max_iter=10**6)
        fit.fit(scaled, classes)
        assert fit.n_iter_[0] < 10**6
        logistic.append({"lambda": share * top, "coefficients": fit.coef_[0].tolist()})

    separation = [y[z[:, j] > 0].mean() - y[z[:, j] == 0].mean() for j in range(m)]
    json.dump(
        {
            "versions": {"numpy": np.__version__, "scipy": scipy.__version__, "scikit-learn": sklearn.__version__},
            "z": z.tolist(),
            "y": y.tolist(),
            "classes": classes.tolist(),
            "squared": squared,
            "logistic": logistic,
            "correlation": [pearsonr(z[:, j], y)[0] for j in range(m)],
            "separation": separation,
        },
        sys.stdout,
    )


if __name__ == "__main__":
    main()
