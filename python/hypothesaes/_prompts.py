"""Prompts with places to be filled: `{name}`, and `{{` for a brace."""

from __future__ import annotations

import json
from collections.abc import Mapping
from string import Formatter
from typing import Any

from .errors import ColumnError, OptionError


class Shown(list[Any]):
    """A list that a prompt shows as JSON, an item a line, so that no text can be taken for two."""

    def __str__(self) -> str:
        return json.dumps(list(self), ensure_ascii=False, indent=0, default=str)

    def __format__(self, spec: str) -> str:
        return format(str(self), spec)


def placeholders(name: str, template: str) -> list[str]:
    """The names that the prompt wants filled, each once."""
    try:
        fields = [field for _, field, _, _ in Formatter().parse(template) if field is not None]
    except ValueError as error:
        why = f"the prompt `{name}` cannot be read ({error}): write `{{{{` for a brace"
        raise OptionError(why) from None
    return list(dict.fromkeys(field.partition(".")[0].partition("[")[0] for field in fields))


def fill(name: str, template: str, values: Mapping[str, Any], source: str) -> str:
    """The prompt `name` with its places filled; `source` names whoever gave the values."""
    wanted = placeholders(name, template)
    absent = [field for field in wanted if field not in values]
    if absent:
        there = ", ".join(f"`{field}`" for field in values)
        gone = ", ".join(f"`{{{field}}}`" for field in absent)
        raise ColumnError(
            f"the prompt `{name}` wants {gone}, which {source} does not give: there is {there}; "
            "write `{{` for a brace that is no placeholder"
        )
    shown = {k: Shown(v) if isinstance(v, (list, tuple)) else v for k, v in values.items()}
    return template.format(**shown)
