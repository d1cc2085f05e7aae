"""What every end-to-end test has: kernels that were compiled before, as the set-up leaves them."""

from __future__ import annotations

import subprocess
import sys

import pytest
from tests.e2e.command import environment

WARM_UP_S = 300.0


@pytest.fixture(scope="session", autouse=True)
def _compiled_kernels() -> None:
    """What `run_livesec.py` does once after installing; without it the first daemon would compile for half a minute."""
    subprocess.run(
        [sys.executable, "-m", "livesec.runners.warmup"],
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        timeout=WARM_UP_S,
        check=True,
    )
