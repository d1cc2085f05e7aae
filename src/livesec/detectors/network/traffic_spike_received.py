"""Far more bytes sent to a destination within five minutes than in any ordinary window of its own.

Sees floods against a machine whose ordinary is known, from however many sources. Misses floods of connections
with few bytes (high_connection_count sees their sources if they are known). What a client downloads is not
counted: the bytes are those that sources send to the destination. Statistics, seed_mode and source as
traffic_spike_sent.
"""

from __future__ import annotations

from livesec.core.protocols import Guidance
from livesec.detectors.network.traffic_spike_sent import SentSpike


class ReceivedSpike(SentSpike):
    """Bytes to each destination per window against its own windows."""

    name = "traffic_spike_received"
    key = ("dst_ip",)
    technique = ("T1498",)
    summary = "{dst_ip} received {window_bytes:,} bytes in {window_s:,.0f} s, usually {usual_bytes:,.0f}"
    guidance = Guidance(
        meaning="A machine is sent far more than it ever is: a flood that may keep it from serving others, or somebody "
        "who stages data on it.",
        usual="In {windows:,} earlier windows of {window_s:,.0f} s with traffic the median was {usual_bytes:,.0f} "
        "bytes; this is {times_usual:,.0f} times as much, robust z {z:.1f}.",
        benign=(
            "a backup or migration to it that runs for the first time; it is taken as usual after two days",
            "a release, a campaign or a press report that brings visitors",
            "a load test",
        ),
        next_steps=(
            "From whom? Count and sum by source of the evidence: one source is a transfer, hundreds are a flood.",
            "Does {dst_ip} still answer? curl -sS -o /dev/null -w '%{{time_total}}\\n' http://{dst_ip}/",
            "On it: ss -s; uptime; the access log of the service",
            "A flood: ask the provider to filter upstream; at the machine itself it is too late.",
        ),
    )


DETECTOR = ReceivedSpike
