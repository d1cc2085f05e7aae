r"""One spelling for the names of accounts and hosts that differ only in what their kind of name does not tell apart.

The form of the name alone decides, so that the same text gives the same name in every log:

    CORP\Ann           corp\ann          Windows: a domain before a backslash; upper and lower case are one
    Ann@Example.org.    ann@example.org    mail and Kerberos: a domain behind the only @; the same, no dot at its end
    Ann                 Ann                anything else is a Unix name, in which case counts
    web01.example.org.  web01.example.org  a host's dot at the end, which marks a full DNS name

Domains stay: ann@a.example and ann@b.example are two people. That CORP and corp.example are one domain is not in the
names and not guessed. The line kept as evidence has the text as it was written.
"""

from __future__ import annotations

from typing import ClassVar, Final

import polars as pl

from livesec.core.errors import StateVersionError
from livesec.core.protocols import Lookup
from livesec.core.rows import Rows
from livesec.core.schema import LogType

_STATE_VERSION: Final = b"account_names 1"
_WINDOWS: Final = r"^[^\\@/\s\p{Cc}]+\\[^\\/\p{Cc}]+$"
_AT_DOMAIN: Final = r"^[^\\@\s\p{Cc}]+@[\p{L}\p{N}.-]*[\p{L}\p{N}]\.?$"
_HOST: Final = r"^[\p{L}\p{N}._-]*[\p{L}\p{N}_-]\.$"


def account_names(users: pl.Series) -> pl.Series:
    r"""`users` (String) in their one spelling, null where they are null.

    >>> account_names(pl.Series([r"CORP\Ann", "Ann@Example.org.", "Ann", "a@b@C", None])).to_list()
    ['corp\\ann', 'ann@example.org', 'Ann', 'a@b@C', None]
    """
    may_fold = users.str.contains("@", literal=True) | users.str.contains("\\", literal=True)
    if not may_fold.any():
        return users
    distinct = users.filter(may_fold).unique()
    at_domain, windows = distinct.str.contains(_AT_DOMAIN), distinct.str.contains(_WINDOWS)
    folded = distinct.str.to_lowercase()
    named = folded.str.strip_suffix(".").zip_with(at_domain, folded.zip_with(windows, distinct))
    changed = named != distinct
    return users.replace(distinct.filter(changed), named.filter(changed)) if changed.any() else users


def host_names(hosts: pl.Series) -> pl.Series:
    """`hosts` (String) without the dot at the end of a full DNS name.

    >>> host_names(pl.Series(["web01.example.org.", "web01", ".", None])).to_list()
    ['web01.example.org', 'web01', '.', None]
    """
    dotted = hosts.str.ends_with(".")
    if not dotted.any():
        return hosts
    full = dotted & hosts.str.contains(_HOST)
    return hosts.str.strip_suffix(".").zip_with(full.fill_null(False), hosts)


class AccountNames(Lookup[None]):
    """Gives rows the one spelling of their user and host."""

    name: ClassVar[str] = "account_names"
    log_types: ClassVar[tuple[LogType, ...]] = (LogType.LOGIN, LogType.FILE_TRANSFER)

    def initial(self) -> None:
        """Nothing is kept."""

    def step(self, state: None, rows: Rows) -> Rows:
        """`rows` themselves where all names are in their one spelling already."""
        users, hosts = rows.column("user"), rows.column("host")
        named, hosted = account_names(users), host_names(hosts)
        if named is users and hosted is hosts:
            return rows
        return Rows(rows.log_type, rows.frame.with_columns(named.alias("user"), hosted.alias("host")))

    def to_bytes(self, state: None) -> bytes:
        """Only the version."""
        return _STATE_VERSION

    def from_bytes(self, blob: bytes) -> None:
        """Nothing. Raises StateVersionError where `blob` is not what `to_bytes` writes."""
        if blob != _STATE_VERSION:
            raise StateVersionError(
                f"account_names: a saved state starts with {blob[:16]!r}, expected {_STATE_VERSION!r}"
            )
