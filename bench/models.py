"""A whole run with language models, ours and that of the PyPI package, on the same texts.

    python bench/models.py SIMLLM LEXICON TEXTS

SIMLLM is a simulated server that counts requests and tokens (`GET /stats`), LEXICON what it knows,
TEXTS a JSON-lines file with `text` and `stars`. Needs the PyPI package `hypothesaes` 2.0.1 and the
program, built with `cargo build --release`. Both embed all texts, train two autoencoders, word 20
neurons, judge the wordings, and annotate the same 300 held-out texts. The neurons are each one's
own choice. Prints JSON: what each asked, the ratios, and how many distinct concepts of the lexicon
each one's wordings name.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
import types
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FIGURES = ["requests", "input_tokens", "output_tokens", "cost_usd"]


class Server:
    def __init__(self, script, lexicon):
        command = [sys.executable, script, "--port", "0", "--preset", "fast", "--lexicon", lexicon]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        line = next(line for line in self.process.stdout if "listening on" in line)
        url = next(word for word in line.split() if word.startswith("http"))
        self.host = url.strip().removesuffix("/").removesuffix("/v1")

    def stats(self):
        with urllib.request.urlopen(f"{self.host}/stats") as reply:
            return json.load(reply)

    def stop(self):
        self.process.kill()
        self.process.wait()


def ours(server, texts, folder):
    """The wordings, and the row ids of the held-out texts."""
    run = Path(folder) / "run"
    program = ROOT / "target" / "release" / "hypothesaes"
    command = [program, "run", texts, "--text", "text", "--target", "stars", "--yes", "--quiet"]
    command += ["--sae", "256:8", "--sae", "32:4", "--out", run, "--json"]
    env = {**os.environ, "OPENAI_BASE_URL": f"{server.host}/v1", "OPENAI_API_KEY": "none"}
    env["HYPOTHESAES_CACHE"] = str(Path(folder) / "cache")
    done = subprocess.run(command, env=env, check=True, capture_output=True, text=True)
    import pandas as pd

    rows = pd.read_parquet(run / "data" / "annotations.parquet")["row_id"].unique()
    return [h["hypothesis"] for h in json.loads(done.stdout)["hypotheses"]], rows


def theirs(server, texts, heldout, folder):
    """The wordings of the PyPI package."""
    os.environ.update(OPENAI_BASE_URL=f"{server.host}/v1", OPENAI_KEY_SAE="none")
    os.environ["EMB_CACHE_DIR"] = str(folder)
    os.chdir(folder)
    # Local embeddings are not asked for.
    stub = types.ModuleType("sentence_transformers")
    stub.SentenceTransformer = None
    sys.modules["sentence_transformers"] = stub
    import numpy as np
    from hypothesaes.embedding import get_openai_embeddings
    from hypothesaes.quickstart import evaluate_hypotheses, generate_hypotheses, train_sae

    rows = [json.loads(line) for line in open(texts)]
    held = set(int(i) for i in heldout)
    part = lambda keep: [row for i, row in enumerate(rows) if (i in held) == keep]
    of = get_openai_embeddings([row["text"] for row in rows], cache_name=None, show_progress=False)
    discover = part(False)
    x = np.stack([of[row["text"]] for row in discover])
    sae = train_sae(embeddings=x, M=256, K=8, matryoshka_prefix_lengths=[32, 256], n_epochs=100)
    # The package keeps its annotations beside its own code: they must not be found again.
    cache = f"bench-{os.getpid()}"
    stars = lambda rows: [float(row["stars"]) for row in rows]
    found = generate_hypotheses(
        [row["text"] for row in discover], stars(discover), x, sae, selection_method="correlation",
        cache_name=cache, classification=False, n_selected_neurons=20,
    )
    evaluate_hypotheses(
        found, [row["text"] for row in part(True)], stars(part(True)), cache_name=cache,
        classification=False,
    )
    return list(found["interpretation"])


def known(wordings, lexicon):
    concepts = {concept.lower() for concept in json.load(open(lexicon))["concepts"]}
    return len({w.lower().strip(" .\"-") for w in wordings} & concepts)


def main():
    script, lexicon, texts = (str(Path(word).resolve()) for word in sys.argv[1:4])
    answer = {}
    heldout = None
    for name in ["ours", "theirs"]:
        server = Server(script, lexicon)
        start = time.monotonic()
        with tempfile.TemporaryDirectory() as folder:
            if name == "ours":
                wordings, heldout = ours(server, texts, folder)
            else:
                wordings = theirs(server, texts, heldout, folder)
                os.chdir(ROOT)
        seconds = time.monotonic() - start
        stats = server.stats()
        server.stop()
        answer[name] = {figure: stats[figure] for figure in FIGURES}
        answer[name] |= {"seconds": round(seconds, 1), "concepts": known(wordings, lexicon)}
    tokens = lambda name: answer[name]["input_tokens"] + answer[name]["output_tokens"]
    answer["requests_ratio"] = answer["theirs"]["requests"] / answer["ours"]["requests"]
    answer["tokens_ratio"] = tokens("theirs") / tokens("ours")
    print(json.dumps(answer, indent=1))


if __name__ == "__main__":
    main()
