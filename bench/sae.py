"""Autoencoder training beside the Python package's, on the same rows: ratios of seconds per epoch.

    pip install torch==2.15.0 numpy tqdm && pip install --no-deps hypothesaes==2.0.1
    cargo build --release -p hypothesaes-bench
    python bench/sae.py FOLDER [ROUNDS]

FOLDER holds x_571.npy, x_20000.npy and x_100000.npy: rows of 1,536 numbers. Both train on two
threads, with batches of 512 rows and a tenth of the rows for validation; each round runs the one,
then the other, and the figure is the median of the rounds' ratios. The package's epochs are timed
in place of its progress bar.
"""

import json
import os
import statistics
import subprocess
import sys
import time

import numpy as np
import torch

sys.path.insert(0, "scripts/golden")
from package import sae_module

SETTINGS = [
    # name, rows, neurons, k, epochs, options of the package, flags of ours
    ("571 rows, 64:4", 571, 64, 4, 4, {}, []),
    ("20K, 256:8", 20_000, 256, 8, 3, {}, []),
    ("20K, 1024:8", 20_000, 1024, 8, 3, {}, []),
    ("100K, 1024:8", 100_000, 1024, 8, 2, {}, []),
    (
        "100K, prefixes 64,256,1024", 100_000, 1024, 8, 2,
        {"prefix_lengths": [64, 256, 1024]}, ["--prefixes", "64,256,1024"],
    ),
    ("100K, batch top-k", 100_000, 1024, 8, 2, {"use_batch_topk": True}, ["--batch-top-k"]),
]


class Clock:
    """Stands in for the progress bar."""

    ticks = []

    def __init__(self, epochs, **_):
        self.epochs = epochs

    def __iter__(self):
        Clock.ticks = [time.perf_counter()]
        for epoch in self.epochs:
            yield epoch
            Clock.ticks.append(time.perf_counter())

    def set_postfix(self, _):
        pass


def theirs(module, x, m, k, epochs, options):
    torch.manual_seed(0)
    validation, train = x[: len(x) // 10], x[len(x) // 10 :]
    model = module.SparseAutoencoder(x.shape[1], m, k, device="cpu", **options)
    model.fit(train, validation, n_epochs=epochs, patience=10_000, learning_rate=5e-4)
    seconds = np.diff(Clock.ticks)
    start = time.perf_counter()
    model.get_activations(train, show_progress=False)
    return float(np.median(seconds)), len(train) / (time.perf_counter() - start)


def ours(file, m, k, epochs, flags):
    command = ["target/release/sae", file, f"{m}:{k}", str(epochs), *flags]
    environment = {**os.environ, "RAYON_NUM_THREADS": "2"}
    result = subprocess.run(command, check=True, capture_output=True, env=environment)
    figures = json.loads(result.stdout)
    return figures["epoch_s"], figures["encode_rows_s"]


def main():
    folder, rounds = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 3
    torch.set_num_threads(2)
    module = sae_module()
    module.tqdm = Clock
    print(f"torch {torch.__version__}, numpy {np.__version__}, {rounds} rounds")
    print("setting | package, s/epoch | ours, s/epoch | ratio (range) | encoding, ratio")
    for name, n, m, k, epochs, options, flags in SETTINGS:
        file = f"{folder}/x_{n}.npy"
        x = torch.from_numpy(np.load(file)).float()
        pairs = []
        for _ in range(rounds):
            slow = theirs(module, x, m, k, epochs, options)
            # More epochs, for a second or two of them tell little.
            fast = ours(file, m, k, epochs * (50 if n < 1000 else 4), flags)
            pairs.append((*slow, *fast))
        ratios = sorted(p[0] / p[2] for p in pairs)
        encode = statistics.median(p[3] / p[1] for p in pairs)
        slow, fast = (statistics.median(p[i] for p in pairs) for i in (0, 2))
        print(
            f"{name} | {slow:.4f} | {fast:.4f} | {statistics.median(ratios):.1f}"
            f" ({ratios[0]:.1f} to {ratios[-1]:.1f}) | {encode:.1f}",
            flush=True,
        )


main()
