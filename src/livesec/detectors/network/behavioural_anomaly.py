"""A packet unlike those that a model was trained on: by its ports, size, duration and protocol together.

Sees combinations that no single threshold does: a small packet to an odd port that takes long, both ends at high ports.
Misses single figures beyond all that was trained on (to a forest 9,000 bytes are as large as the largest it has seen:
packet_size sees those), and whatever is common in what it was trained on; it learns nothing afterwards, so that nobody
can teach it slowly, and a network that has changed needs a new model. Judged are logs of packets and flows of a single
packet. Off until `livesec lab train --model packet_forest` has made a model.

Statistics: an isolation forest (models/packet_forest). It would call a tenth of all packets odd, for that is what it
is told; here a packet's chance comes from the scores of packets that it was not trained on (models/score_tail).
Reported when one is rarer than p*, or when `repeats` that are rarer than `report_p` came from one source to one
service, and then as they grow fourfold. The entity is the service, since such logs often have no addresses; where they
have, each source is counted for itself. In seed_mode: every packet below the forest's own threshold. Source: the
network_multi_template seed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from livesec.baselines import recurrence, tails
from livesec.baselines.growth import GROWTH
from livesec.core.finding import NO_FINDINGS, Findings
from livesec.core.hashing import Keys, combine_keys
from livesec.core.protocols import Detector, Guidance, param
from livesec.core.rows import Rows
from livesec.core.schema import LogType
from livesec.core.settings import Settings, home
from livesec.core.state import KeyedState
from livesec.detectors.network.packet_size import single_packets
from livesec.models.forest_file import load
from livesec.models.packet_forest import PacketForest, features

_WORDS = ("source port", "destination port", "size", "duration", "protocol")
_USUAL = ("usual_src_port", "usual_port", "usual_bytes", "usual_ms")
_USUAL_PLACE = str(Settings.model_fields["packet_forest"].default)


@dataclass(frozen=True)
class Params:
    """The model, and how rare a packet must be."""

    model: str | None = param(
        _USUAL_PLACE, "file", "made by `livesec lab train --model packet_forest`", setting="packet_forest"
    )
    report_p: float = param(
        1e-3, "probability", "our choice: of a thousand packets, the oddest", minimum=1e-9, maximum=0.02
    )
    p_star: float = param(1e-5, "probability", "once a day for each 100,000 packets a day", minimum=1e-12, maximum=0.02)
    repeats: int = param(5, "packets", "our choice: chance gives that many in an hour to busy services", minimum=1)
    quiet_s: float = param(3600.0, "s", "our choice: a pause that makes it another episode", minimum=60)


class BehaviouralAnomaly(Detector[Params]):
    """Odd packets per service and source, by a trained forest."""

    name = "behavioural_anomaly"
    log_type = LogType.NETWORK
    key = ("dst_port", "protocol")
    needs = ("src_port", "bytes_out", "duration_s")
    technique = ("T1071",)
    base_severity = 21
    columns = recurrence.COLUMNS
    statistical = True
    params = Params
    max_keys = 1 << 15
    summary = (
        "A {protocol} packet from port {src_port} to {port} ({packet_bytes:,} bytes, {duration_ms:,.1f} ms) unlike "
    )
    summary += "others, most by its {odd_by} ({src_ip} to {dst_ip})"
    guidance = Guidance(
        meaning="Ports, size, duration and protocol together are unlike the packets of this network. It may be a tool "
        "that builds its own packets, a tunnel, or a program that nobody knew of.",
        usual="Of the packets that the model knows the middle one goes from port {usual_src_port:.0f} to "
        "{usual_port:.0f} with {usual_bytes:,.0f} bytes in {usual_ms:,.1f} ms. This one has {packet_bytes:,} bytes and "
        "{duration_ms:,.1f} ms from {src_port} to {port}; its score of {score:.3f} is expected once in {one_in:,.0f} "
        "packets. Such packets so far: {packets:,}.",
        benign=(
            "a new program or service: train the model anew once it is known",
            "a model trained on another network, such as the simulated one: train it on logs of your own",
            "a network card that joins packets before the log sees them",
        ),
        next_steps=(
            "Which program has port {src_port} there, and who started it?",
            "Capture a few at port {port} and look at their contents.",
            "Do they come at even intervals? Then look for what starts by itself at these times.",
        ),
        commands=("sockets_of_port", "owner_of_destination", "name_of_destination", "scheduled"),
        would_change=(
            "Worse: nobody knows the program at port {port}, or {dst_ip} is a rented server nobody talks to.",
            "Harmless: packets to port {port} have looked like this since a change that somebody made on purpose.",
        ),
    )

    def __init__(self, params: Params, *, seed_mode: bool = False) -> None:
        """Reads the model. Raises SettingsError where its file is damaged, or named and not there."""
        super().__init__(params, seed_mode=seed_mode)
        self._forest: PacketForest | None = None
        if params.model is None:
            self.why_off = "packet_forest is None in the settings"
        elif params.model == _USUAL_PLACE and not (home() / params.model).is_file():
            self.why_off = f"there is no {params.model}; `livesec lab train --model packet_forest` makes it"
        else:
            self._forest = load(home() / params.model)

    def wants(self, rows: Rows) -> NDArray[np.bool_]:
        """Single packets, if there is a model."""
        return np.zeros(len(rows), dtype=np.bool_) if self._forest is None else single_packets(rows)

    def step(self, state: KeyedState, rows: Rows, at: NDArray[np.int64]) -> Findings:
        """Score the packets; count those that are odd."""
        if self._forest is None:
            return NO_FINDINGS
        samples = _samples(rows, at)
        scores = self._forest.scores(samples)
        log_p = self._forest.tail.log_p(scores)
        odd = np.flatnonzero(scores < self._forest.offset if self.seed_mode else log_p <= math.log(self.p.report_p))
        if len(odd) == 0:
            return NO_FINDINGS
        reports = recurrence.recur(
            state,
            _source_and_service(rows, self.key)[at[odd]],
            rows.time_us[at[odd]],
            (log_p[odd] <= math.log(self.p.p_star)) | self.seed_mode,
            rows.addresses()[at[odd]],
            repeats=self.p.repeats,
            growth=1 if self.seed_mode else GROWTH,
            quiet_s=self.p.quiet_s,
        )
        chosen = odd[reports.at]
        found, picked, middle = at[chosen], samples[chosen], self._forest.middle
        return Findings(
            at=found,
            details={
                "protocol": rows.column("protocol").gather(found).to_list(),
                "src_port": rows.integers("src_port")[found],
                "port": rows.integers("dst_port")[found],
                "packet_bytes": rows.integers("bytes_out")[found],
                "duration_ms": rows.floats("duration_s")[found] * 1000.0,
                "odd_by": [_WORDS[number] for number in self._forest.oddest(picked).tolist()],
                "score": -scores[chosen],
                "one_in": tails.one_in(log_p[chosen]),
                "packets": reports.total,
                "span_s": reports.span_s,
                **{name: np.full(len(found), value) for name, value in zip(_USUAL, middle[:-1], strict=True)},
            },
            evidence=reports.evidence,
            confidence=None if self.seed_mode else tails.confidence(log_p[chosen], self.p.p_star),
        )

    def idle_s(self) -> float:
        """The pause after which an episode is a new one."""
        return self.p.quiet_s


def packet_samples(rows: Rows) -> NDArray[np.float32]:
    """The rows that the model can judge, as samples (n, 5): what it is trained on."""
    wanted = single_packets(rows) & rows.known(*BehaviouralAnomaly.key, *BehaviouralAnomaly.needs)
    return _samples(rows, np.flatnonzero(wanted).astype(np.int64, copy=False))


def _samples(rows: Rows, at: NDArray[np.int64]) -> NDArray[np.float32]:
    return features(
        rows.integers("src_port")[at],
        rows.integers("dst_port")[at],
        rows.integers("bytes_out")[at],
        rows.floats("duration_s")[at] * 1000.0,
        rows.is_value("protocol", "udp")[at],
    )


def _source_and_service(rows: Rows, service: tuple[str, ...]) -> Keys:
    """The key of each row's service and, where it is known, its source; shape (n,)."""
    services, sources = rows.key(*service), rows.key("src_ip")
    joint = np.empty(len(rows), dtype=np.uint64)
    combine_keys(services, sources, joint)
    return np.where(sources == 0, services, joint)


DETECTOR = BehaviouralAnomaly
