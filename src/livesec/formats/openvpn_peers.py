"""What an OpenVPN server's messages say of its peers, each try of a peer once.

A peer is an address and port. Its session begins with `TLS: Initial packet` and ends with the exit of its client
instance. The first message that tells of a failure gives the row; OpenVPN goes on to say `Peer Connection Initiated`
and `AUTH_FAILED` after a wrong password, which are parts.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from livesec.core.hashing import text_keys
from livesec.core.schema import OUTCOME
from livesec.formats.plain_regex import groups
from livesec.formats.recent_sessions import TOLD_BITS, RecentSessions, Step
from livesec.formats.text_times import keep_where
from livesec.formats.typed_fields import ip_address

PAUSE_US: Final = 3_600_000_000
"""A peer that is silent for an hour, in which keys are renegotiated (reneg-sec), is another."""

PEER: Final = r"(?:\S+/)?(?:(?:udp|tcp)[46]?(?:-server)?:)?\[?[0-9A-Fa-f.:]*[0-9A-Fa-f]\]?:[0-9]{1,5} "
"""What stands before the messages of a peer: its address and port, behind its name once that is known."""

_BEFORE: Final = (
    r"^(?:\S+/)?(?:(?:udp|tcp)[46]?(?:-server)?:)?\[?(?P<ip>[0-9A-Fa-f.:]*[0-9A-Fa-f])\]?:(?P<port>[0-9]{1,5}) "
    r"(?P<text>.*)$"
)
_PLAIN_BEFORE: Final = (
    r"^(?P<ip>[0-9.]*[0-9]):(?P<port>[0-9]{1,5}) (?P<text>.*)$",
    r"^[!-.0-~]+/(?P<ip>[0-9.]*[0-9]):(?P<port>[0-9]{1,5}) (?P<text>.*)$",
)
_BEHIND: Final = (
    r"^(?:TLS Error|Authenticate/Decrypt|tls-crypt).* from \[AF_INET6?\]([0-9A-Fa-f.:]+):([0-9]{1,5})(?: .*)?$"
)
_NAMES: Final = (
    (
        "Peer Connection",
        r"^\[(?P<named>.*)\] Peer Connection Initiated with ",
        (r"^\[(?P<named>.*)\] Peer Connection Initiated with \[AF_INET6?\][0-9A-Fa-f.:]+$",),
    ),
    (
        " for username '",
        r"authentication (?:succeeded|failed|deferred) for username '(?P<named>.*)'",
        tuple(
            rf"^TLS: Username/[a-zA-Z-]+ authentication {what} for username '(?P<named>.*)'[^']*$"
            for what in ("succeeded", "failed")
        ),
    ),
    (
        "CN=",
        r".*(?:, |/|: )CN=(?P<named>[^,/]+)",
        (r"^.*, CN=(?P<named>[^,/=]+)$", r"^.*/CN=(?P<named>[^,/=]+)$"),
    ),
)
"""How a peer's name is told, the first that does being right: a sign, an expression, and plain cases of it."""

_START, _END, _NAMED, _SUCCESS, _PASSWORD, _REFUSED, _CERTIFICATE, _BROKEN = range(8)
_KINDS: Final = (
    (r"^TLS: Initial packet from ", _START),
    (r"^SIG[A-Z0-9]+\[soft", _END),
    (r"^Connection reset, restarting", _END),
    (r"^VERIFY OK: depth=0|^TLS: Username/[a-zA-Z-]+ authentication succeeded", _NAMED),
    (r"^\[.*\] Peer Connection Initiated with ", _SUCCESS),
    (
        r"^TLS Auth Error: |^TLS: Username/[a-zA-Z-]+ authentication failed|^TLS Error: Auth Username/Password",
        _PASSWORD,
    ),
    (r"^SENT CONTROL \[.*\]: 'AUTH_FAILED|^AUTH: Received control message: AUTH_FAILED", _REFUSED),
    (r"^VERIFY [A-Z0-9 ]*ERROR", _CERTIFICATE),
    (
        r"^TLS Error: |^TLS_ERROR: |^Authenticate/Decrypt |^tls-crypt unwrap error|^(?:WARNING: )?Bad encapsulated"
        r"|^Non-OpenVPN",
        _BROKEN,
    ),
)
TELLING: Final = "|".join(pattern.replace("^", "") for pattern, _ in _KINDS)
_REASONS: Final = (
    ("key negotiation failed", "timeout"),
    ("HMAC", "bad_packet_signature"),
    ("packet authentication", "bad_packet_signature"),
    ("unwrap error", "bad_packet_signature"),
    ("Non-OpenVPN", "bad_protocol"),
    ("Bad encapsulated", "bad_protocol"),
)
_FAILED, _SUCCEEDED, _USERNAME_KNOWN = 1, 2, 4  # what was told of a peer


