"""The package is typed throughout, and the stubs of its extension module say what is there."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import hypothesaes

pytest.importorskip("mypy", reason="mypy is not installed: types are not checked")

CONFIG = """
[mypy]
strict = True
[mypy-IPython.*,altair.*,pandas.*,polars.*,scipy.*,sklearn.*,torch.*]
follow_imports = skip
ignore_missing_imports = True
"""
"""What users may have or not, and is imported inside functions, is not followed."""


def check(folder: Path, *command: str) -> None:
    config = folder / "mypy.ini"
    config.write_text(CONFIG, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", *(str(config) if word == "CONFIG" else word for word in command)],
        cwd=folder,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_mypy_finds_nothing(tmp_path: Path) -> None:
    assert (Path(hypothesaes.__file__).parent / "py.typed").exists()
    check(tmp_path, "mypy", "--config-file", "CONFIG", "-p", "hypothesaes")


def test_the_stubs_are_true(tmp_path: Path) -> None:
    check(tmp_path, "mypy.stubtest", "hypothesaes._native", "--mypy-config-file", "CONFIG")


def test_the_types_of_a_users_script_are_known(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "import hypothesaes\n"
        "run = hypothesaes.discover('a.csv', text='text', target='stars', max_cost=1)\n"
        "reveal_type(run)\n"
        "reveal_type(hypothesaes.plan('a.csv').dollars)\n"
        "reveal_type(run.summary().as_latex())\n"
        "hypothesaes.discover('a.csv', n_hypotheses='many')\n",
        encoding="utf-8",
    )
    command = [sys.executable, "-m", "mypy", "--strict", script.name]
    told = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True).stdout
    assert 'Revealed type is "hypothesaes._run.Run"' in told
    assert 'Revealed type is "float | None"' in told or "Union[float, None]" in told
    assert 'Revealed type is "str"' in told or "builtins.str" in told
    assert 'Argument "n_hypotheses" to "discover" has incompatible type "str"' in told
    assert "Found 1 error in 1 file" in told
