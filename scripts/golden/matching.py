"""Golden values for the optimal assignment: scipy.

Run from the project's root: python3 scripts/golden/matching.py
"""

import json
import platform

import numpy as np
import scipy
from scipy.optimize import linear_sum_assignment

rng = np.random.default_rng(4)


def case(similarity):
    rows, columns = linear_sum_assignment(similarity, maximize=True)
    return {
        "similarity": similarity.tolist(),
        "rows": rows.tolist(), "columns": columns.tolist(),
        "total": float(similarity[rows, columns].sum()),
    }


golden = {
    "versions": {
        "python": platform.python_version(),
        "numpy": np.__version__,
        "scipy": scipy.__version__,
    },
    "cases": [
        case(np.round(rng.uniform(size=shape), 4))
        for shape in [(1, 1), (5, 5), (4, 9), (9, 4), (12, 12), (20, 23), (1, 6), (6, 1)]
    ] + [case(np.round(rng.normal(size=(15, 10)) * 1e3, 1))],
    # Many equal similarities: only the total is determined.
    "ties": [case(np.round(rng.uniform(size=shape) * 3)) for shape in [(8, 8), (10, 6), (6, 10)]],
}
with open("crates/math/tests/golden/matching.json", "w") as out:
    json.dump(golden, out)
