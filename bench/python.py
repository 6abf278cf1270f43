"""The Python package beside the original one: the same calls, the same texts, the same server.

    python bench/python.py PEER_PYTHON SIMLLM LEXICON TEXTS... [--discover N] [--heldout N]

PEER_PYTHON is the interpreter of an environment that has the PyPI package `hypothesaes` 2.0.1; this
script's own has the wheel of this project and pandas. SIMLLM is a simulated server that counts what
it is asked (`GET /stats`), LEXICON what it knows. TEXTS are JSON-lines files with `text` and
`stars`: hypotheses are found on the first 571 of them and tested on the next 2,000, by default.

Each package runs in a process of its own, with a fresh server of the same seed that answers after
50 ms: embed, train two autoencoders (64:4 and 16:2), word 20 neurons of both and score the
wordings, annotate and test on the held-out texts. Every option that the two share has its default.
The neurons are each one's own choice. The packages start with nothing kept.

Prints a table: for each part what was asked, tokens, dollars at list prices, seconds; and how many
times as much the original took. `--json` prints the same as JSON, with the wordings.

The original needs torch, openai, scikit-learn, statsmodels, tqdm and tiktoken. It imports
sentence-transformers, which is not used here: a stub takes its place where it is not installed. So
it does for tiktoken's encoding, which shortens texts of more than 8,192 tokens, where its
vocabulary cannot be downloaded.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
import types
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

FIGURES = ("requests", "tokens", "dollars", "seconds")
PARTS = ("embed", "train", "generate", "evaluate")
SIZES = ((64, 4), (16, 2))
N_HYPOTHESES = 20
FLAGS = ("--port", "0", "--latency", "0.05", "--latency-sigma", "0", "--per-token", "0")


def main() -> None:
    options = arguments()
    if options.role:
        work(options)
        return
    measured = {
        role: measure(role, python, options)
        for role, python in (("ours", sys.executable), ("original", options.peer))
    }
    if options.json:
        print(json.dumps(measured, indent=1))
    else:
        print(table(measured))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for name in ("peer", "simllm", "lexicon"):
        parser.add_argument(name)
    parser.add_argument("texts", nargs="+")
    parser.add_argument("--discover", type=int, default=571)
    parser.add_argument("--heldout", type=int, default=2000)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--role", choices=("ours", "original"), help=argparse.SUPPRESS)
    return parser.parse_args()


def measure(role: str, python: str, options: argparse.Namespace) -> dict[str, Any]:
    """Runs one package in a folder of its own; its figures by part, and the wordings."""
    with tempfile.TemporaryDirectory() as folder, server(options) as url:
        files = [str(Path(name).resolve()) for name in options.texts]
        command = [python, str(Path(__file__).resolve()), options.peer, options.simllm]
        command += [options.lexicon, *files, "--role", role]
        command += ["--discover", str(options.discover), "--heldout", str(options.heldout)]
        keep = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        env = dict(os.environ) if role == "ours" else keep
        env |= {"OPENAI_BASE_URL": f"{url}/v1", "OPENAI_KEY_SAE": "none", "EMB_CACHE_DIR": folder}
        env |= {"HYPOTHESAES_CACHE": folder, "BENCH_STATS": f"{url}/stats"}
        print(f"{role} is at work", file=sys.stderr, flush=True)
        done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True)
        if done.returncode:
            said = done.stdout[-500:] + done.stderr[-2000:]
            sys.exit(f"{role} ended with {done.returncode}:\n{said}")
        found = dict(json.loads(done.stdout.splitlines()[-1]))
        for note in found.pop("notes"):
            print(f"{role}: {note}", file=sys.stderr, flush=True)
    return found


@contextmanager
def server(options: argparse.Namespace) -> Iterator[str]:
    command = [sys.executable, options.simllm, "--lexicon", options.lexicon, *FLAGS]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    line = next(line for line in process.stdout if "listening on" in line)
    # It must not be left without a reader.
    threading.Thread(target=process.stdout.read, daemon=True).start()
    try:
        url = next(word for word in line.split() if word.startswith("http"))
        yield url.rstrip("/").removesuffix("/v1")
    finally:
        process.kill()
        process.wait()


def work(options: argparse.Namespace) -> None:
    """The work itself, in a process that has one of the packages; figures on the last line."""
    start = figures()
    notes: list[str] = []
    if options.role == "original":
        notes = stand_in()
        import torch

        torch.manual_seed(0)
    import numpy as np

    import hypothesaes.annotate
    import hypothesaes.interpret_neurons
    from hypothesaes.embedding import get_openai_embeddings
    from hypothesaes.quickstart import evaluate_hypotheses, generate_hypotheses, train_sae

    # The original keeps its annotations beside its own code, for all runs ever.
    for module in (hypothesaes.annotate, hypothesaes.interpret_neurons):
        module.CACHE_DIR = os.getcwd()
    texts, stars = read(options.texts, options.discover + options.heldout)
    n = options.discover
    spent = {"import": since(start)}

    start = figures()
    vectors = get_openai_embeddings(texts[:n], cache_name="bench")
    x = np.stack([vectors[text] for text in texts[:n]])
    spent["embed"] = since(start)

    start = figures()
    saes = [train_sae(x, m, k, n_epochs=100) for m, k in SIZES]
    spent["train"] = since(start)

    start = figures()
    sae = saes if options.role == "ours" else Several(saes)
    hypotheses = generate_hypotheses(
        texts[:n],
        stars[:n],
        x,
        sae,
        cache_name="bench",
        classification=False,
        selection_method="correlation",
        n_selected_neurons=N_HYPOTHESES,
    )
    spent["generate"] = since(start)

    start = figures()
    evaluate_hypotheses(
        hypotheses, texts[n:], stars[n:], cache_name="bench", classification=False
    )
    spent["evaluate"] = since(start)
    wordings = list(hypotheses["interpretation"])
    print("\n" + json.dumps({"parts": spent, "wordings": wordings, "notes": notes}))


class Several:
    """Autoencoders side by side, for version 2.0.1, which takes one."""

    def __init__(self, saes: list[Any]) -> None:
        self.saes = saes

    def get_activations(self, x: Any) -> Any:
        import numpy as np

        return np.concatenate([sae.get_activations(x) for sae in self.saes], axis=1)


def stand_in() -> list[str]:
    """Puts stubs where the original imports what is not there and not needed; says so."""
    notes = []
    if find_spec("sentence_transformers") is None:
        stub: Any = types.ModuleType("sentence_transformers")
        stub.SentenceTransformer = None
        sys.modules["sentence_transformers"] = stub
        notes.append("sentence-transformers is not installed: a stub is imported in its place")
    import tiktoken

    try:
        tiktoken.get_encoding("cl100k_base")
    except Exception:
        words = types.SimpleNamespace(encode=str.split, decode=" ".join)
        tiktoken.get_encoding = lambda _: words
        notes.append("tiktoken has no vocabulary: words are counted in the place of tokens")
    return notes


def read(paths: list[str], n: int) -> tuple[list[str], list[float]]:
    """The first `n` different texts, with their stars."""
    found: dict[str, float] = {}
    for path in paths:
        for line in Path(path).read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            found.setdefault(row["text"], float(row["stars"]))
    if len(found) < n:
        sys.exit(f"{len(found)} texts are there, {n} are needed")
    return list(found)[:n], list(found.values())[:n]


def figures() -> dict[str, float]:
    """What the server has counted so far, and the time."""
    with urllib.request.urlopen(os.environ["BENCH_STATS"]) as reply:
        stats = json.load(reply)
    tokens = stats["input_tokens"] + stats["output_tokens"]
    values = (stats["requests"], tokens, stats["cost_usd"], time.perf_counter())
    return dict(zip(FIGURES, values))


def since(start: dict[str, float]) -> dict[str, float]:
    now = figures()
    return {name: now[name] - start[name] for name in FIGURES}


def table(measured: dict[str, Any]) -> str:
    """Each part of both, and the ratio of the original to ours."""
    of = {role: dict(found["parts"]) for role, found in measured.items()}
    for parts in of.values():
        parts["total"] = {name: sum(part[name] for part in parts.values()) for name in FIGURES}
    lines = [f"{'':<10}" + "".join(f"{name:>32}" for name in FIGURES)]
    lines.append(f"{'':<10}" + f"{'ours':>12}{'original':>12}{'times':>8}" * len(FIGURES))
    for part in ("import", *PARTS, "total"):
        cells = []
        for name in FIGURES:
            ours, original = (of[role][part][name] for role in ("ours", "original"))
            times = f"{original / ours:.1f}" if ours else ""
            cells += [f"{shown(name, ours):>12}{shown(name, original):>12}{times:>8}"]
        lines.append(f"{part:<10}" + "".join(cells))
    return "\n".join(lines)


def shown(name: str, value: float) -> str:
    return {"dollars": f"{value:.4f}", "seconds": f"{value:.1f}"}.get(name, f"{value:,.0f}")


if __name__ == "__main__":
    main()
