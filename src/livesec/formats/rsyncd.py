"""The rsync daemon through syslog or the journal.

    rsyncd[7]: rsync on backup/db from ann@client.example.org (192.0.2.1)
    rsyncd[7]: send client.example.org [192.0.2.1] backup (ann) db/dump.sql 1234
    rsyncd[7]: auth failed on module backup from client.example.org (192.0.2.1) for ann: password mismatch
    rsyncd[7]: sent 1234 bytes  received 99 bytes  total size 1234

Read: requests of a user as logins, refused ones (older versions write `: password mismatch` without the user); where
`transfer logging` is on with the usual `log format`, each file (send is a download, recv an upload, del. a delete; the
size is the whole file's, also where only a part of it or its date changed); where it is not, the totals of a session as
one transfer of what was asked for, with the bytes on the wire. Anonymous requests are parts of their session. Skipped:
all other messages, totals without their request. Not read: other log formats; refusals by `hosts allow`. A path is the
module's name, a slash and the name that the log has.
"""

from __future__ import annotations

import polars as pl

from livesec.core.batch import NOTHING_PARSED, Parsed, StreamInfo
from livesec.core.protocols import Format, Shape
from livesec.core.schema import LogType
from livesec.formats.rsyncd_messages import Sessions, read_messages

_PROGRAMS = ("rsyncd", "rsync")


class Rsyncd(Format[Sessions]):
    """Logins to and transfers of an rsync daemon. The state is the sessions that are open."""

    name = "rsyncd"
    title = "rsync daemon through syslog"
    log_types = (LogType.LOGIN, LogType.FILE_TRANSFER)
    shape = Shape.SYSLOG
    journal_programs = _PROGRAMS
    order = 30

    def owns(self, program: str) -> bool:
        """The daemon's names."""
        return program in _PROGRAMS

    def initial(self, stream: StreamInfo) -> Sessions:
        """No sessions."""
        return Sessions()

    def parse(self, state: Sessions, stream: StreamInfo, lines: pl.DataFrame) -> tuple[Sessions, Parsed]:
        """Take all of `lines`."""
        return state, read_messages(state, lines, every=True) if lines.height else NOTHING_PARSED

    def to_bytes(self, state: Sessions) -> bytes:
        """The sessions."""
        return state.to_bytes()

    def from_bytes(self, blob: bytes) -> Sessions:
        """What `to_bytes` wrote. Raises StateVersionError for another layout."""
        return Sessions.from_bytes(blob)


FORMAT = Rsyncd()
