"""Checks that an exported anomaly's evidence is what stands in the file at the addresses it names."""

from __future__ import annotations

from pathlib import Path

from tests.e2e.command import Record


def assert_true_lines(anomaly: Record) -> None:
    """Each evidence line is a whole line of its file, at its offset and of its length."""
    assert anomaly["evidence"], f"{anomaly['type']} {anomaly['id']} has no evidence"
    for line in anomaly["evidence"]:
        content = Path(line["path"]).read_bytes()
        start, end = line["offset"], line["offset"] + line["length"]
        assert content[start:end].decode("utf-8", "replace") == line["line"]
        assert start == 0 or content[start - 1 : start] == b"\n", "does not start a line"
        assert content[end : end + 1] in {b"\n", b""}, "does not end with the line"
