"""The original's autoencoder class over the library's: training, checkpoints, activations."""

from __future__ import annotations

import copy
import json
import pickle
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import ROOT

from hypothesaes import SparseAutoencoder, get_multiple_sae_activations, load_model, train_sae
from hypothesaes._arrays import matrix
from hypothesaes.errors import DataError, MissingFileError, OptionError, RunError
from hypothesaes.sae import get_sae_checkpoint_name, load_models

GOLDEN = ROOT / "crates" / "hypothesaes" / "tests" / "golden"


def embeddings(n: int = 400, d: int = 16, seed: int = 0) -> Any:
    """Sums of a few of 40 directions."""
    random = np.random.default_rng(seed)
    directions = np.random.default_rng(9).normal(size=(40, d))
    active = random.random((n, 40)) < 0.08
    return (active * random.gamma(3, 0.5, (n, 40)) @ directions).astype(np.float32)


X = embeddings()
VALIDATION = embeddings(100, seed=1)


def trained(**options: Any) -> SparseAutoencoder:
    return train_sae(X, 32, 4, n_epochs=20, show_progress=False, **options)


SAE = trained(val_embeddings=VALIDATION)


class Tensor:
    """As much of a torch tensor as is looked at."""

    def __init__(self, values: Any) -> None:
        self.values, self.dtype = np.asarray(values), "torch.float32"

    def detach(self) -> Tensor:
        return self

    def cpu(self) -> Tensor:
        return self

    def __array__(self, *_: Any, **__: Any) -> Any:
        return self.values

    def __len__(self) -> int:
        return len(self.values)


def test_the_originals_attributes_and_history() -> None:
    sae = SparseAutoencoder(16, 32, 4, prefix_lengths=[8, 32])
    assert (sae.input_dim, sae.m_total_neurons, sae.k_active_neurons) == (16, 32, 4)
    assert (sae.aux_k, sae.multi_k, sae.dead_neuron_threshold_steps) == (8, None, 256)
    assert (sae.prefix_lengths, sae.use_batch_topk, sae.device) == ([8, 32], False, "cpu")
    assert SparseAutoencoder(16, 4, 3).aux_k == 4
    history = sae.fit(X, VALIDATION, n_epochs=6, show_progress=False)
    assert list(history) == ["train_loss", "val_loss", "dead_neuron_ratio"]
    assert [len(values) for values in history.values()] == [6, 6, 6]
    assert sae.fit(X, n_epochs=3, patience=1, show_progress=False)["val_loss"] == []
    # Without validation rows nothing stops early.
    assert len(json.loads(sae.model.history)) == 3
    assert sae.eval() is sae and sae.to("cuda") is sae
    with pytest.raises(RunError, match="call `fit`"):
        SparseAutoencoder(16, 32, 4).get_activations(X)


def test_activations_are_what_the_weights_say() -> None:
    weights = SAE.state_dict()
    z = SAE.get_activations(X, show_progress=False)
    assert z.dtype == np.float32 and z.shape == (400, 32)
    before = (X - weights["input_bias"]) @ weights["encoder.weight"].T + weights["neuron_bias"]
    largest = np.sort(before, axis=1)[:, -4:-3]
    expected = np.where(before >= largest, np.maximum(before, 0), 0)
    np.testing.assert_allclose(z, expected, atol=1e-4)
    back, told = SAE(X)
    np.testing.assert_array_equal(told["activations"], z)
    np.testing.assert_allclose(
        back, z @ weights["decoder.weight"].T + weights["input_bias"], atol=1e-4
    )
    assert ((X - back) ** 2).sum() < 0.9 * ((X - X.mean(axis=0)) ** 2).sum()


def test_any_kind_of_array_is_taken() -> None:
    expected = SAE.get_activations(X, show_progress=False)
    wide = np.zeros((400, 32), np.float32)
    wide[:, ::2] = X
    frozen = X.copy()
    frozen.flags.writeable = False
    kinds = [
        X.tolist(),
        list(X),
        X.astype(np.float64),
        np.asfortranarray(X),
        wide[:, ::2],
        frozen,
        Tensor(X),
        [Tensor(row) for row in X],
    ]
    for kind in kinds:
        np.testing.assert_array_equal(SAE.get_activations(kind, show_progress=False), expected)
    for kind in kinds[2:6]:
        # Read where they lie.
        assert np.shares_memory(matrix(kind, "inputs"), kind)
    pandas = pytest.importorskip("pandas")
    found = SAE.get_activations(pandas.DataFrame(X), batch_size=7, show_progress=False)
    np.testing.assert_array_equal(found, expected)
    half = SAE.get_activations(X.astype(np.float16), show_progress=False)
    assert np.abs(half - expected).mean() < 0.05


