"""Checkpoints as the Python package saves them, and what its autoencoders say of some rows.

    pip install torch==2.15.0 numpy tqdm && pip install --no-deps hypothesaes==2.0.1
    python scripts/golden/sae_checkpoint.py

Writes crates/hypothesaes/tests/golden/sae_*.pt and sae_checkpoint.json.
"""

import importlib.metadata
import json
import pathlib

import torch
from package import sae_module

OUT = pathlib.Path("crates/hypothesaes/tests/golden")
KINDS = {
    "plain": {},
    "batch_top_k": {"use_batch_topk": True, "prefix_lengths": [4, 12], "multi_k": 5},
}


def main():
    module = sae_module()
    torch.manual_seed(0)
    x = torch.randn(64, 7)
    cases = {}
    for kind, options in KINDS.items():
        model = module.SparseAutoencoder(7, 12, 3, device="cpu", **options)
        model.fit(x, n_epochs=5, batch_size=16, learning_rate=0.01, show_progress=False)
        model.save(str(OUT / f"sae_{kind}.pt"))
        cases[kind] = model.get_activations(x[:10], show_progress=False).tolist()
    fixture = {
        "torch": torch.__version__,
        "hypothesaes": importlib.metadata.version("hypothesaes"),
        "x": x[:10].tolist(),
        "activations": cases,
    }
    (OUT / "sae_checkpoint.json").write_text(json.dumps(fixture) + "\n")


main()
