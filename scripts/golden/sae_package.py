"""Five training steps of the Python package `hypothesaes`: losses, gradients, parameters.

    pip install torch==2.15.0 numpy tqdm && pip install --no-deps hypothesaes==2.0.1
    python scripts/golden/sae_package.py > crates/math/tests/golden/sae_package.json

The weights to start from, the batches and the options are given; the steps are those of the
package's `SparseAutoencoder.fit`, with its own forward pass, loss and adjustments, on the CPU.

Where we differ on purpose: traps 1 and 4. `normaliser = batch` measures errors by each batch's
variance, as here; `dead_after` counts rows where the package counts steps of BATCH rows.
"""

import importlib.metadata
import json
import sys

import numpy as np
import torch
from package import sae_module

SparseAutoencoder = sae_module().SparseAutoencoder
N, D, M, K, BATCH, STEPS, DEAD_STEPS = 96, 12, 18, 3, 32, 5, 2
RATE = 5e-3
CASES = {
    "plain": {},
    "prefixes": {"prefix_lengths": [4, 9, 18]},
    "batch_top_k": {"use_batch_topk": True},
    "batch_top_k_prefixes": {"use_batch_topk": True, "prefix_lengths": [4, 9, 18]},
    "multi_k": {"multi_k": 7, "multi_coef": 0.125},
    "third_dead": {"dead": range(0, M, 3)},
    "clipped": {"clip": 0.05},
}


def flat(tensor):
    return [float(f"{v:.8g}") for v in tensor.detach().contiguous().flatten().tolist()]


def parameters(model):
    """In our shapes: one row per neuron."""
    return {
        "encoder": model.encoder.weight,
        "decoder": model.decoder.weight.t(),
        "input_bias": model.input_bias,
        "neuron_bias": model.neuron_bias,
    }


def gradients(model):
    return {
        "encoder": model.encoder.weight.grad,
        "decoder": model.decoder.weight.grad.t(),
        "input_bias": model.input_bias.grad,
        "neuron_bias": model.neuron_bias.grad,
    }


def rows():
    """Sparse mixtures of a few directions and noise, so that few activations are nearly tied."""
    rng = np.random.default_rng(20)
    directions = rng.normal(size=(M, D))
    weights = rng.exponential(size=(N, M)) * (rng.random((N, M)) < 0.2)
    return torch.tensor(weights @ directions + 0.1 * rng.normal(size=(N, D)) + 0.3).float()


def start(x):
    torch.manual_seed(20)
    model = SparseAutoencoder(D, M, K, device="cpu")
    model.initialize_weights_(x)
    # Not equal, so that a mistaken transpose or a swap shows.
    model.encoder.weight.data += 0.05 * torch.randn(M, D)
    model.neuron_bias.data += 0.05 * torch.randn(M)
    return model.state_dict()


def case(x, state, dead=(), multi_coef=0.0, clip=1.0, **options):
    model = SparseAutoencoder(
        D, M, K, dead_neuron_threshold_steps=DEAD_STEPS, device="cpu", **options
    )
    model.load_state_dict(state)
    for j in dead:
        # Too weak to win, and silent for long.
        model.neuron_bias.data[j] = 0.0
        model.encoder.weight.data[j] *= 0.02
        model.steps_since_activation[j] = DEAD_STEPS
    first = {name: flat(value) for name, value in parameters(model).items()}
    clock = (model.steps_since_activation * BATCH).tolist()
    adam = torch.optim.Adam(model.parameters(), lr=RATE)
    model.train()
    generator = torch.Generator().manual_seed(7)
    steps = []
    for _ in range(STEPS):
        batch = torch.randperm(N, generator=generator)[:BATCH]
        recon, info = model(x[batch])
        loss = model.compute_loss(x[batch], recon, info, 1 / 32, multi_coef)
        adam.zero_grad()
        loss.backward()
        model.adjust_decoder_gradient_()
        steps.append({
            "rows": batch.tolist(),
            "loss": loss.item(),
            "n_dead": int((model.steps_since_activation > DEAD_STEPS).sum()),
            "gradients": {name: flat(value) for name, value in gradients(model).items()},
        })
        torch.nn.utils.clip_grad_norm_(model.parameters(), clip)
        adam.step()
        model.normalize_decoder_()
    last = {name: flat(value) for name, value in parameters(model).items()}
    return {
        "batch_top_k": options.get("use_batch_topk", False),
        "prefixes": options.get("prefix_lengths", []),
        "multi_k": options.get("multi_k"),
        "multi_coef": multi_coef,
        "clip_norm": clip,
        "silent_rows": clock,
        "start": first,
        "steps": steps,
        "end": last,
    }


def main():
    torch.set_num_threads(1)
    x = rows()
    state = start(x)
    json.dump({
        "versions": {
            "python": sys.version.split()[0],
            "hypothesaes": importlib.metadata.version("hypothesaes"),
            "torch": torch.__version__,
            "numpy": np.__version__,
        },
        "n": N, "d": D, "m": M, "k": K,
        "dead_after": DEAD_STEPS * BATCH,
        "learning_rate": RATE,
        "x": flat(x),
        "cases": {name: case(x, state, **options) for name, options in CASES.items()},
    }, sys.stdout, separators=(",", ":"))


main()