def test_several_autoencoders_stand_side_by_side() -> None:
    small = train_sae(X, 8, 2, n_epochs=2, show_progress=False)
    found, sources = get_multiple_sae_activations(
        [SAE, small], X, return_neuron_source_info=True, show_progress=False
    )
    assert found.shape == (400, 40) and found.dtype == np.float32
    assert sources == [(32, 4)] * 32 + [(8, 2)] * 8
    np.testing.assert_array_equal(found[:, 32:], small.get_activations(X, show_progress=False))
    alone = get_multiple_sae_activations(SAE, X, show_progress=False)
    np.testing.assert_array_equal(alone, found[:, :32])
    with pytest.raises(OptionError, match="is empty"):
        get_multiple_sae_activations([], X)


@pytest.mark.parametrize("n", [512 + 1, 5, 2])
def test_trap_01_any_number_of_rows_trains(n: int) -> None:
    x = embeddings(600)[:n]
    sae = train_sae(x, 8, 2, n_epochs=3, val_embeddings=x[:1], show_progress=False)
    assert np.isfinite(sae.state_dict()["encoder.weight"]).all()


def test_trap_02_the_best_epoch_is_kept() -> None:
    sae = SparseAutoencoder(16, 32, 4)
    history = sae.fit(
        X[:60], VALIDATION, n_epochs=200, learning_rate=0.01, patience=3, show_progress=False
    )
    best = int(np.argmin(history["val_loss"]))
    assert len(history["val_loss"]) < 200
    assert sae.best_epoch == best + 1 < len(history["val_loss"])
    fvu = json.loads(sae.model.reconstruction(VALIDATION))["fvu"]
    assert fvu == pytest.approx(history["val_loss"][best], rel=1e-3)


def test_trap_04_the_dead_clock_counts_rows_and_acts_on_small_data() -> None:
    options = {"n_epochs": 1, "show_progress": False}
    for steps, batch_size, rows in ((256, 512, 2 * 400), (3, 100, 300), (256, 2, 512)):
        sae = train_sae(
            X, 8, 2, dead_neuron_threshold_steps=steps, batch_size=batch_size, **options
        )
        assert json.loads(sae.model.options)["dead_after"] == rows
    # So many neurons that some must be dead soon.
    history = SparseAutoencoder(16, 512, 1).fit(X[:100], n_epochs=10, show_progress=False)
    assert history["dead_neuron_ratio"][-1] > 0


def test_trap_05_batch_top_k_is_as_sparse_as_asked() -> None:
    sae = trained(batch_topk=True)
    assert sae.use_batch_topk and sae.state_dict()["threshold"] > 0
    n_active = (sae.get_activations(X, show_progress=False) > 0).sum(axis=1).mean()
    assert n_active == pytest.approx(4, rel=0.05)


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> Any:
    return lambda: capsys.readouterr().out


def same(one: SparseAutoencoder, other: SparseAutoencoder) -> bool:
    a, b = one.state_dict(), other.state_dict()
    return all(np.array_equal(a[name], b[name]) for name in a)


