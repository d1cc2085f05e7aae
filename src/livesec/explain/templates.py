"""The five views: for whom an explanation is worded, and how a model is told so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from livesec.explain.model_call import View

PROMPT_VERSION = 1
"""Of what all views have in common; a change makes cached answers of earlier versions useless."""


@dataclass(frozen=True, slots=True)
class Template:
    """A view's part of the prompt."""

    title: str
    reader: str
    task: str
    example: str
    """What its reader is told of an example, a burst of failed logins."""
    example_advice: tuple[str, ...]
    version: int = 1


TEMPLATES: Mapping[View, Template] = MappingProxyType(
    {
        View.TECHNICAL_EXPERT: Template(
            "Technical expert",
            "an analyst of a security operations centre",
            "Say what the log shows, by which mechanism such an attack works, and what in the evidence tells it from "
            "harmless use. Advice is about what to look at next.",
            "No person types that fast, and the accounts come in the order of a list: a program guesses passwords.",
            ("See whether any of these accounts logged in afterwards.", "Compare the client with those of {user}."),
        ),
        View.RISK_ASSESSOR: Template(
            "Risk assessor",
            "a risk manager",
            "Say how likely harm is and what could be harmed: confidentiality, integrity, availability, duties to "
            "report. Advice is about lowering the risk.",
            "If one password is right, whoever has it reads what {user} may read; the service is open to everybody.",
            ("Ask who needs this service from outside.", "Require a second factor for {user}."),
        ),
        View.INCIDENT_RESPONDER: Template(
            "Incident responder",
            "the person on call who has to act in the next minutes",
            "Be short. Say what is going on and what to do in order: verify, contain, keep evidence, recover. Advice "
            "is a list of such steps.",
            "The guessing goes on until it is stopped or succeeds.",
            ("Verify that no login from {src_ip} succeeded.", "Block {src_ip}.", "Keep the lines as evidence."),
        ),
        View.THREAT_INTELLIGENCE: Template(
            "Threat intelligence",
            "a threat hunter",
            "Say which behaviour this is in terms of the techniques that are given, what kind of actor does it and "
            "what they do before and after. Name no group: the log cannot tell it. Advice is about what to hunt for.",
            "It is password guessing as botnets do it, before they use the account to send mail or to guess further.",
            ("Look for the same list of accounts from other sources.", "Look for logins that follow such bursts."),
        ),
        View.EXECUTIVE_BRIEFING: Template(
            "Executive briefing",
            "a manager without technical knowledge",
            "Use plain words and no jargon. Say what happened, what it may mean for the business and which decision "
            "is needed. Advice is about decisions and people.",
            "Somebody outside tried to get into our systems with guessed passwords.",
            ("Decide whether this service must be open to everybody.", "Tell the owner of {user}."),
        ),
    }
)


def template_name(view: View) -> str:
    """As provenance and statistics name it.

    >>> template_name(View.RISK_ASSESSOR)
    'risk_assessor/1.1'
    """
    return f"{view}/{PROMPT_VERSION}.{TEMPLATES[view].version}"
