"""The public names of the Python package, with their arguments and defaults: facts, no code.

    python scripts/golden/api.py 0.2.0=FOLDER 2.0.1=FOLDER > tests/python/api.json

FOLDER holds `hypothesaes/` of that version, as an unpacked wheel or site-packages does. It is read,
not run.
"""

import ast
import json
import sys
from pathlib import Path

KINDS = ("positional", "*", "keyword", "**")


def table(folder):
    """The modules of a version, by name."""
    modules = {}
    for path in sorted((Path(folder) / "hypothesaes").glob("*.py")):
        modules[path.stem] = module(ast.parse(path.read_text(encoding="utf-8")))
    return modules


def module(tree):
    constants = {name: value for name, value in assigned(tree.body)}
    functions = {
        node.name: arguments(node, constants)
        for node in tree.body
        if isinstance(node, ast.FunctionDef) and is_public(node.name)
    }
    classes = {
        node.name: class_(node, constants)
        for node in tree.body
        if isinstance(node, ast.ClassDef) and is_public(node.name)
    }
    exported = constants.pop("__all__", None)
    return {
        "exported": [] if exported is None else ast.literal_eval(exported),
        "constants": [name for name in constants if is_public(name)],
        "functions": functions,
        "classes": classes,
    }


def class_(node, constants):
    """Methods with their arguments, and the fields of a dataclass."""
    is_dataclass = any("dataclass" in ast.unparse(d) for d in node.decorator_list)
    fields = [
        {"name": item.target.id, **default(item.value, constants)}
        for item in node.body
        if isinstance(item, ast.AnnAssign) and is_dataclass
    ]
    methods = {
        item.name: arguments(item, constants)
        for item in node.body
        if isinstance(item, ast.FunctionDef) and (is_public(item.name) or item.name == "__init__")
    }
    return {"fields": fields, "methods": methods}


def arguments(function, constants):
    """Name, kind and default of every argument."""
    of = function.args
    named = [*of.posonlyargs, *of.args]
    defaults = [None] * (len(named) - len(of.defaults)) + of.defaults
    found = [argument(a.arg, 0, d, constants) for a, d in zip(named, defaults)]
    if of.vararg:
        found.append(argument(of.vararg.arg, 1, None, constants))
    found += [argument(a.arg, 2, d, constants) for a, d in zip(of.kwonlyargs, of.kw_defaults)]
    if of.kwarg:
        found.append(argument(of.kwarg.arg, 3, None, constants))
    return [one for one in found if one["name"] != "self"]


def argument(name, kind, value, constants):
    return {"name": name, "kind": KINDS[kind], **default(value, constants)}


def default(value, constants):
    """Nothing, {"default": ...}, or {"computed": true} for what is no constant."""
    if value is None:
        return {}
    if isinstance(value, ast.Name) and value.id in constants:
        named = default(constants[value.id], constants)
        # Prose is no fact.
        return {"computed": True} if isinstance(named.get("default"), str) else named
    parts = (ast.Constant, ast.Tuple, ast.List, ast.BinOp, ast.UnaryOp, ast.operator, ast.unaryop)
    if all(isinstance(node, (*parts, ast.Load)) for node in ast.walk(value)):
        return {"default": eval(ast.unparse(value))}
    return {"computed": True}


def assigned(body):
    """Names that a module assigns, with what they are assigned."""
    for node in body:
        if isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Name):
                    yield target.id, node.value


def is_public(name):
    return not name.startswith("_")


def lines(value, depth=0):
    """JSON with a line for each function."""
    if depth == 4 or not isinstance(value, dict):
        return json.dumps(value)
    indent = " " * (depth + 1)
    parts = [f"{indent}{json.dumps(key)}: {lines(of, depth + 1)}" for key, of in value.items()]
    return "{\n" + ",\n".join(parts) + "\n" + " " * depth + "}" if parts else "{}"


if __name__ == "__main__":
    versions = dict(word.split("=", 1) for word in sys.argv[1:])
    print(lines({version: table(folder) for version, folder in versions.items()}))
