#!/usr/bin/env bash
# The program against LiteLLM's proxy (PyPI, litellm), behind which aimock answers: undisturbed, by
# batch, and with a limit of the proxy's own, which it does not tell beforehand.
# By hand: tests/peers/litellm.sh [PROGRAM]. Takes five minutes, half of them to install.
# shellcheck source=tests/peers/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
version=1.106.2
port=$(free_port) behind=$(free_port)

python3 -m venv python
install LiteLLM python/bin/pip install --quiet --disable-pip-version-check "litellm[proxy]==$version"
aimock "$behind"
upstream="api_base: http://127.0.0.1:$behind/v1, api_key: none"
cat > litellm.yaml <<YAML
model_list:
  - {model_name: gpt-5.2, litellm_params: {model: openai/gpt-5.2, $upstream}}
  - {model_name: gpt-5-mini, litellm_params: {model: openai/gpt-5-mini, $upstream}}
  - {model_name: limited, litellm_params: {model: openai/gpt-5-mini, rpm: 60, $upstream}}
  - {model_name: text-embedding-3-small, litellm_params: {model: openai/text-embedding-3-small, $upstream}}
files_settings:
  - {custom_llm_provider: openai, $upstream}
router_settings: {optional_pre_call_checks: [enforce_model_rate_limits]}
general_settings: {master_key: $OPENAI_API_KEY}
YAML
LITELLM_LOCAL_MODEL_COST_MAP=True LITELLM_TELEMETRY=False \
    python/bin/litellm --config litellm.yaml --host 127.0.0.1 --port "$port" > litellm.log 2>&1 &
servers+=($!)
await "$port" 120

echo "== LiteLLM $version"
try "http://127.0.0.1:$port/v1"
echo "== by batch"
# The batch service behind it answers everything with the same words.
try "http://127.0.0.1:$port/v1" --batch --wait --embedder tfidf-svd -o llm.max_failed=1
grep "as batch job" log
echo "== 60 calls a minute"
rows=300 try "http://127.0.0.1:$port/v1" --annotator limited
echo "== refused calls: $(grep -c ' 429 ' litellm.log)"
