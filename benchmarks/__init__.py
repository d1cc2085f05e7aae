"""Measurements of speed, latency and memory against the targets that LiveSec states: `python -m benchmarks --help`."""
