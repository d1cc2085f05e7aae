"""Which phase of a response a step belongs to: verify, contain, keep evidence, recover."""

from __future__ import annotations

import re
from enum import StrEnum

from livesec.core.explanation import Step


class Phase(StrEnum):
    """In the order in which they are done."""

    VERIFY = "Verify"
    CONTAIN = "Contain"
    EVIDENCE = "Keep evidence"
    RECOVER = "Recover"


_QUESTION = re.compile(r"[^.?!]*\?")
_WORDS = (
    (
        Phase.CONTAIN,
        r"block (?:it|the|them|\W*[\d{])|\bblock \S+[.:]|\block (?:it|the|them|\S+,)|"
        r"end (?:its|the|their|that) (?:account's )?sessions?|end the session|off the network|"
        r"stop the|^close|:\s*close|limit (?:or|logins)|move it out|behind a VPN|filter it upstream",
    ),
    (
        Phase.RECOVER,
        r"change (?:its|the|their|them|every)|(?:a|its) new password|second factor|\brestore\b|set up anew|\bupdates\b",
    ),
    (Phase.EVIDENCE, r"\bkeep|safe place|hold the data|data held"),
)
_PHASES = tuple((phase, re.compile(pattern, re.IGNORECASE)) for phase, pattern in _WORDS)


def phase_of(step: Step) -> Phase:
    """The first phase that fits; a command looks, and what only asks or looks verifies.

    >>> [str(phase_of(Step(text))) for text in ("Who holds the address?", "If nobody knows: lock the account.")]
    ['Verify', 'Contain']
    >>> str(phase_of(Step("whois 192.0.2.1", "owner_of_source")))
    'Verify'
    """
    if step.command is not None:
        return Phase.VERIFY
    told = _QUESTION.sub("", step.text).strip()
    return next((phase for phase, pattern in _PHASES if pattern.search(told)), Phase.VERIFY)
