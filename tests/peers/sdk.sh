#!/usr/bin/env bash
# The program's requests against the types of OpenAI's own Python SDK (PyPI, openai), and replies
# made of them: the Responses API, chat, embeddings, files and batches.
# Takes a minute; skipped where pip cannot install: tests/peers/sdk.sh [PROGRAM].
# shellcheck source=tests/peers/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
version=3.54.0

python3 -m venv python
install openai python/bin/pip install --quiet --disable-pip-version-check "openai==$version"

# A run against a server with these endpoints: sdk ENDPOINTS FLAGS...
sdk() {
    local port
    port=$(free_port)
    echo "== openai $version: $*"
    python/bin/python "$here/sdk.py" "$port" "$1" &
    servers+=($!)
    await "$port" 20
    try "http://127.0.0.1:$port/v1" "${@:2}"
    python/bin/python - "$port" <<'PYTHON'
import json, sys, urllib.request
seen = json.load(urllib.request.urlopen(f"http://127.0.0.1:{sys.argv[1]}/seen"))
print("requests:", seen["requests"])
for wrong in sorted(set(seen["wrong"])):
    print("WRONG", wrong)
sys.exit(bool(seen["wrong"]) or len(seen["requests"]) < 2)
PYTHON
}

sdk responses,embeddings
sdk chat/completions,embeddings --single
sdk responses,embeddings --batch --wait
sdk chat/completions,embeddings --batch --wait --economy
echo "== all as the SDK has it"
