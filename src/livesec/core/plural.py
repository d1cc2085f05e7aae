"""Numbers of things in words: one anomaly, 2 anomalies."""

from __future__ import annotations


def counted(number: int, one: str, more: str = "") -> str:
    """`number` of what `one` names, `more` being its plural where that is not `one` with an s.

    >>> counted(1, "anomaly", "anomalies"), counted(1200, "address", "addresses"), counted(0, "line")
    ('1 anomaly', '1,200 addresses', '0 lines')
    """
    return f"{number:,} {one if number == 1 else more or one + 's'}"
