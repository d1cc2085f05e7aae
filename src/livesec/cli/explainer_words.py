"""The co-pilot's state in words, for `livesec status`."""

from __future__ import annotations

import os
from typing import Any

from livesec.core.clock import now_us
from livesec.core.settings import Settings
from livesec.core.text import shown


def explainer_words(settings: Settings, endpoints: dict[str, Any]) -> dict[str, Any]:
    """Where text goes by `settings`, and the breaker of that endpoint; `endpoints` as the store knows them."""
    from livesec.explain.breaker import Breaker
    from livesec.explain.endpoint import endpoint_of, where_text_goes

    endpoint = endpoint_of(settings)
    known = endpoints.get(f"{endpoint.address} {endpoint.model}") if endpoint is not None else None
    breaker = None if endpoint is None else Breaker() if known is None else Breaker(**known["breaker"])
    return {
        "goes_to": where_text_goes(settings, os.environ),
        "breaker": None if breaker is None else breaker.text(now_us()),
    }


def explainer_line(record: dict[str, Any]) -> str:
    """One line: who words explanations, what waits, what it cost today."""
    queue = record["queue"]
    if record["breaker"] is None and not queue["worked"] and not queue["waiting"]:
        return shown(record["goes_to"], 400)
    parts = [
        shown(record["goes_to"], 400),
        f"{queue['waiting']:,} waiting",
        f"{queue['worked']:,} worded, {queue['cached']:,} of them from kept answers",
        *([f"{queue['kept']:,} kept deterministic"] if queue["kept"] else []),
        *([f"{queue['dropped']:,} dropped"] if queue["dropped"] else []),
        f"{queue['calls_today']:,} calls and {queue['tokens_today']:,} tokens today",
        *([f"breaker {record['breaker']}"] if record["breaker"] not in (None, "closed") else []),
    ]
    return "; ".join(parts)
