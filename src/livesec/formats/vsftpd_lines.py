"""Takes vsftpd's messages apart: who, from where, what, on which path.

    [ann] OK UPLOAD: Client "192.0.2.1", "/path", 1234 bytes, 12.30Kbyte/sec

User names, passwords of anonymous users and paths are written by whoever connects, with nothing escaped. So a message
is split at each place that could be the real one, and taken where exactly one of these readings fits vsftpd's grammar.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from livesec.formats.plain_regex import groups
from livesec.formats.typed_fields import ip_address

NOT_UNDERSTOOD: Final = "not a message of vsftpd as its source has them"
AMBIGUOUS: Final = "names several clients, and which of them is the real one cannot be told"

_CLIENT: Final = ': Client "'
_MOST_CLIENTS: Final = 8
"""No name or path says `: Client "` as often by chance, and to read them all would take too long."""

# What stands before the client: the user, unless none is known yet, and what happened.
_HEAD: Final = r"^(?:\[(?P<user>.*)\] )?(?P<said>[A-Za-z ]+)$"
_PLAIN_HEADS: Final = (r"^\[(?P<user>.*)\] (?P<said>[A-Za-z ]+)$", r"^(?P<said>[A-Za-z ]+)$")
_ACTIONS: Final = ("LOGIN", "UPLOAD", "DOWNLOAD", "DELETE", "RMDIR", "RENAME", "MKDIR", "CHMOD")
_TALK: Final = ("CONNECT", "DEBUG", "FTP command", "FTP response")
_SAID: Final = pl.DataFrame(
    [
        *((f"{verdict} {action}", verdict, action, None) for verdict in ("OK", "FAIL") for action in _ACTIONS),
        *((talk, None, None, talk) for talk in _TALK),
    ],
    schema=dict.fromkeys(("said", "verdict", "action", "talk"), pl.String),
    orient="row",
)
"""What may have happened, taken apart."""
_HAPPENED: Final = pl.Enum(_SAID["said"])
_TAIL: Final = r'^, "(?P<path>.*)"(?:, (?P<bytes>[0-9]+) bytes)?(?:, (?P<rate>[0-9]+\.[0-9]+)Kbyte/sec)?$'
_PLAIN_TAILS: Final = (
    r'^, "(?P<path>.*)", (?P<bytes>[0-9]+) bytes, (?P<rate>[0-9]+\.[0-9]+)Kbyte/sec$',
    r'^, "(?P<path>.*)"$',
    r'^, "(?P<path>.*)", (?P<rate>[0-9]+\.[0-9]+)Kbyte/sec$',
)
_ANONYMOUS_TAIL: Final = r'^, anon password ".*"$'
_ANONYMOUS: Final = r"^(?i:ftp|anonymous)$"
_WITH_RATE: Final = ("UPLOAD", "DOWNLOAD")


def read_messages(messages: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Read `messages` (line_index, event_time_us, message).

    Gives line_index, event_time_us, user, verdict, action, talk, src_ip, path, bytes, rate (String) and anonymous
    (Boolean) of those understood, and line_index and reason of the others.
    """
    clients = messages["message"].str.count_matches(_CLIENT, literal=True)
    readings = _reading(messages.filter(clients == 1), 0)
    several = clients.is_between(2, _MOST_CLIENTS)
    too_often = clients > _MOST_CLIENTS
    ambiguous = messages["line_index"].filter(too_often)
    if several.any():
        most = int(clients.filter(several).to_numpy().max())
        more = pl.concat([_reading(messages.filter(several & (clients > place)), place) for place in range(most)])
        twice = more["line_index"].is_duplicated()
        ambiguous = pl.concat([ambiguous, more["line_index"].filter(twice).unique()])
        readings = pl.concat([readings, more.filter(~twice)]).sort("line_index")
    others = messages.select("line_index").join(readings, on="line_index", how="anti")
    unclear = pl.col("line_index").is_in(ambiguous.implode())
    reason = pl.when(unclear).then(pl.lit(AMBIGUOUS)).otherwise(pl.lit(NOT_UNDERSTOOD))
    return readings, others.with_columns(reason=reason)


def _reading(messages: pl.DataFrame, place: int) -> pl.DataFrame:
    """The readings by which a message's client is the one named at `place` (0: the first), where the grammar allows."""
    pieces = messages["message"].str.splitn(_CLIENT, place + 2).struct.unnest()
    head = pieces.select(pl.concat_str(pl.nth(range(place + 1)), separator=_CLIENT)).to_series()
    ends = pieces.to_series(place + 1).str.splitn('"', 2).struct.unnest()
    client, rest = ends["field_0"], ends["field_1"]
    heads, tails = groups(head, _HEAD, *_PLAIN_HEADS), groups(rest, _TAIL, *_PLAIN_TAILS)
    said = heads["said"].cast(_HAPPENED, strict=False).to_physical()
    parts = messages.select("line_index", "event_time_us").with_columns(
        heads["user"],
        *(_SAID[name].gather(said) for name in ("verdict", "action", "talk")),
        ip_address(client).values.alias("src_ip"),
        *tails.values(),
        rest.alias("rest"),
    )
    parts = parts.filter(pl.col("src_ip").is_not_null() & pl.col("rest").is_not_null())
    anonymous = pl.col("user").str.contains(_ANONYMOUS).fill_null(False)
    parts = parts.with_columns(anonymous=anonymous)
    login = (pl.col("rest") == "") | (pl.col("anonymous") & pl.col("rest").str.contains(_ANONYMOUS_TAIL))
    plain_path = pl.col("path").is_not_null() & pl.col("bytes").is_null() & pl.col("rate").is_null()
    fits = (
        pl.when(pl.col("talk").is_not_null())
        .then((pl.col("rest") == "") | plain_path)
        .when(pl.col("action") == "LOGIN")
        .then(login)
        .when(pl.col("action").is_in(_WITH_RATE))
        .then(pl.col("rate").is_not_null())
        .otherwise(pl.col("action").is_not_null() & plain_path)
    )
    return parts.filter(fits).drop("rest")
