"""What a reader that keeps the promises of docs/guarantees.md must have stored or declared, and that it has.

Readable is what a look reaches: the content at a watched name, behind a handle held since an earlier look, or, for a
stream of the store that has not ended, under another name in the folder (renamed, copied, compressed). After a look
every whole line of it is stored once, in order. Not promised, and named by `Content.excuse` where it happens: lines
that no look could reach.
"""

from __future__ import annotations

from tests.tailing.model_files import Body, Content, Files
from tests.tailing.tailer import Tailer

from livesec.core.anomaly import Gap, StreamPosition

OPEN_STATES = ("active", "rotated", "error")
BETWEEN_LOOKS = "appended after the last look and cut off before the next, with the daemon alive"
NEVER_REACHED = "came and went out of sight between two looks"


class Reader:
    """The model's side of a Tailer: call `before_turn` and `after_turn` around each of its turns, `died` when it is."""

    def __init__(self, files: Files, tailer: Tailer) -> None:
        self.files = files
        self.tailer = tailer
        self._held: dict[Body, Content] = {}
        """Files that it has open, with the content that it opened: it opens those that have something to read."""
        self._is_first_look = True
        self.has_failed = False
        self._rows: dict[int, StreamPosition] = {}
        self._taken_from: set[int] = set()
        self._checked_lines = 0
        self._checked_gaps = 0
        self._reached: dict[Content, bool] = {}
        self._missed: dict[Content, bool] = {}
        """Contents that cannot be reached any more, and whether the daemon was away when they went."""
        self._taken_before: dict[Content, int] = {}

    def died(self) -> None:
        """Its handles are gone, and what it knew beyond the store."""
        self._held = {}
        self._is_first_look = True
        for content in self.files.contents:
            content.seen = content.taken

    # What can be reached ----------------------------------------------------------------------------------------------

    def _watched(self) -> list[Body]:
        return [body for name, body in self.files.names.items() if self.files.is_watched(name)]

    def _reachable(self) -> dict[Content, bool]:
        """Content to whether it stands at a watched name, so that it may grow."""
        by_handle = [body.content for body, opened in self._held.items() if not opened.closed]
        by_name = [body.content for body in self.files.names.values() if _is_followed(body.content)]
        return dict.fromkeys([*by_handle, *by_name], False) | {body.content: True for body in self._watched()}

    def before_turn(self) -> None:
        """Note what has been destroyed since the last turn, before the reader can say anything about it."""
        reachable = self._reached = self._reachable()
        for content in self.files.contents:
            if _is_followed(content) and content not in reachable:
                content.may_have_gap = True
                self._missed.setdefault(content, self._is_first_look)
        self._taken_before = {content: content.taken for content in self.files.contents}

    # What the reader did ----------------------------------------------------------------------------------------------

    def after_turn(self, *, is_whole: bool) -> None:
        """Check everything that was committed; where the turn was `is_whole`, that it is everything there was."""
        self.has_failed = True  # until the last check below
        self._take_over_rows()
        self._check_new_lines()
        for content in [item for item in self._missed if item.closed]:
            self._account_for_lost(content, was_away=self._missed.pop(content))
        if is_whole:
            self._check_all_was_taken()
        self._check_gaps()
        if is_whole:
            self._held = self._held_now()
            self._is_first_look = False
        self.files.free_inodes()
        self.has_failed = False

    def _held_now(self) -> dict[Body, Content]:
        """After a whole look: watched files of which something was read in this life, and rotated ones to their end."""
        watched = self._watched()
        live = {
            body: body.content
            for body in watched
            if self._held.get(body) is body.content or len(body.content.data) > self._taken_before.get(body.content, 0)
        }
        bodies = [*self._held, *self.files.names.values()]
        return {body: body.content for body in bodies if _is_followed(body.content) and body not in watched} | live

    def _take_over_rows(self) -> None:
        rows = {row.stream_id: row for row in self.tailer.streams()}
        bodies = {body.inode: body for body in [*self._held, *self.files.names.values()]}
        for stream_id in rows.keys() & self._rows.keys():
            if rows[stream_id].inode != self._rows[stream_id].inode:
                self._moved(stream_id, bodies.get(rows[stream_id].inode or 0))
        for stream_id in sorted(rows.keys() - self._rows.keys()):
            row = rows[stream_id]
            body = bodies.get(row.inode or 0)
            if body is None:  # of whole looks it is known what is open; it may have been opened at another
                body = next((item for item in reversed(self.files.gone) if item.inode == row.inode), None)
                if body is not None:
                    self._held[body] = body.content
            assert body is not None, f"stream {stream_id} ({row.path}) is of no file that exists"
            body.content.streams.add(stream_id)
        self._rows |= rows
        for content in self.files.contents:
            states = [rows[stream_id].state for stream_id in content.streams if stream_id in rows]
            content.closed = bool(content.streams) and not any(state in OPEN_STATES for state in states)

    def _moved(self, stream_id: int, body: Body | None) -> None:
        """A stream of which nothing was seen may go on in any file; any other only in a copy of its content."""
        content = self._content_of(stream_id)
        if body is not None and content is not body.content and content.seen == content.taken == 0:
            content.streams.discard(stream_id)
            body.content.streams.add(stream_id)

    def _content_of(self, stream_id: int) -> Content:
        return next(content for content in self.files.contents if stream_id in content.streams)

    def _check_new_lines(self) -> None:
        lines = self.tailer.lines()
        live = {body.content for body in self._watched()}
        for line in lines[self._checked_lines :]:
            content = self._content_of(line.stream_id)
            shown = f"stream {line.stream_id} at {line.offset}: {line.line[:20]!r}"
            assert line.offset == content.taken, f"{shown} is not the next line of {content}"
            text, end = content.next_line()
            assert line.line == text, f"{shown} is not what {content} says there: {text[:20]!r}"
            is_cut = not content.data[:end].endswith(b"\n")
            assert not (is_cut and content in live), f"{shown}: the partial line of a file that may grow, {content}"
            content.taken = end
            self._taken_from.add(line.stream_id)
        self._checked_lines = len(lines)

    def _account_for_lost(self, content: Content, *, was_away: bool) -> None:
        """The reader has given `content` up: what of it a gap row must cover, and what nobody could know."""
        if was_away:  # the daemon knows that it was away, so it knows that it may have missed bytes
            content.lost.append((content.taken, len(content.data)))
        else:
            content.lost.append((content.taken, content.seen))
            content.excuse = BETWEEN_LOOKS

    def _check_all_was_taken(self) -> None:
        for content, is_live in self._reached.items():
            due = content.whole() if is_live or not content.closed else len(content.data)
            assert content.taken >= due, f"{content}: not read as far as {due}"
            if content.seen > len(content.data):
                content.lost.append((len(content.data), content.seen))
            content.seen = len(content.data)

    # Gaps -------------------------------------------------------------------------------------------------------------

    def _check_gaps(self) -> None:
        gaps = self.tailer.gaps()
        for gap in gaps[self._checked_gaps :]:
            content = self._content_of(gap.stream_id)
            content.gaps.append(gap)
            if gap.stream_id not in self._taken_from and gap.end_offset is None:
                continue  # nothing but an inode to know the file by: after a death the reader may fear for all of it
            assert content.may_have_gap, f"{gap}: nothing of {content} can have been lost"
        self._checked_gaps = len(gaps)
        for content in self.files.contents:
            for start, end in content.lost:
                assert _is_covered(start, end, content.gaps), (
                    f"{content}: bytes {start} to {end} are lost without a gap: {content.gaps}"
                )

    @property
    def is_first_look(self) -> bool:
        """Whether no whole look came since it started."""
        return self._is_first_look

    # The end ----------------------------------------------------------------------------------------------------------

    def check_every_line(self) -> int:
        """After a last look: each line ever written is stored, in a gap, or excused; how many were excused."""
        assert not self._missed, f"given up by nobody, and out of reach: {list(self._missed)}"
        excused = 0
        for content in self.files.contents:
            missing = bytes(content.data[content.taken : content.whole()]).count(b"\n")
            if not missing or any(start <= content.taken for start, end in content.lost if end >= content.whole()):
                continue
            if content.excuse is None and not content.streams:
                content.excuse = NEVER_REACHED
            assert content.excuse is not None, f"{content}: {missing} lines are neither stored nor declared lost"
            excused += missing
        return excused


def _is_followed(content: Content) -> bool:
    """Whether the store has a stream of it that has not ended."""
    return bool(content.streams) and not content.closed


def _is_covered(start: int, end: int, gaps: list[Gap]) -> bool:
    """Whether the bytes from start to end are in the gaps; one without an end reaches to the file's."""
    place = start
    for gap in sorted(gaps, key=lambda item: item.start_offset or 0):
        if (gap.start_offset or 0) <= place:
            place = end if gap.end_offset is None else max(place, gap.end_offset)
    return place >= end
