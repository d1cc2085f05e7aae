import json
import socket
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import replace
from email.utils import formatdate

import pytest
from tests.explain import fake_endpoint as fake
from tests.explain.fake_endpoint import GOOD, Behaviour, Exchange, FakeEndpoint

from livesec.explain.bounded_http import MAX_ANSWER_BYTES
from livesec.explain.client import EndpointModel
from livesec.explain.dialect import THINKING_TOKENS, Dialect
from livesec.explain.endpoint import Endpoint, openai_client
from livesec.explain.model_call import Failure, ModelError, Request, Rung, View, WireAnswer

KEY, PROMPT = "sk-quite-secret", "the words of a log line"
REQUEST = Request(
    system="Explain.",
    user=PROMPT,
    view=View.TECHNICAL_EXPERT,
    template="technical_expert/1",
    is_cacheable=True,
    cache_key="k",
    is_redacted=False,
    max_tokens=700,
    temperature=0.2,
)
APIS = pytest.mark.parametrize("api", ["chat", "responses"])


def endpoint(base_url: str, *, api: str = "chat", timeout_s: float = 10.0) -> Endpoint:
    return Endpoint(base_url, "test-model", True, timeout_s, api, False, KEY)


def failure(model: EndpointModel) -> ModelError:
    """How `ask` fails; neither its text nor anything behind it shows key or prompt."""
    with pytest.raises(ModelError) as caught:
        model.ask(REQUEST)
    whole = "".join(traceback.format_exception(caught.value)) + repr(caught.value.__context__)
    assert KEY not in whole and PROMPT not in whole
    assert caught.value.__context__ is None and caught.value.__cause__ is None
    return caught.value


# The good case --------------------------------------------------------------------------------------------------------


@APIS
def test_a_good_answer_on_the_first_rung_with_its_costs(api: str) -> None:
    with FakeEndpoint() as server:
        model = EndpointModel(endpoint(server.base_url, api=api))
        assert (model.rung, model.is_warm) == (None, False)
        reply = model.ask(REQUEST)
        [body] = server.requests
    assert reply.answers == (WireAnswer(**GOOD),)
    assert (reply.model, reply.rung, reply.tokens_in, reply.tokens_out) == ("test-model", Rung.JSON_SCHEMA, 900, 200)
    assert 0 < reply.latency_ms < 10_000
    assert (model.rung, model.is_warm, model.tokens_spent, model.requests_sent) == (Rung.JSON_SCHEMA, True, 1100, 1)
    assert body["model"] == "test-model" and PROMPT in json.dumps(body) and body["temperature"] == 0.2
    asked = body["text"]["format"] if api == "responses" else body["response_format"]["json_schema"]
    assert asked["strict"] is True and set(asked["schema"]["required"]) == set(WireAnswer.model_fields)
    assert "maxLength" not in json.dumps(asked)
    assert (body["max_output_tokens"] if api == "responses" else body["max_tokens"]) == 700
    assert "reasoning" not in json.dumps(list(body))
    if api == "responses":
        assert body["store"] is False


