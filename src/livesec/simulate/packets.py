"""Ordinary packets of a small office, as a packet log of the teaching kind has them: without addresses.

What the packet forest is trained on where nobody has given it packets of their own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from livesec.simulate.randomness import FloatArray, chance, generator

_CLIENT_PORTS: Final = (32_768, 61_000)  # Linux's ip_local_port_range
_SMALLEST, _LARGEST = 40, 1_500  # bytes: headers alone, and Ethernet's MTU
_FULL_PACKETS: Final = 0.35  # of a service that moves data, the share of packets that are full
_LONGEST_MS: Final = 1_400.0


@dataclass(frozen=True, slots=True)
class _Service:
    """A port with its share of packets, the median size of those that are not full, and the median duration."""

    port: int
    protocol: str
    share: float
    size: float
    duration_ms: float
    moves_data: bool = True


_SERVICES: Final = (
    _Service(443, "TCP", 0.44, 180, 40),
    _Service(443, "UDP", 0.12, 240, 30),
    _Service(80, "TCP", 0.10, 200, 45),
    _Service(53, "UDP", 0.12, 90, 12, moves_data=False),
    _Service(445, "TCP", 0.06, 220, 8),
    _Service(22, "TCP", 0.05, 110, 60, moves_data=False),
    _Service(993, "TCP", 0.03, 170, 50),
    _Service(25, "TCP", 0.02, 200, 70),
    _Service(389, "TCP", 0.02, 150, 6, moves_data=False),
    _Service(123, "UDP", 0.02, 76, 20, moves_data=False),
    _Service(3389, "TCP", 0.02, 130, 25, moves_data=False),
)


def ordinary_packets(count: int, seed: int) -> pl.DataFrame:
    """`count` packets: src_port, dst_port, packet_size (bytes), duration_ms, protocol (TCP, UDP).

    A third are answers: their service's port is the source.
    """
    random = generator(seed, "packets")
    shares = np.array([service.share for service in _SERVICES])
    which = random.choice(len(_SERVICES), size=count, p=shares / shares.sum())

    def of(name: str) -> FloatArray:
        return np.array([float(getattr(service, name)) for service in _SERVICES])[which]

    full = chance(random, _FULL_PACKETS, count) & (of("moves_data") > 0)
    sizes = np.where(full, _LARGEST, of("size") * np.exp(0.45 * random.standard_normal(count)))
    durations = of("duration_ms") * np.exp(0.8 * random.standard_normal(count))
    clients = random.integers(*_CLIENT_PORTS, size=count)
    ports = np.array([service.port for service in _SERVICES])[which]
    is_answer = chance(random, 1 / 3, count)
    return pl.DataFrame(
        {
            "src_port": np.where(is_answer, ports, clients),
            "dst_port": np.where(is_answer, clients, ports),
            "packet_size": np.clip(sizes, _SMALLEST, _LARGEST).astype(np.int64),
            "duration_ms": np.clip(durations, 0.1, _LONGEST_MS).round(3),
            "protocol": np.array([service.protocol for service in _SERVICES])[which],
        }
    )
