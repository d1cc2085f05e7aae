"""Applies what analysts decided to findings as they are scored."""

from __future__ import annotations

from livesec.core.finding import Finding
from livesec.core.settings import Settings
from livesec.core.verdicts import Feedback, Suppression


class Verdicts:
    """The suppressions and the feedback of the settings."""

    def __init__(self, settings: Settings) -> None:
        self._suppressions = settings.suppressions
        self._feedback = settings.feedback

    def __bool__(self) -> bool:
        """Whether there are any."""
        return bool(self._suppressions or self._feedback)

    def suppression(self, finding: Finding) -> Suppression | None:
        """What silences `finding`, if anything does."""
        names = _names(finding)
        return next(
            (
                item
                for item in self._suppressions
                if item.is_about(finding.detector, names) and item.covers(finding.stream_time_us)
            ),
            None,
        )

    def feedback(self, finding: Finding) -> Feedback | None:
        """The feedback that weighs most on `finding`, if there is any."""
        names = _names(finding)
        about = (item for item in self._feedback if item.is_about(finding.detector, names))
        return min(about, key=lambda item: item.weight, default=None)


def _names(finding: Finding) -> tuple[str | None, ...]:
    return (finding.entity, finding.user, finding.src_ip, finding.dst_ip, finding.host)
