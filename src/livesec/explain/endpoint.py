"""Where a model is asked, what may go there, and the official client that goes there and nowhere else.

Where an endpoint is gets decided by the literal host of its base URL, never by asking a name server: a name that points
to this machine today may point elsewhere tomorrow. Only loopback addresses and the names that RFC 6761 ties to them are
this machine; any other name is not, and gets pseudonyms unless EXPLAIN_REDACT says otherwise.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, parse_qsl, urlsplit, urlunsplit

from livesec.core.settings import Settings
from livesec.core.text import shown

if TYPE_CHECKING:
    import openai

OPENAI_URL = "https://api.openai.com/v1"
"""Asked where only a key is set."""
DUMMY_KEY = "none"
"""Sent to endpoints that need no key: the client refuses to have none."""
TIMEOUT_S, LOCAL_TIMEOUT_S = 20.0, 180.0  # s for an answer; a model on this machine may run on its CPU
KINDS_PER_CALL = 6  # calls cost money elsewhere; on this machine they cost time, and small models stay with one thing
_LOOPBACK_NAMES = ("localhost", "ip6-localhost", "ip6-loopback")
_PRIVATE_ENDINGS = (".local", ".lan", ".internal", ".home.arpa", ".localdomain")
_PRIVATE_NETWORKS = tuple(
    ipaddress.ip_network(text)
    for text in (
        *("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16"),
        *("100.64.0.0/10", "fc00::/7", "fe80::/10"),  # carriers' and overlay networks; IPv6
    )
)
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A model server as the settings have it.

    >>> Endpoint("http://me:pass@127.0.0.1:8000/v1?k=s", "m", True, 180.0, "chat", False, "secret").address
    'http://127.0.0.1:8000/v1'
    """

    base_url: str | None
    """None: OpenAI's own. May hold credentials and a query, so show `address` instead."""
    model: str
    is_local: bool
    timeout_s: float
    api: str
    """chat or responses."""
    redacts: bool
    key: str = field(repr=False)
    kinds_per_call: int = 1
    """How many kinds of finding one question is about at most."""

    @property
    def address(self) -> str:
        """The base URL as it may be shown: without user, password and query."""
        parts = urlsplit(self.base_url or OPENAI_URL)
        return shown(urlunsplit((parts.scheme, _host_and_port(parts), parts.path, "", "")), 200)

    def limit_s(self, findings: int = 1) -> float:
        """Longest wait for an answer about so many findings."""
        return self.timeout_s * findings

    @property
    def is_exposed(self) -> bool:
        """Text would cross networks of others unencrypted: plain http beyond this machine and private networks."""
        parts = urlsplit(self.base_url or OPENAI_URL)
        return (
            parts.scheme == "http" and not is_local_host(parts.hostname or "") and not _is_private(parts.hostname or "")
        )

    def __repr__(self) -> str:
        """Without the key and what else the base URL may hold."""
        return f"Endpoint({self.address}, {self.model!r}, api={self.api}, redacts={self.redacts})"


def _host_and_port(parts: SplitResult) -> str:
    return parts.netloc.rpartition("@")[2]


def _address_of(host: str) -> _Address | None:
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


def is_local_host(host: str) -> bool:
    """Whether `host` is literally this machine: a loopback address or name. Nothing is looked up.

    >>> [is_local_host(host) for host in ("127.0.0.1", "127.9.9.9", "::1", "localhost", "a.localhost")]
    [True, True, True, True, True]
    >>> [is_local_host(host) for host in ("192.168.0.1", "localhost.example.org", "0.0.0.0", "2130706433")]
    [False, False, False, False]
    """
    address = _address_of(host)
    if address is not None:
        return address.is_loopback
    name = host.lower().rstrip(".")
    return name in _LOOPBACK_NAMES or name.endswith(".localhost")


def _is_private(host: str) -> bool:
    """Whether `host` is literally in a private network: a name without a dot cannot be on the Internet."""
    address = _address_of(host)
    if address is not None:
        return any(address in network for network in _PRIVATE_NETWORKS)
    name = host.lower().rstrip(".")
    return "." not in name or name.endswith(_PRIVATE_ENDINGS)


def endpoint_of(settings: Settings) -> Endpoint | None:
    """The endpoint that `settings` name; None where they have neither key nor base URL, so nothing is asked or sent."""
    base_url = settings.openai_base_url
    if not settings.openai_api_key and not base_url:
        return None
    is_local = base_url is not None and is_local_host(urlsplit(base_url).hostname or "")
    return Endpoint(
        base_url=base_url or None,
        model=settings.explain_model,
        is_local=is_local,
        timeout_s=settings.explain_timeout_s or (LOCAL_TIMEOUT_S if is_local else TIMEOUT_S),
        api=settings.explain_api,
        redacts=not is_local if settings.explain_redact is None else settings.explain_redact,
        key=settings.openai_api_key or DUMMY_KEY,
        kinds_per_call=settings.explain_kinds_per_call or (1 if is_local else KINDS_PER_CALL),
    )


def where_text_goes(settings: Settings, environ: Mapping[str, str]) -> str:
    """One line: to which endpoint text goes and how, or that none goes; and what the shell has that is not used.

    >>> where_text_goes(Settings(openai_base_url="http://127.0.0.1:11434/v1", explain_model="qwen3:4b"), {})
    'to http://127.0.0.1:11434/v1, model qwen3:4b, as it is'
    """
    endpoint = endpoint_of(settings)
    if endpoint is None:
        line = "deterministic: no key and no base URL, nothing is sent anywhere"
    else:
        manner = "with pseudonyms" if endpoint.redacts else "as it is"
        line = f"to {endpoint.address}, model {shown(endpoint.model, 80)}, {manner}"
        if endpoint.is_exposed:
            line += "; WARNING: plain http across networks of others, who can read it: use https"
    configured = {"OPENAI_API_KEY": settings.openai_api_key, "OPENAI_BASE_URL": settings.openai_base_url}
    for name, used in configured.items():
        if environ.get(name) and environ[name] != used:
            line += f"; {name} of the environment is not used: to enable it, put it into .env"
    return line


def openai_client(endpoint: Endpoint) -> openai.OpenAI:
    """The official client for `endpoint`, bounded in time and size (`bounded_http`), without retries of its own.

    Nothing of the environment decides where it goes or what it carries: base URL, key, organisation and headers of
    OPENAI_* variables are not taken over. Close it after use.
    """
    import openai  # noqa: PLC0415 - half a second that nobody without an endpoint should wait

    from livesec.explain.bounded_http import BoundedHttpClient, call_timeout  # noqa: PLC0415 - likewise

    parts = urlsplit(endpoint.base_url or OPENAI_URL)
    timeout = call_timeout(endpoint.timeout_s)
    return openai.OpenAI(
        api_key=endpoint.key,
        admin_api_key="",  # not None, or the environment's would be taken
        base_url=urlunsplit((parts.scheme, parts.netloc, parts.path, "", "")),
        default_query=dict(parse_qsl(parts.query)),
        max_retries=0,
        timeout=timeout,
        http_client=BoundedHttpClient(
            endpoint.key, timeout, may_use_proxy=parts.scheme == "https" and not endpoint.is_local
        ),
    )
