import io

import pytest
from tests.correlate.made import anomaly

from livesec.alerts.console import ConsoleAlerts
from livesec.core.explanation import Explanation
from livesec.core.severity import Severity


def shown(lowest: Severity, *scores: float) -> str:
    stream = io.StringIO()
    alerts = []
    for score in scores:
        item = anomaly("bf_fast", 0, score)
        item.description = "7 failed logins from 192.0.2.1"
        happened = "7 failed logins from 192.0.2.1 [L1] to [L7]. One address tries passwords."
        item.explanation = Explanation(item.description, happened, "", (), (), (), (), ())
        alerts.append(item)
    ConsoleAlerts(stream, lowest, at_once=2).show(alerts)
    return stream.getvalue()


def test_the_layout_is_the_seeds() -> None:
    assert shown(Severity.MEDIUM, 73) == (
        "🚨 HIGH SEVERITY ANOMALY\n"
        "   Time: 1970-01-01 00:00:00\n"
        "   Type: bf_fast\n"
        "   Alert: 7 failed logins from 192.0.2.1\n"
        "   Analysis: One address tries passwords.\n"
        f"   Id: {anomaly('bf_fast', 0, 73).id}\n\n"
    )


def test_lower_ones_are_left_to_the_desk_and_floods_are_cut_short() -> None:
    assert shown(Severity.MEDIUM, 20) == ""
    text = shown(Severity.LOW, 20, 50, 95, 95)
    assert text.count("SEVERITY ANOMALY") == 2
    assert "and 2 more anomalies" in text


def test_no_colour_where_it_is_not_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b[" in shown(Severity.LOW, 73)
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[3" not in shown(Severity.LOW, 73)
