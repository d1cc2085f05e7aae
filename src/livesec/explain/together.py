"""Several general questions asked as one: what waits at the same time costs one call, not one for each kind.

Only questions without any value in them are joined, so nothing that an attacker wrote stands beside anything else. Each
answer says which finding it is about, is checked against that finding alone, and is kept under that question's own key.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from livesec.explain.model_call import Request

_SEVERAL = """\


There are {findings} findings, numbered, each with its own placeholders: an answer uses those of its own finding \
alone. Answer with one JSON object with one key, answers: a list of {findings} objects, one for each finding in \
order, with the keys finding (its number) and answer (the object described above)."""


def together(requests: Sequence[Request]) -> Request:
    """One question about all of `requests`, which are general ones with the same system text; its key is the first's.

    Raises ValueError where one of them may not be joined.
    """
    first = requests[0]
    if len(requests) == 1:
        return first
    if not all(request.is_cacheable and request.system == first.system for request in requests):
        raise ValueError("only general questions of one view and language are asked together")
    return replace(
        first,
        system=first.system + _SEVERAL.format(findings=len(requests)),
        user="\n\n".join(f"Finding {number}. {request.user}" for number, request in enumerate(requests, 1)),
        max_tokens=first.max_tokens * len(requests),
        findings=len(requests),
    )
