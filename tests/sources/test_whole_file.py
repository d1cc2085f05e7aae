"""Whole files for a replay: compressed, in UTF-16, with lines too long to keep, and packet captures."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dpkt  # type: ignore[import-untyped]
import polars as pl
import pytest
import zstandard

from livesec.core.batch import MAX_LINE_BYTES, StreamInfo
from livesec.core.errors import InputUnreadableError
from livesec.core.schema import LogType
from livesec.formats import known_formats
from livesec.formats.stream_parser import StreamParser
from livesec.sources.packet_capture import CaptureLines
from livesec.sources.whole_file import WholeFile

LINES = [b"one", "zwei é".encode(), b"", b"four"]


def file_of(path: Path) -> WholeFile:
    return WholeFile(str(path), StreamInfo(1, "0" * 16, str(path), 0))


def lines_of(path: Path) -> list[tuple[int, bytes]]:
    file = file_of(path)
    try:
        return [
            (int(batch.offsets[index]), batch.line_bytes(index))
            for batch in file.batches()
            for index in range(len(batch))
        ]
    finally:
        file.close()


@pytest.mark.parametrize(
    "compress",
    [gzip.compress, lzma.compress, bz2.compress, zstandard.compress, bytes],
    ids=["gzip", "xz", "bzip2", "zstd", "plain"],
)
def test_compressed_files_are_what_they_decompress_to(tmp_path: Path, compress: Callable[[bytes], bytes]) -> None:
    (tmp_path / "log").write_bytes(compress(b"\n".join(LINES)) + compress(b"\nfive\n"))  # two members
    assert lines_of(tmp_path / "log") == [(0, b"one"), (4, "zwei é".encode()), (12, b""), (13, b"four"), (18, b"five")]


def test_a_file_that_was_cut_off_is_named(tmp_path: Path) -> None:
    (tmp_path / "log").write_bytes(zstandard.compress(b"\n".join(LINES) * 1000)[:-20])
    with pytest.raises(InputUnreadableError, match="unreadable after byte"):
        lines_of(tmp_path / "log")


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be", "utf-8"])
def test_byte_order_marks_are_no_part_of_the_first_line(tmp_path: Path, codec: str) -> None:
    text = "\ufeff" + b"\n".join(LINES).decode() + "\n"
    (tmp_path / "log").write_bytes(text.encode(codec))
    found = lines_of(tmp_path / "log")
    assert [line for _, line in found] == LINES
    unit = 1 if codec == "utf-8" else 2
    assert [offset for offset, _ in found[:2]] == [len("\ufeff".encode(codec)), len("\ufeff".encode(codec)) + 4 * unit]
    file = file_of(tmp_path / "log")
    list(file.batches())
    assert file.line_at(found[1][0]) == ("zwei é".encode(), len("zwei é".encode(codec)))
    file.close()


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-8"])
def test_a_line_over_the_limit_keeps_its_start_and_the_next_is_whole(tmp_path: Path, codec: str) -> None:
    size = 5 * MAX_LINE_BYTES + 1
    (tmp_path / "log").write_bytes(("\ufeffa\n" + "x" * size + "\nnext\n" + "y" * size).encode(codec))
    found = [line for _, line in lines_of(tmp_path / "log")]
    assert [(line[:1], len(line)) for line in found] == [
        (b"a", 1),
        (b"x", MAX_LINE_BYTES),
        (b"n", 4),
        (b"y", MAX_LINE_BYTES),
    ]


# Captures -------------------------------------------------------------------------------------------------------------

CLIENT, SERVER = bytes([192, 0, 2, 1]), bytes([198, 51, 100, 7])
SYN, ACK, FIN, RST = dpkt.tcp.TH_SYN, dpkt.tcp.TH_ACK, dpkt.tcp.TH_FIN, dpkt.tcp.TH_RST


def tcp(flags: int, *, back: bool = False, payload: bytes = b"", port: int = 50000, to: int = 22) -> bytes:
    ends = (to, port) if back else (port, to)
    segment = dpkt.tcp.TCP(sport=ends[0], dport=ends[1], flags=flags, data=payload)
    packet = dpkt.ip.IP(src=SERVER if back else CLIENT, dst=CLIENT if back else SERVER, p=6, data=segment)
    packet.len = len(packet)
    return bytes(dpkt.ethernet.Ethernet(data=packet, type=dpkt.ethernet.ETH_TYPE_IP))


def question(name: str) -> bytes:
    message = dpkt.dns.DNS(id=7, qd=[dpkt.dns.DNS.Q(name=name, type=1)], op=dpkt.dns.DNS_RD)
    datagram = dpkt.udp.UDP(sport=50001, dport=53, data=bytes(message))
    datagram.ulen = len(datagram)
    packet = dpkt.ip.IP(src=CLIENT, dst=SERVER, p=17, data=datagram)
    packet.len = len(packet)
    return bytes(dpkt.ethernet.Ethernet(data=packet, type=dpkt.ethernet.ETH_TYPE_IP))


PACKETS: list[tuple[float, bytes]] = [
    (1000.0, tcp(SYN)),
    (1000.1, tcp(SYN | ACK, back=True)),
    (1000.2, tcp(ACK, payload=b"x" * 100)),
    (1000.25, question("example.org")),
    (1000.3, tcp(ACK, back=True, payload=b"y" * 400)),
    (1000.4, tcp(SYN, port=50009, to=23)),
    (1000.5, tcp(RST | ACK, back=True, port=50009, to=23)),
    (1001.0, tcp(FIN | ACK)),
    (1001.1, tcp(FIN | ACK, back=True)),
    (1001.2, tcp(ACK)),
    (1002.0, tcp(SYN, port=50010, to=80)),
    (1003.0, b"\x00" * 3),
]


def capture(writer: Any, packets: list[tuple[float, bytes]]) -> bytes:
    buffer = io.BytesIO()
    made = writer(buffer)
    for time_s, data in packets:
        made.writepkt(data, time_s)
    return buffer.getvalue()


@pytest.mark.parametrize("writer", [dpkt.pcap.Writer, dpkt.pcapng.Writer], ids=["pcap", "pcapng"])
def test_packets_become_flows(tmp_path: Path, writer: Any) -> None:
    (tmp_path / "dump").write_bytes(gzip.compress(capture(writer, PACKETS)))
    records = [json.loads(line) for _, line in lines_of(tmp_path / "dump")]
    conns = [record for record in records if record["_path"] == "conn"]
    assert [(one["id.resp_p"], one["conn_state"]) for one in conns] == [(23, "REJ"), (22, "SF"), (53, "S0"), (80, "S0")]
    ssh = conns[1]
    assert (ssh["id.orig_h"], ssh["id.orig_p"], ssh["id.resp_h"]) == ("192.0.2.1", 50000, "198.51.100.7")
    assert (ssh["orig_bytes"], ssh["resp_bytes"], ssh["orig_pkts"], ssh["resp_pkts"]) == (100, 400, 4, 3)
    assert ssh["ts"] == pytest.approx(1000.0)
    assert ssh["duration"] == pytest.approx(1.2)
    assert [record["query"] for record in records if record["_path"] == "dns"] == ["example.org"]


def test_flows_are_rows_of_the_network_log(tmp_path: Path) -> None:
    (tmp_path / "dump.pcap").write_bytes(capture(dpkt.pcap.Writer, PACKETS))
    file = file_of(tmp_path / "dump.pcap")
    parser = StreamParser(file.info, known_formats())
    parsed = [parser.parse(batch) for batch in file.batches()]
    file.close()
    assert [item.rejects.height for item in parsed] == [0]
    rows = parsed[0].rows[LogType.NETWORK].filter(pl.col("conn_state").is_not_null())
    assert rows["src_ip"].unique().to_list() == ["192.0.2.1"]
    assert rows["bytes_in"].max() == 400


def test_a_silent_flow_ends_and_the_next_packet_starts_another() -> None:
    packets = [(0.0, question("a.example")), (61.0, question("b.example"))]
    lines = CaptureLines(io.BytesIO(capture(dpkt.pcap.Writer, packets))).read().splitlines()
    assert [json.loads(line)["_path"] for line in lines] == ["dns", "conn", "dns", "conn"]


def test_small_reads_give_the_same() -> None:
    data = capture(dpkt.pcap.Writer, PACKETS)
    whole = CaptureLines(io.BytesIO(data)).read()
    lines = CaptureLines(io.BytesIO(data))
    assert b"".join(iter(lambda: lines.read(7), b"")) == whole


@pytest.mark.parametrize("cut", [5, 23, 30, 100])
def test_a_capture_cut_anywhere_is_read_as_far_as_it_goes_or_named(tmp_path: Path, cut: int) -> None:
    (tmp_path / "dump.pcap").write_bytes(capture(dpkt.pcap.Writer, PACKETS)[:-cut])
    assert len(lines_of(tmp_path / "dump.pcap")) >= 3


def test_a_capture_of_an_unknown_link_is_named(tmp_path: Path) -> None:
    (tmp_path / "dump.pcap").write_bytes(capture(lambda file: dpkt.pcap.Writer(file, linktype=147), [(0.0, tcp(SYN))]))
    with pytest.raises(InputUnreadableError, match="link type 147"):
        lines_of(tmp_path / "dump.pcap")


RECORDS = [json.dumps({"number": number, "text": 'é"}],{[' + "x" * (number % 50)}) for number in range(40_000)]


@pytest.mark.parametrize("frame", ['{"Records":[%s]}', " [ %s ]", '{ "records" : [%s]}\n'])
def test_a_document_of_one_endless_line_is_a_line_per_record(tmp_path: Path, frame: str) -> None:
    (tmp_path / "log").write_bytes(gzip.compress((frame % ",".join(RECORDS)).encode()))
    opening, *lines = [line.decode() for _, line in lines_of(tmp_path / "log")]
    assert opening.strip() == frame.partition("%s")[0].strip()
    assert lines[: len(RECORDS)] == RECORDS
    assert "".join(lines[len(RECORDS) :]).strip() == frame.strip().partition("%s")[2].strip()


def test_an_endless_document_that_breaks_gives_the_records_before_and_the_rest_as_it_is(tmp_path: Path) -> None:
    torn = '{"Records":[' + ",".join(RECORDS[:2000]) + ',{"number": ' + "[" * 200_000 + ',{"more": 1}'
    (tmp_path / "log").write_bytes(torn.encode())
    _, *lines = [line.decode() for _, line in lines_of(tmp_path / "log")]
    assert lines == [*RECORDS[:2000], torn[torn.index(',{"number": [') :]]
    (tmp_path / "long").write_bytes(b"[" + b'{"a": "' + b"x" * (3 * MAX_LINE_BYTES) + b'"}, {"b": 1}]')
    assert [len(line) for _, line in lines_of(tmp_path / "long")] == [1, MAX_LINE_BYTES, 8, 1]
