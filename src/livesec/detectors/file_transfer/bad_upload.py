"""An upload whose name is that of an attack: a web shell, a program behind a harmless ending, a climbing path.

Sees scripts put into folders that web servers run (`.php`, `.jsp`, `.aspx` ...), names with a hidden second ending
(`invoice.pdf.exe`), names that turn the writing direction, and paths with `..`. Misses shells in files of other
endings, and cannot see contents. Each user and path is reported once, and again as it keeps coming. Source: Wazuh's
and Elastic's rules for web shells; MITRE T1036.007 for double endings, T1036.002 for right-to-left override.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from livesec.baselines import recurrence
from livesec.baselines.written_files import written
from livesec.core.finding import Findings
from livesec.core.human_units import time_text, time_texts
from livesec.core.protocols import Detector, Guidance, param
from livesec.core.rows import Rows
from livesec.core.schema import LogType
from livesec.core.state import KeyedState

CLIMBS = "a path that leaves its folder"
TURNS = "a name that turns the direction of writing"
HIDES = "a program behind a harmless ending"
SHELL = "a script where a web server may run it"

_CLIMBS = r"(?:^|[/\\])\.\.(?:[/\\]|$)|(?i:%2e%2e(?:%2f|/))"
_TURNS = "[\u202a-\u202e\u2066-\u2069]"
_HARMLESS = "pdf|docx?|xlsx?|pptx?|txt|csv|jpe?g|png|gif|mp[34]|zip"
_PROGRAMS = "exe|scr|com|bat|cmd|pif|js|jse|vbs|vbe|wsf|hta|lnk|ps1|jar|msi|sh|elf"
_HIDES = rf"(?i:\.(?:{_HARMLESS})\s*\.(?:{_PROGRAMS})$)"
_SCRIPTS = r"(?i:\.(?:php[3-8]?|phtml|phar|jspx?|aspx?|ashx|asmx|cfm|cgi|war)(?:\.(?:jpe?g|png|gif|txt))?$)"
_WEB_FOLDERS = r"(?i:(?:^|[/\\])(?:www|wwwroot|htdocs|public_html|html|webapps|inetpub|uploads?|cgi-bin)[/\\])"


@dataclass(frozen=True)
class Params:
    """When a file is new again."""

    quiet_s: float = param(30 * 86_400.0, "s", "our choice: after a month it is a new upload", minimum=3600)


class BadUpload(Detector[Params]):
    """Uploads whose path says what they are, per user and path."""

    name = "bad_upload"
    log_type = LogType.FILE_TRANSFER
    key = ("user", "path")
    needs = ("action",)
    technique = ("T1505.003",)
    base_severity = 73
    columns = recurrence.COLUMNS
    params = Params
    max_keys = 1 << 15
    summary = "{user} uploaded {file}: {kind}"
    guidance = Guidance(
        meaning="The name of the file is one that attacks use. A script in a web folder gives whoever calls "
        "its address the rights of the web server; a hidden ending makes people start a program; a "
        "climbing path writes where the account should not.",
        usual="Usual is none: in the {quiet_text} before the first of these, or as far as the log reaches, "
        "{user} did not send {file}. It is named as {kind}. Times so far: {uploads:,}, within "
        "{span_text}.",
        benign=(
            "a developer who publishes a web site by file transfer",
            "a client that writes .. into its paths by habit",
            "a document whose name had a second ending typed by mistake",
        ),
        next_steps=(
            "Look at what {file} is by its first bytes and its hash, without starting it and without "
            "opening it in an office program.",
            "See whether it was called over the web since the upload, from which address, and what the "
            "server answered.",
            "Look at where {user} logged in from before the upload, and at what else came by the same session.",
            "If nobody sent it on purpose: move it out of the folder, keep it as evidence, change the "
            "password of {user}, and look for programs that the web server started.",
        ),
        commands=(
            "content",
            "calls_of_file",
            "files_beside",
            "logins_of_user",
        ),
        would_change=(
            "harmless if {user} publishes this web site and the file is part of a release",
            "worse if {file} was called after the upload, most of all by an address that never visited a page",
            "worse if {user} logged in from a new address before",
        ),
    )

    def wants(self, rows: Rows) -> NDArray[np.bool_]:
        """Uploads and renames that did not fail and whose path says so."""
        asked = written(rows)
        at = np.flatnonzero(asked)
        if len(at) == 0:
            return asked
        kind = _kinds(rows.column("path").gather(at))
        # A web server's log does not tell the upload of a script from a call of it, which every form is.
        called = (kind == SHELL).to_numpy() & rows.is_any("protocol", ("http", "https"))[at]
        asked[at] = (kind != "").to_numpy() & ~called
        return asked

    def step(self, state: KeyedState, rows: Rows, at: NDArray[np.int64]) -> Findings:
        """Count each file."""
        reports = recurrence.recur_at_once(state, rows, self.key, at, quiet_s=self.p.quiet_s)
        found = at[reports.at]
        paths = rows.column("path").gather(found)
        return Findings(
            at=found,
            details={
                "file": paths.to_list(),
                "kind": _kinds(paths).to_list(),
                "uploads": reports.total,
                "span_s": reports.span_s,
                "span_text": time_texts(reports.span_s),
                "quiet_text": [time_text(self.p.quiet_s)] * len(found),
            },
            evidence=reports.evidence,
        )

    def idle_s(self) -> float:
        """The pause after which an upload is a new one."""
        return self.p.quiet_s


def _kinds(paths: pl.Series) -> pl.Series:
    """What is wrong with each path; "" for nothing.

    >>> _kinds(pl.Series(["/www/shell.php", "/home/ann/a.php", "../etc/cron.d/x", "/a/b..c", None])).to_list()
    ['a script where a web server may run it', '', 'a path that leaves its folder', '', '']
    """
    path = pl.lit(paths.fill_null(""))
    kind = (
        pl.when(path.str.contains(_CLIMBS))
        .then(pl.lit(CLIMBS))
        .when(path.str.contains(_TURNS))
        .then(pl.lit(TURNS))
        .when(path.str.contains(_HIDES))
        .then(pl.lit(HIDES))
        .when(path.str.contains(_SCRIPTS) & path.str.contains(_WEB_FOLDERS))
        .then(pl.lit(SHELL))
        .otherwise(pl.lit(""))
    )
    return pl.select(kind.alias("kind")).to_series()


DETECTOR = BadUpload
