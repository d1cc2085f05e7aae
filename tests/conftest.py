"""What holds for all tests."""

from __future__ import annotations

import pytest
from hypothesis import settings
from tests.examples import IS_LONG

_WITH_DAEMONS = ("e2e", "explaining", "launcher", "tailing")

settings.register_profile("short", derandomize=True, database=None)
if not IS_LONG:
    settings.load_profile("short")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """In two processes: what starts daemons, servers and browsers stays in one, and so does each other file."""
    for item in items:
        folder = item.path.parent
        group = "daemons" if folder.parent.name == "tests" and folder.name in _WITH_DAEMONS else str(item.path)
        item.add_marker(pytest.mark.xdist_group(group))
