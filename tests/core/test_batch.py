from hypothesis import given, settings
from hypothesis import strategies as st

from livesec.core.batch import StreamInfo, batch_of_bytes

STREAM = StreamInfo(1, "0" * 16, "log", 0)


def test_lines_keep_their_places_and_a_partial_line_stays_unread() -> None:
    batch = batch_of_bytes(STREAM, b"one\n\ntwo\r\nthr", start_offset=100)
    assert batch.lines["line"].to_list() == ["one", "", "two"]
    assert batch.offsets.tolist() == [100, 104, 105]
    assert batch.lengths.tolist() == [3, 0, 4]
    assert batch.end_offset == 110
    assert batch.line_bytes(2) == b"two\r"


def test_the_end_of_a_drained_stream_ends_its_last_line() -> None:
    batch = batch_of_bytes(STREAM, b"one\ntwo", final=True)
    assert batch.lines["line"].to_list() == ["one", "two"]
    assert batch.end_offset == 7
    assert len(batch_of_bytes(STREAM, b"", final=True)) == 0


def test_bytes_that_are_not_utf8_keep_line_breaks_where_they_are() -> None:
    batch = batch_of_bytes(STREAM, b"\xe4\xbd\nb\xff\nc\n")
    assert batch.lines["line"].to_list() == ["\ufffd", "b\ufffd", "c"]


@settings(deadline=None)
@given(st.binary(max_size=300), st.integers(0, 300))
def test_any_bytes_cut_anywhere_give_the_same_lines(data: bytes, cut: int) -> None:
    whole = batch_of_bytes(STREAM, data, final=True)
    first = batch_of_bytes(STREAM, data[:cut])
    second = batch_of_bytes(STREAM, data[first.end_offset :], first.end_offset, final=True)
    assert [*first.offsets, *second.offsets] == whole.offsets.tolist()
    texts = [part.line_bytes(i) for part in (first, second) for i in range(len(part))]
    assert texts == [whole.line_bytes(i) for i in range(len(whole))]
    assert len(whole.lines) == len(whole) == len(data.split(b"\n")) - data.endswith(b"\n") - (data == b"")


@settings(deadline=None)
@given(st.lists(st.text(max_size=30).map(lambda text: text.replace("\n", "")), max_size=8), st.booleans())
def test_lines_that_are_utf8_are_read_where_they_lie(texts: list[str], carriage_return: bool) -> None:
    end = "\r\n" if carriage_return else "\n"
    batch = batch_of_bytes(STREAM, "".join(text + end for text in texts).encode())
    expected = [text if carriage_return else text.removesuffix("\r") for text in texts]
    assert batch.lines["line"].to_list() == expected
    assert batch.lines["line"].str.len_bytes().to_list() == [len(text.encode()) for text in expected]
    kept = batch.lines.filter(batch.lines["line"].str.len_chars() > 3)["line"].to_list()
    del batch  # the series keeps the bytes
    assert kept == [text for text in expected if len(text) > 3]
