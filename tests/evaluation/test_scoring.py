"""Scores, measures and notes of each labelled set, by hand-made anomalies and labels."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from livesec.core.clock import US_PER_DAY, rfc3339
from livesec.core.errors import UsageError
from livesec.core.settings import load_settings
from livesec.evaluate import cloud_sets, hub_tests, zeek_day
from livesec.evaluate.auth_sets import attempts_in, latency
from livesec.evaluate.demo_world import Stage, score_demo
from livesec.evaluate.run import evaluate_data
from livesec.evaluate.scores import Evaluation, Score
from livesec.evaluate.zeek_day import Flow

DAY0_US = 20_500 * US_PER_DAY


def anomaly(kind: str, severity: str = "medium", offset: int = 0, **fields: Any) -> dict[str, Any]:
    """An exported anomaly."""
    names = dict.fromkeys(("user", "src_ip", "dst_ip", "host", "incident_id"))
    key = "src_ip" if "src_ip" in fields else "user"
    own = {"type": kind, "severity": severity, "evidence": [{"offset": offset}], "entity_type": key}
    return {**names, "entity": fields.get(key), **own, **fields}


def by_detector(evaluation: Evaluation, name: str) -> dict[str, Score]:
    return {score.detector: score for score in evaluation.scores if score.set == name}


def test_incidents_are_counted_per_campaign_and_on_quiet_days() -> None:
    hour_us = US_PER_DAY // 24
    stages = [
        Stage("01", "scan", "weak", None, "192.0.2.1", None, DAY0_US + US_PER_DAY, DAY0_US + US_PER_DAY + hour_us),
        Stage("02", "flood", "weak", None, "192.0.2.2", None, DAY0_US + US_PER_DAY, DAY0_US + US_PER_DAY + hour_us),
        Stage("03", "drip", "weak", None, "192.0.2.3", None, DAY0_US + US_PER_DAY, DAY0_US + US_PER_DAY + hour_us),
    ]
    at = rfc3339(DAY0_US + US_PER_DAY + hour_us // 2)
    later = rfc3339(DAY0_US + 3 * US_PER_DAY)
    anomalies = [
        anomaly("a", time=at, src_ip="192.0.2.1", incident_id="x"),
        anomaly("b", "low", time=at, src_ip="192.0.2.1", incident_id="y"),
        anomaly("a", time=at, src_ip="192.0.2.1", incident_id="x"),
        anomaly("a", time=at, src_ip="192.0.2.2", incident_id="z"),
        anomaly("a", time=at, src_ip="192.0.2.3"),
        anomaly("a", time=later, user="eve", incident_id="q"),
    ]
    evaluation = score_demo(anomalies, stages, DAY0_US, DAY0_US + 5 * US_PER_DAY - 1)
    assert [record["incidents"] for record in evaluation.campaigns] == [2, 1, 0]
    values = {measure.name: (measure.value, measure.n) for measure in evaluation.measures}
    assert values == {
        "incidents per campaign in any": (1.5, 2),
        "most incidents of a campaign": (2, 2),
        "incidents on quiet days": (0.3333, 3),
    }


def test_latency_is_of_the_first_alert_in_the_addresss_own_lines() -> None:
    attempts = pl.DataFrame(
        {
            "src_ip": ["192.0.2.1", "192.0.2.9", "192.0.2.1", "192.0.2.1", "192.0.2.2", "192.0.2.1"],
            "event_time_us": [0, 1, 10_000_000, 30_000_000, 31_000_000, 99_000_000],
            "line_offset": [0, 100, 200, 300, 400, 500],
        }
    )
    labels = {"192.0.2.1": "attack", "192.0.2.2": "attack", "192.0.2.9": "benign", "192.0.2.8": "attack"}
    anomalies = [
        anomaly("bf_slow", offset=500, src_ip="192.0.2.1"),
        anomaly("bf_fast", offset=300, src_ip="192.0.2.1"),
        anomaly("failed_login", "low", offset=0, src_ip="192.0.2.1"),
        anomaly("bf_fast", offset=400, src_ip="192.0.2.2"),
        anomaly("bf_fast", offset=100, src_ip="192.0.2.9"),
    ]
    measures = latency("set", anomalies, labels, attempts)
    assert [(item.name, item.value, item.unit, item.n) for item in measures] == [
        ("time to first alert, median", 0.0, "s", 2),
        ("time to first alert, p90", 30.0, "s", 2),
        ("lines to first alert, median", 1, "lines", 2),
        ("lines to first alert, p90", 3, "lines", 2),
    ]


def test_attempts_are_the_login_rows_of_a_log(tmp_path: Path) -> None:
    log = tmp_path / "auth.log"
    lines = [f"Mar  2 00:00:0{n} web sshd[1]: Failed password for root from 192.0.2.1 port 4 ssh2" for n in range(3)]
    log.write_text("\n".join(lines) + "\n")
    attempts = attempts_in(log)
    assert attempts["src_ip"].to_list() == ["192.0.2.1"] * 3
    assert attempts["line_offset"].to_list() == [0, len(lines[0]) + 1, 2 * (len(lines[0]) + 1)]


def test_hub_tests_want_each_source_and_parser_tests_say_nothing(tmp_path: Path) -> None:
    records = [
        {"test": "bf", "logs": ["a.log"], "expect_alert": True, "expected": [{"sources": ["192.0.2.1", "192.0.2.2"]}]},
        {"test": "parser", "logs": ["a.log"], "expect_alert": None, "expected": []},
        {"test": "clean", "logs": ["a.log"], "expect_alert": False, "expected": []},
        {"test": "gone", "logs": ["b.log"], "expect_alert": True, "expected": [{"sources": ["192.0.2.3"]}]},
    ]
    (tmp_path / "labels.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    for name in ("bf", "parser", "clean"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.log").touch()
    tests = hub_tests.read_tests(tmp_path)
    assert [test.name for test in tests] == ["bf", "parser", "clean"]
    results: dict[str, list[dict[str, Any]]] = {
        "bf": [anomaly("bf_fast", src_ip="192.0.2.1"), anomaly("bf_slow", "low", src_ip="192.0.2.2")],
        "parser": [anomaly("bf_few", src_ip="192.0.2.7")],
        "clean": [anomaly("spray", src_ip="192.0.2.8")],
    }
    evaluation = hub_tests.score_tests((test, results[test.name]) for test in tests)
    scores = by_detector(evaluation, "crowdsec_hub")
    assert (scores["*"].recall, scores["*"].precision, scores["*"].n) == (0.5, 0.5, 2)
    assert (scores["bf_fast"].recall, scores["bf_fast"].precision) == (0.5, 1.0)
    assert set(scores) == {"*", "bf_fast", "spray"}
    assert evaluation.notes == ["crowdsec_hub: not found: bf (192.0.2.2)"]
    assert [(measure.value, measure.n) for measure in evaluation.measures] == [(1.0, 2)]  # the low one too


def test_an_identity_that_is_no_address_counts_as_a_source(tmp_path: Path) -> None:
    expected = [{"sources": ["arn:aws:iam::123456789012:user/ann"]}]
    record = {"test": "aws", "logs": [], "expect_alert": True, "expected": expected}
    (tmp_path / "labels.jsonl").write_text(json.dumps(record))
    (test,) = hub_tests.read_tests(tmp_path)
    (score, _) = hub_tests.score_tests([(test, [anomaly("root_login", user="ann")])]).scores
    assert (score.recall, score.precision) == (1.0, 1.0)


def test_flows_are_pointed_at_by_the_addresses_of_incidents() -> None:
    flows = [
        Flow("10.0.0.1", "203.0.113.4", True),
        Flow("10.0.0.2", "203.0.113.4", True),
        Flow("10.0.0.1", "10.0.0.9", False),
        Flow("10.0.0.3", "10.0.0.9", False),
    ]
    by_source = {"entities": [{"type": "src_ip", "name": "10.0.0.1"}, {"type": "user", "name": "eve"}]}
    by_pair = {"entities": [{"type": "src_ip", "name": "10.0.0.2"}, {"type": "dst_ip", "name": "203.0.113.4"}]}
    by_user = {"entities": [{"type": "user", "name": "eve"}]}
    alerts = [
        anomaly("beacon", src_ip="10.0.0.3", dst_ip="10.0.0.9", entity_type="src_ip|dst_ip"),
        anomaly("beacon", "low", src_ip="10.0.0.1"),
        anomaly("flood", dst_ip="203.0.113.4", entity_type="dst_ip"),
    ]
    evaluation = zeek_day.score_day(flows, alerts, [by_source, by_pair, by_user])
    (whole,) = by_detector(evaluation, "zeek_apt29_day1").values()
    assert (whole.recall, whole.precision, whole.n) == (1.0, 0.6667, 2)
    scores = by_detector(evaluation, "zeek_apt29_day1/alerts")
    assert (scores["beacon"].recall, scores["beacon"].precision) == (0.0, 0.0)
    assert (scores["flood"].recall, scores["flood"].precision) == (1.0, 1.0)


def test_flows_are_read_with_their_labels(tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text(
        "line_no,stream,uid,label,reason\n1,conn,a,malicious,x\n2,dns,b,background,x\n"
        "3,conn,c,suspect_lateral,x\n4,conn,d,background,x\n"
    )
    lines = [{"id_orig_h": f"10.0.0.{n}", "id_resp_h": "10.0.0.9"} for n in range(1, 5)]
    (tmp_path / "combined_zeek.log").write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert zeek_day.read_flows(tmp_path) == [
        Flow("10.0.0.1", "10.0.0.9", True),
        Flow("10.0.0.4", "10.0.0.9", False),
    ]


def test_techniques_that_are_not_found_are_named() -> None:
    evaluation = cloud_sets.score_techniques(
        {
            "aws.a.one": [anomaly("root_login", user="x")],
            "aws.a.two": [],
            "aws.b.three": [anomaly("y", "low", user="x")],
        }
    )
    scores = by_detector(evaluation, "aws_stratus_detonation")
    assert (scores["*"].recall, scores["*"].n, scores["root_login"].recall) == (0.3333, 3, 0.3333)
    assert "aws.a.two, aws.b.three" in evaluation.notes[1]


def test_s3_anomalies_are_judged_by_the_line_at_which_they_are_raised(tmp_path: Path) -> None:
    (tmp_path / cloud_sets.S3_LABELS).write_text(
        "line_no,label,eventName,identity\n1,background,A,op\n2,attack,B,role\n3,attack,C,other\n"
    )
    (tmp_path / cloud_sets.S3_LOG).write_text("{}\n{..}\n{...}\n")
    raised = [anomaly("a", offset=3, user="x"), anomaly("a", offset=0, user="y"), anomaly("a", "low", 8, user="z")]
    (score,) = cloud_sets.score_s3(tmp_path, raised).scores
    assert (score.recall, score.precision, score.n) == (0.5, 0.5, 2)


def test_sets_that_are_not_there_are_noted_and_none_at_all_is_an_error(tmp_path: Path) -> None:
    def progress(_share: float, _lines: int) -> None:
        return

    settings = load_settings(environ={"": ""})
    with pytest.raises(UsageError, match="no labelled set"):
        evaluate_data(settings, tmp_path, progress)
    (tmp_path / "aws_stratus_detonation").mkdir()
    (tmp_path / "aws_stratus_detonation" / "aws.x.y.json").write_text("[]\n")
    notes = evaluate_data(settings, tmp_path, progress).notes
    skipped = [note.partition(":")[0] for note in notes if "skipped" in note]
    assert skipped == ["elastic_auth", "secrepo_auth_head", "crowdsec_hub", "zeek_apt29_day1", "aws_s3"]
