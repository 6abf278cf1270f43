"""Golden values for the truncated singular value decomposition: numpy and scipy.

Run from the project's root: python3 scripts/golden/svd.py
"""

import json
import platform

import numpy as np
import scipy
import scipy.sparse as sp
from scipy.sparse.linalg import svds

RANK = 6
rng = np.random.default_rng(5)


def sparse(rows, cols, density):
    matrix = sp.random(rows, cols, density, format="csr", rng=rng)
    matrix.data = np.round(matrix.data, 2).astype(np.float32).astype(float)
    return matrix


# A product of two factors, as the embedder has it: texts x words, words x parts.
left, right = sparse(60, 40, 0.12), sparse(40, 50, 0.1)
dense = (left @ right).toarray()
_, values, vt = np.linalg.svd(dense)
_, again, _ = svds(left @ right, k=RANK)
assert np.allclose(np.sort(again)[::-1], values[:RANK])
vectors = vt[:RANK]
largest = np.abs(vectors).argmax(axis=1)
vectors = vectors * np.sign(vectors[np.arange(RANK), largest])[:, None]


def rows(matrix):
    return [
        [[int(j), float(v)] for j, v in zip(row.indices, row.data)] for row in map(matrix.getrow, range(matrix.shape[0]))
    ]


golden = {
    "versions": {
        "python": platform.python_version(),
        "numpy": np.__version__,
        "scipy": scipy.__version__,
    },
    "left": {"cols": left.shape[1], "rows": rows(left)},
    "right": {"cols": right.shape[1], "rows": rows(right)},
    "values": values[:RANK].tolist(),
    "next": float(values[RANK]),
    "vectors": np.round(vectors, 10).tolist(),
}
with open("crates/math/tests/golden/svd.json", "w") as out:
    json.dump(golden, out)
