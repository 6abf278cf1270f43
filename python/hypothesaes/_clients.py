"""Which server is asked, with which key, and where its answers are kept: from the environment."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from . import _native
from .errors import KeyRefusedError, MissingAnswersError

OPENAI = "https://api.openai.com/v1"
KEYS = ("OPENAI_KEY_SAE", "OPENAI_API_KEY")

_clients: dict[tuple[object, ...], _native.Client] = {}


def base_url() -> str:
    """The address in OPENAI_BASE_URL, else OpenAI's own."""
    return os.environ.get("OPENAI_BASE_URL", "").strip() or OPENAI


def key() -> str | None:
    """The key in the environment; a placeholder such as `sk-...` is none."""
    found = (os.environ.get(name, "").strip() for name in KEYS)
    return next((key for key in found if key and "..." not in key), None)


def answers_file(folder: str | None = None) -> str:
    """The file of answers, in `folder` or where the program keeps them too."""
    return os.path.join(folder, "answers.sqlite") if folder else _native.answers_file()


def client(
    *, folder: str | None = None, needs_key: bool = True, **options: Any
) -> _native.Client:
    """The client for the server and key in the environment, the same one for equal options.

    `options`: those of `_native.Client`, such as `timeout` and `max_concurrent`. One that is only
    looked into for what is kept needs no key.
    """
    address, secret, answers = base_url(), key(), answers_file(folder)
    is_openai = urlsplit(address).hostname == "api.openai.com"
    if secret is None and is_openai and needs_key:
        raise KeyRefusedError(
            "there is no key for OpenAI's server: set OPENAI_API_KEY (or OPENAI_KEY_SAE), or "
            "OPENAI_BASE_URL for a server of your own"
        )
    told = json.dumps({name: value for name, value in options.items() if value is not None})
    # A fork must not go on with its parent's connections.
    name = (os.getpid(), address, secret, answers, told)
    if name not in _clients:
        _clients[name] = _native.Client(address, secret, answers, told)
    return _clients[name]


@contextmanager
def asking(*, folder: str | None = None, **options: Any) -> Iterator[_native.Client]:
    """The client for work that may be done from kept answers alone.

    Without a key there is one that knows the kept answers; the key is asked for only if they do
    not suffice.
    """
    refusal: KeyRefusedError | None = None
    try:
        found = client(folder=folder, **options)
    except KeyRefusedError as error:
        refusal = error
        found = client(folder=folder, needs_key=False, frozen=True, **options)
    try:
        yield found
    except MissingAnswersError as error:
        if refusal is not None:
            raise refusal from error
        raise
