"""What the end-to-end tests need from the machine, and what happens where it is missing."""

from __future__ import annotations

import os
import shutil
import sys
from typing import NoReturn

import pytest

_SYSTEM_FOLDERS = ("/usr/local/sbin", "/usr/sbin", "/sbin", "/lib/systemd", "/usr/lib/systemd")


def missing(reason: str) -> NoReturn:
    """Skip the test with `reason`; fail it where LIVESEC_REQUIRE_E2E=1 says that nothing may be missing."""
    if os.environ.get("LIVESEC_REQUIRE_E2E") == "1":
        pytest.fail(f"LIVESEC_REQUIRE_E2E=1, but {reason}", pytrace=False)
    pytest.skip(reason)


def program(name: str, package: str) -> str:
    """The absolute path of a program, also where only root has its folder on PATH."""
    path = os.pathsep.join([os.environ.get("PATH", os.defpath), *_SYSTEM_FOLDERS])
    found = shutil.which(name, path=path)
    if found is None:
        missing(f"{name} is not installed (apt install {package})")
    return found


def require_root_on_linux(what: str) -> None:
    """Go on only where `what` can be started."""
    if sys.platform != "linux":
        missing(f"{what} is tried on Linux only")
    if os.geteuid() != 0:
        missing(f"{what} needs root")
