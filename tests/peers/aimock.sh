#!/usr/bin/env bash
# The program against aimock, a server that others wrote (npm, @copilotkit/aimock): all calls of a
# doctor and of a run, undisturbed, by batch, and with one call in twenty dropped and one in twenty
# garbled. Takes a minute; skipped where npm
# cannot install: tests/peers/aimock.sh [PROGRAM].
# shellcheck source=tests/peers/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

sound=$(free_port) faulty=$(free_port)
echo "== aimock $aimock_version"
aimock "$sound"
try "http://127.0.0.1:$sound/v1"

echo "== by batch"
# Its batch service answers everything with the same words: the coming and going is what is tried.
try "http://127.0.0.1:$sound/v1" --batch --wait --embedder tfidf-svd -o llm.max_failed=1
grep "as batch job" log

echo "== with faults"
aimock "$faulty" --chaos-drop 0.05 --chaos-malformed 0.05
try "http://127.0.0.1:$faulty/v1"
echo "== all answered"
