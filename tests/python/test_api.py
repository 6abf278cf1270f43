"""Every public name of the original's versions 0.2.0 and 2.0.1 is here, with its arguments."""

from __future__ import annotations

import dataclasses
import importlib
import importlib.util
import inspect
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import peer
import pytest

HERE = Path(__file__).parent
TABLE = json.loads((HERE / "api.json").read_text(encoding="utf-8"))
NEWEST = "2.0.1"

KINDS = {
    inspect.Parameter.POSITIONAL_OR_KEYWORD: "positional",
    inspect.Parameter.VAR_POSITIONAL: "*",
    inspect.Parameter.KEYWORD_ONLY: "keyword",
    inspect.Parameter.VAR_KEYWORD: "**",
}

OF_TORCH = {"compute_loss", "normalize_decoder_", "adjust_decoder_gradient_", "initialize_weights_"}
"""Steps of a training in torch, which is not used."""

LEFT_OVER = {"device"}
"""What modules of 0.2.0 found torch to run on."""


def ours(module: str) -> ModuleType:
    name = "hypothesaes" if module == "__init__" else f"hypothesaes.{module}"
    return importlib.import_module(name)


def parameters(function: Any) -> list[inspect.Parameter]:
    found = inspect.signature(function).parameters.values()
    return [parameter for parameter in found if parameter.name != "self"]


def functions(version: str) -> list[tuple[str, str, list[dict[str, Any]]]]:
    """(module, qualified name, arguments) of all functions and methods."""
    found = []
    for module, of in TABLE[version].items():
        found += [(module, name, arguments) for name, arguments in of["functions"].items()]
        for name, described in of["classes"].items():
            methods = described["methods"].items()
            found += [(module, f"{name}.{m}", a) for m, a in methods if m not in OF_TORCH]
    return found


def find(module: str, name: str) -> Any:
    found: Any = ours(module)
    for part in name.split("."):
        found = getattr(found, part)
    return found


def names(functions: list[tuple[str, str, Any]]) -> list[str]:
    return [f"{module}.{name}" for module, name, _ in functions]


@pytest.mark.parametrize(
    ("module", "name", "arguments"), functions(NEWEST), ids=names(functions(NEWEST))
)
def test_arguments_and_defaults_are_those_of_2_0_1(
    module: str, name: str, arguments: list[dict[str, Any]]
) -> None:
    there = parameters(find(module, name))
    extra = there[len(arguments) :]
    if arguments and arguments[-1]["kind"] == "**":
        # Ours come before `**kwargs`.
        extra = there[len(arguments) - 1 : -1]
        there = [*there[: len(arguments) - 1], there[-1]]
    assert all(KINDS[one.kind] in ("keyword", "**") for one in extra), extra
    described = [(one.name, KINDS[one.kind]) for one in there[: len(arguments)]]
    assert described == [(one["name"], one["kind"]) for one in arguments]
    for one, expected in zip(there, arguments):
        if "computed" in expected:
            assert one.default is not inspect.Parameter.empty, one
        else:
            default = expected.get("default", inspect.Parameter.empty)
            default = tuple(default) if isinstance(default, list) else default
            assert one.default == default, one


OLD = functions("0.2.0")


@pytest.mark.parametrize(("module", "name", "arguments"), OLD, ids=names(OLD))
def test_arguments_of_0_2_0_are_taken(
    module: str, name: str, arguments: list[dict[str, Any]]
) -> None:
    there = {one.name: one for one in parameters(find(module, name))}
    takes_any = any(KINDS[one.kind] == "**" for one in there.values())
    assert takes_any or {one["name"] for one in arguments if one["kind"] != "**"} <= set(there)


@pytest.mark.parametrize("version", list(TABLE))
def test_constants_classes_and_exports(version: str) -> None:
    for module, described in TABLE[version].items():
        there = ours(module)
        expected = [*described["constants"], *described["exported"], *described["classes"]]
        absent = {name for name in expected if not hasattr(there, name)}
        assert absent <= LEFT_OVER, module
        for name, of in described["classes"].items():
            check_fields(getattr(there, name), of["fields"], version)


def check_fields(class_: Any, expected: list[dict[str, Any]], version: str) -> None:
    """Fields in their order, with the newest version's defaults."""
    if not expected:
        return
    fields = {field.name: field for field in dataclasses.fields(class_)}
    wanted = [one["name"] for one in expected]
    if version != NEWEST:
        assert set(wanted) <= set(fields)
        return
    assert list(fields)[: len(wanted)] == wanted
    for one in expected:
        if "default" in one:
            assert fields[one["name"]].default == one["default"]


def test_star_import_brings_what_the_original_brings() -> None:
    there: dict[str, Any] = {}
    exec("from hypothesaes import *", there)
    for version in TABLE.values():
        assert set(version["__init__"]["exported"]) <= set(there)
    assert callable(there["select_neurons"])
    # A notebook's own function of this name must stay.
    assert "display" not in there


def test_a_module_and_a_function_of_one_name() -> None:
    script = (
        "import hypothesaes.select_neurons; from hypothesaes.select_neurons import *; "
        "import hypothesaes, importlib; assert callable(hypothesaes.select_neurons); "
        "importlib.reload(hypothesaes); assert callable(hypothesaes.select_neurons); "
        "assert hypothesaes.sae.SparseAutoencoder is hypothesaes.SparseAutoencoder"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_importing_brings_nothing_heavy() -> None:
    script = (
        "import sys, hypothesaes; "
        "print(*{name.partition('.')[0] for name in sys.modules})"
    )
    result = subprocess.run(
        [sys.executable, "-c", script], check=True, capture_output=True, text=True
    )
    heavy = {"pandas", "polars", "scipy", "sklearn", "torch", "asyncio", "IPython"}
    assert heavy.isdisjoint(result.stdout.split())


def test_the_table_is_that_of_the_package() -> None:
    folder = peer.folder()
    script = HERE.parents[1] / "scripts" / "golden" / "api.py"
    spec = importlib.util.spec_from_file_location("api", script)
    assert spec and spec.loader
    api = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(api)
    assert json.loads(json.dumps(api.table(folder))) == TABLE[NEWEST]