def test_trap_06_a_checkpoint_is_used_for_its_own_training_only(tmp_path: Path, said: Any) -> None:
    folder = tmp_path / "new" / "folder"
    there = {"checkpoint_dir": str(folder), "val_embeddings": VALIDATION}
    first = trained(**there)
    path = folder / get_sae_checkpoint_name(32, 4)
    assert path.name == "SAE_M=32_K=4.pt" and "Saved" in said()
    assert same(trained(**there), first) and "was trained on these embeddings" in said()
    # Equal rows of another type are the same rows.
    again = train_sae(X.tolist(), 32, 4, n_epochs=20, show_progress=False, **there)
    assert same(again, first) and "Loaded" in said()
    content = path.read_bytes()
    others: list[tuple[str, dict[str, Any]]] = [
        ("its `batch_top_k` is", {"batch_topk": True}),
        ("its `learning_rate` is", {"learning_rate": 0.001}),
        ("its `seed` is 0, not 3", {"seed": 3}),
        ("validated on others", {"val_embeddings": VALIDATION[:50]}),
    ]
    for why, options in others:
        path.write_bytes(content)
        asides = set(folder.glob("*.before-*"))
        other = trained(**{**there, **options})
        printed = said()
        assert why in printed and "another one is trained" in printed
        (aside,) = set(folder.glob("*.before-*")) - asides
        assert aside.read_bytes() == content and str(aside) in printed
        assert same(load_model(str(path)), other)
    path.write_bytes(content)
    other = train_sae(X + 1, 32, 4, n_epochs=20, show_progress=False, **there)
    assert "trained on other embeddings" in said() and not same(other, first)


def test_trap_06_overwriting_and_damage(tmp_path: Path, said: Any) -> None:
    there = {"checkpoint_dir": str(tmp_path)}
    trained(**there)
    trained(**there, seed=1, overwrite_checkpoint=True)
    assert [path.name for path in tmp_path.iterdir()] == ["SAE_M=32_K=4.pt"]
    path = tmp_path / "SAE_M=32_K=4.pt"
    path.write_bytes(path.read_bytes()[:100])
    said()
    trained(**there)
    assert "cannot be read" in said()
    assert (tmp_path / "SAE_M=32_K=4.pt.before-1").stat().st_size == 100
    # `fit` keeps what another training left, too.
    sae = SparseAutoencoder(16, 32, 4)
    sae.fit(X, save_dir=str(tmp_path), n_epochs=1, show_progress=False)
    assert (tmp_path / "SAE_M=32_K=4.pt.before-2").exists()
    assert same(load_model(str(path)), sae)
    assert get_sae_checkpoint_name(32, 4, [8, 32]) == "SAE_matryoshka_M=32_K=4_prefixes=8-32.pt"


def test_trap_06_a_checkpoint_of_the_original_is_used_if_its_sizes_fit(
    tmp_path: Path, said: Any
) -> None:
    path = tmp_path / get_sae_checkpoint_name(12, 3)
    shutil.copy(GOLDEN / "sae_plain.pt", path)
    golden = json.loads((GOLDEN / "sae_checkpoint.json").read_text())
    x = np.array(golden["x"], np.float32)
    there = {"checkpoint_dir": str(tmp_path), "show_progress": False, "n_epochs": 2}
    sae = train_sae(x, 12, 3, **there)
    assert "cannot be checked" in said()
    found = sae.get_activations(x, show_progress=False)
    np.testing.assert_allclose(found, golden["activations"]["plain"], atol=1e-5)
    sae.save(str(tmp_path / "ours.pt"))
    pickle.loads(pickle.dumps(sae))
    # Of another size it is another autoencoder.
    other = train_sae(x[:, :5], 12, 3, **there)
    assert "vectors of 7 numbers, not 5" in said() and other.input_dim == 5
    assert (tmp_path / f"{path.name}.before-1").read_bytes() == (
        GOLDEN / "sae_plain.pt"
    ).read_bytes()


def test_trap_07_same_seed_same_bytes(tmp_path: Path) -> None:
    files = []
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        np.random.seed(len(files))
        trained(seed=seed).save(str(tmp_path / name))
        files.append((tmp_path / name).read_bytes())
    assert files[0] == files[1] != files[2]


