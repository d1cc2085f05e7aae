"""The login program, on consoles and for telnet, in the words of util-linux, shadow, busybox and BSD.

    LOGIN ON tty1 BY ann                          FAILED LOGIN 1 FROM tty1 FOR root, Authentication failure
    ROOT LOGIN ON tty1 FROM 192.0.2.7             FAILED LOGIN (2) on '/dev/tty1' FOR 'root', Authentication failure
    root login on 'tty1'                          invalid password for 'root' on 'tty1'
    login on ttyv0 as root                        2 LOGIN FAILURES ON ttyv0, root

Read: these, `TOO MANY LOGIN TRIES` and `FAILED LOGIN SESSION`, which stand for the last try. Part of these: PAM's lines
of the auth stage; BSD's count without a user, which it writes before the one with a user. Skipped: PAM's sessions,
DIALUP. The name UNKNOWN stands for one that login keeps to itself: user is null. What is behind FROM may be a terminal
or a host's name: src_ip is null then. busybox's `login on 'tty1'` names no user.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from livesec.core.batch import Parsed, StreamInfo
from livesec.core.protocols import Shape
from livesec.core.schema import LogType
from livesec.formats.message_forms import MessageForm, read_forms
from livesec.formats.stateless import StatelessFormat

_BAD: Final = ("failure", "bad_credentials", "password")
_UNKNOWN: Final = ("failure", "invalid_user", "password")
_FROM: Final = r"(?: FROM (?P<src_ip>[^ ]+))?"
_QUOTED: Final = r"(?: on '(?:[^' ]*)')?(?: from '(?P<src_ip>[^' ]*)')?"
_ON: Final = r" on '[^' ]*'(?: from '(?P<src_ip>[^' ]*)')?"
_TRIES: Final = r"(?:FAILED LOGIN(?: SESSION| [0-9]+)|TOO MANY LOGIN TRIES \([0-9]+\)) FROM (?P<src_ip>[^ ]+) FOR "
_SHADOW_TRIES: Final = rf"(?:FAILED LOGIN|TOO MANY LOGIN TRIES) \([0-9]+\){_QUOTED} FOR "


def _tries(start: str) -> tuple[MessageForm, ...]:
    return (
        MessageForm(start, rf"^{_SHADOW_TRIES}(?P<unknown>'UNKNOWN')(?:, [^,]+)?$", *_UNKNOWN),
        MessageForm(start, rf"^{_SHADOW_TRIES}'(?P<user>.*)'(?:, [^,]+)?$", *_BAD),
        MessageForm(
            start, rf"^{_TRIES}(?P<user>.*), User not known to the underlying authentication module$", *_UNKNOWN
        ),
        MessageForm(start, rf"^{_TRIES}(?P<user>.*), [^,]+$", *_BAD),
    )


FORMS: Final = (
    MessageForm("pam_", r"^pam_[a-z0-9_]+\((?:login|remote):auth\): ", part=True),
    MessageForm("pam_"),
    MessageForm("LOGIN ON ", rf"^LOGIN ON [^ ]+ BY (?P<user>.*?){_FROM}$", "success"),
    MessageForm("ROOT LOGIN ON ", rf"^(?P<fixed>ROOT) LOGIN ON [^ ]+{_FROM}$", "success", user="root"),
    MessageForm("ROOT LOGIN ", rf"^(?P<fixed>ROOT) LOGIN {_QUOTED}$", "success", user="root", claims=False),
    MessageForm("ROOT LOGIN (", r"^ROOT LOGIN \((?P<user>[^)]*)\) ON [^ ]+(?: FROM (?P<src_ip>[^ ]+))?$", "success"),
    *_tries("FAILED LOGIN "),
    *_tries("TOO MANY LOGIN TRIES "),
    MessageForm("invalid password for ", rf"^invalid password for (?P<unknown>'UNKNOWN'){_ON}$", *_UNKNOWN),
    MessageForm("invalid password for ", rf"^invalid password for '(?P<user>.*)'{_ON}$", *_BAD),
    MessageForm("root login on ", r"^(?P<user>root) login on '[^' ]*'(?: from '(?P<src_ip>[^' ]*)')?$", "success"),
    MessageForm("login on ", r"^login on [^ ']+ as (?P<user>.+)$", "success", claims=False),
    MessageForm("'", rf"^'(?P<user>.*)' logged in ?{_QUOTED}$", "success"),
    MessageForm("", r"^[0-9]+ LOGIN FAILURES? (?:ON|FROM) [^ ]+$", part=True),
    MessageForm("", r"^(?P<count>[0-9]+) LOGIN FAILURES? ON [^ ,]+, (?P<user>.*)$", *_BAD, claims=False),
    MessageForm("", r"^(?P<count>[0-9]+) LOGIN FAILURES? FROM (?P<src_ip>[^ ,]+), (?P<user>.*)$", *_BAD, claims=False),
)


class ConsoleLogin(StatelessFormat):
    """Messages of login."""

    name = "console_login"
    title = "login (consoles, telnet) through syslog or the journal"
    log_types = (LogType.LOGIN,)
    shape = Shape.SYSLOG
    journal_programs = ("login",)
    order = 30

    def owns(self, program: str) -> bool:
        """Its own name."""
        return program == "login"

    def read(self, stream: StreamInfo, lines: pl.DataFrame) -> Parsed:
        """Take all of `lines`."""
        return read_forms(lines, FORMS, pl.lit("login"))


FORMAT = ConsoleLogin()
