from livesec.core.anomaly import Anomaly, Incident
from livesec.core.severity import Severity
from livesec.correlate.hubs import HUB_PARTNERS
from livesec.correlate.incidents import IncidentBuilder
from livesec.correlate.risk import RiskLevels

from .made import anomaly


class Desk:
    """Risk and incidents as the engine runs them."""

    def __init__(self) -> None:
        self.risk, self.incidents = RiskLevels(), IncidentBuilder()

    def add(self, item: Anomaly) -> Incident | None:
        self.incidents.add(item, self.risk.add(item))
        changed = self.incidents.drain()
        assert len(changed) <= 1
        return changed[0] if changed else None

    def restored(self) -> "Desk":
        again = Desk()
        again.risk = RiskLevels.from_bytes(self.risk.to_bytes())
        again.incidents = IncidentBuilder.from_bytes(self.incidents.to_bytes())
        return again


def test_a_single_medium_anomaly_is_no_incident() -> None:
    assert Desk().add(anomaly("bf_fast", 0, 47)) is None


def test_a_score_of_ninety_is_one_at_once() -> None:
    item = anomaly("bf_success", 0, 99, ("T1078",), user="root")
    incident = Desk().add(item)
    assert incident is not None
    assert incident.anomaly_ids == (item.id,)
    assert item.incident_id == incident.id
    assert incident.severity is Severity.CRITICAL
    assert incident.title == "Account used unusually: 192.0.2.1, root"


def test_risk_of_75_opens_one_with_the_last_hour_and_later_ones_join() -> None:
    desk = Desk()
    assert desk.add(anomaly("old", 0, 30, anomaly_id="old")) is None
    assert desk.add(anomaly("bf_fast", 10, 47, anomaly_id="a")) is None
    opened = desk.add(anomaly("user_enum", 10.2, 73, ("T1589",), anomaly_id="b"))
    assert opened is not None
    assert opened.anomaly_ids == ("a", "b")  # not the one of ten hours ago
    assert opened.tactics == ("reconnaissance", "credential-access")
    joined = desk.add(anomaly("bf_slow", 11.1, 20, anomaly_id="c"))
    assert joined is not None
    assert (joined.id, joined.anomaly_ids, joined.anomalies) == (opened.id, ("c",), 3)
    assert desk.add(anomaly("bf_slow", 12.5, 5, src_ip="192.0.2.9")) is None  # somebody else


def test_four_detectors_of_three_tactics_in_a_week_are_one() -> None:
    desk = Desk()
    techniques = [("T1110",), ("T1046",), ("T1046",), ("T1048",)]
    found = [desk.add(anomaly(f"d{day}", 24 * day, 20, techniques[day], anomaly_id=str(day))) for day in range(4)]
    assert found[:3] == [None, None, None]
    assert found[3] is not None
    assert found[3].anomaly_ids == ("0", "1", "2", "3")


def test_four_detectors_that_hardly_noticed_are_none() -> None:
    desk = Desk()
    techniques = [("T1110",), ("T1046",), ("T1046",), ("T1048",)]
    for weak in range(4):
        scores = [19.9 if day == weak else 20.0 for day in range(4)]
        user = f"user{weak}"
        found = [
            desk.add(anomaly(f"d{day}", 24 * day, scores[day], techniques[day], None, user, f"{weak}{day}"))
            for day in range(4)
        ]
        assert found == [None] * 4


def test_after_an_hour_of_quiet_another_one_opens() -> None:
    desk = Desk()
    first = desk.add(anomaly("bf_success", 0, 95))
    second = desk.add(anomaly("bf_success", 3, 95))
    assert first is not None
    assert second is not None
    assert first.id != second.id


def test_a_user_ties_what_an_address_did_to_what_followed() -> None:
    desk = Desk()
    guessed = desk.add(anomaly("bf_success", 0, 99, ("T1078", "T1110.001"), user="root"))
    taken = desk.add(anomaly("potential_data_exfiltration", 0.2, 73, ("T1567",), src_ip=None, user="root"))
    assert guessed is not None
    assert taken is not None
    assert taken.id == guessed.id
    assert taken.title == "Account attack followed by data leaving: 192.0.2.1, root"
    assert (taken.first_us, taken.last_us) == (guessed.first_us, 720_000_000)
    assert taken.tactics == ("initial-access", "credential-access", "exfiltration")


def test_a_way_out_that_many_share_ties_nothing_together() -> None:
    desk = Desk()
    ids = set()
    for number in range(30):
        incident = desk.add(anomaly("bf_success", 0.01 * number, 95, src_ip="192.0.2.1", user=f"user{number}"))
        assert incident is not None
        ids.add(incident.id)
    assert len(ids) == 30 - HUB_PARTNERS + 2  # the first seven are one; the eighth shows that the address is a hub
    own = [desk.add(anomaly("bf_fast", 1 + at, 95, anomaly_id=f"own{at}")) for at in (0, 0.1)]
    assert own[0] is not None
    assert own[1] is not None
    assert own[0].id == own[1].id  # what is about the address alone still goes by it


def test_a_hub_is_one_for_seven_days() -> None:
    desk = Desk()
    for number in range(HUB_PARTNERS):
        desk.add(anomaly("scan", 0, 10, user=f"user{number}"))
    before = [desk.add(anomaly("bf_success", 100, 95, user=name, anomaly_id=name)) for name in ("a", "b")]
    after = [desk.add(anomaly("bf_success", 300, 95, user=name, anomaly_id=f"{name}2")) for name in ("c", "d")]
    assert None not in (*before, *after)
    assert len({incident.id for incident in before if incident is not None}) == 2
    assert len({incident.id for incident in after if incident is not None}) == 1


def test_restored_it_goes_on_the_same() -> None:
    items = [(f"d{n % 5}", n * 0.3, 20.0 + 13 * (n % 6), ("T1110", "T1046", "T1048")[n % 3 :][:1]) for n in range(60)]
    one, other = Desk(), Desk()
    for number, (name, at_h, score, techniques) in enumerate(items):
        address = f"192.0.2.{number % 3}"
        user = f"user{number % 11}" if number % 2 else None
        expected = one.add(anomaly(name, at_h, score, techniques, src_ip=address, user=user))
        other = other.restored()
        assert other.add(anomaly(name, at_h, score, techniques, src_ip=address, user=user)) == expected
