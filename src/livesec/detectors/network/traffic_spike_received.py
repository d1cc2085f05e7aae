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
    summary = "{dst_ip} received {volume_text} in {window_text}, usually {usual_text}"
    guidance = Guidance(
        meaning="A machine is sent far more than it ever is: a flood that may keep it from serving others, or "
        "somebody who stages data on it.",
        usual="In half of {windows:,} earlier windows of {window_text} with traffic it was sent no more "
        "than {usual_text}; now {volume_text}, {times_usual:,.0f} times as much, a robust z of "
        "{z:.1f} on the logarithm.",
        benign=(
            "a backup or migration to it that runs for the first time; after two days it is taken as usual",
            "a release, a campaign or a press report that brings visitors",
            "a load test",
        ),
        next_steps=(
            "Count and sum by source: one source with nearly all of it is a transfer, hundreds with a "
            "little each are a flood.",
            "Check whether {dst_ip} still serves its users, and how long it takes to answer.",
            "If one machine of yours sent it, see which files came to {dst_ip} and under whose name: data "
            "is staged before it leaves.",
            "If it is a flood, ask your provider to filter it upstream: at {dst_ip} itself it is too late.",
        ),
        commands=(
            "load",
            "busiest_peers",
            "listeners",
            "machine_of_destination",
        ),
        would_change=(
            "harmless if one backup or deployment server sent the {volume_text}",
            "worse if {dst_ip} answers slowly or not at all while it lasts",
            "worse if {dst_ip} itself sends much outside in the hours after: then it was a place to stage data",
        ),
    )


DETECTOR = ReceivedSpike
