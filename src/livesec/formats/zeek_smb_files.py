r"""Zeek's smb_files.log: what clients did to files over SMB, tab-separated or JSON.

    {"ts":1772409600.25,"uid":"CJ1","id.orig_h":"192.0.2.1",..,"action":"SMB::FILE_OPEN","path":"\\\\srv\\share",
     "name":"dir\\report.pdf","size":1234,..}
     (all on one line)

Read: FILE_OPEN (read), FILE_READ (download), FILE_WRITE (upload), FILE_DELETE and FILE_RENAME, which has the old name
in prev_name, with ts, uid and the client's address. The path is the share's and the file's. There are no sizes: `size`
is the file's, and what was moved of it is in files.log. By default Zeek logs no FILE_READ and FILE_WRITE.
Skipped: named pipes (on IPC$ or by their names) and roots of shares, which are opened all the time; closing, printing,
attributes. Not read: times of files, and users, whom Zeek has in ntlm.log and kerberos.log.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import polars as pl

from livesec.core.schema import FILE_ACTION, LogType
from livesec.formats.typed_fields import Field, TypedRows, needed, text, typed_rows
from livesec.formats.zeek_logs import ZeekLog
from livesec.formats.zeek_records import CONNECTION, ORIGINATOR, TIME

_ACTIONS: Final = {
    "SMB::FILE_OPEN": "read",
    "SMB::FILE_READ": "download",
    "SMB::FILE_WRITE": "upload",
    "SMB::FILE_DELETE": "delete",
    "SMB::FILE_RENAME": "rename",
}
_PIPES: Final = (
    *("atsvc", "browser", "cert", "dfs", "dnsserver", "efsrpc", "epmapper", "eventlog", "initshutdown", "keysvc"),
    *("llsrpc", "lsarpc", "lsass", "msftewds", "netdfs", "netlogon", "ntsvcs", "plugplay", "protected_storage"),
    *("router", "samr", "scerpc", "spoolss", "srvsvc", "svcctl", "tapsrv", "trkwks", "w32time", "winreg", "wkssvc"),
)
"""As [MS-RPCE] endpoints of Windows are named; told from files only where the log has no share."""
_ROOT: Final = ("<share_root>", "\\", "")
_PIPE_SHARE: Final = r"(?i)(?:^|\\)IPC\$$"
_FIELDS: Final = (
    TIME,
    CONNECTION,
    ORIGINATOR,
    Field("file", "path", needed(text), "no name"),
    Field("old_file", "old_path", text),
)


class ZeekSmbFiles(ZeekLog):
    """Files on SMB shares, as Zeek saw them used."""

    name = "zeek_smb_files"
    title = "Zeek smb_files.log (tab-separated or JSON)"
    log_types = (LogType.FILE_TRANSFER,)
    log = "smb_files"
    fields = ("ts", "uid", "id.orig_h", "action", "path", "name", "prev_name")

    def read(self, texts: pl.DataFrame) -> Sequence[tuple[LogType, TypedRows]]:
        """A row for each use of a file."""
        in_pipes = texts["path"].str.contains(_PIPE_SHARE)
        bare = texts["name"].str.strip_chars_start("\\").str.to_lowercase()
        pipe = in_pipes.fill_null(False) | (texts["path"].is_null() & bare.is_in(_PIPES).fill_null(False))
        known = texts["action"].is_in(list(_ACTIONS)).fill_null(False)
        files = texts.filter(known & ~pipe & ~texts["name"].is_in(_ROOT).fill_null(False))
        files = files.with_columns(_on_share("name").alias("file"), _on_share("prev_name").alias("old_file"))
        typed = typed_rows(
            files,
            _FIELDS,
            action=files["action"].replace_strict(_ACTIONS, default=None, return_dtype=FILE_ACTION),
            protocol=pl.repeat("smb", files.height, dtype=pl.String, eager=True),
        )
        return [(LogType.FILE_TRANSFER, typed)]


def _on_share(name: str) -> pl.Expr:
    share = pl.col("path").str.strip_chars_end("\\")
    return pl.when(share.is_null()).then(name).otherwise(share + "\\" + pl.col(name).str.strip_chars_start("\\"))


FORMAT = ZeekSmbFiles()
