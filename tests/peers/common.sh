# What the scripts of this folder share: a folder that goes with the script, servers that end with
# it, and a run of the program. To be sourced; the program is the first argument.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
program=$(realpath "${1:-target/release/hypothesaes}")
folder=$(mktemp -d)
servers=()
trap 'for s in "${servers[@]}"; do kill "$s" 2>/dev/null || true; done; rm -rf "$folder"' EXIT
export OPENAI_API_KEY=sk-none NO_COLOR=1
cp crates/hypothesaes/demo/reviews.jsonl "$folder/"
here=$PWD/tests/peers
cd "$folder"

# What cannot be installed here is not tried: install WHAT COMMAND...
install() {
    "${@:2}" >install.log 2>&1 && return
    echo "skipped: $1 cannot be installed here: $(tail -n 1 install.log)"
    exit 0
}

# A port of this machine that is free.
free_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# Waits until PORT listens: await PORT SECONDS.
await() {
    for _ in $(seq $((10 * $2))); do
        (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null && return
        sleep 0.1
    done
    echo "error: nothing listens on port $1" >&2
    exit 1
}

# aimock (npm), which answers every question in the right form: aimock PORT FLAGS...
aimock_version=1.43.0
aimock() {
    if [ ! -d node_modules ]; then
        install aimock npm install --silent --no-fund --no-audit "@copilotkit/aimock@$aimock_version"
        mkdir fixtures
        cat > fixtures/answers.json <<'JSON'
{"fixtures": [
  {"match": {"userMessage": "positive_texts"},
   "response": {"content": "{\"concept\": \"complains about a long wait\"}"}},
  {"match": {"userMessage": "concepts"},
   "response": {"content": "{\"1\": true, \"2\": false, \"3\": true, \"4\": false}"}}
]}
JSON
    fi
    node_modules/.bin/llmock -p "$1" -f fixtures --log-level silent "${@:2}" &
    servers+=($!)
    await "$1" 10
}

# A doctor and a run on so many rows: [doctor="FLAGS"] [rows=N] try ADDRESS FLAGS...
try() {
    export OPENAI_BASE_URL=$1
    export HYPOTHESAES_CACHE="$folder/cache$RANDOM"
    # shellcheck disable=SC2086
    "$program" doctor ${doctor:-}
    "$program" run reviews.jsonl --text text --target stars -n 4 --sae 32:4 --yes \
        -o "data.sample=${rows:-1000}" --out "run$RANDOM" "${@:2}" 2>&1 | tee log |
        grep -E "interpret: done|annotate: done|missing|waits|error"
}
