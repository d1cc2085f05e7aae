"""The HTTP client under the official one: a call ends in time, an answer has a size, and headers are known by name.

httpx applies its read timeout to each read, so a server that sends a byte now and then keeps a call alive for ever,
and a name server that is silent is not covered at all. Here a call runs in a thread of its own; when the deadline is
over its sockets are shut down, which ends the thread, and the caller goes on at once. Redirects are not followed: httpx
would take the request body, the text of logs, to whatever host the answer names. Compressed answers are refused: a few
kilobytes can unpack to gigabytes.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable
from typing import Any, TypeVar

import httpx2

MAX_ANSWER_BYTES = 4 << 20
"""Of one answer; an explanation has some kilobytes, with a model's reasoning some hundred."""
CONNECT_TIMEOUT_S = 5.0  # s, as the official client's
_SENT_HEADERS = ("host", "accept", "content-type", "content-length")
_Result = TypeVar("_Result")


class AnswerTooLargeError(httpx2.TransportError):
    """The server sends more than MAX_ANSWER_BYTES, or compressed although asked not to."""


class BoundedHttpClient(httpx2.Client):
    """httpx2.Client whose `send` reads the whole answer within the request's read timeout, or raises ReadTimeout.

    Parameters
    ----------
    key : goes as bearer token with each request; other headers of the official client (operating system, Python
        version, what OPENAI_CUSTOM_HEADERS holds) stay here
    timeout : of a call, unless the request brings one of its own; see `call_timeout`
    may_use_proxy : whether a proxy of the environment (HTTPS_PROXY) is used; over plain http it would read along
    """

    def __init__(self, key: str, timeout: httpx2.Timeout, *, may_use_proxy: bool) -> None:
        limits = httpx2.Limits(max_keepalive_connections=0)  # each call has sockets of its own, to shut down
        super().__init__(
            timeout=timeout,
            limits=limits,
            follow_redirects=False,
            transport=None if may_use_proxy else httpx2.HTTPTransport(limits=limits),
        )
        self._key = key

    def send(self, request: httpx2.Request, *, stream: bool = False, **options: Any) -> httpx2.Response:
        """The whole answer to `request`, read. Raises httpx2.TransportError; `stream` makes no difference."""
        kept = [(name, request.headers[name]) for name in _SENT_HEADERS if name in request.headers]
        bearer = f"Bearer {self._key}"
        own = [("user-agent", "livesec"), ("accept-encoding", "identity"), ("authorization", bearer)]
        sockets = _Sockets()
        sent = httpx2.Request(  # the official client looks into its own request afterwards
            request.method,
            request.url,
            headers=[*kept, *own],
            stream=request.stream,
            extensions={**request.extensions, "trace": sockets.trace},
        )
        deadline_s: float = request.extensions["timeout"]["read"]
        options["follow_redirects"] = False

        def whole() -> httpx2.Response:
            return _whole(super(BoundedHttpClient, self).send(sent, stream=True, **options), request)

        try:
            return _within(deadline_s, whole)
        except _OverdueError:
            raise httpx2.ReadTimeout("no whole answer in time", request=request) from None
        finally:  # also where the caller is interrupted
            sockets.shut_down()


def call_timeout(seconds: float) -> httpx2.Timeout:
    """The timeout of a call that may take `seconds` in all: here the read timeout is the deadline of the whole."""
    return httpx2.Timeout(seconds, connect=min(CONNECT_TIMEOUT_S, seconds))


def _whole(response: httpx2.Response, request: httpx2.Request) -> httpx2.Response:
    with contextlib.closing(response):
        if response.headers.get("content-encoding", "identity").lower() not in ("identity", ""):
            raise AnswerTooLargeError("compressed although asked not to", request=request)
        body = bytearray()
        for chunk in response.iter_raw():
            body += chunk
            if len(body) > MAX_ANSWER_BYTES:
                raise AnswerTooLargeError(f"more than {MAX_ANSWER_BYTES} bytes", request=request)
    headers = [(name, value) for name, value in response.headers.items() if name != "transfer-encoding"]
    return httpx2.Response(response.status_code, headers=headers, content=bytes(body), request=request)


class _Sockets:
    """The sockets of one call, as httpcore's trace tells of them."""

    def __init__(self) -> None:
        self._open: list[socket.socket] = []
        self._is_over = False
        self._lock = threading.Lock()

    def trace(self, event: str, info: dict[str, Any]) -> None:
        if event.endswith(("connect_tcp.complete", "start_tls.complete")):
            found = info["return_value"].get_extra_info("socket")
            with self._lock:
                self._open.append(found)
            if self._is_over:
                self.shut_down()

    def shut_down(self) -> None:
        """End what reads from them. Not `close`: its descriptor could be another file's when the reader looks again."""
        with self._lock:
            self._is_over = True
            for item in self._open:
                with contextlib.suppress(OSError):  # closed or detached by now, which is as good
                    socket.socket.shutdown(item, socket.SHUT_RDWR)  # past SSLSocket.shutdown, which is not for threads


class _OverdueError(Exception):
    """The call's time is over."""


def _within(seconds: float, function: Callable[[], _Result]) -> _Result:
    """What `function` gives or raises, from a thread of its own. Raises _OverdueError after `seconds`."""
    results: list[_Result] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(function())
        except BaseException as error:  # raised again by the caller
            errors.append(error)

    thread = threading.Thread(target=run, name="model call", daemon=True)
    thread.start()
    thread.join(seconds)
    if results:
        return results[0]
    if errors:
        raise errors[0]
    raise _OverdueError
