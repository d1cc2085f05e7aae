"""A model server for tests: real HTTP on loopback, the OpenAI protocol, and every way in which one can misbehave.

    with FakeEndpoint() as server:                     # good answers
        server.behaviour = rate_limited("7")           # from now on
        server.script = [failing(500), answering(f)]   # the next two requests, then `behaviour` again

It speaks /v1/chat/completions, /v1/responses and /v1/models. What it was asked stands in `requests` (JSON bodies, the
oldest first), `headers` (names in lower case) and `paths`.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

Body = dict[str, Any]
PATIENCE_S = 30.0
GOOD: Body = {
    "headline": "A burst of failed logins against one account",
    "what_happened": "Logins failed again and again and none of them came from a place that this account knows [L1].",
    "usual": "This account rarely fails to log in.",
    "alternatives": ["A job that still uses an old password", "A person who forgot theirs"],
    "would_change": ["A success from the same source would make it worse"],
    "command_ids": [],
    "advice": ["Ask the owner of the account"],
    "techniques": [],
    "benign": False,
    "confidence_reason": "The evidence is direct.",
    "missing": ["Whether the account has a second factor"],
}
"""Fits WireAnswer, and claims no figure, address, name or command."""


class Exchange:
    """One request, and the means to answer it."""

    def __init__(self, handler: BaseHTTPRequestHandler, body: Body, ended: threading.Event) -> None:
        self.body = body
        self.path = handler.path.partition("?")[0]
        self._handler = handler
        self._ended = ended

    @property
    def is_responses(self) -> bool:
        return self.path.endswith("/responses")

    @property
    def prompt(self) -> str:
        """All that the model is told, one text."""
        return json.dumps(self.body.get("messages", self.body.get("input", "")), ensure_ascii=False)

    @property
    def format(self) -> str:
        """json_schema, json_object or text: what the request asks for."""
        asked = self.body.get("text", {}).get("format") if self.is_responses else self.body.get("response_format")
        return str(asked["type"]) if asked else "text"

    def wait(self, seconds: float = PATIENCE_S) -> None:
        """Wait, at most until the server ends."""
        self._ended.wait(seconds)

    @property
    def is_over(self) -> bool:
        return self._ended.is_set()

    def raw(self, status: int, body: bytes, content_type: str = "application/json", **headers: str) -> None:
        """Any answer at all; `retry_after="3"` becomes the header retry-after."""
        self.head(status, content_type, content_length=str(len(body)), **headers)
        self.write(body)

    def head(self, status: int, content_type: str = "application/json", **headers: str) -> None:
        self._handler.send_response(status)
        self._handler.send_header("content-type", content_type)
        for name, value in headers.items():
            self._handler.send_header(name.replace("_", "-"), value)
        self._handler.end_headers()

    def write(self, data: bytes) -> None:
        self._handler.wfile.write(data)
        self._handler.wfile.flush()

    def json(self, status: int, value: object, **headers: str) -> None:
        self.raw(status, json.dumps(value).encode(), **headers)

    def error(
        self, status: int, message: str, *, param: str | None = None, code: str | None = None, **headers: str
    ) -> None:
        error = {"message": message, "type": "invalid_request_error", "param": param, "code": code}
        self.json(status, {"error": error}, **headers)

    def text(
        self, text: str | None, *, finish: str = "stop", refusal: str | None = None, calls: Sequence[Body] = ()
    ) -> None:
        """The model's answer `text`, as the API of this request wraps it."""
        make = _response if self.is_responses else _completion
        self.json(200, make(str(self.body.get("model", "")), text, finish, refusal, calls))


Behaviour = Callable[[Exchange], None]


def _completion(model: str, text: str | None, finish: str, refusal: str | None, calls: Sequence[Body]) -> Body:
    message: Body = {"role": "assistant", "content": text, "refusal": refusal}
    if calls:
        message["tool_calls"] = [
            {"id": f"call_{number}", "type": "function", "function": call} for number, call in enumerate(calls, 1)
        ]
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1_700_000_000,
        "model": model,
        "choices": [{"index": 0, "message": message, "finish_reason": "tool_calls" if calls else finish}],
        "usage": {"prompt_tokens": 900, "completion_tokens": 200, "total_tokens": 1100},
    }


