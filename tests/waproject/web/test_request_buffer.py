"""Where a request ends, however its bytes arrive."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waproject.web.request_buffer import MAX_HEAD_BYTES, SLACK_BYTES, Progress, RequestBuffer

LIMIT = 1000
HEAD = b"POST /x HTTP/1.1\r\nHost: a\r\n"
NEXT = b"GET /next HTTP/1.1\r\n"


def with_length(body: bytes) -> bytes:
    return HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body


def in_chunks(*chunks: bytes, trailer: bytes = b"") -> bytes:
    pieces = b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks)
    return HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + pieces + b"0\r\n" + trailer + b"\r\n"


WHOLE = {
    "no body": HEAD + b"\r\n",
    "an empty body": with_length(b""),
    "a body": with_length(b"x" * LIMIT),
    "a body that looks like a request": with_length(HEAD + b"\r\n"),
    "no chunk": in_chunks(),
    "chunks": in_chunks(b"a", b"b" * 300, b"c"),
    "chunks that look like the end": in_chunks(b"0\r\n\r\n", b"\r\n"),
    "a trailer": in_chunks(b"a", trailer=b"X-A: 1\r\nX-B: 2\r\n"),
    "an end without carriage returns": HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\n\n",
    "a chunk extension": HEAD + b'Transfer-Encoding: chunked\r\n\r\n1;a="b"\r\nx\r\n0\r\n\r\n',
}
DOUBTFUL = {
    "a length over the limit": HEAD + b"Content-Length: 1001\r\n\r\n",
    "two lengths": HEAD + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n",
    "length and chunks": HEAD + b"content-length: 1\r\ntransfer-encoding: chunked\r\n\r\n",
    "a signed length": HEAD + b"Content-Length: +1\r\n\r\n",
    "a negative length": HEAD + b"Content-Length: -1\r\n\r\n",
    "an empty length": HEAD + b"Content-Length:\r\n\r\n",
    "a chunk without a size": HEAD + b"Transfer-Encoding: chunked\r\n\r\nxyz\r\n",
    "an endless chunk line": HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + b"1" * 2000,
    "chunks far over the limit": in_chunks(*[b"x" * 1000] * (SLACK_BYTES // 1000 + 3)),
    "one chunk far over the limit": HEAD + b"Transfer-Encoding: chunked\r\n\r\nffffff\r\n" + b"x" * 140_000,
    "an endless trailer": HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\n" + b"a: b\r\n" * 20_000,
}


def fed(*pieces: bytes) -> tuple[RequestBuffer, bytes]:
    """A buffer, and what came behind the request's end."""
    buffer, surplus = RequestBuffer(lambda path: {"/x": LIMIT}[path]), b""
    for piece in pieces:
        surplus += piece if buffer.is_ready else buffer.feed(piece)
    return buffer, surplus


@pytest.mark.parametrize("request_", WHOLE.values(), ids=WHOLE)
def test_the_end_of_a_complete_request_is_found(request_: bytes) -> None:
    buffer, surplus = fed(request_ + NEXT)
    assert (buffer.progress, buffer.read(-1), surplus) == (Progress.COMPLETE, request_, NEXT)


@pytest.mark.parametrize("request_", WHOLE.values(), ids=WHOLE)
def test_a_request_without_its_last_byte_is_not_ready(request_: bytes) -> None:
    assert not fed(request_[:-1])[0].is_ready


@pytest.mark.parametrize("request_", DOUBTFUL.values(), ids=DOUBTFUL)
def test_a_request_that_will_be_refused_is_ready_at_its_head(request_: bytes) -> None:
    assert fed(request_)[0].progress == Progress.CUT_SHORT


@given(request_=st.sampled_from([*WHOLE.values()]), cuts=st.lists(st.integers(0, 400), max_size=8))
def test_a_request_is_parsed_alike_however_its_bytes_are_split(request_: bytes, cuts: list[int]) -> None:
    text, places = request_ + NEXT, sorted({0, *cuts})
    pieces = [text[start:end] for start, end in zip(places, [*places[1:], len(text)], strict=True) if start < len(text)]
    buffer, surplus = fed(*pieces)
    assert (buffer.progress, buffer.read(-1), surplus) == (Progress.COMPLETE, request_, NEXT)


@given(data=st.binary(max_size=300), head=st.sampled_from([b"", HEAD, HEAD + b"Transfer-Encoding: chunked\r\n\r\n"]))
def test_no_input_makes_the_buffer_raise(data: bytes, head: bytes) -> None:
    buffer = RequestBuffer(lambda _: LIMIT)
    buffer.feed(head)
    for at in range(0, len(data), 7):
        if not buffer.is_ready:
            buffer.feed(data[at : at + 7])


def test_an_endless_head_is_refused() -> None:
    assert fed(b"x" * (MAX_HEAD_BYTES + 1))[0].progress == Progress.HEAD_TOO_LARGE


@pytest.mark.parametrize("name", [b"Content-Length", b"Transfer-Encoding", b"Expect"])
def test_a_head_full_of_blanks_does_not_hold_up_the_event_loop(name: bytes) -> None:
    # It took up to 42 s, in which gunicorn's master takes the worker for dead.
    began = time.process_time()
    fed(HEAD + name + b": a" + b" " * 60_000 + b"b\r\n\r\n")
    assert time.process_time() - began < 1


