"""`livesec explain --test` against a real server on loopback, and without one."""

import json

import pytest
from tests.explain.fake_endpoint import Exchange, FakeEndpoint, failing, json_object_only

from livesec.cli.explain_test import run_endpoint_test
from livesec.core.settings import Settings
from livesec.explain.endpoint_test import SAMPLE, check_endpoint
from livesec.explain.secret_patterns import without_secrets

KEY = "sk-quite-secret"


def settings(server: FakeEndpoint, **values: object) -> Settings:
    return Settings(openai_base_url=server.base_url, openai_api_key=KEY, explain_model="test-model", **values)  # type: ignore[arg-type]


def test_a_model_that_answers_is_usable_and_its_costs_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    with FakeEndpoint(json_object_only()) as server:
        assert run_endpoint_test(settings(server), as_json=True) == 0
        printed = capsys.readouterr()
        assert run_endpoint_test(settings(server), as_json=False) == 0
    result = json.loads(printed.out)
    assert (result["is_reachable"], result["is_usable"], result["rung"], result["requests"]) == (
        True,
        True,
        "json_object",
        2,
    )
    assert (result["tokens_in"], result["tokens_out"], result["model"]) == (900, 200, "test-model")
    assert f"asking {server.base_url} for up to 180 s" in printed.err.replace("\n", "")
    text = capsys.readouterr().out
    assert "usable; reachable" in text and "json_object, found with 2 requests" in text
    assert f"is sent as  {without_secrets(SAMPLE)}" in text  # secrets go nowhere, not even to this machine
    assert KEY not in printed.out + printed.err + text


def test_what_is_not_there_ends_with_one_and_says_why(capsys: pytest.CaptureFixture[str]) -> None:
    with FakeEndpoint() as server:
        gone = settings(server)
    assert run_endpoint_test(gone, as_json=False) == 1
    text = capsys.readouterr().out
    assert "NOT USABLE; NOT REACHED" in text and "nothing listens" in text


def test_a_wrong_key_is_reachable_and_not_usable() -> None:
    with FakeEndpoint(failing(401, f"bad key {KEY}")) as server:
        result = check_endpoint(settings(server), {})
    assert (result.is_reachable, result.is_usable, result.failure) == (True, False, "authentication")
    assert KEY not in repr(result)


def test_a_model_that_is_not_there_is_told_with_those_that_are() -> None:
    with FakeEndpoint(failing(404), models=["gemma3:4b", "a\x1b[31mb"]) as server:
        result = check_endpoint(settings(server), {})
    assert result.failure == "not_found"
    assert result.models == ("gemma3:4b", "a\\x1b[31mb")


def test_a_list_of_models_that_is_none_does_no_harm() -> None:
    def behave(exchange: Exchange) -> None:
        exchange.error(404, "no such path")

    with FakeEndpoint(behave) as server:
        server.models_answer = {"data": "x"}
        assert check_endpoint(settings(server), {}).models == ()
        server.models_answer = "text"
        assert check_endpoint(settings(server), {}).models == ()


def test_the_sample_goes_redacted_where_the_endpoint_redacts() -> None:
    with FakeEndpoint() as server:
        result = check_endpoint(settings(server, explain_redact=True), {})
        [body] = server.requests
    assert "USER_1" in result.sample_sent and "USER_1" in json.dumps(body)
    assert "alice" in result.sample and "alice" not in json.dumps(body)


def test_without_an_endpoint_it_says_how_to_set_one_up(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_endpoint_test(Settings(), as_json=False) == 1
    text = capsys.readouterr().out
    assert text.startswith("text goes   deterministic: ")
    for words in (
        "OPENAI_API_KEY=sk-...",
        "Ollama",
        "vLLM",
        "llama.cpp",
        "LM Studio",
        "OPENAI_BASE_URL=http://127.0.0.1:11434/v1",
    ):
        assert words in text
    assert run_endpoint_test(Settings(), as_json=True) == 1
    assert json.loads(capsys.readouterr().out)["address"] is None