def test_the_model_and_costs_that_a_server_claims_are_not_believed() -> None:
    def behave(exchange: Exchange) -> None:
        body = fake._completion("someone else", json.dumps(GOOD), "stop", None, ())
        exchange.json(200, body | {"usage": {"prompt_tokens": -5, "completion_tokens": 10**12}})

    with FakeEndpoint(behave) as server:
        reply = EndpointModel(endpoint(server.base_url)).ask(REQUEST)
    assert reply.model == "test-model"
    assert (reply.tokens_in, reply.tokens_out) == (len("Explain." + PROMPT) // 4, len(json.dumps(GOOD)) // 4)


# The ladder -----------------------------------------------------------------------------------------------------------


def llama_cpp_2024(exchange: Exchange) -> None:
    if exchange.format == "json_schema":
        exchange.json(
            500, {"error": {"code": 500, "message": 'response_format type must be one of "text" or "json_object"'}}
        )
    else:
        fake.good()(exchange)


def lm_studio_without_schema(exchange: Exchange) -> None:
    if exchange.format != "text":
        exchange.json(400, {"error": "'response_format.type' must be 'text'"})
    else:
        fake.good()(exchange)


def ignoring_formats(exchange: Exchange) -> None:
    text = json.dumps(GOOD) if '\\"headline\\": text' in exchange.prompt else "It looks like a burst."
    exchange.text(text)


@pytest.mark.parametrize(
    ("behaviour", "rung", "requests"),
    [
        (fake.json_object_only(), Rung.JSON_OBJECT, 2),
        (llama_cpp_2024, Rung.JSON_OBJECT, 2),
        (fake.text_only(), Rung.TEXT, 3),
        (lm_studio_without_schema, Rung.TEXT, 3),
        (ignoring_formats, Rung.JSON_OBJECT, 2),
        (fake.text_only(f"<think>hm {{</think>{json.dumps(GOOD)}"), Rung.TEXT, 3),
    ],
)
@APIS
def test_a_server_that_knows_less_is_asked_for_less_and_the_next_time_at_once(
    behaviour: Behaviour, rung: Rung, requests: int, api: str
) -> None:
    with FakeEndpoint(behaviour) as server:
        model = EndpointModel(endpoint(server.base_url, api=api))
        assert model.ask(REQUEST).rung is rung
        assert (model.rung, len(server.requests)) == (rung, requests)
        assert model.ask(REQUEST).rung is rung
        assert len(server.requests) == requests + 1
        again = EndpointModel(endpoint(server.base_url, api=api), rung)
        assert again.ask(REQUEST).rung is rung
        assert len(server.requests) == requests + 2


def test_a_wrong_schema_on_every_rung_is_invalid_and_costs_are_counted() -> None:
    with FakeEndpoint(fake.wrong_schema()) as server:
        model = EndpointModel(endpoint(server.base_url))
        assert failure(model).failure is Failure.INVALID
        assert (len(server.requests), model.tokens_spent, model.rung, model.is_warm) == (3, 3300, None, True)


def test_one_bad_answer_does_not_lower_a_rung_that_worked() -> None:
    with FakeEndpoint() as server:
        model = EndpointModel(endpoint(server.base_url))
        model.ask(REQUEST)
        server.script = [fake.wrong_schema()]
        assert failure(model).failure is Failure.INVALID
        assert model.ask(REQUEST).rung is Rung.JSON_SCHEMA
        assert len(server.requests) == 3


@APIS
@pytest.mark.parametrize(
    ("behaviour", "expected"), [(fake.truncated(), Failure.TRUNCATED), (fake.refusal(), Failure.REFUSED)]
)
def test_truncation_and_refusal_are_not_the_ladders_business(behaviour: Behaviour, expected: Failure, api: str) -> None:
    with FakeEndpoint(behaviour) as server:
        model = EndpointModel(endpoint(server.base_url, api=api))
        assert failure(model).failure is expected
        assert (len(server.requests), model.tokens_spent) == (1, 1100)


def test_a_filtered_answer_and_one_without_any_text_are_refusals() -> None:
    with FakeEndpoint(lambda exchange: exchange.text("", finish="content_filter")) as server:
        assert failure(EndpointModel(endpoint(server.base_url))).failure is Failure.REFUSED
    with FakeEndpoint(fake.says(None)) as server:
        assert failure(EndpointModel(endpoint(server.base_url))).failure is Failure.REFUSED


# Parameters -----------------------------------------------------------------------------------------------------------


def test_refused_parameters_are_given_up_once_and_for_all() -> None:
    with FakeEndpoint(fake.refusing_parameter("max_tokens", "temperature")) as server:
        model = EndpointModel(endpoint(server.base_url))
        model.ask(REQUEST)
        model.ask(REQUEST)
        first, second, third, fourth = server.requests
    assert "max_tokens" in first and "temperature" in first
    assert second["max_completion_tokens"] == 700 and "max_tokens" not in second
    assert "temperature" not in third
    assert fourth == third


@pytest.mark.parametrize(
    "body",
    [
        {
            "error": {
                "message": "Unsupported parameter: 'max_tokens' is not supported. Use 'max_completion_tokens' instead."
            }
        },
        {
            "detail": [
                {"type": "extra_forbidden", "loc": ["body", "max_tokens"], "msg": "no", "input": {"temperature": 1}}
            ]
        },
        {"error": "unknown field max_tokens"},
        {"error": {"message": "wrong", "param": "max_tokens.type"}},
        {"detail": "Max_tokens is not known"},
    ],
)
def test_the_parameter_is_found_in_every_form_of_error(body: object) -> None:
    def behave(exchange: Exchange) -> None:
        if "max_tokens" in exchange.body:
            exchange.json(400, body)
        else:
            fake.good()(exchange)

    with FakeEndpoint(behave) as server:
        EndpointModel(endpoint(server.base_url)).ask(REQUEST)
        assert len(server.requests) == 2 and "temperature" in server.requests[1]


def test_a_model_without_a_system_role_gets_one_message() -> None:
    def behave(exchange: Exchange) -> None:
        if len(exchange.body["messages"]) > 1:
            exchange.error(400, "System role not supported")
        else:
            fake.good()(exchange)

    with FakeEndpoint(behave) as server:
        model = EndpointModel(endpoint(server.base_url))
        assert model.ask(REQUEST).rung is model.ask(REQUEST).rung is Rung.JSON_SCHEMA
        assert len(server.requests) == 3
        assert server.requests[2]["messages"] == [{"role": "user", "content": f"Explain.\n\n{PROMPT}"}]


def test_a_server_that_refuses_whatever_it_gets_is_asked_a_few_times_only() -> None:
    message = "temperature max_tokens response_format store are all wrong"
    with FakeEndpoint(fake.failing(400, message)) as server:
        assert failure(EndpointModel(endpoint(server.base_url))).failure is Failure.SERVER
        assert len(server.requests) <= 3


def test_a_prompt_that_is_too_long_is_no_matter_of_parameters() -> None:
    message = "'max_tokens' is too large: 1200. This model's maximum context length is 4096 tokens."
    with FakeEndpoint(fake.failing(400, message)) as server:
        error = failure(EndpointModel(endpoint(server.base_url)))
        assert error.failure is Failure.SERVER and "context" in str(error)
        assert len(server.requests) == 1


def test_openai_itself_gets_its_own_names_no_storage_and_room_to_think() -> None:
    own = replace(endpoint(""), base_url=None)
    options = Dialect(own).options(REQUEST)
    assert options == {
        "temperature": 0.2,
        "store": False,
        "reasoning_effort": "low",
        "max_completion_tokens": 700 + THINKING_TOKENS,
    }
    dialect = Dialect(own)
    assert dialect.give_up("reasoning_effort", options)
    assert dialect.options(REQUEST)["max_completion_tokens"] == 700
    assert not dialect.give_up("top_p", options)


# What goes wrong ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("behaviour", "expected"),
    [
        (fake.failing(401, f"Incorrect API key provided: {KEY}"), Failure.AUTHENTICATION),
        (fake.failing(403, PROMPT), Failure.AUTHENTICATION),
        (fake.failing(404, "no such model"), Failure.NOT_FOUND),
        (fake.failing(408), Failure.TIMEOUT),
        (fake.failing(409), Failure.SERVER),
        (fake.failing(429), Failure.RATE_LIMITED),
        (fake.failing(500, PROMPT, code=KEY), Failure.SERVER),
        (fake.failing(503), Failure.SERVER),
        (fake.failing(418), Failure.SERVER),
        (fake.html(), Failure.SERVER),
        (fake.invalid_utf8(), Failure.SERVER),
        (fake.no_choices(), Failure.SERVER),
        (lambda exchange: exchange.raw(200, b""), Failure.SERVER),
        (lambda exchange: exchange.raw(200, b"[" * 100_000), Failure.SERVER),
        (lambda exchange: exchange.json(200, {"choices": "x", "output": "x"}), Failure.SERVER),
        (lambda exchange: exchange.json(200, {"choices": [{"message": 7}], "output": None}), Failure.SERVER),
        (lambda exchange: exchange.json(200, [1, 2]), Failure.SERVER),
        (lambda exchange: exchange.raw(200, b"\x1f\x8b", content_encoding="gzip"), Failure.SERVER),
        (lambda exchange: exchange.head(200, content_length="500"), Failure.CONNECTION),
    ],
)
@APIS
def test_every_failure_has_its_name_and_shows_nothing(behaviour: Behaviour, expected: Failure, api: str) -> None:
    with FakeEndpoint(behaviour) as server:
        model = EndpointModel(endpoint(server.base_url, api=api))
        error = failure(model)
        assert error.failure is expected
        assert str(server.port) in str(error) and error.retry_after_s is None
        assert len(server.requests) == 1 and not model.is_warm


