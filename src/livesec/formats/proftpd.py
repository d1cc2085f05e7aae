"""ProFTPD through syslog or the journal.

    proftpd[80283]: 198.51.100.7 (192.0.2.1[192.0.2.1]) - USER ann (Login failed): Incorrect password

Read: logins that succeeded, failed, were denied by a rule, or named a user that does not exist; root refused by rule.
ANON logins have the method anonymous. The address is the one
in brackets; the name before it may be a host name that its owner chose. Skipped: sessions opened and closed, limits
reached, and everything else. Not read: transfers, which are in its TransferLog (xferlog); its ExtendedLog.
"""

from __future__ import annotations

import polars as pl

from livesec.core.batch import Parsed, StreamInfo
from livesec.core.protocols import Shape
from livesec.core.schema import LogType
from livesec.formats.proftpd_messages import SERVICE, read_messages
from livesec.formats.stateless import StatelessFormat


class ProFtpd(StatelessFormat):
    """FTP logins."""

    name = "proftpd"
    title = "ProFTPD through syslog"
    log_types = (LogType.LOGIN,)
    shape = Shape.SYSLOG
    journal_programs = (SERVICE,)
    order = 30

    def owns(self, program: str) -> bool:
        """The server's name."""
        return program == SERVICE

    def read(self, stream: StreamInfo, lines: pl.DataFrame) -> Parsed:
        """Take all of `lines`."""
        return read_messages(lines)


FORMAT = ProFtpd()
