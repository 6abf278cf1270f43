"""How the cost of training grows, from 1K to 1M rows and from 64 to 4,096 neurons.

    cargo build --release -p hypothesaes-bench
    python bench/sae_cost.py FOLDER [THREADS]

FOLDER holds x_100000.npy, rows of 1,536 numbers; a file of a million rows is made of it there (the
same rows ten times, 6 GB) and read from disk as they are wanted. Seconds per epoch are the median of
the epochs; peak memory is the whole process's.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np

ROWS = [1_000, 10_000, 100_000, 1_000_000]
NEURONS = [64, 256, 1_024, 4_096]
IN_MEMORY = 100_000


def file_of(folder, n):
    file = folder / f"x_{n}.npy"
    if not file.exists():
        rows = np.load(folder / f"x_{IN_MEMORY}.npy", mmap_mode="r")
        header = {"descr": "<f4", "fortran_order": False, "shape": (n, rows.shape[1])}
        # Written, not mapped: the peak memory of a child begins with its parent's.
        with open(file, "wb") as out:
            np.lib.format.write_array_header_1_0(out, header)
            for at in range(0, n, 1_000):
                start = at % len(rows)
                rows[start : start + min(1_000, n - at)].tofile(out)
    return file


def measure(file, n, size, threads):
    epochs = max(2, min(20, 60_000 // n))
    flags = ["--streamed"] if n > IN_MEMORY else []
    environment = {**os.environ, "RAYON_NUM_THREADS": threads}
    command = ["target/release/sae", str(file), size, str(epochs), *flags]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) as process:
        figures = json.loads(process.stdout.read())
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    return figures, usage.ru_maxrss / 1024


def main():
    folder, threads = Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else "2"
    print("rows | size | s/epoch | rows/s, training | rows/s, encoding | MiB")
    settings = [(n, 1_024) for n in ROWS] + [(10_000, m) for m in NEURONS if m != 1_024]
    for n, m in settings:
        figures, peak = measure(file_of(folder, n), n, f"{m}:8", threads)
        epoch = figures["epoch_s"]
        print(
            f"{n:,} | {m}:8 | {epoch:.4f} | {n / epoch:,.0f}"
            f" | {figures['encode_rows_s']:,} | {peak:.0f}",
            flush=True,
        )


main()
