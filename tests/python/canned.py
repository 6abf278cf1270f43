"""A server whose answers the test writes, and that remembers what it was asked."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

Body = dict[str, Any]


class Canned:
    """Answers `/v1/responses` by `answer`, `/v1/embeddings` by `vector`."""

    def __init__(self) -> None:
        self.bodies: list[Body] = []
        self.answer: Callable[[str], str] = lambda prompt: "Yes"
        self.vector: Callable[[str], list[float]] = lambda text: [float(len(text)), 1.0]
        self.refusal: tuple[int, str] | None = None
        canned = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                sent = self.rfile.read(int(self.headers["content-length"]))
                status, reply = canned.reply(self.path, json.loads(sent))
                written = json.dumps(reply).encode()
                self.send_response(status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(written)))
                self.end_headers()
                self.wfile.write(written)

            def log_message(self, *_: object) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.base_url = f"http://127.0.0.1:{self.http.server_address[1]}/v1"
        serve = self.http.serve_forever
        threading.Thread(target=serve, args=(0.02,), daemon=True).start()

    def reply(self, path: str, body: Body) -> tuple[int, Body]:
        self.bodies.append(body)
        if self.refusal is not None:
            status, message = self.refusal
            return status, {"error": {"message": message, "type": "invalid_request_error"}}
        if path.endswith("/embeddings"):
            return 200, self._vectors(body)
        text = self.answer(prompt(body))
        content = [{"type": "output_text", "text": text, "annotations": []}]
        message = {"type": "message", "role": "assistant", "id": "m", "status": "completed"}
        usage = {"input_tokens": 9, "output_tokens": 9, "total_tokens": 18}
        return 200, {
            "id": "r",
            "object": "response",
            "status": "completed",
            "model": body["model"],
            "output": [{**message, "content": content}],
            "usage": usage,
        }

    def _vectors(self, body: Body) -> Body:
        texts = [body["input"]] if isinstance(body["input"], str) else body["input"]
        data = [
            {"object": "embedding", "index": i, "embedding": self.vector(text)}
            for i, text in enumerate(texts)
        ]
        usage = {"prompt_tokens": 1, "total_tokens": 1}
        return {"object": "list", "model": body["model"], "data": data, "usage": usage}

    def prompts(self) -> list[str]:
        """What was asked, in order."""
        return [prompt(body) for body in self.bodies]


def parts(body: Body) -> tuple[str, str]:
    """System and user part of a request."""
    sent = body["input"]
    items = [{"role": "user", "content": sent}] if isinstance(sent, str) else sent
    said = {"system": str(body.get("instructions") or ""), "user": ""}
    for item in items:
        role = "user" if item["role"] == "user" else "system"
        content = item["content"]
        if not isinstance(content, str):
            content = "".join(piece["text"] for piece in content)
        said[role] += content
    return said["system"], said["user"]


def prompt(body: Body) -> str:
    """All that a model reads of a request."""
    return "\n".join(part for part in parts(body) if part)


@pytest.fixture
def canned(monkeypatch: pytest.MonkeyPatch) -> Iterator[Canned]:
    """Starts such a server, and points the environment to it."""
    server = Canned()
    monkeypatch.setenv("OPENAI_BASE_URL", server.base_url)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test-secret")
    yield server
    server.http.shutdown()
    server.http.server_close()