def test_trap_08_what_cannot_train_is_refused_at_the_door() -> None:
    nan = X.copy()
    nan[7, 3] = np.inf
    of = "`k_active_neurons` is"
    for message, call in (
        (f"{of} `5`, allowed: 1 to 4 (`m_total_neurons`)", lambda: train_sae(X, 4, 5)),
        (f"{of} `0`, allowed: 1 to 4", lambda: train_sae(X, 4, 0)),
        (f"{of} `4`, allowed: 1 to 3 (training rows)", lambda: train_sae(X[:3], 4, 4)),
        ("`m_total_neurons` is `0`", lambda: train_sae(X, 0, 1)),
        ("`m_total_neurons` is `8.5`", lambda: train_sae(X, 8.5, 1)),  # type: ignore[arg-type]
        ("rise and end at 8", lambda: train_sae(X, 8, 1, matryoshka_prefix_lengths=[4, 6])),
        ("`embeddings` has `inf` at row 7, column 3", lambda: train_sae(nan, 8, 2)),
        ("`val_embeddings` has 15 columns", lambda: train_sae(X, 8, 2, val_embeddings=X[:, 1:])),
        ("`embeddings` has the shape (16,)", lambda: train_sae(X[0], 8, 2)),
        ("`embeddings` has no rows", lambda: train_sae(X[:0], 8, 2)),
        ("`n_epochs` is `0`", lambda: train_sae(X, 8, 2, n_epochs=0)),
        ("`learning_rate`", lambda: train_sae(X, 8, 2, learning_rate=-1)),
        ("`clip_grad`", lambda: train_sae(X, 8, 2, clip_grad=0)),
        ("`aux_k` is `9`", lambda: train_sae(X, 8, 2, aux_k=9)),
        ("no table of numbers", lambda: train_sae([["a"]], 8, 2)),
        ("`inputs` has 3 columns, 16 expected", lambda: SAE.get_activations(X[:, :3])),
    ):
        with pytest.raises((DataError, OptionError)) as refused:
            call()
        assert message in str(refused.value)


def test_trap_09_nothing_in_a_file_is_run(tmp_path: Path) -> None:
    golden = json.loads((GOLDEN / "sae_checkpoint.json").read_text())
    for kind in ("plain", "batch_top_k"):
        sae = load_model(str(GOLDEN / f"sae_{kind}.pt"), device="cuda:1")
        found = sae.get_activations(np.array(golden["x"]), show_progress=False)
        np.testing.assert_allclose(found, golden["activations"][kind], atol=1e-5)
    assert sae.use_batch_topk and sae.prefix_lengths == [4, 12] and sae.multi_k == 5
    # It stays the file that it was, until it knows what its errors are measured in.
    sae.save(str(tmp_path / "theirs.pt"))
    assert (tmp_path / "theirs.pt").read_bytes() == (GOLDEN / f"sae_{kind}.pt").read_bytes()
    sae.judged(golden["x"]).save(str(tmp_path / "ours.pt"))
    assert not (tmp_path / "ours.pt").read_bytes().startswith(b"PK")
    assert same(load_model(str(tmp_path / "ours.pt")), sae)

    class Runs:
        def __reduce__(self) -> Any:
            return open, (str(tmp_path / "it ran"), "w")

    with zipfile.ZipFile(tmp_path / "bad.pt", "w") as file:
        file.writestr("bad/data.pkl", pickle.dumps({"config": Runs()}))
        file.writestr("bad/version", "3")
    with pytest.raises(DataError):
        load_model(str(tmp_path / "bad.pt"))
    assert not (tmp_path / "it ran").exists()
    with pytest.raises(MissingFileError, match=r"nothing\.pt"):
        load_model(str(tmp_path / "nothing.pt"))


def test_saved_loaded_pickled_and_copied_it_is_the_same(tmp_path: Path, said: Any) -> None:
    path = str(tmp_path / "deep" / "sae.pt")
    assert SAE.save(path) == path and path in said()
    loaded = load_model(path)
    assert [same(SAE, other) for other in load_models(path)] == [True]
    for other in (loaded, pickle.loads(pickle.dumps(SAE)), copy.deepcopy(SAE)):
        assert same(SAE, other)
        assert repr(other) == repr(SAE)
        assert (other.aux_k, other.best_epoch) == (SAE.aux_k, SAE.best_epoch)


MEMORY = """
import resource
import numpy as np
from hypothesaes import display, train_sae

display(prints=False)
x = np.random.default_rng(0).standard_normal((40_000, 1_536), dtype=np.float32)
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
before = peak()
train_sae(x, 32, 4, n_epochs=1, show_progress=False)
print((peak() - before) * 1024 / x.nbytes)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the unit of ru_maxrss is that of Linux")
def test_embeddings_are_not_copied_for_training() -> None:
    told = subprocess.run([sys.executable, "-c", MEMORY], capture_output=True, text=True, check=True)
    # A window of rows and the weights; a copy would be 1 or more.
    assert float(told.stdout) < 0.5
