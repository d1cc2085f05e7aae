"""Runs a command so that file permissions hold for it, though the tests may run as root."""

from __future__ import annotations

import os
import shutil

_OVERRIDES = "-dac_override,-dac_read_search"

UNPRIVILEGED: tuple[str, ...] = (
    ("setpriv", f"--bounding-set={_OVERRIDES}", f"--inh-caps={_OVERRIDES}", "--")
    if os.geteuid() == 0 and shutil.which("setpriv") is not None
    else ()
)
"""Words before the command: root without the capabilities that open every file. Another user needs none."""