def test_blanks_around_a_length_are_no_part_of_it() -> None:
    buffer, _ = fed(HEAD + b"Content-Length: \t 1 \t \r\n\r\nx")
    assert buffer.progress == Progress.COMPLETE


def test_the_expect_header_is_removed() -> None:
    buffer, _ = fed(HEAD + b"Expect: 100-continue\r\nContent-Length: 1\r\n\r\n")
    assert buffer.is_expectant
    buffer.feed(b"x")
    assert b"Expect" not in buffer.read(-1)


CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    ("sent", "progress"),
    [
        (b"x" * 65_536, Progress.HEAD),
        (b"x" * 65_537, Progress.HEAD_TOO_LARGE),
        (b"GET /x HTTP/1.1\r\n".ljust(65_536, b"x") + b"\r\n\r\n", Progress.COMPLETE),
        (b"GET /x HTTP/1.1\r\n".ljust(65_537, b"x") + b"\r\n\r\n", Progress.HEAD_TOO_LARGE),
        (HEAD + b"Content-Length: 1000\r\n\r\n", Progress.LENGTH),
        (HEAD + b"Content-Length: 000000000001000\r\n\r\n", Progress.LENGTH),
        (HEAD + b"Content-Length: 0000000000001000\r\n\r\n", Progress.CUT_SHORT),
        (CHUNKED + b"1" * 1023, Progress.CHUNK_LINE),
        (CHUNKED + b"1" * 1024, Progress.CUT_SHORT),
        (CHUNKED + b"1;" + b"x" * 1021 + b"\n", Progress.CHUNK),
        (CHUNKED + b"1;" + b"x" * 1022 + b"\n", Progress.CUT_SHORT),
        (CHUNKED + b"xyz\n", Progress.CUT_SHORT),
        # The limit is 1,000 bytes, and 128 KB of a chunked body are read beyond it.
        (CHUNKED + b"203e8\r\n" + b"x" * 132_072, Progress.CHUNK),
        (CHUNKED + b"203e8\r\n" + b"x" * 132_072 + b"\r\n", Progress.CHUNK_LINE),
        (CHUNKED + b"203e9\r\n" + b"x" * 132_071, Progress.CHUNK),
        (CHUNKED + b"203e9\r\n" + b"x" * 132_072, Progress.CUT_SHORT),
        (CHUNKED + b"0\r\n" + b"x" * 65_535, Progress.TRAILER),
        (CHUNKED + b"0\r\n" + b"x" * 65_536, Progress.CUT_SHORT),
        (CHUNKED + b"0\r\n" + b"x" * 65_535 + b"\n" + b"x" * 1001 + b"\n", Progress.TRAILER),
        (CHUNKED + b"0\r\n" + b"x" * 65_535 + b"\n" + b"x" * 1002 + b"\n", Progress.CUT_SHORT),
    ],
)
def test_each_part_of_a_request_has_its_limit(sent: bytes, progress: Progress) -> None:
    assert fed(sent)[0].progress == progress


def test_a_large_request_is_read_from_its_beginning_and_its_size_is_that_of_its_body() -> None:
    body = b"1" * 200_000
    buffer = RequestBuffer(lambda _: 1_000_000)
    assert (buffer.is_empty, buffer.is_ready, buffer.is_expectant, buffer.size) == (True, False, False, 0)
    assert buffer.feed(HEAD[:9]) == b""
    assert (buffer.is_empty, buffer.size) == (False, 0)
    assert buffer.feed(HEAD[9:] + b"Content-Length: 200000\r\n\r\n" + body[:99]) == b""
    assert (buffer.is_empty, buffer.size, buffer.progress) == (False, 99, Progress.LENGTH)
    assert buffer.feed(body[99:] + NEXT) == NEXT
    assert (buffer.is_ready, buffer.size, buffer.feed(b"x")) == (True, 200_000, b"x")
    assert (buffer.read(4), buffer.read(2)) == (b"POST", b" /")
    buffer.close()
    with pytest.raises(ValueError, match="closed"):
        buffer.read(1)


@pytest.mark.parametrize(
    ("line", "path"),
    [
        (b"POST /x?a=b HTTP/1.1", "/x"),
        (b"POST /\xe9?a?b HTTP/1.1", "/\xe9"),
        (b"POST", ""),
        (b"", ""),
        (b"GET /a /b", "/a"),
    ],
)
def test_the_limit_is_that_of_the_path(line: bytes, path: str) -> None:
    asked: list[str] = []

    def limit_of(path: str) -> int:
        asked.append(path)
        return 0

    RequestBuffer(limit_of).feed(line + b"\r\nA: /b?c\r\n\r\n")
    assert asked == [path]


def test_a_chunk_beyond_the_limit_ends_the_request_with_what_follows_left_out() -> None:
    buffer, surplus = fed(CHUNKED + b"203e9\r\n" + b"x" * 132_075)
    assert (buffer.progress, len(surplus), buffer.size) == (Progress.CUT_SHORT, 3, 132_079)
    assert buffer.read(-1) == CHUNKED + b"203e9\r\n" + b"x" * 132_072
