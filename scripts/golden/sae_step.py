"""Golden values for training steps of a top-k autoencoder: numpy, dense and in float64.

The gradients are written down for dense matrices and held against central differences of the
loss before they are saved. Run from the project's root: python3 scripts/golden/sae_step.py
"""

import json
import platform

import numpy as np

N, D, M, K, AUX_K, AUX_COEF, RATE = 7, 5, 9, 2, 3, 1 / 32, 0.01
NAMES = ["encoder", "decoder", "neuron_bias", "input_bias"]


def top_k(pre, k, allowed):
    """The k largest of the allowed entries of each row, the negative ones as 0."""
    masked = np.where(allowed, pre, -np.inf)
    kept = np.argsort(-masked, axis=1, kind="stable")[:, :k]
    mask = np.zeros_like(pre, dtype=bool)
    np.put_along_axis(mask, kept, True, axis=1)
    return mask & (masked > 0)


def forward(p, x, dead, error=None):
    """All intermediate values; `error` is what the dead neurons are to explain, a constant."""
    pre = (x - p["input_bias"]) @ p["encoder"].T + p["neuron_bias"]
    a = np.where(top_k(pre, K, np.ones_like(pre, dtype=bool)), pre, 0)
    left = a @ p["decoder"] + p["input_bias"] - x
    constant = left if error is None else error
    a_dead = np.where(top_k(pre, AUX_K, dead[None, :] & (a.sum(0) == 0)[None, :]), pre, 0)
    return a, left, a_dead, a_dead @ p["decoder"] + constant


def loss(p, x, dead, variance, error=None):
    _, left, a_dead, left_dead = forward(p, x, dead, error)
    aux = AUX_COEF * (left_dead**2).sum() if dead.any() else 0.0
    return ((left**2).sum() + aux) / (len(x) * variance)


def gradients(p, x, dead, variance):
    a, left, a_dead, left_dead = forward(p, x, dead)
    unit = 2 / (len(x) * variance)
    slope = unit * (left @ p["decoder"].T) * (a > 0)
    slope += AUX_COEF * unit * (left_dead @ p["decoder"].T) * (a_dead > 0)
    return {
        "encoder": slope.T @ (x - p["input_bias"]),
        "decoder": unit * (a.T @ left + AUX_COEF * a_dead.T @ left_dead),
        "neuron_bias": slope.sum(0),
        "input_bias": unit * left.sum(0) - slope.sum(0) @ p["encoder"],
    }


def check(p, x, dead, variance, gradient):
    error = forward(p, x, dead)[1]
    for name in NAMES:
        for at in np.ndindex(p[name].shape):
            values = []
            for h in (1e-6, -1e-6):
                moved = {n: v.copy() for n, v in p.items()}
                moved[name][at] += h
                values.append(loss(moved, x, dead, variance, error))
            slope = (values[0] - values[1]) / 2e-6
            assert abs(slope - gradient[name][at]) < 1e-7, (name, at, slope, gradient[name][at])


def case(seed, dead, clip_norm):
    rng = np.random.default_rng(seed)
    f32 = lambda v: v.astype(np.float32).astype(float)
    x = f32(rng.normal(size=(N, D)))
    decoder = rng.normal(size=(M, D))
    decoder = f32(decoder / np.linalg.norm(decoder, axis=1, keepdims=True))
    p = {
        "encoder": f32(decoder + 0.1 * rng.normal(size=(M, D))),
        "decoder": decoder,
        "neuron_bias": f32(0.1 * rng.normal(size=M)),
        "input_bias": f32(0.1 * rng.normal(size=D)),
    }
    if dead:  # four neurons too weak to win, though their pre-activations are often positive
        p["encoder"][:4] *= 0.125
        p["neuron_bias"][:4] = 0.0625
    silent = np.where(np.arange(M) < 4, 100 if dead else 0, 0)
    variance = ((x - x.mean(0)) ** 2).sum() / N
    start = {n: v.copy() for n, v in p.items()}
    m, v = ({n: np.zeros_like(w) for n, w in p.items()} for _ in range(2))
    steps = []
    for t in (1, 2):
        a = forward(p, x, np.zeros(M, dtype=bool))[0]
        silent = np.where((a > 0).any(0), 0, silent + N)
        is_dead = silent > 50
        assert (forward(p, x, is_dead)[2] > 0).any() == dead, "the aux-k term acts"
        g = gradients(p, x, is_dead, variance)
        check(p, x, is_dead, variance, g)
        value = loss(p, x, is_dead, variance)
        g["decoder"] -= (g["decoder"] * p["decoder"]).sum(1, keepdims=True) * p["decoder"]
        norm = np.sqrt(sum((w**2).sum() for w in g.values()))
        clip = min(1.0, clip_norm / (norm + 1e-6))
        for n in NAMES:
            m[n] = 0.9 * m[n] + 0.1 * clip * g[n]
            v[n] = 0.999 * v[n] + 0.001 * (clip * g[n]) ** 2
            root = np.sqrt(v[n] / (1 - 0.999**t)) + 1e-8
            p[n] = p[n] - RATE * (m[n] / (1 - 0.9**t)) / root
        p["decoder"] /= np.linalg.norm(p["decoder"], axis=1, keepdims=True)
        steps.append({"loss": value, "norm": norm, "n_dead": int(is_dead.sum()), **flat(p)})
    first = 100 if dead else 0
    return {
        "clip_norm": clip_norm,
        "silent_rows": [first if j < 4 else 0 for j in range(M)],
        "variance": variance,
        "x": x.ravel().tolist(),
        "start": flat(start),
        "steps": steps,
    }


def flat(p):
    return {n: [round(float(w), 9) for w in p[n].ravel()] for n in NAMES}


out = {
    "made_by": "scripts/golden/sae_step.py",
    "versions": {"python": platform.python_version(), "numpy": np.__version__},
    "n": N,
    "d": D,
    "m": M,
    "k": K,
    "aux_k": AUX_K,
    "learning_rate": RATE,
    "dead_after": 50,
    "cases": {
        "plain": case(1, dead=False, clip_norm=1e9),
        "dead": case(2, dead=True, clip_norm=1e9),
        "clipped": case(3, dead=True, clip_norm=0.05),
    },
}
with open("crates/math/tests/golden/sae_step.json", "w") as f:
    json.dump(out, f, indent=1)
    f.write("\n")
