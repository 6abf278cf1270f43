"""Whole fits to the early stop beside the Python package's: seconds, and what stays unexplained.

    python bench/sae_fit.py FOLDER [SEEDS]

As `bench/sae.py`, with the defaults of the package's `train_sae` for both: step length 0.0005, at
most 100 epochs, patience 3. The first tenth of the rows validates; unexplained variance is that of
these rows, in units of the variance of the others. Each fit has a process of its own, which the
package's first steps in torch belong to; reading the rows and importing do not.
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

SETTINGS = [("571 rows, 64:4", 571, 64, 4), ("20K, 1024:8", 20_000, 1024, 8)]


def theirs(file, m, k, seed):
    command = [sys.executable, __file__, "--theirs", file, str(m), str(k), str(seed)]
    result = subprocess.run(command, check=True, capture_output=True)
    return json.loads(result.stdout.splitlines()[-1])


def fit(file, m, k, seed):
    torch.set_num_threads(2)
    torch.manual_seed(seed)
    module, x = sae_module(), torch.from_numpy(np.load(file)).float()
    validation, train = x[: len(x) // 10], x[len(x) // 10 :]
    start = time.perf_counter()
    model = module.SparseAutoencoder(x.shape[1], m, k, device="cpu")
    history = model.fit(train, validation, n_epochs=100, patience=3, show_progress=False)
    seconds = time.perf_counter() - start
    with torch.no_grad():
        error = (validation - model(validation)[0]).square().sum(1).mean()
    variance = (train - train.mean(0)).square().sum(1).mean()
    print(json.dumps([seconds, len(history["val_loss"]), (error / variance).item()]))


def ours(file, m, k, seed):
    flags = ["--seed", str(seed), "--patience", "3"]
    command = ["target/release/sae", file, f"{m}:{k}", "100", *flags]
    environment = {**os.environ, "RAYON_NUM_THREADS": "2"}
    result = subprocess.run(command, check=True, capture_output=True, env=environment)
    figures = json.loads(result.stdout)
    return figures["fit_s"], figures["epochs"], figures["fvu"]


def main():
    folder, seeds = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 5
    print(f"torch {torch.__version__}, numpy {np.__version__}")
    print("setting | seed | package: s, epochs, unexplained | ours | ratio")
    for name, n, m, k in SETTINGS:
        file = f"{folder}/x_{n}.npy"
        pairs = []
        for seed in range(seeds):
            slow, fast = theirs(file, m, k, seed), ours(file, m, k, seed)
            pairs.append((slow, fast))
            told = ["{:.2f} s, {}, {:.4f}".format(*fit) for fit in (slow, fast)]
            print(f"{name} | {seed} | {told[0]} | {told[1]} | {slow[0] / fast[0]:.1f}", flush=True)
        ratio = statistics.median(slow[0] / fast[0] for slow, fast in pairs)
        medians = [statistics.median(pair[i][2] for pair in pairs) for i in (0, 1)]
        print(f"{name} | median | {medians[0]:.4f} | {medians[1]:.4f} | {ratio:.1f}", flush=True)


if sys.argv[1] == "--theirs":
    fit(sys.argv[2], *map(int, sys.argv[3:]))
else:
    main()