def _response(model: str, text: str | None, finish: str, refusal: str | None, calls: Sequence[Body]) -> Body:
    content: list[Body] = []
    if text is not None:
        content.append({"type": "output_text", "text": text, "annotations": []})
    if refusal is not None:
        content.append({"type": "refusal", "refusal": refusal})
    output: list[Body] = [
        {"type": "function_call", "id": f"fc_{number}", "call_id": f"call_{number}", "status": "completed", **call}
        for number, call in enumerate(calls, 1)
    ]
    if content:
        output.append(
            {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": content}
        )
    is_cut = finish == "length"
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": 1_700_000_000,
        "model": model,
        "status": "incomplete" if is_cut else "completed",
        "incomplete_details": {"reason": "max_output_tokens"} if is_cut else None,
        "error": None,
        "output": output,
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "usage": {
            "input_tokens": 900,
            "input_tokens_details": {"cached_tokens": 0},
            "output_tokens": 200,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": 1100,
        },
    }


# How it can behave ----------------------------------------------------------------------------------------------------


def good() -> Behaviour:
    return says(json.dumps(GOOD))


def says(text: str | None) -> Behaviour:
    """The same text whatever was asked: `malicious` by another name."""
    return lambda exchange: exchange.text(text)


def malicious(answer: str | Body) -> Behaviour:
    """A model that an attacker has in hand: its answer, as text or as an object."""
    return says(answer if isinstance(answer, str) else json.dumps(answer))


def answering(answer: Callable[[Body], str]) -> Behaviour:
    """What `answer` makes of the request's body: for tests that bring a model of their own."""
    return lambda exchange: exchange.text(answer(exchange.body))


def slow(seconds: float, then: Behaviour | None = None) -> Behaviour:
    def behave(exchange: Exchange) -> None:
        exchange.wait(seconds)
        (then or good())(exchange)

    return behave


def hanging() -> Behaviour:
    """Takes the request and says nothing."""
    return lambda exchange: exchange.wait()


def failing(status: int, message: str = "it failed", *, code: str | None = None, **headers: str) -> Behaviour:
    """An HTTP error, such as 401, 404 or 500."""
    return lambda exchange: exchange.error(status, message, code=code, **headers)


def rate_limited(retry_after: str | None = None, **headers: str) -> Behaviour:
    """429; `retry_after` in seconds or as an HTTP date."""
    if retry_after is not None:
        headers["retry_after"] = retry_after
    return failing(429, "too many requests", **headers)


def truncated() -> Behaviour:
    return lambda exchange: exchange.text('{"headline": "A burst of fai', finish="length")


def wrong_schema() -> Behaviour:
    """JSON, and nothing of what was asked for."""
    return says('{"title": "A burst", "severity": "none"}')


def refusal() -> Behaviour:
    return lambda exchange: exchange.text(None, refusal="I cannot help with that.")


def json_object_only(text: str | None = None) -> Behaviour:
    """Knows no json_schema, as older llama.cpp: 400."""

    def behave(exchange: Exchange) -> None:
        if exchange.format == "json_schema":
            exchange.error(400, "response_format type must be one of text and json_object", param="response_format")
        else:
            exchange.text(text or json.dumps(GOOD))

    return behave


def text_only(text: str | None = None) -> Behaviour:
    """Knows no response_format at all: 422. Its JSON stands between prose."""

    def behave(exchange: Exchange) -> None:
        if exchange.format != "text":
            loc = ["body", "text" if exchange.is_responses else "response_format"]
            exchange.json(
                422,
                {"detail": [{"type": "extra_forbidden", "loc": loc, "msg": "Extra inputs", "input": exchange.body}]},
            )
        else:
            exchange.text(text or f"Sure! Here it is:\n```json\n{json.dumps(GOOD)}\n```\nAnything else?")

    return behave


