"""`livesec explain --test`: asks the model's endpoint one invented question and says what came of it."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from typing import TYPE_CHECKING

import typer

from livesec.cli.context import fail
from livesec.core.settings import Settings

if TYPE_CHECKING:
    from livesec.explain.endpoint_test import EndpointTest


def run_endpoint_test(settings: Settings, as_json: bool) -> int:
    """Test the endpoint of `settings` and print the result; 0 where a model gave a usable answer, else 1."""
    from livesec.explain.endpoint_test import check_endpoint

    result = check_endpoint(settings, os.environ, fail)
    typer.echo(json.dumps(asdict(result)) if as_json else _as_text(result))
    return 0 if result.is_usable else 1


def _as_text(result: EndpointTest) -> str:
    """`result` as a person reads it."""
    lines = [f"text goes   {result.goes_to}"]
    if result.address is None:
        return "\n".join([*lines, *result.help])
    lines.append(f"endpoint    {result.address}, API {result.api}, at most {result.timeout_s:g} s for an answer")
    reached = "reachable" if result.is_reachable else "NOT REACHED"
    lines.append(f"model       {result.model}, {'usable' if result.is_usable else 'NOT USABLE'}; {reached}")
    if result.is_usable:
        lines.append(f"asked by    {result.rung}, found with {_counted(result.requests, 'request')}")
        lines.append(
            f"took        {result.latency_ms / 1000:.1f} s; {result.tokens_in:,} tokens asked, "
            f"{result.tokens_out:,} answered"
        )
    else:
        lines.append(f"PROBLEM     {result.problem}")
    if result.models:
        lines.append(f"it has      {', '.join(result.models)}")
    lines.append(f"a log line  {result.sample}")
    lines.append(f"is sent as  {result.sample_sent}")
    return "\n".join(lines)


def _counted(number: int, word: str) -> str:
    return f"{number} {word}" + ("" if number == 1 else "s")
