"""A sentence model run by this program and by sentence-transformers: texts a second and memory.

    pip install torch sentence-transformers
    cargo build --release -p hypothesaes-bench --bin embed
    python bench/embed.py MODEL TEXTS.jsonl [ROUNDS]

MODEL is a folder with the model's files, TEXTS.jsonl has a column `text`. Each round runs
sentence-transformers in 32 bits, as it is used by default (it sorts texts by length itself), then ours in
32 and in 8 bits, each in a process of its own, on two threads; opening the model is not counted. The
figures are medians of the rounds; ratios are those of each round. Then, how close the vectors are.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile

import numpy as np

THREADS = "2"
THEIRS = """
import json, sys, time
import numpy as np, torch
from sentence_transformers import SentenceTransformer
torch.set_num_threads(int(sys.argv[4]))
texts = [json.loads(line)["text"] for line in open(sys.argv[2])]
model = SentenceTransformer(sys.argv[1], device="cpu")
model.encode(texts[:8])
start = time.perf_counter()
vectors = model.encode(texts)
print(json.dumps({"texts_s": len(texts) / (time.perf_counter() - start)}))
vectors.astype("<f4").tofile(sys.argv[3])
"""


def measured(command, vectors):
    """What the command printed last, and the most memory it held, in MB."""
    environment = {**os.environ, "RAYON_NUM_THREADS": THREADS, "OMP_NUM_THREADS": THREADS}
    with tempfile.TemporaryFile() as out, subprocess.Popen(
        command, stdout=out, stderr=subprocess.DEVNULL, env=environment
    ) as process:
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = status
        out.seek(0)
        lines = out.read().decode().splitlines()
    if status != 0:
        raise SystemExit(f"failed: {command}")
    rate = json.loads(lines[-1])["texts_s"]
    return rate, used.ru_maxrss / 1024, np.fromfile(vectors, "<f4")


def similarities(vectors):
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return (unit @ unit.T)[np.triu_indices(len(unit), 1)]


def main():
    model, texts = sys.argv[1:3]
    rounds = int(sys.argv[3]) if len(sys.argv) > 3 else 3
    n = sum(1 for _ in open(texts))
    binary = os.environ.get("EMBED_BINARY", "target/release/embed")
    file = os.path.join(tempfile.mkdtemp(), "vectors")
    commands = {
        "sentence-transformers": [sys.executable, "-c", THEIRS, model, texts, file, THREADS],
        "ours, f32": [binary, model, texts, "f32", file],
        "ours, int8": [binary, model, texts, "int8", file],
    }
    rates, memory, vectors = {k: [] for k in commands}, {}, {}
    for _ in range(rounds):
        for name, command in commands.items():
            rate, memory[name], flat = measured(command, file)
            rates[name].append(rate)
            vectors[name] = flat.reshape(n, -1)
    theirs = "sentence-transformers"
    print("what | texts/s | ratio (range) | MB | least cosine | correlation of similarities")
    for name, of in rates.items():
        ratios = [mine / peer for mine, peer in zip(of, rates[theirs])]
        both = [v / np.linalg.norm(v, axis=1, keepdims=True) for v in (vectors[name], vectors[theirs])]
        cosine = (both[0] * both[1]).sum(axis=1).min()
        alike = np.corrcoef(similarities(vectors[name]), similarities(vectors[theirs]))[0, 1]
        print(
            f"{name} | {statistics.median(of):.1f} | {statistics.median(ratios):.2f} ({min(ratios):.2f} to "
            f"{max(ratios):.2f}) | {memory[name]:.0f} | {cosine:.6f} | {alike:.5f}"
        )


if __name__ == "__main__":
    main()