def refusing_parameter(*names: str) -> Behaviour:
    """400 on the first of `names` that the request has, as newer OpenAI models on max_tokens and temperature."""

    def behave(exchange: Exchange) -> None:
        for name in names:
            if name in exchange.body:
                message = f"Unsupported parameter: '{name}' is not supported with this model."
                exchange.error(400, message, param=name, code="unsupported_parameter")
                return
        good()(exchange)

    return behave


def tool_calls(*turns: Sequence[tuple[str, Body]] | str) -> Behaviour:
    """One turn a request: calls of tools as (name, arguments), or a text; the last turn stays."""
    left = list(turns)

    def behave(exchange: Exchange) -> None:
        turn = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(turn, str):
            exchange.text(turn)
        else:
            exchange.text(None, calls=[{"name": name, "arguments": json.dumps(given)} for name, given in turn])

    return behave


def dripping(every_s: float = 0.02, *, headers_too: bool = False) -> Behaviour:
    """A byte now and then, without end."""

    def behave(exchange: Exchange) -> None:
        if headers_too:
            exchange.write(b"HTTP/1.1 200 OK\r\nx-slow: ")
        else:
            exchange.head(200, content_length="1000000")
        while not exchange.is_over:
            exchange.write(b"a" if headers_too else b" ")
            exchange.wait(every_s)

    return behave


def flooding() -> Behaviour:
    """As many bytes as the client takes."""

    def behave(exchange: Exchange) -> None:
        exchange.head(200, content_length=str(1 << 40))
        while not exchange.is_over:
            exchange.write(b" " * (1 << 16))

    return behave


def redirecting(to: str, status: int = 307) -> Behaviour:
    return lambda exchange: exchange.raw(status, b"", location=to)


def invalid_utf8() -> Behaviour:
    return lambda exchange: exchange.raw(200, b'{"choices": [{"message": {"content": "\xff\xfe"}}]}')


def no_choices() -> Behaviour:
    def behave(exchange: Exchange) -> None:
        empty: Body = {"output": []} if exchange.is_responses else {"choices": []}
        exchange.json(200, _completion("m", "", "stop", None, ()) | empty)

    return behave


def html() -> Behaviour:
    """Another kind of server altogether, such as a login page."""
    return lambda exchange: exchange.raw(200, b"<html><body>Log in first</body></html>", "text/html")


# The server -----------------------------------------------------------------------------------------------------------


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that went away in the middle is what half of the tests are about."""


class FakeEndpoint:
    """The server, from `with` to the end of the block."""

    def __init__(self, behaviour: Behaviour | None = None, models: Sequence[str] = ("test-model",)) -> None:
        self.behaviour = behaviour or good()
        self.script: list[Behaviour] = []
        self.requests: list[Body] = []
        self.headers: list[dict[str, str]] = []
        self.paths: list[str] = []
        self.models_answer: object = {
            "object": "list",
            "data": [{"id": name, "object": "model", "created": 0, "owned_by": "test"} for name in models],
        }
        self._ended = threading.Event()
        self._lock = threading.Lock()
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                self.close_connection = True
                body = json.loads(self.rfile.read(int(self.headers.get("content-length", "0"))) or b"{}")
                endpoint.answer(Exchange(self, body, endpoint._ended), {k.lower(): v for k, v in self.headers.items()})

            def do_GET(self) -> None:
                self.close_connection = True
                exchange = Exchange(self, {}, endpoint._ended)
                if exchange.path.endswith("/models"):
                    exchange.json(200, endpoint.models_answer)
                else:
                    exchange.error(404, "no such path")

            def log_message(self, *words: object) -> None:
                """Nothing: tests read `requests`."""

        self._server = _Server(("127.0.0.1", 0), Handler)
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def answer(self, exchange: Exchange, headers: dict[str, str]) -> None:
        """Record the request and behave."""
        with self._lock:
            self.requests.append(exchange.body)
            self.headers.append(headers)
            self.paths.append(exchange.path)
            behaviour = self.script.pop(0) if self.script else self.behaviour
        if exchange.path.endswith(("/chat/completions", "/responses")):
            behaviour(exchange)
        else:
            exchange.error(404, "no such path")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(PATIENCE_S)
