"""Headers, totals and records of flow tools in any order, however they are cut into batches."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.examples import examples

from livesec.core.batch import StreamInfo
from livesec.core.schema import LogType
from livesec.formats import argus_binetflow, nfdump_csv
from livesec.formats.flow_csv import FlowCsv, _are_records

STREAM = StreamInfo(1, "0" * 16, "flows.csv", 0)
NFDUMP = [
    "firstSeen,duration,proto,srcAddr,srcPort,dstAddr,dstPort,packets,bytes,flows",
    "dstAddr,srcAddr,firstSeen,inBytes,outBytes,inPackets,outPackets",
    "a,header,of,nobody",
    "Summary",
    "293,7726486,6279,209874,21,1230",
    "2026-03-02 10:00:00.123,1.500,6,192.0.2.1,40001,198.51.100.7,22,3,180,2",
    '2026-03-02 10:00:01,1.500,6,"192.0.2.1",40001,"198.51.100.7",22,3,180,2',
    '2026-03-02 10:00:01,1.500,6,192.0.2.1,40001,198.51.100.7,22,3,1"80,2',
    "198.51.100.7,192.0.2.1,2026-03-02 10:00:00,180,90,3,2",
    "2026-03-02 10:00:00,1.5",
    "2 words, and more, of a sentence",
    "",
]
ARGUS = [
    "StartTime,Dur,Proto,SrcAddr,Sport,Dir,DstAddr,Dport,State,sTos,dTos,TotPkts,TotBytes,SrcBytes,Label",
    "StartTime,Dur,Proto,SrcAddr,Sport,Dir,DstAddr,Dport,SrcPkts,DstPkts,SrcBytes,DstBytes,State",
    "a,header,of,nobody",
    "2011/08/10 09:46:59.607825,1.0,tcp,192.0.2.1,1577,   ->,198.51.100.7,0x51,S_RA,0,0,4,276,156,flow=a,b",
    '2011/08/10 09:46:59,1.0,tcp,192.0.2.1,1577,<-,198.51.100.7,80,S_,0,0,4,276,156,"a ""b"", c"',
    '2011/08/10 09:46:59,1.0,tcp,192.0.2.1,1577,<-,198.51.100.7,80,S_,0,0,4,276,156,s="a,b"',
    "2011-08-10 09:47:03.5,1.0,tcp,192.0.2.1,1577,->,198.51.100.7,80,5,4,500,4000,FSPA_FSPA",
    "2011/08/10 09:46:59,1.0,arp,192.0.2.1",
]


def frame(lines: list[str], first: int = 0) -> pl.DataFrame:
    index = pl.Series("line_index", range(first, first + len(lines)), dtype=pl.UInt32)
    return pl.DataFrame([index, pl.Series("line", lines, dtype=pl.String)])


def told(form: FlowCsv, batches: list[pl.DataFrame]) -> tuple[list[object], ...]:
    """Rows, consumed, skipped and rejects of `batches`, read one after another."""
    state, found = form.initial(STREAM), tuple[list[object], ...](([], [], [], []))
    for batch in batches:
        state, parsed = form.parse(state, STREAM, batch)
        if LogType.NETWORK in parsed.rows:
            found[0].extend(parsed.rows[LogType.NETWORK].rows())
        found[1].extend(parsed.consumed.tolist())
        found[2].extend(parsed.skipped.tolist())
        found[3].extend(parsed.rejects.rows())
    return found


@pytest.mark.parametrize(("form", "lines"), [(nfdump_csv.FORMAT, NFDUMP), (argus_binetflow.FORMAT, ARGUS)])
@settings(deadline=None, max_examples=examples(60))
@given(data=st.data())
def test_lines_give_together_what_each_gives_in_its_turn(form: FlowCsv, lines: list[str], data: st.DataObject) -> None:
    chosen = data.draw(st.lists(st.sampled_from(lines), max_size=16))
    apart = [frame([line], place) for place, line in enumerate(chosen)]
    assert told(form, [frame(chosen)]) == told(form, apart)


@settings(deadline=None, max_examples=examples(200))
@given(st.lists(st.text(st.sampled_from("09a, é\0"), max_size=8), max_size=12))
def test_a_record_begins_with_a_digit_and_is_no_sentence(lines: list[str]) -> None:
    column = pl.Series(lines, dtype=pl.String)
    assert _are_records(column).to_list() == column.str.contains(r"^[0-9][^, ]*(?: [^, ]*)?,").to_list()
