"""The original package 2.0.1, for what is held against it: the modules that compute, without torch
and without the client of a service, which they import and here do not need."""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

NAME = "peer_hypothesaes"


def folder() -> Path:
    """The folder that holds its `hypothesaes/`."""
    given = os.environ.get("HYPOTHESAES_PEER", "")
    if not (Path(given) / "hypothesaes" / "evaluation.py").exists() or not given:
        pytest.skip("HYPOTHESAES_PEER names no folder with the original package 2.0.1")
    return Path(given)


def module(name: str) -> Any:
    """A module of it, under a name of its own."""
    if NAME not in sys.modules:
        package = ModuleType(NAME)
        package.__path__ = [str(folder() / "hypothesaes")]
        sys.modules[NAME] = package
        for absent in ("openai", "tiktoken", "tqdm", "tqdm.auto"):
            sys.modules.setdefault(absent, ModuleType(absent))
        sys.modules["tqdm.auto"].tqdm = lambda items, **_: items  # type: ignore[attr-defined]
    return importlib.import_module(f"{NAME}.{name}")
