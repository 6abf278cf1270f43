"""Golden values for the map of the texts: scikit-learn's t-SNE.

Run from the project's root: python3 scripts/golden/tsne.py
"""

import json
import platform

import numpy as np
import scipy
import sklearn
from sklearn.manifold import TSNE
from sklearn.manifold._t_sne import _joint_probabilities_nn, _kl_divergence
from sklearn.neighbors import NearestNeighbors

rng = np.random.default_rng(11)


def case(n, dimensions, n_clusters, perplexity):
    centres = rng.normal(size=(n_clusters, dimensions)) * 2
    x = centres[rng.integers(n_clusters, size=n)] + rng.normal(size=(n, dimensions))
    x = np.round(x, 3).astype(np.float32)
    k = min(n - 1, int(3.0 * perplexity + 1))
    near = NearestNeighbors(algorithm="brute", n_neighbors=k).fit(x).kneighbors_graph(mode="distance")
    near.data **= 2
    p = _joint_probabilities_nn(near, perplexity, 0).toarray()
    y = np.round(rng.normal(size=(n, 2)), 3)
    # The exact one wants the upper triangle.
    upper = p[np.triu_indices(n, 1)]
    loss, slope = _kl_divergence(y.ravel(), np.maximum(upper, np.finfo(np.double).eps), 1, n, 2)
    fit = TSNE(perplexity=perplexity, init="pca", angle=0.01, random_state=0).fit(x)
    return {
        "n": n, "dimensions": dimensions, "perplexity": perplexity,
        "x": x.astype(float).ravel().tolist(), "p": p.ravel().tolist(),
        "y": y.ravel().tolist(), "slope": slope.tolist(), "loss": float(loss),
        "best_loss": float(fit.kl_divergence_),
    }


golden = {
    "versions": {
        "python": platform.python_version(),
        "numpy": np.__version__,
        "scipy": scipy.__version__,
        "scikit-learn": sklearn.__version__,
    },
    "cases": [case(60, 5, 3, 5.0), case(90, 12, 4, 8.0), case(120, 8, 5, 10.0)],
}
with open("crates/math/tests/golden/tsne.json", "w") as out:
    json.dump(golden, out)
