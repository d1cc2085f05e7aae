"""The question about a subject as the settings and the endpoint want it, and how it reads."""

from __future__ import annotations

from livesec.core.settings import Settings
from livesec.explain.endpoint import Endpoint
from livesec.explain.facts import Facts
from livesec.explain.model_call import Request, View
from livesec.explain.prompt import Mode, Prepared, prepare, redactor_of


def prepared_for(facts: Facts, view: View, mode: Mode, endpoint: Endpoint, settings: Settings) -> Prepared:
    """The question about `facts`, with pseudonyms where the endpoint wants them."""
    return prepare(
        facts,
        view,
        mode=mode,
        language=settings.explain_language,
        model=endpoint.model,
        redactor=redactor_of(facts) if endpoint.redacts else None,
        max_tokens=settings.explain_max_tokens,
        temperature=settings.explain_temperature,
    )


def sent_of(request: Request) -> str:
    """What goes to the endpoint, as a person reads it."""
    return f"{request.system}\n\n--- user ---\n{request.user}"