IN_A_DAY = formatdate(time.time() + 86_400, usegmt=True)  # so far off that a slow test run does not matter


@pytest.mark.parametrize(
    ("headers", "low_s", "high_s"),
    [
        ({"retry_after": "7"}, 7, 7),
        ({"retry_after": "0.5"}, 0.5, 0.5),
        ({"retry_after_ms": "1500", "retry_after": "9"}, 1.5, 1.5),
        ({"retry_after": IN_A_DAY}, 80_000, 86_400),
        ({"retry_after": formatdate(0, usegmt=True)}, 0, 0),
        ({"retry_after": "-3"}, 0, 0),
        ({"retry_after": "1e999"}, 86_400, 86_400),
    ],
)
def test_how_long_a_server_asks_to_wait(headers: dict[str, str], low_s: float, high_s: float) -> None:
    with FakeEndpoint(fake.failing(429, **headers)) as server:
        error = failure(EndpointModel(endpoint(server.base_url)))
    assert error.failure is Failure.RATE_LIMITED
    assert error.retry_after_s is not None and low_s <= error.retry_after_s <= high_s


@pytest.mark.parametrize("text", ["soon", "nan", "", "Thu, 99 Foo 2020"])
def test_a_retry_after_that_says_nothing_is_none(text: str) -> None:
    with FakeEndpoint(fake.rate_limited(text)) as server:
        assert failure(EndpointModel(endpoint(server.base_url))).retry_after_s is None


