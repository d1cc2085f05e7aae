"""su through syslog or the journal, in the words of util-linux (coreutils), shadow, Solaris, BSD and busybox.

    (to root) ann on pts/0                      FAILED SU (to root) ann on pts/0
    Successful su for root by ann               FAILED su for root by ann
    'su root' succeeded for ann on /dev/pts/0   'su root' failed for ann on /dev/pts/0
    ann to root on /dev/pts/0                   BAD SU ann to root on /dev/pts/0
    + /dev/pts/0 ann:root                       - /dev/pts/0 ann:root

The user is the account aimed at (root), not the one who typed. Part of these: PAM's lines of the auth stage, and `+`
and `-` lines with a process id: these are shadow's, which says the same in words; without one they are busybox's, and
read. Skipped: PAM's sessions. Not read: a su that leaves all logging to PAM, and coreutils' where it was built to log
su to root alone, without a name (`FAILED SU ann on pts/0`).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np
import polars as pl

from livesec.core.batch import Parsed, StreamInfo
from livesec.core.protocols import Shape
from livesec.core.schema import LogType
from livesec.formats.message_forms import MessageForm, read_forms
from livesec.formats.stateless import StatelessFormat

_BAD: Final = "bad_credentials"
_SIGNED: Final = r"^[+-] [^ ]+ [^ :]+:[^ :]+$"
_WHO_TO_WHOM: Final = r"[^ ]+ to (?P<user>[^ ]+)(?: on [^ ]+)?"
"""BSD's; without a terminal, NetBSD and OpenBSD name none."""
FORMS: Final = (
    MessageForm("pam_", r"^pam_[a-z0-9_]+\(su[^:)]*:auth\): ", part=True),
    MessageForm("pam_"),
    MessageForm("FAILED SU (to ", r"^FAILED SU \(to (?P<user>.+)\) [^ ]+ on [^ ]+$", "failure", _BAD, "password"),
    MessageForm("(to ", r"^\(to (?P<user>.+)\) [^ ]+ on [^ ]+$", "success"),
    MessageForm("Successful su for ", r"^Successful su for (?P<user>[^ ]+) by [^ ]+$", "success"),
    MessageForm("FAILED su for ", r"^FAILED su for (?P<user>[^ ]+) by [^ ]+$", "failure", _BAD, "password"),
    MessageForm("'su ", r"^'su (?P<user>.+)' succeeded for [^ ]+ on [^ ]+$", "success"),
    MessageForm("'su ", r"^'su (?P<user>.+)' failed for [^ ]+ on [^ ]+$", "failure", _BAD, "password"),
    MessageForm("BAD SU ", rf"^BAD SU {_WHO_TO_WHOM}$", "failure", _BAD, "password"),
    MessageForm("+ ", r"^\+ [^ ]+ [^ :]+:(?P<user>[^ :]+)$", "success"),
    MessageForm("- ", r"^- [^ ]+ [^ :]+:(?P<user>[^ :]+)$", "failure", _BAD, "password"),
    MessageForm("", rf"^{_WHO_TO_WHOM}$", "success", claims=False),
)


class Su(StatelessFormat):
    """Messages of su."""

    name = "su"
    title = "su through syslog or the journal"
    log_types = (LogType.LOGIN,)
    shape = Shape.SYSLOG
    journal_programs = ("su", "su-l")
    order = 30

    def owns(self, program: str) -> bool:
        """Its names; the second is that of `su -l`."""
        return program in {"su", "su-l"}

    def read(self, stream: StreamInfo, lines: pl.DataFrame) -> Parsed:
        """Take all of `lines`."""
        of_shadow = lines["message"].fill_null("").str.contains(_SIGNED) & lines["pid"].is_not_null()
        found = read_forms(lines.filter(~of_shadow), FORMS, pl.lit("su"))
        parts = lines["line_index"].filter(of_shadow).to_numpy()
        return replace(found, consumed=np.sort(np.concatenate([found.consumed, parts])))


FORMAT = Su()
