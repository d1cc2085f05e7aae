import pytest

from livesec.correlate.risk import RiskLevels

from .made import anomaly


def test_one_anomaly_gives_its_own_score() -> None:
    (risk,) = RiskLevels().add(anomaly("a", 0, 47))
    assert (risk.entity_type, risk.entity, risk.anomalies) == ("src_ip", "192.0.2.1", 1)
    assert risk.risk == pytest.approx(47)


def test_two_detectors_add_up_as_independent_evidence() -> None:
    levels = RiskLevels()
    levels.add(anomaly("a", 0, 50))
    (risk,) = levels.add(anomaly("b", 0, 50))
    assert risk.risk == pytest.approx(75)  # 1 - .5 x .5


def test_it_halves_in_twelve_hours_for_an_address_and_three_days_for_a_user() -> None:
    levels = RiskLevels()
    levels.add(anomaly("a", 0, 75, user="eve"))
    address, user = levels.add(anomaly("b", 12, 0.0, user="eve"))
    assert address.risk == pytest.approx(50)  # L = ln 4 halves to ln 2
    assert user.risk == pytest.approx(100 * (1 - 0.25 ** (2 ** (-12 / 72))))


def test_repeats_of_one_detector_count_less_and_less() -> None:
    levels = RiskLevels()
    first = levels.add(anomaly("a", 0, 40))[0].risk
    second = levels.add(anomaly("a", 0, 40))[0].risk
    assert first == pytest.approx(40)
    assert second == pytest.approx(100 * (1 - 0.6 * (1 - 0.4 / 2**1.5)))
    for _ in range(1000):
        loud = levels.add(anomaly("a", 0, 40))[0].risk
    assert loud < 75  # one loud detector makes no incident alone


def test_an_earlier_time_does_not_raise_it() -> None:
    levels = RiskLevels()
    levels.add(anomaly("a", 10, 50))
    (risk,) = levels.add(anomaly("b", 2, 50))
    assert risk.risk == pytest.approx(75)
    assert risk.time_us == 10 * 3_600_000_000


def test_it_comes_back_from_its_bytes() -> None:
    levels = RiskLevels()
    levels.add(anomaly("a", 0, 50, user="eve"))
    again = RiskLevels.from_bytes(levels.to_bytes())
    assert again.add(anomaly("a", 5, 30, user="eve")) == levels.add(anomaly("a", 5, 30, user="eve"))