def read_peers(state: RecentSessions, messages: pl.DataFrame) -> tuple[pl.DataFrame, pl.Series]:
    """Login rows of `messages` (line_index, event_time_us, host, message), and the lines that are parts of a try."""
    texts = messages["message"]
    telling = texts.str.contains(f"(?:^|^{PEER})(?:{TELLING})")
    told = messages.filter(telling)
    before = groups(told["message"], _BEFORE, *_PLAIN_BEFORE)
    alone = keep_where(before["ip"].is_null(), told["message"])
    behind = alone.str.extract_groups(_BEHIND).struct.rename_fields(["ip", "port"]).struct.unnest()
    ip = before["ip"].zip_with(before["ip"].is_not_null(), behind["ip"])
    port = before["port"].zip_with(before["port"].is_not_null(), behind["port"]).cast(pl.Int32, strict=False)
    text = before["text"].zip_with(before["text"].is_not_null(), told["message"])
    kind = pl.coalesce(*(pl.when(pl.col("text").str.contains(pattern)).then(pl.lit(kind)) for pattern, kind in _KINDS))
    told = told.with_columns(
        text=text, src_ip=ip_address(ip).values, src_port=keep_where(port.is_between(0, 65_535), port)
    ).with_columns(kind=kind)
    # Without a peer before it, only a bad packet is a client's doing; a client logs its own connection so.
    told = told.filter(
        pl.col("src_ip").is_not_null() & (pl.lit(before["ip"]).is_not_null() | (pl.col("kind") == _BROKEN))
    )
    text = told["text"]
    named = pl.select(
        pl.coalesce(*(groups(_where(text, sign), pattern, *plain)["named"] for sign, pattern, plain in _NAMES))
    ).to_series()
    is_username = text.str.contains(" for username '", literal=True)
    told = told.with_columns(named=keep_where(named != "", named), is_username=is_username)
    return _told_once(state, told)


def _where(texts: pl.Series, sign: str) -> pl.Series:
    """The texts that hold `sign`, null for the others: patterns that capture are slow."""
    return keep_where(texts.str.contains(sign, literal=True), texts)


def _told_once(state: RecentSessions, told: pl.DataFrame) -> tuple[pl.DataFrame, pl.Series]:
    keys = text_keys(
        told.select(
            pl.concat_str(
                pl.col("host").fill_null(""),
                pl.lit(" "),
                "src_ip",
                pl.lit(" "),
                pl.col("src_port").cast(pl.String).fill_null(""),
            )
        ).to_series()
    )
    times_us, named = told["event_time_us"].to_list(), told["named"].to_list()
    kinds = told["kind"].fill_null(_BROKEN) * 2 + told["is_username"].cast(pl.Int32)
    followed = state.follow(keys.tolist(), times_us, kinds.to_list(), named, _STEPS)
    told = told.with_columns(pl.Series("user", followed.users, dtype=pl.String))
    of_row = pl.Series(followed.rows, dtype=pl.Boolean)
    kind = pl.col("kind")
    outcome = pl.when(kind == _SUCCESS).then(pl.lit("success")).when(kind == _BROKEN).then(pl.lit("attempt"))
    broken = [
        pl.when(pl.col("text").str.contains(sign, literal=True)).then(pl.lit(reason)) for sign, reason in _REASONS
    ]
    reason = (
        pl.when(kind == _CERTIFICATE)
        .then(pl.lit("bad_certificate"))
        .when(kind == _BROKEN)
        .then(pl.coalesce(*broken, pl.lit("handshake_failed")))
        .when(kind != _SUCCESS)
        .then(pl.lit("bad_credentials"))
    )
    given = told.filter(of_row).select(
        "line_index",
        "event_time_us",
        "host",
        pl.lit("openvpn").alias("service"),
        "user",
        "src_ip",
        "src_port",
        outcome.otherwise(pl.lit("failure")).cast(OUTCOME).alias("outcome"),
        reason.alias("reason"),
        pl.when(kind.is_in([_PASSWORD, _REFUSED]))
        .then(pl.lit("password"))
        .when(kind == _CERTIFICATE)
        .then(pl.lit("certificate"))
        .alias("auth_method"),
        pl.lit(1, pl.Int32).alias("count"),
    )
    return given, told["line_index"].filter(~of_row)


def _follow(kind: int, told: int) -> tuple[bool, int]:
    """Whether a message of `kind` is a row, and what was told of its peer after it."""
    if kind in (_START, _END, _NAMED):
        return False, told
    if kind == _SUCCESS:
        return not told & (_FAILED | _SUCCEEDED), told if told & _FAILED else told | _SUCCEEDED
    if kind in (_PASSWORD, _REFUSED):
        return not told & _FAILED, told | _FAILED  # refused after all, where the check was deferred
    return not told & (_FAILED | _SUCCEEDED), told | (0 if told & _SUCCEEDED else _FAILED)


_STEPS: Final = tuple(
    Step(
        *_follow(kind, told | (_USERNAME_KNOWN if is_username else 0)),
        goes_on=kind not in {_START, _END},
        names=is_username or not told & _USERNAME_KNOWN,
    )
    for kind in range(_BROKEN + 1)
    for is_username in (False, True)
    for told in range(1 << TOLD_BITS)
)
