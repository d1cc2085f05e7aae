"""sudo through syslog or the journal.

    ann : TTY=pts/0 ; PWD=/home/ann ; USER=root ; COMMAND=/usr/bin/id
    ann : 3 incorrect password attempts ; TTY=pts/0 ; PWD=/home/ann ; USER=root ; COMMAND=/usr/bin/id
    eve : user NOT in sudoers ; TTY=pts/0 ; PWD=/home/eve ; USER=root ; COMMAND=/usr/bin/id

Read: commands run (success), wrong passwords (as many failures as sudo counted), users and commands that are not
allowed, and `a password is required` (an attempt). The user is the account aimed at (USER=), not the one who typed.
Part of these: PAM's lines of the auth stage, and continued commands. Skipped: PAM's sessions, warnings. Not read:
sudo's JSON and its own log file; a wrong password before the right one, which only PAM's line tells.

The directory and the command are the caller's to choose: a line in which ` ; USER=` stands twice is a reject.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from livesec.core.batch import Parsed, StreamInfo, no_rejects
from livesec.core.protocols import Shape
from livesec.core.schema import LogType
from livesec.formats.message_forms import MessageForm, read_forms
from livesec.formats.stateless import StatelessFormat

AMBIGUOUS: Final = "USER= stands in it more than once: which of them sudo wrote cannot be told"
_MARK: Final = " ; USER="
_BY: Final = r"^ *[^:;]+ : "
_HOST: Final = r"(?:HOST=[^ ]+ ; )?"
_REST: Final = _HOST + r"TTY=[^;]* ; .* ; USER=(?P<user>[^;]*?) ; (?:[A-Z]+=.* ; )?COMMAND="
_CUT_OFF: Final = "a sudo line that is cut off or not of a known form"
_CLAIMS: Final = (
    _BY + r"(?:TTY=|HOST=|[0-9]+ incorrect password|user NOT |command not allowed ;|a password is required ;)"
)

FORMS: Final = (
    MessageForm("pam_", r"^pam_[a-z0-9_]+\(sudo[^:)]*:auth\): ", part=True),
    MessageForm("pam_"),
    MessageForm("", rf"{_BY}{_REST}", "success", claims=False),
    MessageForm(
        "",
        rf"{_BY}(?P<count>[0-9]+) incorrect password attempts? ; {_REST}",
        "failure",
        "bad_credentials",
        "password",
        claims=False,
    ),
    MessageForm(
        "",
        rf"{_BY}(?:user NOT in sudoers|user NOT authorized on host|command not allowed) ; {_REST}",
        "failure",
        "not_allowed",
        claims=False,
    ),
    MessageForm("", rf"{_BY}a password is required ; {_REST}", "attempt", "password_required", claims=False),
    MessageForm("", rf"{_BY}\(command continued\) ", part=True),
)


class Sudo(StatelessFormat):
    """Messages of sudo."""

    name = "sudo"
    title = "sudo through syslog or the journal"
    log_types = (LogType.LOGIN,)
    shape = Shape.SYSLOG
    journal_programs = ("sudo",)
    order = 30

    def owns(self, program: str) -> bool:
        """Its own name."""
        return program == "sudo"

    def read(self, stream: StreamInfo, lines: pl.DataFrame) -> Parsed:
        """Take all of `lines`."""
        message = lines["message"].fill_null("")
        twice = message.str.count_matches(_MARK, literal=True) > 1
        rejects = no_rejects()
        if twice.any():
            rejects = lines.filter(twice).select("line_index", reason=pl.lit(AMBIGUOUS))
            lines = lines.filter(~twice)
        found = read_forms(lines, FORMS, pl.lit("sudo"))
        if len(found.skipped) == 0:
            return Parsed(
                found.rows, found.consumed, found.skipped, pl.concat([found.rejects, rejects]).sort("line_index")
            )
        others = lines.filter(lines["line_index"].is_in(pl.Series(found.skipped).implode()))
        cut = others.filter(others["message"].fill_null("").str.contains(_CLAIMS))
        skipped = others.filter(~others["line_index"].is_in(cut["line_index"].implode()))
        return Parsed(
            found.rows,
            found.consumed,
            skipped["line_index"].to_numpy(),
            pl.concat([found.rejects, rejects, cut.select("line_index", reason=pl.lit(_CUT_OFF))]).sort("line_index"),
        )


FORMAT = Sudo()
