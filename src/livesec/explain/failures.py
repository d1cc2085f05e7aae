"""Every error of the official client as a ModelError. Its text is ours: a server's words may hold prompt or key."""

from __future__ import annotations

import math
import socket
import ssl
import time
from collections.abc import Iterator, Mapping
from email.utils import parsedate_to_datetime

import httpx2
import openai

from livesec.explain.bounded_http import MAX_ANSWER_BYTES, AnswerTooLargeError
from livesec.explain.completion import NoCompletionError
from livesec.explain.dialect import is_too_long
from livesec.explain.endpoint import Endpoint
from livesec.explain.model_call import Failure, ModelError

_LONGEST_WAIT_S = 86_400.0  # whoever asks to wait longer is asked again tomorrow
_BY_STATUS = {
    401: (Failure.AUTHENTICATION, "{address} does not accept the key (401): see OPENAI_API_KEY in .env"),
    402: (Failure.RATE_LIMITED, "{address} wants to be paid first (402)"),
    403: (Failure.AUTHENTICATION, "{address} forbids this (403): the key has no right to model {model}"),
    404: (
        Failure.NOT_FOUND,
        "{address} knows no model {model}, or no such path (404): see EXPLAIN_MODEL; base URLs end in /v1",
    ),
    405: (Failure.NOT_FOUND, "{address} is no chat API (405): base URLs end in /v1"),
    408: (Failure.TIMEOUT, "{address} gave up waiting (408)"),
    429: (Failure.RATE_LIMITED, "{address} has had too many requests, or the quota is used up (429)"),
}
_REDIRECT, _CLIENT, _SERVER = 300, 400, 500


def failure_of(error: Exception, endpoint: Endpoint, waited_s: float) -> ModelError:
    """What `error` means, whatever it is. `waited_s`: how long an answer was waited for."""
    if isinstance(error, ModelError):
        return error
    if isinstance(error, openai.APIStatusError):
        return _of_status(error, endpoint)
    causes = list(_causes(error))
    if any(isinstance(cause, AnswerTooLargeError) for cause in causes):
        return ModelError(
            Failure.SERVER, f"{endpoint.address} sends more than {MAX_ANSWER_BYTES >> 20} MB, or compresses unasked"
        )
    if isinstance(error, openai.APITimeoutError) and not any(isinstance(c, httpx2.ConnectTimeout) for c in causes):
        return ModelError(
            Failure.TIMEOUT, f"no whole answer from {endpoint.address} within {waited_s:.0f} s (EXPLAIN_TIMEOUT_S)"
        )
    if isinstance(error, openai.APIConnectionError):
        return ModelError(Failure.CONNECTION, _connection_text(causes, endpoint))
    if isinstance(error, NoCompletionError | openai.APIError):
        return ModelError(
            Failure.SERVER, f"{endpoint.address} answers something else than a model: does the base URL end in /v1?"
        )
    return ModelError(Failure.SERVER, f"{endpoint.address} could not be asked: {type(error).__name__}")


def _of_status(error: openai.APIStatusError, endpoint: Endpoint) -> ModelError:
    status = error.status_code
    wait_s = retry_after_s(error.response.headers, time.time())
    if status in _BY_STATUS:
        failure, text = _BY_STATUS[status]
        return ModelError(failure, text.format(address=endpoint.address, model=endpoint.model), wait_s)
    if is_too_long(error):
        text = "has too small a context for this prompt and EXPLAIN_MAX_TOKENS"
    elif _REDIRECT <= status < _CLIENT:
        text = f"redirects elsewhere ({status}), which is not followed: name the final address as base URL"
    elif status < _SERVER:
        text = f"refuses the request ({status})"
    else:
        text = f"failed ({status})"
    return ModelError(Failure.SERVER, f"{endpoint.address} {text}", wait_s)


def _connection_text(causes: list[BaseException], endpoint: Endpoint) -> str:
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"the certificate of {endpoint.address} cannot be verified; SSL_CERT_FILE names another authority"
        if isinstance(cause, ssl.SSLError):
            return f"no TLS with {endpoint.address}: is it plain http?"
        if isinstance(cause, socket.gaierror):
            return f"the host of {endpoint.address} is not known by name"
        if isinstance(cause, ConnectionRefusedError):
            return f"nothing listens at {endpoint.address}: is the server running?"
        if isinstance(cause, httpx2.ConnectTimeout):
            return f"no connection to {endpoint.address} in time"
        if isinstance(cause, httpx2.ProxyError):
            return f"the proxy of the environment does not lead to {endpoint.address}"
    return f"the connection to {endpoint.address} broke"


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    cause: BaseException | None = error
    while cause is not None and id(cause) not in seen:
        seen.add(id(cause))
        yield cause
        cause = cause.__cause__ or cause.__context__


def retry_after_s(headers: Mapping[str, str], now_s: float) -> float | None:
    """Seconds that a server asks to wait, 0 to a day: retry-after-ms, or Retry-After in seconds or as a date.

    >>> retry_after_s({"retry-after": "2.5"}, 0.0), retry_after_s({"retry-after-ms": "1500"}, 0.0)
    (2.5, 1.5)
    >>> retry_after_s({"retry-after": "Thu, 01 Jan 1970 00:01:00 GMT"}, 20.0)
    40.0
    >>> retry_after_s({"retry-after": "soon"}, 0.0) is None
    True
    """
    for name, per_s in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        text = headers.get(name, "").strip()
        if not text:
            continue
        try:
            wait_s = float(text) / per_s
        except ValueError:
            try:
                wait_s = parsedate_to_datetime(text).timestamp() - now_s
            except (ValueError, OverflowError, OSError):
                continue
        if not math.isnan(wait_s):
            return min(max(wait_s, 0.0), _LONGEST_WAIT_S)
    return None
