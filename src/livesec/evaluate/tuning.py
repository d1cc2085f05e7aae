"""Thresholds of the statistical detectors that keep an alert budget, found by replaying history under several.

An alert is an anomaly of medium or higher. Each detector's p* (the probability from which on it is fully confident) is
tried at several strictnesses; what rules and correlators raise is taken as it is. What they leave of the budget is
divided evenly; what one detector does not use goes to the others.
"""

from __future__ import annotations

import json
import tempfile
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from livesec.core.errors import UsageError
from livesec.core.protocols import Detector, ParamInfo, param_infos
from livesec.core.settings import Settings
from livesec.evaluate.run import Progress
from livesec.pipeline.assembly import assemble
from livesec.runners.replay import Replay
from livesec.store.activity_queries import alerts_by_day
from livesec.store.open import reader_engine
from livesec.store.writer import StoreWriter

LOOSEST: Final = 1
STRICTNESSES: Final = (-LOOSEST, 0, 1, 2, 3, 4)
"""Powers of ten by which p* is divided."""
STRICTEST: Final = STRICTNESSES[-1]
MIN_DAYS: Final = 3.0
"""History shorter than this says nothing about a day."""
_LEARNING_SHARE: Final = 1 / 3
"""Of the days at the start, while little is usual yet."""
_LOUD_SHARE: Final = 0.1
_P_STAR: Final = "p_star"


@dataclass(frozen=True)
class Expected:
    """What one detector raises on a quiet day, under its present threshold and under the chosen one."""

    detector: str
    per_day: float
    per_day_tuned: float
    p_star: float | None
    """None for what has no such threshold: rules and correlators."""
    p_star_tuned: float | None


@dataclass(frozen=True)
class Tuning:
    """Expected alerts per quiet day by detector, those that raise most first; and how many days were counted."""

    budget: float
    days: int
    quiet_days: int
    detectors: tuple[Expected, ...]

    @property
    def per_day(self) -> float:
        """Alerts a day under the present settings."""
        return sum(item.per_day for item in self.detectors)

    @property
    def per_day_tuned(self) -> float:
        """Alerts a day under the chosen thresholds, as a replay with them gave it."""
        return sum(item.per_day_tuned for item in self.detectors)

    def as_dict(self) -> dict[str, Any]:
        """What `livesec tune --json` prints."""
        return {
            "alerts_budget_per_day": self.budget,
            "days": self.days,
            "quiet_days": self.quiet_days,
            "alerts_per_day": round(self.per_day, 3),
            "alerts_per_day_tuned": round(self.per_day_tuned, 3),
            "detectors": [asdict(item) for item in self.detectors],
        }

    def as_toml(self) -> str:
        """The chosen thresholds as a layer of settings."""
        lines = [
            f"# Written by `livesec tune`: {self.budget:g} alerts a day wanted, {self.per_day_tuned:.2f} expected from "
            f"{self.quiet_days} quiet days of history.",
            "# It comes after config.py. Delete it to go back to what that says.",
        ]
        for item in sorted(self.detectors, key=lambda item: item.detector):
            if item.p_star_tuned is not None:  # those kept, too: they may be kept from an earlier such file
                lines += ["", f"[detectors.{item.detector}]", f"{_P_STAR} = {json.dumps(item.p_star_tuned)}"]
        return "\n".join(lines) + "\n"


