"""What analysts decided about findings: silenced ones, with a reason and an end, and ones judged benign before.

Both are settings, in `config.py` or in the file that `livesec suppress` and `livesec feedback` write, so that a run is
the same whenever it is repeated; ends are judged by the time of the logs.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from pydantic import BaseModel, ConfigDict, Field, model_validator

from livesec.core.clock import US_PER_S

ANY = "*"


class _Verdict(BaseModel):
    """About findings of `detector` whose entity, user, address or host is `entity`; either may be any."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    detector: str = ANY
    entity: str = ANY
    """A name as it stands in the anomaly, an address, or a network in CIDR notation."""
    reason: str = Field(min_length=1)

    @model_validator(mode="after")
    def _is_about_something(self) -> _Verdict:
        if self.detector == ANY and self.entity == ANY:
            raise ValueError("detector or entity must be named: this would be about everything")
        return self

    @cached_property
    def _network(self) -> IPv4Network | IPv6Network | None:
        try:
            return ip_network(self.entity, strict=False) if "/" in self.entity else None
        except ValueError:
            return None

    def is_about(self, detector: str, names: Iterable[str | None]) -> bool:
        """Whether it holds for a finding of `detector` with these entities."""
        if self.detector not in (ANY, detector):
            return False
        if self.entity == ANY:
            return True
        network = self._network
        return any(
            name is not None and (name == self.entity or (network is not None and _is_in(name, network)))
            for name in names
        )


class Suppression(_Verdict):
    """Findings that are stored with score 0 and status `suppressed`: no alert, no risk, no incident."""

    until: date | None = None
    """The last day, UTC; None for ever."""

    def covers(self, time_us: int) -> bool:
        """Whether it has not ended at `time_us`."""
        if self.until is None:
            return True
        end = datetime(self.until.year, self.until.month, self.until.day, tzinfo=UTC) + timedelta(days=1)
        return time_us < int(end.timestamp()) * US_PER_S

    def __str__(self) -> str:
        """For a person."""
        return f"suppressed {f'until {self.until}' if self.until else 'for good'}: {self.reason}"


class Feedback(_Verdict):
    """Findings whose confidence is multiplied by `weight`, because analysts found them benign before."""

    weight: float = Field(ge=0, le=1)

    def __str__(self) -> str:
        """For a person."""
        return f"confidence times {self.weight:g} by feedback: {self.reason}"


def _is_in(name: str, network: IPv4Network | IPv6Network) -> bool:
    try:
        return ip_address(name.partition("/")[0]) in network  # an IPv6 entity is its /64
    except ValueError:
        return False
