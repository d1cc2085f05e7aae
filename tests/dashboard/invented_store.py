"""A store as a week of an invented office would fill it. All times hang on `now_us`; everything else is fixed."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path

from tests.dashboard.invented_anomalies import (
    AUTH,
    FILES,
    HOSTILE,
    HOUR_US,
    KINDS,
    LOGIN,
    MINUTE_US,
    NETWORK,
    PEOPLE,
    SOURCES,
    a_weeks_anomalies,
)

from livesec.core.anomaly import (
    Anomaly,
    BatchResult,
    Commit,
    DetectorCounts,
    Gap,
    Incident,
    RecentEvent,
    RejectedLine,
    StreamPosition,
)
from livesec.core.attack import tactics_of
from livesec.core.clock import US_PER_DAY, US_PER_S
from livesec.core.schema import LOG_TYPES, LogType
from livesec.store.writer import StoreWriter

CONN, FTP, ROTATED, BROKEN = 2, 3, 4, 5


def _recent(now_us: int, hostile: Sequence[str]) -> list[RecentEvent]:
    events = []
    for number in range(40):
        time_us = now_us - (40 - number) * 20 * US_PER_S
        user, src_ip = PEOPLE[number % len(PEOPLE)], SOURCES[number % len(SOURCES)]
        login = {"user": user, "src_ip": src_ip, "country": "NO", "service": "sshd", "host": "gate1"}
        login |= {"outcome": "failure" if number % 3 else "success", "auth_method": "password"}
        flow = {
            "src_ip": src_ip,
            "dst_ip": "192.0.2.10",
            "dst_port": 443,
            "protocol": "tcp",
            "bytes_out": 4_100 + number,
        }
        moved = {
            "user": user,
            "path": f"/srv/projects/plan-{number}.odt",
            "bytes": 81_920 * number,
            "action": "download",
        }
        # Every fifth login stands in the evidence of an anomaly: the first lines of the latest ones.
        offset = (number // 5 + 48) * 1000 if number % 5 == 0 else 900_000 + number
        events.append(RecentEvent(LOGIN, time_us, AUTH, offset, json.dumps(login)))
        events.append(RecentEvent(NETWORK, time_us, CONN, 500_000 + number, json.dumps(flow)))
        events.append(RecentEvent(FILES, time_us, FTP, 700_000 + number, json.dumps(moved)))
    for number, text in enumerate(hostile):
        fields = {"user": text, "src_ip": SOURCES[0], "outcome": "failure", "client": text, "country": "ZZ"}
        offset = 100_000 + 2_000 * number
        events.append(RecentEvent(LOGIN, now_us - number * US_PER_S, AUTH, offset, json.dumps(fields)))
        events.append(RecentEvent(FILES, now_us, FTP, 800_000 + number, json.dumps({"path": text, "action": "upload"})))
    return events


def _minute_counts(now_us: int, days: int = 7) -> dict[tuple[LogType, int], int]:
    counts = {}
    this_minute = now_us // MINUTE_US * MINUTE_US
    for minute in range(days * 1440):
        at = this_minute - minute * MINUTE_US
        busy = 1.2 - math.cos(2 * math.pi * (at % US_PER_DAY) / US_PER_DAY)
        jitter = math.sin(minute / 9) * 0.2 + (minute * minute * 31 % 97) / 400
        for log_type, scale in zip(LOG_TYPES, (4, 60, 9), strict=True):
            counts[(log_type, at)] = max(1, int(scale * (busy + jitter)))
    return counts


def _stream(stream_id: int, path: str, now_us: int, **more: object) -> StreamPosition:
    position = StreamPosition(stream_id, f"{stream_id:016x}", "file", path, 0, now_us, "UTC")
    for name, value in more.items():
        setattr(position, name, value)
    return position


def streams(now_us: int) -> list[StreamPosition]:
    """A few files in every state that the desk shows."""
    return [
        _stream(AUTH, "/var/log/auth.log", now_us, offset=4_180_224, size=4_180_224, format="sshd"),
        _stream(
            CONN, "/opt/zeek/logs/current/conn.log", now_us, offset=88_412_160, size=88_731_648, format="zeek_conn",
            oldest_unread_us=now_us - 3 * US_PER_S,
        ),
        _stream(FTP, "/var/log/vsftpd.log", now_us, offset=1_022_976, size=1_022_976, format="vsftpd"),
        _stream(
            ROTATED, "/var/log/auth.log.1", now_us, offset=9_437_184, size=9_437_184, format="sshd", state="drained"
        ),
        _stream(BROKEN, "/var/log/secure", now_us, state="error", error="permission denied; join the group adm"),
    ]  # fmt: skip


def incidents(anomalies: Sequence[Anomaly], hostile: Sequence[str]) -> list[Incident]:
    """Four incidents over some of `anomalies`, the second with a hostile name in its title."""
    guest = hostile[0] if hostile else "198.51.100.77"
    groups = {
        "Password guessed, then files taken": range(54, 61),
        f"Guessing by {guest}": range(21, 33),
        "Scan of gate1": range(36, 40),
        "Odd hours": range(45, 48),
    }
    found = []
    for number, (title, sequences) in enumerate(groups.items()):
        members = [anomaly for anomaly in anomalies if anomaly.sequence in sequences]
        worst = max(members, key=lambda anomaly: anomaly.score)
        found.append(
            Incident(
                id=f"incident-{number}",
                title=title,
                severity=worst.severity,
                score=worst.score,
                first_us=min(anomaly.time_us for anomaly in members),
                last_us=max(anomaly.time_us for anomaly in members),
                anomaly_ids=tuple(anomaly.id for anomaly in members),
                anomalies=len(members),
                entities=tuple(dict.fromkeys(("user", str(anomaly.user)) for anomaly in members[:3])),
                tactics=tactics_of(name for anomaly in members for name in anomaly.techniques),
                types=tuple(sorted({anomaly.type for anomaly in members})),
            )
        )
    return found


def fill(writer: StoreWriter, now_us: int, hostile: Sequence[str] = HOSTILE) -> list[Anomaly]:
    """Commit the whole week, with anomalies by the users `hostile`; returns its anomalies in order of arrival."""
    anomalies = a_weeks_anomalies(now_us, hostile)
    counts = _minute_counts(now_us)
    events = sum(counts.values())
    bad_line = b"Mar  2 03:1 gate1 sshd[1]: Failed pass\xff\xfe" + "".join(hostile[1:2]).encode()
    result = BatchResult(
        lines=events + 3_200,
        consumed=events,
        skipped=3_100,
        rejected=100,
        events=events,
        anomalies=anomalies,
        incidents=incidents(anomalies, hostile),
        reject_counts={(AUTH, "no timestamp in the first 40 bytes"): 88, (CONN, "9 fields, expected 21"): 12},
        rejects=[RejectedLine(AUTH, 4_096, len(bad_line), "no timestamp in the first 40 bytes", bad_line)],
        minute_counts=counts,
        recent=_recent(now_us, hostile),
        detectors={
            kind.type: DetectorCounts(10_000, 9_800 - 900 * number, 12 - number, 240 + number)
            for number, kind in enumerate(KINDS.values())
        },
    )
    gap = Gap(CONN, "/opt/zeek/logs/current/conn.log", 4_096, 8_192, "truncated while LiveSec was not running")
    writer.commit(Commit(result=result, streams=streams(now_us), gaps=[gap], next_sequence=events))
    return anomalies


def beat(writer: StoreWriter, now_us: int, **more: object) -> None:
    """The daemon's sign of life at `now_us`."""
    health: dict[str, object] = {
        "pid": 4711,
        "version": "0.1.0",
        "started_us": now_us - 3 * HOUR_US,
        "beat_us": now_us,
        "watcher": "inotify",
        "sources": 4,
        "last_commit_us": now_us,
        "stopped": False,
    }
    writer.put_health({"daemon": health | more})


def make_store(path: Path, now_us: int, *, demo: bool = True) -> list[Anomaly]:
    """A filled store at `path` whose daemon is alive at `now_us`."""
    writer = StoreWriter(str(path), demo=demo)
    anomalies = fill(writer, now_us)
    beat(writer, now_us)
    writer.close()
    return anomalies