def tune(settings: Settings, paths: Sequence[str], budget: float, progress: Progress) -> Tuning:
    """Replay `paths` under several strictnesses and choose.

    `progress` is told the share of all replays and the lines of the present one. Raises UsageError where the paths hold
    too little history, InputUnreadableError where one cannot be read.
    """
    limits = {
        detector.name: (float(getattr(detector.p, _P_STAR)), info)
        for detector in assemble(settings).detectors
        if (info := _tunable(detector)) is not None
    }
    rounds = len(STRICTNESSES) + 1

    def counted(number: int, p_stars: Mapping[str, float]) -> dict[int, Counter[str]]:
        tried = settings.model_copy(update={"detectors": _with(settings, p_stars)})
        return _alerts_by_day(tried, paths, lambda share, lines: progress((number + share) / rounds, lines))

    tries = {
        power: {name: _limited(p_star / 10.0**power, info) for name, (p_star, info) in limits.items()}
        for power in STRICTNESSES
    }
    found = {power: counted(number, tries[power]) for number, power in enumerate(STRICTNESSES)}
    days = sorted(found[0])
    if len(days) < MIN_DAYS:
        raise UsageError(f"tune needs at least {MIN_DAYS:g} days of logs with events; there are {len(days)}")
    quiet = _quiet(found[0], days[int(len(days) * _LEARNING_SHARE) :])
    rates = {power: _per_day(by_day, quiet) for power, by_day in found.items()}
    fixed = sum(rate for name, rate in rates[0].items() if name not in limits)
    chosen = _chosen({name: {power: rates[power][name] for power in STRICTNESSES} for name in limits}, fixed, budget)
    p_stars = {name: tries[power][name] for name, power in chosen.items()}
    tuned = _per_day(counted(len(STRICTNESSES), p_stars), quiet)
    names = sorted({*rates[0], *tuned, *limits}, key=lambda name: (-rates[0][name], name))
    return Tuning(
        budget,
        len(days),
        len(quiet),
        tuple(
            Expected(
                name,
                round(rates[0][name], 3),
                round(tuned[name], 3),
                limits[name][0] if name in limits else None,
                p_stars.get(name),
            )
            for name in names
        ),
    )


def _tunable(detector: Detector[Any]) -> ParamInfo | None:
    """The p* of `detector`, if it has one."""
    infos = param_infos(detector.params) if detector.statistical else ()
    return next((info for info in infos if info.name == _P_STAR), None)


def _limited(p_star: float, info: ParamInfo) -> float:
    """`p_star` within its range, short enough to write down."""
    low = info.minimum if info.minimum is not None else 1e-12
    high = info.maximum if info.maximum is not None else 0.1
    return float(f"{min(max(p_star, low), high):.4g}")


def _with(settings: Settings, p_stars: Mapping[str, float]) -> dict[str, dict[str, Any]]:
    given = settings.detectors
    return {**given, **{name: {**given.get(name, {}), _P_STAR: p_star} for name, p_star in p_stars.items()}}


def _alerts_by_day(settings: Settings, paths: Sequence[str], progress: Progress) -> dict[int, Counter[str]]:
    """Alerts per detector of each day (since 1970, UTC) that has events."""
    with tempfile.TemporaryDirectory(prefix="livesec-tune-") as folder:
        writer = StoreWriter(str(Path(folder) / "tune.db"))
        try:
            replay = Replay(settings, paths, writer, progress)
            replay.run()
        finally:
            writer.close()
        if replay.problems:
            raise UsageError("; ".join(replay.problems))
        with reader_engine(str(writer.path)).connect() as connection:
            return alerts_by_day(connection)


def _quiet(by_day: Mapping[int, Counter[str]], days: Sequence[int]) -> list[int]:
    """`days` without the tenth that is loudest: an attack in the history is no reason to hear less of the next."""
    loud = int(len(days) * _LOUD_SHARE + 0.5)
    return sorted(sorted(days, key=lambda day: (by_day[day].total(), day))[: len(days) - loud])


def _per_day(by_day: Mapping[int, Counter[str]], days: Sequence[int]) -> defaultdict[str, float]:
    """Alerts a day of each detector, 0 for all others."""
    total: Counter[str] = Counter()
    for day in days:
        total.update(by_day.get(day, Counter()))
    return defaultdict(float, {name: count / len(days) for name, count in total.items()})


def _chosen(rates: Mapping[str, Mapping[int, float]], fixed: float, budget: float) -> dict[str, int]:
    """The strictness of each tunable detector, given its rates by strictness and the rate of all others, `fixed`.

    Each gets the loosest, from the present one on, whose rate its share of the budget bears; those that need least
    choose first, so that what they leave is there for the others. Only what is still left then makes any looser.
    """
    left = budget - fixed
    chosen: dict[str, int] = {}
    waiting = sorted(rates, key=lambda name: (rates[name][0], name))
    for number, name in enumerate(waiting):
        share = max(0.0, left) / (len(waiting) - number)
        chosen[name] = next((power for power in STRICTNESSES if power >= 0 and rates[name][power] <= share), STRICTEST)
        left -= rates[name][chosen[name]]
    for name in waiting:
        more = rates[name][-LOOSEST] - rates[name][0]
        if chosen[name] == 0 and more <= left:
            chosen[name] = -LOOSEST
            left -= more
    return chosen
