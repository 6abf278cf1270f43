"""Questions to a language model, one at a time: a prompt or a conversation goes in, the text of the
answer comes out. Which server is asked, and with which key, is said by the environment:
`OPENAI_BASE_URL`, `OPENAI_KEY_SAE`, `OPENAI_API_KEY`, looked at by every call."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from . import _clients, _native
from ._asked import as_json, request_options
from .errors import OptionError, ServerError

__all__ = [
    "DEFAULT_MODEL",
    "LOCAL_OPENAI_API_KEY_PLACEHOLDER",
    "get_client",
    "get_completion",
    "model_abbrev_to_id",
    "normalize_llm_kwargs",
]

_GPT = ("4o", "4o-mini", "4.1", "4.1-mini", "4.1-nano", "5", "5-mini", "5-nano", "5.2")

model_abbrev_to_id = {
    # The snapshot that version 0.2.0 names; the others follow their maker's newest.
    "gpt4": "gpt-4-0125-preview",
    "gpt-4": "gpt-4-0125-preview",
    **{f"gpt{name}": f"gpt-{name}" for name in _GPT},
    **{f"gpt-{name}": f"gpt-{name}" for name in _GPT},
}
"""Short names of models; a name that is not here is sent as it is."""

DEFAULT_MODEL = "gpt-5-mini"

LOCAL_OPENAI_API_KEY_PLACEHOLDER = "local-no-auth"
"""What the original sends where there is no key. Here nothing is sent then."""


def normalize_llm_kwargs(
    llm_kwargs: Mapping[str, Any] | None = None,
    *,
    default_verbosity: str | None = None,
    default_reasoning_effort: str | None = None,
    default_timeout: float | None = None,
    default_max_output_tokens: int | None = None,
) -> dict[str, Any]:
    """Arguments of a request, with defaults for those that are not there.

    Parameters
    ----------
    llm_kwargs : mapping, optional
        Arguments that the caller gave; they stay as they are.
    default_verbosity, default_reasoning_effort : str, optional
        Used where neither the argument nor `text` or `reasoning`, which can hold it, is given.
    default_timeout : float, optional
        Seconds.
    default_max_output_tokens : int, optional
        Tokens of an answer.

    Returns
    -------
    dict
        A new one.
    """
    given = dict(llm_kwargs or {})
    defaults = (
        ("verbosity", default_verbosity, ("text",)),
        ("reasoning_effort", default_reasoning_effort, ("reasoning",)),
        ("timeout", default_timeout, ()),
        ("max_output_tokens", default_max_output_tokens, ()),
    )
    for name, default, holders in defaults:
        if default is not None and not any(known in given for known in (name, *holders)):
            given[name] = default
    return given


def get_client() -> _native.Client:
    """The client of the server that the environment names.

    Returns
    -------
    hypothesaes._native.Client
        The one that all functions of the package use; not the client of the package `openai`.

    Raises
    ------
    KeyRefusedError
        If OpenAI's own server is to be asked and there is no key.
    """
    return _clients.client()


def get_completion(
    prompt: str | None = None,
    *,
    messages: Sequence[Mapping[str, Any]] | None = None,
    model: str = DEFAULT_MODEL,
    timeout: float | None = None,
    max_retries: int = 3,
    backoff_factor: float = 2.0,
    **kwargs: Any,
) -> str:
    """Ask a language model one question, anew at every call.

    Parameters
    ----------
    prompt : str, optional
        The question; not looked at if there are `messages`.
    messages : sequence of mappings, optional
        A conversation, as `{"role": ..., "content": ...}`. A longer one is written out by role,
        for servers that keep none.
    model : str
        Name or short name (`model_abbrev_to_id`).
    timeout : float, optional
        Seconds after which a call that has not come back is made again.
    max_retries, backoff_factor
        Taken and not needed: what can pass is asked again when the server says so, what cannot
        pass is not.
    **kwargs
        `temperature`, `reasoning_effort`, `verbosity`, `max_output_tokens`, and whatever else the
        Responses API takes. What the model refuses is left out and remembered.

    Returns
    -------
    str
        The answer without thoughts, never empty.

    Raises
    ------
    ServerError
        If there is no answer, with the reason; KeyRefusedError if there is no key.
    """
    del max_retries, backoff_factor
    if messages is not None:
        question = _conversation(messages)
    elif prompt is not None:
        question = ("", prompt)
    else:
        raise OptionError("there is neither `prompt` nor `messages`: give one of them")
    name = model_abbrev_to_id.get(model, model)
    options = as_json(request_options(kwargs))
    key = ("completion", uuid.uuid4().hex)
    client = _clients.client(timeout=timeout)
    answer, why = client.complete([question], [key], name, options, "completion")[0]
    if answer is None:
        raise ServerError(f"`{name}` at `{client.host}` gives no answer: {why}")
    return answer


def _conversation(messages: Sequence[Mapping[str, Any]]) -> tuple[str, str]:
    """What comes before the first question, and the rest."""
    parts = [
        (str(message.get("role", "user")), _content(message, place))
        for place, message in enumerate(messages)
    ]
    if not parts:
        raise OptionError("`messages` is empty: give at least one message")
    n_system = next(
        (i for i, (role, _) in enumerate(parts) if role not in ("system", "developer")), len(parts)
    )
    system = "\n\n".join(content for _, content in parts[:n_system])
    rest = parts[n_system:]
    if not rest:
        return "", system
    if len(rest) == 1 and rest[0][0] == "user":
        return system, rest[0][1]
    return system, "\n\n".join(f"{role.capitalize()}:\n{content}" for role, content in rest)


def _content(message: Mapping[str, Any], place: int) -> str:
    """The text of a message, which may come in pieces."""
    content = message.get("content")
    if isinstance(content, str):
        return content
    pieces = content if isinstance(content, (list, tuple)) else [content]
    texts = [piece.get("text") if isinstance(piece, Mapping) else piece for piece in pieces]
    for piece, text in zip(pieces, texts):
        if not isinstance(text, str):
            raise OptionError(f"message {place} of `messages` holds `{piece!r}`: only text is sent")
    return "".join(text for text in texts if isinstance(text, str))
