"""The one error of the set-up; the rest of LiveSec's errors need LiveSec to be set up."""

from __future__ import annotations


class SetupError(Exception):
    """Set-up cannot go on. The text is one line: what is wrong, and what to do."""
