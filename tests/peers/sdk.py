"""A server in the words of OpenAI's Python SDK: what arrives is checked against the SDK's types of
parameters, what leaves is made of its types of replies.

python sdk.py PORT ENDPOINTS, where ENDPOINTS is a list such as responses,embeddings. GET /seen gives
the number of requests by path, and what was wrong with them."""

import base64
import hashlib
import json
import re
import struct
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock

from openai.types import Batch, FileObject
from openai.types.batch_create_params import BatchCreateParams
from openai.types.chat import ChatCompletion
from openai.types.chat.completion_create_params import CompletionCreateParamsNonStreaming
from openai.types.embedding_create_params import EmbeddingCreateParams
from openai.types.responses import Response
from openai.types.responses.response_create_params import ResponseCreateParamsNonStreaming
from pydantic import TypeAdapter, ValidationError

PARAMS = {
    "responses": ResponseCreateParamsNonStreaming,
    "chat/completions": CompletionCreateParamsNonStreaming,
    "embeddings": EmbeddingCreateParams,
    "batches": BatchCreateParams,
}
CHECKS = {path: TypeAdapter(params) for path, params in PARAMS.items()}
DIMENSIONS = 64
lock = Lock()
seen: dict = {"requests": {}, "wrong": []}
files: dict = {}
batches: dict = {}
names = iter(range(10**9))


def check(path: str, body: dict) -> None:
    """Notes what the SDK's types do not allow, unknown names included."""
    problems = [f"unknown: {name}" for name in body if name not in PARAMS[path].__annotations__]
    try:
        CHECKS[path].validate_python(body, strict=True)
    except ValidationError as e:
        problems += [f"{error['loc']}: {error['msg']}" for error in e.errors()]
    with lock:
        seen["requests"][path] = seen["requests"].get(path, 0) + 1
        seen["wrong"] += [f"{path}: {problem}" for problem in problems]


def words(schema: dict | None, prompt: str) -> str:
    """Any answer in the form asked for: true or false by a hash of what is asked."""
    def value(of: dict, name: str):
        if "properties" in of:
            return {key: value(inner, key) for key, inner in of["properties"].items()}
        if "enum" in of:
            return of["enum"][0]
        yes = hashlib.sha256((name + prompt).encode()).digest()[0] % 2 == 0
        return {"boolean": yes, "string": "mentions the food", "array": [], "integer": 1}[of["type"]]

    return json.dumps(value(schema, "")) if schema else '{"answer": "yes"}'


def responses(body: dict) -> dict:
    schema = body.get("text", {}).get("format", {}).get("schema")
    text = words(schema, json.dumps(body["input"]))
    content = {"type": "output_text", "text": text, "annotations": []}
    message = {"id": "m", "type": "message", "role": "assistant", "status": "completed",
               "content": [content]}
    usage = {"input_tokens": 10, "output_tokens": 5, "total_tokens": 15,
             "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
             "output_tokens_details": {"reasoning_tokens": 0}}
    reply = {"id": "r", "object": "response", "created_at": time.time(), "model": body["model"],
             "status": "completed", "output": [message], "parallel_tool_calls": True,
             "tool_choice": "auto", "tools": [], "usage": usage}
    return json.loads(Response.model_validate(reply).model_dump_json())


def chat(body: dict) -> dict:
    schema = body.get("response_format", {}).get("json_schema", {}).get("schema")
    message = {"role": "assistant", "content": words(schema, json.dumps(body["messages"]))}
    choice = {"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}
    usage = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
    reply = {"id": "c", "object": "chat.completion", "created": int(time.time()),
             "model": body["model"], "choices": [choice], "usage": usage}
    return json.loads(ChatCompletion.model_validate(reply).model_dump_json())


def embeddings(body: dict) -> dict:
    """Vectors of letters, in base64, of which the SDK's types of replies know nothing."""
    def vector(text: str) -> list[float]:
        counts = [0.0] * DIMENSIONS
        for word in text.lower().split():
            counts[hashlib.sha256(word.encode()).digest()[0] % DIMENSIONS] += 1.0
        return counts

    texts = [body["input"]] if isinstance(body["input"], str) else body["input"]
    data = []
    for index, text in enumerate(texts):
        numbers = vector(text)
        if body.get("encoding_format") == "base64":
            numbers = base64.b64encode(struct.pack(f"<{DIMENSIONS}f", *numbers)).decode()
        data.append({"object": "embedding", "index": index, "embedding": numbers})
    usage = {"prompt_tokens": len(texts), "total_tokens": len(texts)}
    return {"object": "list", "model": body["model"], "data": data, "usage": usage}


ANSWERS = {"responses": responses, "chat/completions": chat, "embeddings": embeddings}


def begin(body: dict) -> dict:
    """A job that has ended when it is looked at."""
    name, output = f"batch_{next(names)}", f"file-{next(names)}"
    path = body["endpoint"].removeprefix("/v1/")
    lines = []
    for line in files[body["input_file_id"]].splitlines():
        question = json.loads(line)
        assert question["method"] == "POST" and question["url"] == body["endpoint"]
        check(path, question["body"])
        response = {"status_code": 200, "request_id": "q", "body": ANSWERS[path](question["body"])}
        lines.append(json.dumps({"id": "l", "custom_id": question["custom_id"],
                                 "response": response, "error": None}))
    files[output] = "\n".join(lines)
    batch = {"id": name, "object": "batch", "completion_window": "24h", "created_at": 1,
             "endpoint": body["endpoint"], "input_file_id": body["input_file_id"],
             "status": "validating", "output_file_id": output}
    batches[name] = json.loads(Batch.model_validate(batch).model_dump_json())
    return batches[name]


def upload(body: bytes) -> dict:
    purpose = re.search(rb'name="purpose"\r\n\r\n(\w+)\r\n', body)
    content = re.search(rb'name="file"; filename="[^"]+"(?:\r\n[^\r]+)?\r\n\r\n(.*?)\r\n--', body, re.S)
    with lock:
        if not purpose or purpose[1] != b"batch" or not content:
            seen["wrong"].append("files: no purpose, or no file")
            return {}
    name = f"file-{next(names)}"
    files[name] = content[1].decode()
    made = {"id": name, "object": "file", "bytes": len(content[1]), "created_at": 1,
            "filename": "f", "purpose": "batch", "status": "processed"}
    return json.loads(FileObject.model_validate(made).model_dump_json())


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    endpoints: list[str] = []

    def log_message(self, *_):
        pass

    def reply(self, body, status=200):
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_POST(self):
        path = self.path.removeprefix("/v1/")
        raw = self.rfile.read(int(self.headers["Content-Length"]))
        if path == "files":
            return self.reply(upload(raw))
        if path not in PARAMS or path not in [*self.endpoints, "batches"]:
            return self.reply({"error": {"message": "unknown URL", "code": "unknown_url"}}, 404)
        body = json.loads(raw)
        check(path, body)
        self.reply(begin(body) if path == "batches" else ANSWERS[path](body))

    def do_GET(self):
        parts = self.path.split("/")[2:]
        if self.path == "/seen":
            return self.reply(seen)
        if parts[0] == "batches" and parts[1] in batches:
            batches[parts[1]]["status"] = "completed"
            return self.reply(batches[parts[1]])
        if parts[0] == "files" and parts[1] in files:
            return self.reply(files[parts[1]].encode())
        self.reply({"error": {"message": "not there"}}, 404)

    def do_DELETE(self):
        files.pop(self.path.split("/")[-1])
        self.reply({"deleted": True})


Handler.endpoints = sys.argv[2].split(",")
ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
