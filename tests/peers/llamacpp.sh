#!/usr/bin/env bash
# The program against llama-cpp-python's server (PyPI), with a model of random weights: it has no
# Responses API, breaks at JSON schemas, gives a vector per token, and writes nonsense. What it
# answers must end as missing annotations and be counted, not stop the run.
# By hand: tests/peers/llamacpp.sh [PROGRAM]. Compiles for ten minutes; LLAMACPP names a Python that
# has it already.
# shellcheck source=tests/peers/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
python=${LLAMACPP:-$folder/python/bin/python}
port=$(free_port)

if [ ! -x "$python" ]; then
    python3 -m venv python
    install llama-cpp-python python/bin/pip install --quiet --disable-pip-version-check \
        gguf==0.19.0 'llama-cpp-python[server]==0.3.36'
fi
"$python" "$here/tiny_gguf.py" tiny.gguf
"$python" -m llama_cpp.server --model tiny.gguf --host 127.0.0.1 --port "$port" \
    --embedding true --logits_all true --n_ctx 4096 > server.log 2>&1 &
servers+=($!)
await "$port" 60

export OPENAI_BASE_URL="http://127.0.0.1:$port/v1" HYPOTHESAES_CACHE="$folder/cache"
echo "== doctor"
"$program" doctor | tee log && exit 1 # for want of pooled vectors
grep -q "a vector per token: switch its pooling on" log
grep -q "Chat Completions, JSON object" log
echo "== run"
doctor="--embedder tfidf-svd" rows=100 try "$OPENAI_BASE_URL" --embedder tfidf-svd --interpreter phrases --annotator tiny \
    -o llm.max_failed=1
echo "== nothing stopped it"
