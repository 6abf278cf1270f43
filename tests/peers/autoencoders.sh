#!/usr/bin/env bash
# The Python lines of docs/autoencoders.md on a file that the program wrote, against what the program
# computes from it; and SciPy's reading of the activations, and the program's of SciPy's.
# Skipped where pip cannot install: tests/peers/autoencoders.sh [PROGRAM]. With TORCH=1 also the lines
# for torch, which is half a gigabyte.
# shellcheck source=tests/peers/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

python3 -m venv python
pip() { install "$1" python/bin/pip install --quiet --disable-pip-version-check "$@"; }
pip numpy==2.4.6 scipy==1.17.1 safetensors==0.8.0
if [ "${TORCH:-0}" = 1 ]; then
    pip torch==2.15.0 tqdm
    pip hypothesaes==2.0.1 --no-deps
fi

python/bin/python - <<'PYTHON'
import numpy as np
random = np.random.default_rng(0)
directions = random.standard_normal((40, 48))
some = np.where(random.random((3_000, 40)) < 0.1, random.exponential(size=(3_000, 40)), 0)
np.save("x.npy", (some @ directions).astype(np.float32))
PYTHON

for kind in false true; do
    rm -f sae.safetensors z.npz back.npy again.npy
    "$program" sae train x.npy --sae 64:4 --out sae.safetensors --quiet \
        -o sae.max_epochs=40 -o sae.batch_top_k=$kind >/dev/null
    "$program" sae encode sae.safetensors x.npy --out z.npz
    "$program" sae decode sae.safetensors z.npz --out back.npy
    python/bin/python - "$here/../../docs/autoencoders.md" <<'PYTHON'
import re, sys
import numpy as np
import scipy.sparse

numpy_lines, torch_lines = re.findall(r"```python\n(.*?)```", open(sys.argv[1]).read(), re.DOTALL)
x, z = np.load("x.npy"), scipy.sparse.load_npz("z.npz")
exec(numpy_lines)
same = lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-4)
assert z.shape == (3_000, 64) and z.nnz > 3_000
# What lies on the threshold but for rounding may fall on either side.
a, threshold = encode(x), about["threshold"] or 0
clear = np.abs(np.maximum(a, z.toarray()) - threshold) > 1e-4
same(np.where(clear, z.toarray(), 0), np.where(clear, a, 0))
same(np.load("back.npy"), decode(z.toarray()))
scipy.sparse.save_npz("scipy.npz", z)
try:
    import torch
except ImportError:
    print("NumPy and SciPy agree")
    sys.exit()
import pathlib, types
# The package imports what embeds and asks; its autoencoder stands alone.
folder = next(p for p in map(pathlib.Path, sys.path) if (p / "hypothesaes").is_dir())
package = types.ModuleType("hypothesaes")
package.__path__ = [str(folder / "hypothesaes")]
sys.modules["hypothesaes"] = package
exec(torch_lines)
sae.to("cpu").eval()
with torch.no_grad():
    same(np.load("back.npy"), sae(torch.tensor(x, device=sae.device))[0].cpu().numpy())
print("NumPy, SciPy and torch agree")
PYTHON
    "$program" sae decode sae.safetensors scipy.npz --out again.npy
    cmp back.npy again.npy
done
echo "== autoencoders in Python are those of the program"
