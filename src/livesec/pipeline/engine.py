"""The engine: raw batches in, everything that a batch changes out. It owns all state and does no I/O of its own.

Results are a function of the journalled order of lines: not of how they were cut into batches, and not of saves and
restores between them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl

from livesec.core.anomaly import (
    KEPT_LINE_BYTES,
    SUPPRESSED,
    BatchResult,
    DetectorCounts,
    EvidenceLine,
    Maturity,
    RejectedLine,
)
from livesec.core.batch import RawBatch, StreamInfo, unpack_address
from livesec.core.clock import US_PER_S
from livesec.core.errors import StateVersionError
from livesec.core.finding import Finding
from livesec.core.json_text import json_text
from livesec.core.protocols import Lookup
from livesec.core.rows import Rows
from livesec.core.schema import LOG_TYPES, LogType
from livesec.core.settings import Settings
from livesec.core.snapshot import PartKind, SavedPart, Snapshot
from livesec.core.state import KeyedState
from livesec.correlate.incidents import IncidentBuilder
from livesec.correlate.risk import RiskLevels
from livesec.formats.stream_parser import ParsedBatch, StreamParser
from livesec.pipeline.assembly import Parts
from livesec.pipeline.detection import run_detector
from livesec.pipeline.evidence import FetchLine, evidence_lines
from livesec.pipeline.recent import RecentRows
from livesec.pipeline.scoring import Scorer
from livesec.pipeline.state_saver import DAMAGED, StateSaver
from livesec.pipeline.stream_parsers import StreamParsers

EXPIRY_EVERY = 1 << 20
"""State is expired when the sequence passes a multiple of this: a point of the journalled order, not of any clock."""

_REJECT_SAMPLES_PER_BATCH = 100
_MINUTE_US = 60 * US_PER_S


def _no_line(_stream_id: int, _offset: int) -> None:
    return None


class Engine:
    """Stages 1 to 3 over batches, one process, all 256 virtual shards.

    Parameters
    ----------
    settings, parts : what runs, see `pipeline.assembly`
    lookups : stage 1, in order
    fetch_line : reads an earlier evidence line back
    """

    def __init__(
        self, settings: Settings, parts: Parts, lookups: tuple[Lookup[Any], ...], fetch_line: FetchLine
    ) -> None:
        self._parts = parts
        self._lookups = {item.name: item for item in lookups}
        self.data_versions = ", ".join(item.data_version for item in lookups if item.data_version)
        """Sources and dates of the data that lookups use."""
        self._correlators = {item.name: item for item in parts.correlators}
        self._fetch_line = fetch_line
        self._scorer = Scorer(settings, {part.name: part for part in parts.judges})
        self.recent = RecentRows(settings.recent_events)
        self._infos: dict[int, StreamInfo] = {}
        self._parsers = StreamParsers(parts.formats, on_lost=self._lost_parser)
        self._lookup_states: dict[str, Any] = {item.name: item.initial() for item in lookups}
        self._states: dict[str, KeyedState] = {item.name: item.initial() for item in parts.detectors}
        self._saver = StateSaver({f"detector:{name}": state for name, state in self._states.items()})
        self._correlator_states: dict[str, Any] = {item.name: item.initial() for item in parts.correlators}
        self._risk = RiskLevels()
        self._incidents = IncidentBuilder()
        self._world_time_us = 0  # the latest stream time seen
        self._expired_epoch = 0
        self._dirty: set[str] = set()
        self._void: set[str] = set()  # components whose saved parts say nothing any more
        self.learned_anew: dict[str, str] = {}
        """Components whose saved state could not be used, and why; whoever has said so may clear it."""

    # Streams ---------------------------------------------------------------------------------------------------------

    def parser(self, stream: StreamInfo) -> StreamParser:
        """The parser of a stream, made on first use or from saved state."""
        self._infos[stream.stream_id] = stream
        return self._parsers.of(stream)

    def set_aside_stream(self, stream_id: int) -> None:
        """Keep the parser of a stream that will hardly grow again as the few bytes that it comes back from."""
        self._parsers.park(stream_id)

    def close_stream(self, stream_id: int) -> None:
        """Forget the parser of a stream that will not grow again."""
        self._parsers.close(stream_id)
        self._void.add(f"parser:{stream_id}")

    def _lost_parser(self, stream_id: int, reason: str) -> None:
        self.learned_anew[f"parser:{stream_id}"] = reason

    # Batches ---------------------------------------------------------------------------------------------------------

    def process(self, batch: RawBatch, *, historical: bool = False, into: BatchResult | None = None) -> BatchResult:
        """Everything `batch` (with its sequence numbers) changes, added to `into` where that is given."""
        parsed = self.parse(batch)
        result = BatchResult() if into is None else into
        self.count_lines(result, batch, parsed)
        self.detect(parsed.rows, result, {batch.stream.stream_id: batch}, historical=historical)
        return result

    def learn(self, batches: Sequence[RawBatch]) -> None:
        """What `process` of each of `batches`, in order, does to the engine itself; nothing else comes of it."""
        frames: dict[LogType, list[pl.DataFrame]] = {}
        for batch in batches:
            for log_type, frame in self.parse(batch).rows.items():
                frames.setdefault(log_type, []).append(frame)
        together = {log_type: pl.concat(parts) for log_type, parts in frames.items()}
        self.detect(together, BatchResult(), {}, with_evidence=False)
        self.recent.drain()

    def parse(self, batch: RawBatch) -> ParsedBatch:
        """The rows of `batch`; advances its stream's parser."""
        self._dirty.add(f"parser:{batch.stream.stream_id}")
        return self.parser(batch.stream).parse(batch)

    @staticmethod
    def count_lines(result: BatchResult, batch: RawBatch, parsed: ParsedBatch) -> None:
        """Add the lines, dispositions and reject samples of `parsed` to `result`."""
        result.lines += parsed.lines
        result.consumed += parsed.consumed
        result.skipped += parsed.skipped
        result.events += parsed.events
        result.rejected += parsed.rejects.height
        for name, lines in parsed.formats.items():
            result.formats[name] = result.formats.get(name, 0) + lines
        if parsed.rejects.height == 0:
            return
        stream_id = batch.stream.stream_id
        for reason, lines in parsed.rejects.group_by("reason", maintain_order=True).len().iter_rows():
            key = (stream_id, str(reason))
            result.reject_counts[key] = result.reject_counts.get(key, 0) + int(lines)
        for index, reason in parsed.rejects.head(_REJECT_SAMPLES_PER_BATCH).select("line_index", "reason").iter_rows():
            line = batch.line_bytes(index)[:KEPT_LINE_BYTES]
            offset, length = int(batch.offsets[index]), int(batch.lengths[index])
            result.rejects.append(RejectedLine(stream_id, offset, length, reason, line))

    def detect(
        self,
        frames: Mapping[LogType, pl.DataFrame],
        result: BatchResult,
        batches: Mapping[int, RawBatch],
        *,
        historical: bool = False,
        with_evidence: bool = True,
    ) -> None:
        """Run the three stages over complete frames in sequence order and add what follows to `result`.

        `batches` are those in memory, by stream id: evidence is taken from them first. `with_evidence`: else anomalies
        get no evidence lines; nothing depends on these.
        """
        fetch_line = self._fetch_line if with_evidence else _no_line
        last = max((int(frame["sequence"][-1]) for frame in frames.values() if frame.height), default=-1)
        first = min((int(frame["sequence"][0]) for frame in frames.values() if frame.height), default=0)
        start = first
        while start <= last:
            end = (start // EXPIRY_EVERY + 1) * EXPIRY_EVERY
            part = (
                dict(frames)
                if start == first and end > last
                else {
                    log_type: frame.filter((pl.col("sequence") >= start) & (pl.col("sequence") < end))
                    for log_type, frame in frames.items()
                }
            )
            self._expire_up_to(start)
            self._stages(part, result, batches, fetch_line, historical)
            start = end

    def _expire_up_to(self, sequence: int) -> None:
        epoch = sequence // EXPIRY_EVERY
        if epoch == self._expired_epoch:
            return
        self._expired_epoch = epoch
        self._dirty.add("engine")
        for detector in self._parts.detectors:
            if detector.expire(self._states[detector.name], self._world_time_us):
                self._dirty.add(f"detector:{detector.name}")

    def _stages(
        self,
        frames: Mapping[LogType, pl.DataFrame],
        result: BatchResult,
        batches: Mapping[int, RawBatch],
        fetch_line: FetchLine,
        historical: bool,
    ) -> None:
        rows: dict[LogType, Rows] = {}
        for log_type in LOG_TYPES:
            frame = frames.get(log_type)
            if frame is None or frame.height == 0:
                continue
            rows[log_type] = self._look_up(Rows(log_type, frame))
            self._note_rows(rows[log_type], result)
        if not rows:
            return
        findings = self._detect_all(rows, result)
        for correlator in self._correlators.values():
            own = correlator.step(self._correlator_states[correlator.name], findings, rows)
            self._dirty.add(f"correlator:{correlator.name}")
            if own:
                findings = sorted([*findings, *own], key=lambda item: item.order)
        named = (address for finding in findings for address in finding.evidence)
        lines = evidence_lines(named, batches, fetch_line)
        for finding in findings:
            self._raise(finding, result, lines, historical)
        if findings:
            self._dirty.update(("risk", "incidents"))
            result.incidents.extend(self._incidents.drain())

    def _look_up(self, rows: Rows) -> Rows:
        for lookup in self._lookups.values():
            if rows.log_type in lookup.log_types:
                rows = lookup.step(self._lookup_states[lookup.name], rows)
                self._dirty.add(f"lookup:{lookup.name}")
        return rows

    def _note_rows(self, rows: Rows, result: BatchResult) -> None:
        self._world_time_us = max(self._world_time_us, int(rows.time_us.max()))
        self._dirty.add("engine")
        self.recent.add(rows)
        minutes, events = np.unique(rows.integers("event_time_us") // _MINUTE_US, return_counts=True)
        for minute, count in zip(minutes.tolist(), events.tolist(), strict=True):
            key = (rows.log_type, minute * _MINUTE_US)
            result.minute_counts[key] = result.minute_counts.get(key, 0) + count

    def _detect_all(self, rows: Mapping[LogType, Rows], result: BatchResult) -> list[Finding]:
        findings: list[Finding] = []
        for detector in self._parts.detectors:
            own = rows.get(detector.log_type)
            if own is None:
                continue
            found, judged, entities = run_detector(detector, self._states[detector.name], own)
            self._dirty.add(f"detector:{detector.name}")
            findings.extend(found)
            before = result.detectors.get(detector.name, DetectorCounts(0, 0, 0, 0))
            result.detectors[detector.name] = DetectorCounts(
                before.rows + len(own), before.judged + judged, before.findings + len(found), entities
            )
        findings.sort(key=lambda item: item.order)
        return findings

    def _raise(
        self, finding: Finding, result: BatchResult, lines: Mapping[int, EvidenceLine], historical: bool
    ) -> None:
        # A line that can no longer be read keeps its place: explanations cite lines by their number.
        evidence = tuple(
            lines.get(address) or EvidenceLine(*unpack_address(address), 0, b"") for address in finding.evidence
        )
        stream = self._infos[finding.stream_id]
        anomaly = self._scorer.anomaly(finding, stream.uid, evidence, self._parsers.of(stream).platform)
        anomaly.historical = historical
        if anomaly.status == SUPPRESSED:
            result.anomalies.append(anomaly)
            return
        risks = self._risk.add(anomaly)
        self._incidents.add(anomaly, risks)
        result.anomalies.append(anomaly)
        result.risks.extend(risks)

    def maturity(self) -> dict[str, Maturity]:
        """How much each detector knows of the entities it has seen, by name; some milliseconds of work."""
        return {
            detector.name: Maturity(detector.mature(state), len(state))
            for detector in self._parts.detectors
            if len(state := self._states[detector.name])
        }

    # State -----------------------------------------------------------------------------------------------------------

    def snapshot(self) -> Snapshot:
        """What changed since the last snapshot."""
        keyed = sorted(component for component in self._dirty if component.startswith("detector:"))
        whole = {component: self._saved_whole(component) for component in sorted(self._dirty) if component not in keyed}
        taken = self._saver.take(keyed, {name: data for name, data in whole.items() if data is not None})
        taken = replace(taken, anew=sorted({*taken.anew, *self._void}))
        self._dirty.clear()
        self._void.clear()
        return taken

    def _saved_whole(self, component: str) -> bytes | None:
        kind, _, name = component.partition(":")
        if kind == "parser":
            return self._parsers.to_bytes(int(name))
        if kind == "lookup":
            return self._lookups[name].to_bytes(self._lookup_states[name])
        if kind == "correlator":
            return self._correlators[name].to_bytes(self._correlator_states[name])
        if kind == "risk":
            return self._risk.to_bytes()
        if kind == "incidents":
            return self._incidents.to_bytes()
        return json_text({"world_time_us": self._world_time_us, "expired_epoch": self._expired_epoch}).encode()

    def restore(self, parts: Sequence[SavedPart]) -> dict[str, Exception]:
        """Take over saved parts; those of components that no longer run are passed over.

        Components that cannot be read start anew; gives the reason of each, as `learned_anew` does from then on.
        """
        failed: dict[str, Exception] = {}
        for part in parts:
            if part.kind == PartKind.WHOLE:
                try:
                    self._restore_whole(part)
                except (StateVersionError, ValueError, KeyError, TypeError) as error:
                    failed[part.component] = error
                    self._void.add(part.component)
        failed |= self._saver.restore([part for part in parts if part.kind != PartKind.WHOLE])
        self.learned_anew |= {component: str(error) for component, error in failed.items()}
        return failed

    def _restore_whole(self, part: SavedPart) -> None:
        if part.is_damaged:
            raise ValueError(DAMAGED)
        component, blob = part.component, part.data
        kind, _, name = component.partition(":")
        if kind == "parser":
            self._parsers.load(int(name), blob)
        elif kind == "lookup" and name in self._lookups:
            self._lookup_states[name] = self._lookups[name].from_bytes(blob)
        elif kind == "correlator" and name in self._correlators:
            self._correlator_states[name] = self._correlators[name].from_bytes(blob)
        elif kind == "risk":
            self._risk = RiskLevels.from_bytes(blob)
        elif kind == "incidents":
            self._incidents = IncidentBuilder.from_bytes(blob)
        elif kind == "engine":
            values = json.loads(blob)
            self._world_time_us = int(values["world_time_us"])
            self._expired_epoch = int(values["expired_epoch"])
