#!/usr/bin/env bash
# The program's requests against the types of OpenAI's own Python SDK (PyPI, openai), and replies
# made of them: the Responses API, chat, embeddings, files and batches.
# By hand or where pip can install: tests/peers/sdk.sh [PROGRAM]. Takes less than a minute.
# shellcheck source=tests/peers/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
version=3.54.0

python3 -m venv python
python/bin/pip install --quiet --disable-pip-version-check "openai==$version"

# Types of the server's endpoints: sdk PORT ENDPOINTS FLAGS...
sdk() {
    echo "== openai $version: $2 ${*:3}"
    python/bin/python "$here/sdk.py" "$1" "$2" &
    servers+=($!)
    await "$1" 20
    try "http://127.0.0.1:$1/v1" "${@:3}"
    python/bin/python - "$1" <<'PYTHON'
import json, sys, urllib.request
seen = json.load(urllib.request.urlopen(f"http://127.0.0.1:{sys.argv[1]}/seen"))
print("requests:", seen["requests"])
for wrong in sorted(set(seen["wrong"])):
    print("WRONG", wrong)
sys.exit(bool(seen["wrong"]) or len(seen["requests"]) < 2)
PYTHON
}

sdk 4031 responses,embeddings
sdk 4032 chat/completions,embeddings --single
sdk 4033 responses,embeddings --batch --wait
sdk 4034 chat/completions,embeddings --batch --wait --economy
echo "== all as the SDK has it"
