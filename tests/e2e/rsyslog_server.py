"""A real rsyslogd that writes what its socket receives to an auth.log of the test."""

from __future__ import annotations

from pathlib import Path

from tests.e2e.requirements import program, require_root_on_linux
from tests.e2e.service import Service

RFC_3164 = "RSYSLOG_TraditionalFileFormat"
"""As on Debian 11 and earlier: no year, no zone, whole seconds."""
RFC_3339 = "RSYSLOG_FileFormat"
"""As on Debian 12: microseconds and zone."""

_CONFIG = """
global(workDirectory="{folder}" localHostname="gate01")
module(load="imuxsock" SysSock.Name="{socket}" SysSock.RateLimit.Interval="0")
$RepeatedMsgReduction {reduction}
auth,authpriv.* action(type="omfile" file="{log}" template="{template}")
"""


class RsyslogServer(Service):
    """Listens on `socket`, writes authentication messages to `log`.

    Parameters
    ----------
    template : RFC_3164 or RFC_3339
    reduces_repeats : write "message repeated N times: [ ... ]" for equal messages that follow each other
    """

    def __init__(self, folder: Path, template: str, *, reduces_repeats: bool = False) -> None:
        require_root_on_linux("rsyslogd")
        folder.mkdir()
        self.socket = folder / "dev-log"
        self.log = folder / "auth.log"
        config = folder / "rsyslog.conf"
        config.write_text(
            _CONFIG.format(
                folder=folder,
                socket=self.socket,
                log=self.log,
                template=template,
                reduction="on" if reduces_repeats else "off",
            )
        )
        rsyslogd = program("rsyslogd", "rsyslog")
        self.pid_file = folder / "rsyslogd.pid"
        super().__init__([rsyslogd, "-n", "-f", str(config), "-i", str(self.pid_file)], folder, self.socket.exists)
