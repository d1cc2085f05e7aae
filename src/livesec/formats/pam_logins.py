"""PAM's lines of programs that leave the logging of logins to it: desktops, xrdp, cockpit, screen locks, old Linux.

    lightdm: pam_unix(lightdm:auth): authentication failure; logname= uid=0 euid=0 tty=:0 ruser= rhost=  user=ann
    gdm-password]: pam_unix(gdm-password:session): session opened for user ann(uid=1000) by (uid=0)
    ftpd(pam_unix)[71]: authentication failure; logname= uid=0 euid=0 tty= ruser= rhost=192.0.2.7  user=root

Read: pam_unix's `authentication failure` and `N more authentication failures`, pam_sss's `received for user ann: 7
(Authentication failure)`, and sessions opened by a display manager, xrdp or cockpit, as successes. The user is the
account aimed at (user=), not ruser. Where pam_unix does not know the user it leaves the name out: invalid_user.
Part of these: pam_sss's own `authentication failure`, which the line above follows, and `check pass; user unknown`.
Skipped: greeters, other sessions, among them those of cron and systemd, and other modules. Not read: programs not named
here, and those whose own log tells of the attempt (sshd, sudo, su, login, FTP and mail servers). A domain's user whom
pam_unix is asked about first, as on Debian, fails there before pam_sss lets them in.

ruser comes from the other side in some protocols; a line in which ` rhost=` stands twice is a reject.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np
import polars as pl

from livesec.core.batch import Parsed, StreamInfo, no_rejects
from livesec.core.protocols import Shape
from livesec.core.schema import LogType
from livesec.formats.message_forms import MessageForm, read_forms
from livesec.formats.stateless import StatelessFormat

PROGRAMS: Final = frozenset(
    {
        "gdm",
        "gdm-password",
        "gdm-autologin",
        "gdm-fingerprint",
        "gdm-smartcard",
        "gdm-launch-environment",
        "gdm3",
        "gdm-session-worker",
        "lightdm",
        "lightdm-greeter",
        "sddm",
        "sddm-helper",
        "sddm-greeter",
        "xdm",
        "kdm",
        "slim",
        "xrdp-sesman",
        "cockpit-session",
        "cockpit-ws",
        "polkit-agent-helper-1",
        "kscreenlocker_greet",
        "xscreensaver",
        "gnome-screensaver-dialog",
        "vlock",
        "saslauthd",
        "cron",
        "CRON",
        "crond",
        "anacron",
        "atd",
        "systemd",
    }
)
AMBIGUOUS: Final = "rhost= stands in it more than once: which of them PAM wrote cannot be told"
_OLD: Final = "(pam_unix)"
_UNIX: Final = r"^(?:pam_unix\([^ ()]+:auth\): )?"
_FIELDS: Final = r"; logname=[^ ]* uid=[0-9]+ euid=[0-9]+ tty=[^ ]* ruser=[^ ]* rhost=(?P<src_ip>[^ ]*)"
_LOGIN_SERVICES: Final = (
    "gdm|gdm-password|gdm-autologin|gdm-fingerprint|gdm-smartcard|lightdm|lightdm-autologin|sddm|sddm-autologin|xdm|kdm|"
    "slim|xrdp-sesman|cockpit"
)
_OPENED: Final = rf"^pam_unix\((?:{_LOGIN_SERVICES}):session\): session opened for user "
_SERVICE: Final = r"^([^\](]+)"


def _failures(start: str) -> tuple[MessageForm, ...]:
    words = r"(?:authentication failure|(?P<count>[0-9]+) more authentication failures?)"
    service = r"pam_unix\([^ ():]+:auth\): " if start == "pam_unix(" else ""
    usual = f"^{service}authentication failure{_FIELDS}"
    return tuple(
        MessageForm(
            start,
            f"{_UNIX}{words}{_FIELDS}{end}",
            "failure",
            reason,
            "password",
            plain=(usual + end,),
            claims=False,
        )
        for end, reason in ((r"  ?user=(?P<user>.+)$", "bad_credentials"), (r" *$", "invalid_user"))
    )


FORMS: Final = (
    *_failures("pam_unix("),
    MessageForm(
        "pam_unix(", rf"{_OPENED}(?P<user>.+?)(?:\(uid=[0-9]+\))? by [^ ]*\(uid=[0-9]+\)$", "success", claims=False
    ),
    MessageForm("pam_unix(", r"^pam_unix\([^ ()]+:auth\): check pass; user unknown$", part=True),
    MessageForm("pam_sss(", r"^pam_sss\([^ ()]+:auth\): authentication failure; ", part=True),
    MessageForm(
        "pam_sss(",
        r"^pam_sss\([^ ()]+:auth\): received for user (?P<user>.+): (?:4|6|7|9|11|12|13|17) \([^()]*\)$",
        "failure",
        "bad_credentials",
        "password",
        claims=False,
    ),
    *_failures("authentication failure;"),
    *_failures(""),
    MessageForm("check pass; user unknown", part=True),
)
_TELLING: Final = r"authentication failure|check pass; user unknown|pam_sss\(|:session\): session opened for user "
_CRON: Final = "pam_unix(cron:session)"  # most of what programs named here say
_CLAIMS: Final = r"^(?:pam_unix\([^ ()]+:auth\): )?(?:[0-9]+ more )?authentication failures?;"


class PamLogins(StatelessFormat):
    """PAM's lines of programs without words of their own."""

    name = "pam_logins"
    title = "Logins that only PAM logs (desktops, xrdp, cockpit, old Linux)"
    log_types = (LogType.LOGIN,)
    shape = Shape.SYSLOG
    journal_programs = tuple(sorted(PROGRAMS))
    order = 40

    def owns(self, program: str) -> bool:
        """Programs known for it; gdm's tags come as `gdm-password]`, old Linux's as `login(pam_unix)`."""
        return program.removesuffix("]") in PROGRAMS or program.endswith(_OLD)

    def read(self, stream: StreamInfo, lines: pl.DataFrame) -> Parsed:
        """Take PAM's lines; what else the programs say is skipped."""
        message = lines["message"].fill_null("")
        telling = message.str.contains(_TELLING) & ~message.str.starts_with(_CRON)
        if not telling.all():
            dull = lines["line_index"].filter(~telling).to_numpy()
            if not telling.any():
                return Parsed(skipped=dull)
            told = self.read(stream, lines.filter(telling))
            return replace(told, skipped=np.sort(np.concatenate([told.skipped, dull])))
        rejects = no_rejects()
        twice = message.str.count_matches(" rhost=", literal=True) > 1
        cut = message.str.contains(_CLAIMS) & ~message.str.contains(_UNIX + "[^;]*" + _FIELDS)
        bad = twice | cut
        if bad.any():
            reason = pl.when(pl.lit(twice)).then(pl.lit(AMBIGUOUS)).otherwise(pl.lit(_CUT_OFF))
            rejects = lines.select("line_index", reason=reason).filter(bad)
            lines = lines.filter(~bad)
        found = read_forms(lines, FORMS, pl.col("program").str.extract(_SERVICE))
        return Parsed(found.rows, found.consumed, found.skipped, pl.concat([found.rejects, rejects]).sort("line_index"))


_CUT_OFF: Final = "a PAM line about a failed login that is cut off or not of a known form"
FORMAT = PamLogins()
