"""A model that follows the prompt: sensible answers for every detector and view, from what it was told alone."""

from __future__ import annotations

import json
import re
from typing import Any

from livesec.explain.model_call import NumberedAnswer, Request, WireAnswer, WireAnswers

_ADVICE = {
    "technical expert": "Look at what else the same source did in the hours around it.",
    "risk assessor": "Decide whether the account may keep its rights until this is cleared up.",
    "incident responder": "Verify with the owner first, then contain, and keep copies of the logs.",
    "threat intelligence": "Hunt for the same behaviour from neighbouring addresses.",
    "executive briefing": "Decide who speaks with the people concerned.",
}


def told_in(user: str) -> dict[str, Any]:
    """The JSON of the user's turn."""
    found: dict[str, Any] = json.loads(user[user.index("{") : user.rindex("}") + 1])
    return found


def _plain(text: str) -> str:
    """Words without figures and marks, as a careful model would write."""
    return re.sub(r"[\"“”`]", "", text)


def _is_usable(text: str) -> bool:
    return not re.search(r"\d|[\"`<>$|\\~#/]|\w\.\w", re.sub(r"\{\w+\}", "", text))


def answer_for(request: Request) -> WireAnswer:
    """The answer to `request`."""
    return answer(request.system, request.user)


def answer(system: str, user: str) -> WireAnswer:
    """The answer to a prompt."""
    told = told_in(user)
    placeholders = told["placeholders"]
    subject = next((name for name in ("src_ip", "user", "dst_ip", "host") if name in placeholders), None)
    about = f"{{{subject}}}" if subject else "the source"
    reader = next((title for title in _ADVICE if title.split()[0] in system.lower()), "technical expert")
    headline = str(told.get("headline", ""))
    usable_headline = headline if headline and _is_usable(headline) and _known(headline, placeholders) else ""
    usual = str(told.get("usual", ""))
    return WireAnswer(
        headline=usable_headline or f"Unusual activity of {about}",
        what_happened=f"The lines show unusual activity of {about} [L1]. It stands out against what is known of it.",
        usual=usual
        if usual and _is_usable(usual) and _known(usual, placeholders)
        else f"{about} did not do this before.",
        alternatives=[_plain(text) for text in told["harmless explanations"] if _is_usable(text)][:3],
        would_change=["a word of the owner that this was intended would make it harmless"],
        command_ids=list(told["commands"])[:2],
        advice=[_ADVICE[reader]],
        techniques=list(told["techniques"])[:1],
        benign=False,
        confidence_reason="The lines of evidence say it directly.",
        missing=["who sat at the keyboard"],
    )


def _known(text: str, placeholders: dict[str, Any]) -> bool:
    return all(name in placeholders for name in re.findall(r"\{(\w+)\}", text))


def answer_text(body: dict[str, Any]) -> str:
    """The answer to the body of a chat completion, as its text."""
    turns = {message["role"]: message["content"] for message in body["messages"]}
    system, user = turns.get("system", ""), turns["user"]
    findings = re.split(r"^Finding \d+\. ", user, flags=re.MULTILINE)[1:]
    if not findings:
        return answer(system, user).model_dump_json()
    answers = [NumberedAnswer(finding=number, answer=answer(system, text)) for number, text in enumerate(findings, 1)]
    return WireAnswers(answers=answers).model_dump_json()
