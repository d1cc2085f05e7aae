"""The next steps of several anomalies as one list: commands first, each once, over the time of all of them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache

from livesec.core.commands import COMMANDS
from livesec.core.explanation import Step

MOST_COMMANDS = 8
MOST_ADVICE = 8

_TIME = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?: UTC|Z)")
_WINDOW = 2  # since and until


@cache
def _has_window(command: str) -> bool:
    texts = COMMANDS[command].texts.values() if command in COMMANDS else ()
    return any("{since}" in text and "{until}" in text for text in texts)


def _in_turns(lists: Sequence[Sequence[Step]]) -> list[Step]:
    """All of the first list, then the first of each other, then the second of each."""
    longest = max((len(steps) for steps in lists), default=0)
    rest = [steps[at] for at in range(longest) for steps in lists[1:] if at < len(steps)]
    return [*(lists[0] if lists else ()), *rest]


def _commands(steps: Sequence[Step]) -> list[Step]:
    """Each command once; what differs in its hours alone is asked for from the earliest to the latest."""
    windows: dict[tuple[str, str], list[str]] = {}
    for step in steps:
        times = _TIME.findall(step.text)
        if not _has_window(str(step.command)) or len(times) != _WINDOW:
            windows.setdefault((str(step.command), step.text), [])
            continue
        known = windows.setdefault((str(step.command), _TIME.sub("\0", step.text)), times)
        known[:] = [min(known[0], times[0]), max(known[1], times[1])]
    return [Step(_filled(text, times), command) for (command, text), times in windows.items()]


def _filled(text: str, times: Sequence[str]) -> str:
    for time in times:
        text = text.replace("\0", time, 1)
    return text


def merged_steps(lists: Sequence[Sequence[Step]], anomaly_ids: Sequence[str]) -> tuple[Step, ...]:
    """The steps of `lists`, the most important first; then which anomalies [L1] and so on are: `anomaly_ids`."""
    commands = _commands([step for step in _in_turns(lists) if step.command is not None])
    advice = _in_turns([[step for step in steps if step.command is None] for steps in lists])
    cited = ", ".join(f"[L{number}] {name}" for number, name in enumerate(anomaly_ids, 1))
    return (
        *commands[:MOST_COMMANDS],
        *list(dict.fromkeys(advice))[:MOST_ADVICE],
        *([Step(f"Read the anomalies by themselves: {cited}.")] if len(anomaly_ids) > 0 else []),
    )
