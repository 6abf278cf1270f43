#!/usr/bin/env python3
"""Makes crates/llm/src/price/table.json from the price list that the PyPI package litellm carries.

    python3 scripts/prices.py model_prices_and_context_window_backup.json VERSION DATE

Keeps models that answer text questions or embed texts, of OpenAI and of Gemini; dollars per
million tokens. The list is under the MIT licence; only figures are taken.
"""
import json
import re
import sys
from pathlib import Path

TABLE = Path(__file__).parent.parent / "crates/llm/src/price/table.json"
LEFT_OUT = re.compile(r"^ft:|audio|image|search|realtime|codex|computer-use|container|tts|veo|live")


def kept(name, row):
    providers = ("openai", "gemini")
    modes = ("chat", "responses", "embedding")
    return (
        row.get("litellm_provider") in providers
        and row.get("mode") in modes
        and row.get("input_cost_per_token")
        and not LEFT_OUT.search(name)
    )


def million(dollars):
    return round(dollars * 1e6, 6)


def price(row):
    source = {
        "input": "input_cost_per_token",
        "cached": "cache_read_input_token_cost",
        "output": "output_cost_per_token",
        "batch_input": "input_cost_per_token_batches",
        "batch_output": "output_cost_per_token_batches",
    }
    figures = {ours: million(row[theirs]) for ours, theirs in source.items() if row.get(theirs)}
    context = row.get("max_input_tokens")
    return figures | ({"context": context} if context else {})


def main():
    listed, version, date = sys.argv[1:]
    rows = json.loads(Path(listed).read_text())
    models = {n.removeprefix("gemini/"): price(r) for n, r in sorted(rows.items()) if kept(n, r)}
    lines = ",\n".join(f"    {json.dumps(n)}: {json.dumps(p)}" for n, p in models.items())
    source = f"litellm {version} (PyPI), model_prices_and_context_window_backup.json"
    head = f'  "source": {json.dumps(source)},\n  "date": {json.dumps(date)},\n'
    TABLE.write_text(f'{{\n{head}  "models": {{\n{lines}\n  }}\n}}\n')


if __name__ == "__main__":
    main()
