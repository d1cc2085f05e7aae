"""Dropbear, the SSH server of routers and small systems, through syslog or the journal.

    Bad password attempt for 'root' from 198.51.100.9:4242
    Login attempt for nonexistent user from 198.51.100.9:4243
    Pubkey auth succeeded for 'ann' with ssh-ed25519 key SHA256:abc from 192.0.2.7:50022

Read: passwords and keys that were taken or not, users that do not exist (Dropbear does not name them) or are not
allowed in, and ends before a login of a known user that tried nothing. Part of these: ends after a failed try, among
them too many tries, and ends without a user, which unknown users have too. Skipped: connections, ends of sessions.
Keys refused before the right one are not logged. Where Dropbear writes to the journal its own stamp (`[825] Jul 10
23:53:52 `) stands before the message, and is left out. IPv6 addresses stand without brackets before the port.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from livesec.core.batch import Parsed, StreamInfo
from livesec.core.protocols import Shape
from livesec.core.schema import LogType
from livesec.formats.message_forms import MessageForm, read_forms
from livesec.formats.stateless import StatelessFormat

_STAMP: Final = r"^\[[0-9]+\] [A-Z][a-z]{2} [ 0-9][0-9] [0-9]{2}:[0-9]{2}:[0-9]{2} "
# User names stand before the address: it is the last one, at the end of the message.
_FROM: Final = r" from (?P<src_ip>[^ ]+):(?P<src_port>[0-9]{1,5})$"
_EXIT: Final = r"from <(?P<src_ip>[^ >]+):(?P<src_port>[0-9]{1,5})>: \(user '(?P<user>[^']*)', 0 fails\): "


def _quoted(start: str, outcome: str, reason: str | None, auth_method: str | None, before: str = "") -> MessageForm:
    return MessageForm(start + "'", rf"^{start}'(?P<user>.*)'{before}{_FROM}", outcome, reason, auth_method)


_KEY: Final = r" with (?:[^ ]+ )?key (?P<key_id>[^ ]+(?: [^ ]+)?)"
FORMS: Final = (
    MessageForm("Child connection from "),
    _quoted("Bad password attempt for ", "failure", "bad_credentials", "password"),
    _quoted("Bad PAM password attempt for ", "failure", "bad_credentials", "password"),
    _quoted("bad password attempt for ", "failure", "bad_credentials", "password"),
    MessageForm(
        "Login attempt for nonexistent user",
        rf"^Login attempt for nonexistent user(?: '(?P<user>.*)')?{_FROM}",
        "failure",
        "invalid_user",
    ),
    MessageForm(
        "login attempt for nonexistent user",
        rf"^login attempt for nonexistent user(?: '(?P<user>.*)')?{_FROM}",
        "failure",
        "invalid_user",
    ),
    MessageForm(
        "Login attempt with wrong user ",
        rf"^Login attempt with wrong user (?P<user>.*){_FROM}",
        "failure",
        "invalid_user",
    ),
    _quoted("Password auth succeeded for ", "success", None, "password"),
    _quoted("password auth succeeded for ", "success", None, "password"),
    _quoted("PAM password auth succeeded for ", "success", None, "password"),
    _quoted("Auth succeeded with blank password for ", "success", None, "none"),
    _quoted("Pubkey auth succeeded for ", "success", None, "publickey", _KEY),
    _quoted("pubkey auth succeeded for ", "success", None, "publickey", _KEY),
    MessageForm(
        "User '", r"^User '(?P<user>.*)' has (?:invalid shell|blank password), rejected$", "failure", "not_allowed"
    ),
    MessageForm("User account '", r"^User account '(?P<user>.*)' is locked$", "failure", "not_allowed"),
    MessageForm("Exit before auth ", rf"^Exit before auth {_EXIT}", "attempt", "preauth_close", claims=False),
    MessageForm("Exit before auth", part=True),
    MessageForm("exit before auth", part=True),
)


class Dropbear(StatelessFormat):
    """Messages of dropbear."""

    name = "dropbear"
    title = "Dropbear SSH server through syslog or the journal"
    log_types = (LogType.LOGIN,)
    shape = Shape.SYSLOG
    journal_programs = ("dropbear",)
    order = 30

    def owns(self, program: str) -> bool:
        """Dropbear's own name."""
        return program == "dropbear"

    def read(self, stream: StreamInfo, lines: pl.DataFrame) -> Parsed:
        """Take all of `lines`."""
        if lines["message"].str.starts_with("[").any():
            lines = lines.with_columns(pl.col("message").str.replace(_STAMP, ""))
        return read_forms(lines, FORMS, pl.lit("dropbear"))


FORMAT = Dropbear()
