"""What holds for all tests."""

from __future__ import annotations

from hypothesis import settings
from tests.examples import IS_LONG

settings.register_profile("short", derandomize=True, database=None)
if not IS_LONG:
    settings.load_profile("short")
