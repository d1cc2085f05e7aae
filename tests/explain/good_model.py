"""A model that does what it is asked, from the prompt alone: placeholders for values, lines cited, commands by id.

    server.behaviour = answering(lambda body: answer_to(system, user).model_dump_json())   # or, without HTTP:
    worded(answer_for(prepared.request), prepared, Provenance(...))

It is deterministic and says little, but each view gets words of its own.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from livesec.explain.model_call import Request, WireAnswer

_BETWEEN_MARKS = re.compile(r"two lines (?P<mark>\S+?),? .*?\n(?P=mark)\n(?P<told>\{.*\})\n(?P=mark)", re.DOTALL)
_VIEWS = {
    "analyst of a security": ("The lines show the behaviour directly", "Look at what else happened around that time."),
    "risk manager": ("Harm is likely if this was not meant", "Ask the owner of the system what is at stake."),
    "person on call": ("This goes on now", "Verify with the owner, then contain; keep the evidence."),
    "threat hunter": ("This fits the behaviour that the techniques describe", "Look for the same pattern elsewhere."),
    "manager without": ("Something unusual happened that may harm the business", "Decide who looks into this today."),
}


def told_in(user: str) -> dict[str, Any]:
    """The JSON in the user's turn of a prompt of either mode."""
    found = _BETWEEN_MARKS.search(user)
    text = found["told"] if found is not None else user[user.index("{") : user.rindex("}") + 1]
    told: dict[str, Any] = json.loads(text)
    return told


def _subject(names: Mapping[str, object]) -> str:
    """The placeholder of whom it is about."""
    known = [name for name in ("src_ip", "user", "host", "dst_ip") if name in names]
    return f"{{{known[0]}}}" if known else "The source"


def _counted(names: Mapping[str, str]) -> list[str]:
    """Placeholders of up to two values that are no entity."""
    return [f"{{{name}}}" for name in names if name not in ("src_ip", "user", "host", "dst_ip")][:2]


def answer_to(system: str, user: str) -> WireAnswer:
    """The answer to a prompt. Raises ValueError for one that it does not understand."""
    told = told_in(user)
    names: dict[str, str] = told["placeholders"]
    lead, advice = next(words for reader, words in _VIEWS.items() if reader in system)
    who, counted = _subject(names), _counted(names)
    observed = f" with values of {' and '.join(counted)}" if counted else ""
    return WireAnswer(
        headline=f"{who} did something that is unusual for it{observed}",
        what_happened=f"{who} did what this detector looks for{observed} [L1]. {lead}.",
        usual=f"Such activity of {who} is not usual; here it was seen{observed}.",
        alternatives=["A job that was set up anew", "A person in an unusual situation"],
        would_change=[f"Worse if {who} went on to other systems", "Harmless if the owner confirms it"],
        command_ids=list(told["commands"])[:2],
        advice=[advice, f"Check whether {who} is known to the owner."],
        techniques=list(told["techniques"]),
        benign=False,
        confidence_reason="The lines say it directly.",
        missing=["Whether somebody meant to do this"],
    )


def answer_for(request: Request) -> WireAnswer:
    """The answer to `request`."""
    return answer_to(request.system, request.user)