def test_nothing_listening_an_unknown_name_and_no_tls_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    refused = failure(EndpointModel(endpoint(f"http://127.0.0.1:{port}/v1")))
    assert refused.failure is Failure.CONNECTION and "nothing listens" in str(refused)
    with FakeEndpoint() as server:
        tls = failure(EndpointModel(endpoint(server.base_url.replace("http:", "https:"))))
    assert tls.failure is Failure.CONNECTION and "TLS" in str(tls)

    def no_such_name(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "not known")

    monkeypatch.setattr(socket, "getaddrinfo", no_such_name)  # a real one would ask a name server
    unknown = failure(EndpointModel(endpoint("http://models.example.org/v1")))
    assert unknown.failure is Failure.CONNECTION and "not known by name" in str(unknown)


def test_a_redirect_is_told_and_not_followed() -> None:
    with (
        FakeEndpoint() as elsewhere,
        FakeEndpoint(fake.redirecting(elsewhere.base_url + "/chat/completions")) as server,
    ):
        error = failure(EndpointModel(endpoint(server.base_url)))
        assert error.failure is Failure.SERVER and "redirects" in str(error)
        assert elsewhere.requests == []


@pytest.mark.parametrize(
    "behaviour",
    [fake.hanging, fake.dripping, lambda: fake.dripping(headers_too=True)],
    ids=["hangs", "drips", "drips headers"],
)
def test_the_deadline_holds_whatever_the_server_does(behaviour: Callable[[], Behaviour]) -> None:
    with FakeEndpoint(behaviour()) as server:
        model = EndpointModel(endpoint(server.base_url, timeout_s=0.1))
        started = time.monotonic()
        assert failure(model).failure is Failure.TIMEOUT
        assert time.monotonic() - started < 5
        for thread in threading.enumerate():  # the abandoned call ends by itself, its socket being shut down
            if thread.name == "model call":
                thread.join(5)
                assert not thread.is_alive()


def test_the_ladder_and_its_parameters_share_one_deadline() -> None:
    with FakeEndpoint(fake.slow(0.15, fake.wrong_schema())) as server:
        model = EndpointModel(endpoint(server.base_url, timeout_s=0.3))
        assert failure(model).failure is Failure.TIMEOUT
        assert len(server.requests) <= 2  # three would take longer


def test_the_way_down_goes_on_where_a_failure_stopped_it() -> None:
    with FakeEndpoint() as server:
        model = EndpointModel(endpoint(server.base_url))
        server.script = [fake.says("prose"), fake.failing(503)]
        assert failure(model).failure is Failure.SERVER
        assert model.ask(REQUEST).rung is Rung.JSON_OBJECT
        assert len(server.requests) == 3


def test_a_flood_is_cut_off() -> None:
    with FakeEndpoint(fake.flooding()) as server:
        error = failure(EndpointModel(endpoint(server.base_url)))
    assert error.failure is Failure.SERVER and f"{MAX_ANSWER_BYTES >> 20} MB" in str(error)


def test_a_slow_answer_within_the_limit_is_fine() -> None:
    with FakeEndpoint(fake.slow(0.05)) as server:
        assert EndpointModel(endpoint(server.base_url)).ask(REQUEST).latency_ms >= 50


def test_scripted_tool_calls_reach_the_official_client() -> None:
    with FakeEndpoint(fake.tool_calls([("count_by", {"field": "src_ip"})], "three")) as server:
        with openai_client(endpoint(server.base_url)) as client:
            said = [{"role": "user", "content": "how many?"}]
            first = client.chat.completions.create(model="m", messages=said)  # type: ignore[arg-type]
            second = client.chat.completions.create(model="m", messages=said)  # type: ignore[arg-type]
            assert [model.id for model in client.models.list()] == ["test-model"]
        calls = first.choices[0].message.tool_calls
    assert calls is not None and calls[0].type == "function"
    assert (calls[0].function.name, json.loads(calls[0].function.arguments)) == ("count_by", {"field": "src_ip"})
    assert first.choices[0].finish_reason == "tool_calls" and second.choices[0].message.content == "three"
