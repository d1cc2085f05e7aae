"""An HTTP API polled as JSON: asks for what is new, and gives its records as lines.

The cursor of the last record goes into the address where it says `{cursor}`. Pages are followed by the header
`Link: <...>; rel="next"` (RFC 8288) on the same host.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

import httpx2
import orjson

from livesec.core.errors import InputUnreadableError, UsageError
from livesec.sources.cursor import Cursor, after, field_at

TIMEOUT_S = 20.0
MAX_ANSWER_BYTES = 32 << 20
MAX_PAGES = 100  # of one poll
_TOO_MANY = 429


class TooManyRequestsError(InputUnreadableError):
    """The server asks to wait `retry_after_s` seconds."""

    def __init__(self, message: str, retry_after_s: float) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


@dataclass(frozen=True)
class HttpPoll:
    """What to ask.

    Parameters
    ----------
    url : http or https address, with `{cursor}` where the last record's cursor belongs
    items : path to the list of records in the answer; "" where the answer is the list
    cursor : path to the cursor in a record; cursors ascend with time (an id or a time stamp)
    headers : such as Authorization
    start : cursor before the first record is known
    """

    url: str
    items: str
    cursor: str
    headers: Mapping[str, str]
    start: str = ""

    def __post_init__(self) -> None:
        """Raise UsageError where the address is none."""
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.netloc:
            raise UsageError(f"{self.url}: no address of an API; expected one such as https://api.example.org/events")

    def poll(self, client: httpx2.Client, last: Cursor | None) -> list[bytes]:
        """The records behind `last`, each as a line. Raises InputUnreadableError, TooManyRequestsError."""
        records = [record for page in self._pages(client, last) for record in page]
        return [orjson.dumps(record) for record in after(records, self.cursor, last)]

    def _pages(self, client: httpx2.Client, last: Cursor | None) -> Iterator[list[Any]]:
        url: str | None = self.url.replace("{cursor}", quote(str(self.start if last is None else last), safe=""))
        host = urlsplit(self.url).netloc
        for _ in range(MAX_PAGES):
            if url is None:
                return
            answer, url = self._get(client, url)
            records = field_at(answer, self.items) if self.items else answer
            if not isinstance(records, list):
                raise InputUnreadableError(f"{self.url}: the answer has no list at {self.items or 'its root'!r}")
            yield records
            if url is not None and urlsplit(url).netloc != host:
                raise InputUnreadableError(f"{self.url}: the next page is on another host, {urlsplit(url).netloc}")

    def _get(self, client: httpx2.Client, url: str) -> tuple[object, str | None]:
        """(the answer, the address of the next page)."""
        try:
            with client.stream("GET", url, headers=dict(self.headers), timeout=TIMEOUT_S) as response:
                if response.status_code == _TOO_MANY:
                    wait = response.headers.get("retry-after", "")
                    raise TooManyRequestsError(
                        f"{self.url}: too many requests", float(wait) if wait.isdigit() else 60.0
                    )
                response.raise_for_status()
                data = bytearray()
                for chunk in response.iter_bytes():
                    data += chunk
                    if len(data) > MAX_ANSWER_BYTES:
                        raise InputUnreadableError(f"{self.url}: an answer of more than {MAX_ANSWER_BYTES} bytes")
                following = response.links.get("next", {}).get("url")
        except httpx2.HTTPError as error:
            raise InputUnreadableError(f"{self.url}: {str(error) or type(error).__name__}") from error
        try:
            answer: object = orjson.loads(data)
        except orjson.JSONDecodeError as error:
            raise InputUnreadableError(f"{self.url}: the answer is no JSON: {error}") from error
        return answer, str(httpx2.URL(url).join(following)) if following else None
