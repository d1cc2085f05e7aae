"""When something that goes on is reported again: at four times what the last report said.

One attack of ten thousand tries is six reports, not ten thousand and not one.
"""

from __future__ import annotations

from typing import Final

GROWTH: Final = 4  # our choice: doubling makes twice as many reports and tells an analyst no more
