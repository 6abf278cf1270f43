"""Single questions: what is sent, what comes back, what is said where nothing does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from canned import Canned, canned, parts  # noqa: F401

from hypothesaes import llm_api
from hypothesaes.errors import KeyRefusedError, OptionError, ServerError
from hypothesaes.llm_api import get_client, get_completion, normalize_llm_kwargs

PAIR = 'PROPERTY: "mentions "pizza""\nTEXT: "{}"\nAnswer:'


def test_a_completion_is_asked_anew_by_every_call(canned: Canned) -> None:
    answers = iter(["one", " two\n", "<think>hm</think>three"])
    canned.answer = lambda _: next(answers)
    assert [get_completion("the same") for _ in range(3)] == ["one", "two", "three"]
    assert len(canned.bodies) == 3


def test_what_the_caller_says_of_a_request_is_sent(canned: Canned) -> None:
    get_completion(
        "hello",
        model="gpt4o-mini",
        temperature=0.25,
        top_p=0.5,
        verbosity="low",
        reasoning={"effort": "high", "summary": "auto"},
        reasoning_effort="low",
        text={"verbosity": "high"},
        metadata={"run": "7"},
        max_tokens=50,
        tokenizer_kwargs={"nobody": "takes it"},
    )
    body = canned.bodies[0]
    assert parts(body) == ("", "hello")
    assert body["model"] == "gpt-4o-mini"
    assert (body["temperature"], body["top_p"]) == (0.25, 0.5)
    assert body["reasoning"] == {"effort": "low", "summary": "auto"}
    assert body["text"]["verbosity"] == "low"
    assert body["metadata"] == {"run": "7"}
    assert body["max_output_tokens"] >= 50
    assert "tokenizer_kwargs" not in body and "max_tokens" not in body


def test_conversations_keep_their_roles(canned: Canned) -> None:
    system = {"role": "developer", "content": "Be brief."}
    pieces = [{"type": "input_text", "text": "One "}, {"type": "input_text", "text": "two."}]
    get_completion(messages=[system, {"role": "user", "content": pieces}])
    assert parts(canned.bodies[0]) == ("Be brief.", "One two.")
    turns = [("user", "First?"), ("assistant", "Yes."), ("user", "Second?")]
    get_completion(messages=[system, *({"role": r, "content": c} for r, c in turns)])
    asked = parts(canned.bodies[1])
    assert asked[0] == "Be brief."
    assert asked[1].split() == "User: First? Assistant: Yes. User: Second?".split()
    with pytest.raises(OptionError, match="message 0 .* only text"):
        get_completion(messages=[{"role": "user", "content": [{"type": "input_image"}]}])
    with pytest.raises(OptionError, match="`prompt` nor `messages`"):
        get_completion()


def test_defaults_do_not_go_before_what_is_given() -> None:
    given = {"text": {"verbosity": "low"}, "timeout": 3}
    assert normalize_llm_kwargs(
        given,
        default_verbosity="high",
        default_reasoning_effort="low",
        default_timeout=9,
        default_max_output_tokens=5,
    ) == {**given, "reasoning_effort": "low", "max_output_tokens": 5}
    assert normalize_llm_kwargs(None, default_verbosity="high") == {"verbosity": "high"}
    assert normalize_llm_kwargs({"reasoning": {}}, default_reasoning_effort="low") == {
        "reasoning": {}
    }


@pytest.mark.parametrize("key", [None, "", "sk-..."])
def test_without_a_key_it_is_said_what_to_set(
    key: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    if key is not None:
        monkeypatch.setenv("OPENAI_KEY_SAE", key)
    for ask in (get_client, lambda: get_completion("hello")):
        with pytest.raises(KeyRefusedError, match="OPENAI_API_KEY.*OPENAI_BASE_URL") as caught:
            ask()
        assert isinstance(caught.value, PermissionError)


def test_the_environment_is_looked_at_by_every_call(
    canned: Canned, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert get_client() is get_client()
    assert get_client().base_url.rstrip("/") == canned.base_url
    other = Canned()
    other.answer = lambda _: "the other"
    monkeypatch.setenv("OPENAI_BASE_URL", other.base_url)
    assert get_completion("who?") == "the other"
    other.http.shutdown()


def test_the_key_is_in_no_error_and_no_file(canned: Canned, own_cache: Path) -> None:
    get_completion("hello")
    canned.refusal = (401, "Incorrect API key provided: sk-test-secret.")
    with pytest.raises(KeyRefusedError) as caught:
        get_completion("hello")
    assert "sk-test-secret" not in str(caught.value) + repr(caught.value.__cause__)
    files = [path for path in own_cache.rglob("*") if path.is_file()]
    assert files
    for path in files:
        assert b"sk-test-secret" not in path.read_bytes()


def test_no_answer_is_an_error_that_says_why(simulated: Any) -> None:
    simulated("--p-poison", "1", "--poison-kind", "400")
    with pytest.raises(ServerError, match="gpt-5-mini.* gives no answer: .*"):
        get_completion(PAIR.format("a pizza"))


def test_trap_23_what_a_model_refuses_is_left_out(simulated: Any) -> None:
    simulated()
    answer = get_completion(PAIR.format("a pizza"), model="gpt5-mini", temperature=0.7)
    assert answer.startswith("Yes")


def test_trap_24_what_can_pass_is_asked_again(simulated: Any) -> None:
    service = simulated("--p-500", "0.2", "--p-reset", "0.2", "--p-bad-body", "0.1")
    texts = ["a pizza", "a soup"] * 4
    answers = [get_completion(PAIR.format(text)) for text in texts]
    assert [answer[:2] for answer in answers] == ["Ye", "No"] * 4
    assert service.stats()["faults_injected"]


def test_short_names_of_both_versions_are_known() -> None:
    ids = llm_api.model_abbrev_to_id
    assert ids["gpt5.2"] == ids["gpt-5.2"] == "gpt-5.2"
    assert ids["gpt4.1-nano"] == "gpt-4.1-nano"
    assert ids["gpt4"].startswith("gpt-4-")
    assert llm_api.DEFAULT_MODEL == "gpt-5-mini"
