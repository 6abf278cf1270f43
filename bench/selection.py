"""Selection beside the Python package's, on the same activations: ratios of seconds.

    pip install scikit-learn scipy numpy && pip install --no-deps hypothesaes==2.0.1
    cargo build --release -p hypothesaes-bench --bin selection
    python bench/selection.py FOLDER [congress]

Activations are made here: k of m neurons fire per text, at heavy-tailed rates, some never, many
together by topic; 12 drive the target strongly and 200 weakly. The package gets them as the dense
rows it wants, ours as the sparse ones that its autoencoder yields. Each round runs the one, then
the other, on two threads; the figure is the median of the rounds' ratios. With `congress` the
size of the paper's Congress data is run as well, the package once.
"""

import importlib.metadata
import importlib.util
import json
import os
import statistics
import subprocess
import sys
import time
import warnings

import numpy as np

N_SELECT = 20
SETTINGS = [
    # name, texts, neurons, active, rounds
    ("20K x 1,024", 20_000, 1024, 8, 3),
    ("100K x 1,024", 100_000, 1024, 8, 1),
]
CONGRESS = ("Congress, 114K x 4,096", 114_000, 4096, 32, 1)
METHODS = {
    # ours: the package's, whether the target is binary, its options
    "squared": ("lasso", False, {}),
    "logistic": ("lasso", True, {}),
    "correlation": ("correlation", False, {}),
    "separation": ("separation_score", False, {}),
}


def package():
    """`hypothesaes.select_neurons` alone: the package itself also imports what embeds and asks."""
    file = importlib.metadata.distribution("hypothesaes").locate_file("hypothesaes/select_neurons.py")
    spec = importlib.util.spec_from_file_location("hypothesaes_select", file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def activations(n, m, k, seed=7):
    """Starts of rows, neurons and values of the k that fire on every text."""
    random = np.random.default_rng(seed)
    # Rates over several orders of magnitude; one neuron in 50 is dead.
    bias = random.normal(0, 0.7, m).astype(np.float32)
    bias[random.random(m) < 0.02] = -1e3
    topics = random.normal(0, 0.6, (32, m)).astype(np.float32)
    neurons, values = np.empty((n, k), np.uint32), np.empty((n, k), np.float32)
    for start in range(0, n, 4096):
        rows = slice(start, min(n, start + 4096))
        size = rows.stop - start
        mixture = random.dirichlet(np.full(32, 0.1), size).astype(np.float32)
        score = bias + 2 * mixture @ topics + random.standard_normal((size, m), np.float32)
        top = np.sort(np.argpartition(-score, k, axis=1)[:, :k], axis=1)
        neurons[rows] = top
        fired = np.take_along_axis(score, top, axis=1)
        values[rows] = 0.1 + fired - fired.min(axis=1, keepdims=True)
    return np.arange(0, n * k + 1, k, dtype=np.uint64), neurons, values


def targets(n, m, neurons, values, seed=8):
    """A continuous target and a binary one that a third of the texts have."""
    random = np.random.default_rng(seed)
    counts = np.bincount(neurons.ravel(), minlength=m)
    often = np.flatnonzero(counts > 0.002 * n)
    chosen = random.permutation(often)[:212]
    effects = np.zeros(m)
    signs = random.choice([-1.0, 1.0], len(chosen))
    effects[chosen] = signs * np.where(np.arange(len(chosen)) < 12, 1.0, 0.08)
    signal = (effects[neurons] * values).sum(axis=1)
    y = signal + random.normal(0, signal.std(), n)
    noisy = y + random.normal(0, 0.3 * y.std(), n)
    return y, (noisy > np.quantile(noisy, 2 / 3)).astype(float)


def write(file, starts, neurons, values, m, y, classes):
    with open(file, "wb") as out:
        np.array([len(y), m, neurons.size], np.uint64).tofile(out)
        for part in (starts, neurons, values, y, classes):
            part.tofile(out)


def dense(neurons, values, m):
    z = np.zeros((len(neurons), m), np.float32)
    np.put_along_axis(z, neurons.astype(np.int64), values, axis=1)
    return z


def theirs(z, y, classes, method):
    name, binary, options = METHODS[method]
    select_neurons = package().select_neurons
    target = classes if binary else y
    start = time.perf_counter()
    found = select_neurons(z, target, N_SELECT, method=name, classification=binary, **options)
    return time.perf_counter() - start, found


def ours(file, repeats, methods):
    command = ["target/release/selection", file, str(N_SELECT), str(repeats), *methods]
    command[0] = os.environ.get("SELECTION_BINARY", command[0])
    environment = {**os.environ, "RAYON_NUM_THREADS": "2"}
    result = subprocess.run(command, check=True, capture_output=True, env=environment)
    return json.loads(result.stdout)


def agreement(mine, found):
    """How many neurons both chose, whether in the same order, and the largest difference."""
    neurons, scores = found
    same = set(mine["neurons"]) & set(neurons)
    order = "same order" if mine["neurons"] == list(neurons) else "other order"
    a, b = dict(zip(mine["neurons"], mine["scores"])), dict(zip(neurons, scores))
    apart = max((abs(a[j] - b[j]) for j in same), default=float("nan"))
    return f"{len(same)} of {len(neurons)} shared, {order}, scores within {apart:.1e}"


def compare(folder, name, n, m, k, rounds, methods):
    file = f"{folder}/selection_{n}_{m}.bin"
    starts, neurons, values = activations(n, m, k)
    y, classes = targets(n, m, neurons, values)
    write(file, starts, neurons, values, m, y, classes)
    z = dense(neurons, values, m)
    for method in methods:
        ratios, pairs = [], []
        for _ in range(rounds):
            slow, found = theirs(z, y, classes, method)
            fast = ours(file, 5, [method])[method]
            ratios.append(slow / fast["seconds"])
            pairs.append((slow, fast["seconds"]))
        slow, fast_s = (statistics.median(p[i] for p in pairs) for i in (0, 1))
        print(
            f"{name} | {method} | {slow:.3f} | {fast_s:.4f} | {statistics.median(ratios):.0f}"
            f" ({min(ratios):.0f} to {max(ratios):.0f}) | {agreement(fast['found'], found)}",
            flush=True,
        )


def main():
    warnings.simplefilter("ignore")
    folder = sys.argv[1]
    print("setting | method | package, s | ours, s | ratio (range) | agreement")
    for name, n, m, k, rounds in SETTINGS:
        compare(folder, name, n, m, k, rounds, METHODS)
    if "congress" in sys.argv[2:]:
        compare(folder, *CONGRESS, ["logistic"])


if __name__ == "__main__":
    main()
