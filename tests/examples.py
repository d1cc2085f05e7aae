"""How many examples Hypothesis tries: in a short run a few, always the same; in a long one all, others each time."""

from __future__ import annotations

import os

IS_LONG = os.environ.get("LIVESEC_LONG") == "1"
_SHARE = 0.2
_LEAST = 8


def examples(number: int) -> int:
    """`number` in a long run, a fifth of it else."""
    return number if IS_LONG else max(_LEAST, round(number * _SHARE))
