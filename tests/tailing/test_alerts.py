"""The alert outbox: at least once, with ids, and no flood after a long standstill."""

from __future__ import annotations

import io
import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import text
from tests.correlate.made import anomaly

from livesec.alerts.console import ConsoleAlerts
from livesec.core.anomaly import Anomaly, BatchResult, Commit
from livesec.core.severity import Severity
from livesec.runners.alert_delivery import AlertDelivery
from livesec.store.writer import StoreWriter


class Closed(io.StringIO):
    def write(self, _text: str) -> int:
        raise BrokenPipeError(32, "Broken pipe")


class Desk:
    """A store and what a console of it shows."""

    def __init__(self, path: Path, console: io.StringIO | None = None) -> None:
        self.writer = StoreWriter(str(path))
        self.console = console if console is not None else io.StringIO()
        self.delivery = AlertDelivery(self.writer, ConsoleAlerts(self.console, Severity.MEDIUM))

    def store(self, anomalies: Sequence[Anomaly], *, alerting: bool = True) -> None:
        self.writer.commit(Commit(result=BatchResult(anomalies=list(anomalies)), alerting=alerting))

    def waiting(self) -> int:
        with self.writer._engine.connect() as connection:
            count = text("SELECT count(*) FROM outbox WHERE delivered_us IS NULL")
            return int(connection.execute(count).scalar_one())

    def ids(self) -> list[str]:
        lines = self.console.getvalue().splitlines()
        return [line.removeprefix("   Id: ") for line in lines if line.startswith("   Id: ")]


def alert(number: int, **changes: object) -> Anomaly:
    return replace(anomaly("bf_fast", number, 73.0), id=f"{number:016x}", severity=Severity.HIGH, **changes)  # type: ignore[arg-type] # a test's own


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "livesec.db"


def test_shown_is_marked_by_the_next_transaction_of_whatever(path: Path) -> None:
    desk = Desk(path)
    desk.store([alert(1), alert(2)])
    desk.delivery.show([alert(1), alert(2)])
    assert desk.ids() == [alert(1).id, alert(2).id]
    assert desk.waiting() == 2
    desk.writer.put_health({"daemon": {}})
    assert desk.waiting() == 0
    desk.store([alert(3)])
    desk.delivery.show([alert(3)])
    assert desk.waiting() == 1
    desk.store([])
    assert desk.waiting() == 0
    desk.writer.close()


def test_what_was_not_marked_is_shown_at_the_start(path: Path) -> None:
    before = Desk(path)
    before.store([alert(1), alert(2, historical=True), alert(3)])
    before.store([alert(4)], alerting=False)
    before.writer.close()
    after = Desk(path)
    after.delivery.show_waiting()
    assert after.ids() == [alert(1).id, alert(3).id]
    after.writer.put_health({})
    assert after.waiting() == 0
    after.writer.close()


def test_no_flood_after_a_standstill(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    before = Desk(path)
    before.store([alert(number) for number in range(10)])
    with before.writer._engine.begin() as connection:
        connection.execute(text("UPDATE anomalies SET committed_us = committed_us - 3601000000"))
    before.store([alert(number) for number in range(10, 130)])
    before.writer.close()
    after = Desk(path)
    with caplog.at_level(logging.WARNING):
        after.delivery.show_waiting()
    assert after.ids() == [alert(number).id for number in range(30, 130)]
    assert "30 alerts from before are not shown" in caplog.text
    after.writer.put_health({})
    assert after.waiting() == 0
    after.writer.close()


def test_alerts_below_the_consoles_severity_are_not_counted_as_missed(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    before = Desk(path)
    before.store([replace(alert(1), severity=Severity.LOW)])
    before.writer.close()
    after = Desk(path)
    after.delivery.show_waiting()
    assert after.ids() == []
    assert "not shown" not in caplog.text
    after.writer.put_health({})
    assert after.waiting() == 0
    after.writer.close()


@pytest.mark.parametrize(
    "show", [lambda desk: desk.delivery.show([alert(1)]), lambda desk: desk.delivery.show_waiting()]
)
def test_what_a_closed_terminal_did_not_take_waits(path: Path, show: Callable[[Desk], None]) -> None:
    desk = Desk(path, Closed())
    desk.store([alert(1)])
    show(desk)
    show(desk)
    desk.writer.put_health({})
    assert desk.waiting() == 1
    desk.writer.close()
    after = Desk(path)
    after.delivery.show_waiting()
    assert after.ids() == [alert(1).id]
    after.writer.close()
