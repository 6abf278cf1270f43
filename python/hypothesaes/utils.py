"""Small things that the other modules and the original's notebooks use: prompts, shortened texts,
JSON files."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from . import progress
from ._asked import as_texts
from .errors import DataError, FileError, MissingFileError, OptionError

__all__ = [
    "filter_invalid_texts",
    "get_text_for_printing",
    "load_json",
    "load_prompt",
    "save_json",
    "truncate_text",
]

_PROMPTS = Path(__file__).parent / "prompts"
_TOKENS = "cl100k_base"


def load_prompt(prompt_name: str) -> str:
    """The text of a prompt, with its places still to be filled.

    Parameters
    ----------
    prompt_name : str
        Name of a prompt of the package, such as ``annotate``, or the path of a file of your own,
        with or without ``.txt``.

    Raises
    ------
    MissingFileError
        If there is no such prompt; the message lists those of the package.
    """
    name = os.fspath(prompt_name)
    for path in (_PROMPTS / f"{name}.txt", Path(name), Path(f"{name}.txt")):
        if path.is_file():
            return path.read_text(encoding="utf-8")
    there = ", ".join(f"`{path.stem}`" for path in sorted(_PROMPTS.glob("*.txt")))
    raise MissingFileError(f"there is no prompt `{name}`: name a file, or one of {there}")


def truncate_text(
    text: str,
    max_words: int | None = None,
    max_chars: int | None = None,
    max_tokens: int | None = None,
    truncation_message: str = "[... rest of text is truncated]",
) -> str:
    """A text cut to so many words, then characters, then tokens.

    Parameters
    ----------
    text : str
    max_words, max_chars, max_tokens : int, optional
        None does not limit. Words are cut at white space, which becomes single spaces. Tokens are
        those of `cl100k_base` and need the package `tiktoken`.
    truncation_message : str
        Put at the end of what was cut.

    Returns
    -------
    str
        The text itself if it is short enough, or was cut before.
    """
    if text.endswith(truncation_message) and truncation_message:
        return text
    cut = text
    if max_words is not None:
        words = cut.split()
        cut = " ".join(words[:max_words]) if len(words) > max_words else cut
    if max_chars is not None:
        cut = cut[:max_chars]
    if max_tokens is not None:
        cut = _first_tokens(cut, max_tokens)
    return cut if cut == text else cut + truncation_message


def get_text_for_printing(text: str, max_chars: int | None = 128) -> str:
    """A text on one line, of at most `max_chars` characters (None: all), marked where it is cut."""
    return truncate_text(text, max_chars=max_chars).replace("\n", " ")


def filter_invalid_texts(texts: Sequence[str | None]) -> list[str]:
    """The texts without those that are missing or blank, saying how many were left out."""
    given = as_texts(texts)
    kept = [text for text in given if text is not None and text.strip()]
    if len(kept) < len(given):
        progress.say(f"Warning: {len(given) - len(kept)} texts are missing or blank and left out")
    return kept


def save_json(data: Any, filepath: str) -> None:
    """Write `data` as JSON, whole or not at all, making the folders that lead there.

    Raises
    ------
    FileError
        If the file cannot be written.
    """
    # Turned into text first, so that what cannot be written costs no file.
    written = json.dumps(data)
    path = os.path.abspath(filepath)
    unfinished = f"{path}.{os.getpid()}.tmp"
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(unfinished, "w", encoding="utf-8") as file:
            file.write(written)
        os.replace(unfinished, path)
    except OSError as error:
        raise FileError(f"`{filepath}` cannot be written: {error.strerror}") from error


def load_json(filepath: str) -> Any:
    """What a JSON file holds; an empty dict if there is no file.

    Raises
    ------
    DataError
        If it holds no JSON, with the place. The file is left as it is.
    """
    if not os.path.exists(filepath):
        return {}
    try:
        with open(filepath, encoding="utf-8") as file:
            return json.load(file)
    except ValueError as error:
        raise DataError(f"`{filepath}` is no JSON ({error}): mend it or move it away") from None
    except OSError as error:
        raise FileError(f"`{filepath}` cannot be read: {error.strerror}") from error


def _first_tokens(text: str, n: int) -> str:
    try:
        import tiktoken  # type: ignore[import-not-found, unused-ignore]
    except ImportError:
        raise OptionError(
            "`max_tokens` needs the package `tiktoken`: install it, or use `max_words`"
        ) from None
    encoding = tiktoken.get_encoding(_TOKENS)
    # Marks such as <|endoftext|> are text like any other here.
    tokens = encoding.encode(text, disallowed_special=())
    return str(encoding.decode(tokens[:n])) if len(tokens) > n else text
