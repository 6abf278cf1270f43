#!/usr/bin/env bash
# The program against aimock, a server that others wrote (npm, @copilotkit/aimock): all calls of a
# doctor and of a run, undisturbed, by batch, and with one call in twenty dropped and one in twenty
# garbled.
# By hand or where npm can install: tests/peers/aimock.sh [PROGRAM]. Takes less than a minute.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
program=$(realpath "${1:-target/release/hypothesaes}")
version=1.43.0
port=${PORT:-4010}
folder=$(mktemp -d)
server=
stop() { [ -z "$server" ] || kill "$server" 2>/dev/null || true; }
trap 'stop; rm -rf "$folder"' EXIT

(cd "$folder" && npm install --silent --no-fund --no-audit "@copilotkit/aimock@$version" >/dev/null)
mkdir "$folder/fixtures"
cat > "$folder/fixtures/answers.json" <<'JSON'
{"fixtures": [
  {"match": {"userMessage": "positive_texts"},
   "response": {"content": "{\"concept\": \"complains about a long wait\"}"}},
  {"match": {"userMessage": "concepts"},
   "response": {"content": "{\"1\": true, \"2\": false, \"3\": true, \"4\": false}"}}
]}
JSON

serve() {
    stop
    "$folder/node_modules/.bin/llmock" -p "$port" -f "$folder/fixtures" --log-level silent "$@" &
    server=$!
    for _ in $(seq 50); do
        (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && return
        sleep 0.1
    done
    echo "error: aimock does not listen on port $port" >&2
    exit 1
}

export OPENAI_BASE_URL="http://127.0.0.1:$port/v1" OPENAI_API_KEY=none NO_COLOR=1
cp crates/hypothesaes/demo/reviews.jsonl "$folder/"
cd "$folder"
# The flags of the server, those of the program.
try() {
    echo "== aimock $version $1 $2"
    # shellcheck disable=SC2086
    serve $1
    export HYPOTHESAES_CACHE="$folder/cache$RANDOM"
    "$program" doctor
    # shellcheck disable=SC2086
    "$program" run reviews.jsonl --text text --target stars -n 4 --sae 32:4 --yes $2 \
        -o data.sample=1000 --out "run$RANDOM" 2>&1 | tee log |
        grep -E "interpret: done|annotate: done|missing|error"
}
try "" ""
# Its batch service answers everything with the same words: the coming and going is what is tried.
try "" "--batch --wait --embedder tfidf-svd -o llm.max_failed=1"
grep -q "as batch job" log
try "--chaos-drop 0.05 --chaos-malformed 0.05" ""
echo "== all answered"
