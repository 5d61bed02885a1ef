"""Buffers one HTTP/1.1 request until it is complete, or until its head suffices to refuse it.

It parses only the framing, to find the end. The server's own parser then validates the whole request; a request with an
ambiguous head goes to it at once, without a body.
"""

import re
from collections.abc import Callable
from enum import StrEnum
from tempfile import SpooledTemporaryFile

MAX_HEAD_BYTES = 64 * 1024
# An incomplete request stays in memory up to this size; larger ones are buffered on disk.
IN_MEMORY_BYTES = 64 * 1024
MAX_CHUNK_LINE = 1024
# Extra bytes of a chunked body beyond its limit: the application reads past the limit, in steps of 64 KB, to see it.
SLACK_BYTES = 128 * 1024
_HEAD_END = b"\r\n\r\n"
# Without the blanks around a value: a pattern that tries where they begin takes a minute for 60,000 of them.
_LENGTH = re.compile(rb"\r\ncontent-length:([^\r\n]*)(?=\r\n)", re.IGNORECASE)
_CODING = re.compile(rb"\r\ntransfer-encoding:([^\r\n]*)(?=\r\n)", re.IGNORECASE)
_EXPECT = re.compile(rb"\r\nexpect:[ \t]*100-continue[ \t]*(?=\r\n)", re.IGNORECASE)
_DIGITS = re.compile(rb"[0-9]{1,15}")
_CHUNK_SIZE = re.compile(rb"[0-9A-Fa-f]{1,12}(?=[;\s])")


class Progress(StrEnum):
    """The part of the request that is read next. CUT_SHORT: it can be answered, and its rest is not read."""

    HEAD = "head"
    LENGTH = "length"
    CHUNK_LINE = "chunk line"
    CHUNK = "chunk"
    TRAILER = "trailer"
    COMPLETE = "complete"
    CUT_SHORT = "cut short"
    HEAD_TOO_LARGE = "head too large"


class RequestBuffer:
    """Buffers one request. `limit_of`: the largest body of a path in bytes."""

    def __init__(self, limit_of: Callable[[str], int]) -> None:
        self._limit_of = limit_of
        self._file = SpooledTemporaryFile(IN_MEMORY_BYTES)  # noqa: SIM115 - closed by `close`
        self._pending = bytearray()
        self._limit = self._left = self._body = 0
        self.progress = Progress.HEAD
        self.size = 0
        self._path = ""
        # Whether the client waits for "100 Continue" before it sends the body.
        self.is_expectant = False

    @property
    def is_ready(self) -> bool:
        """Whether a thread can answer it without waiting for the client."""
        return self.progress in {Progress.COMPLETE, Progress.CUT_SHORT}

    @property
    def is_empty(self) -> bool:
        """Whether nothing has arrived yet."""
        return self.progress == Progress.HEAD and not self._pending

    @property
    def path(self) -> str:
        """The path of the request line; empty until that line has arrived."""
        return self._path or (_path(bytes(self._pending)) if b"\r\n" in self._pending else "")

    def feed(self, data: bytes) -> bytes:
        """Add received bytes; returns those after the request's end."""
        self._pending += data
        step = True
        while step and self._pending:
            step = _STEPS[self.progress](self)
        if not self.is_ready:
            return b""
        surplus, self._pending = bytes(self._pending), bytearray()
        return surplus

    def read(self, size: int) -> bytes:
        """The next bytes of a ready request; empty at its end."""
        return self._file.read(size)

    def close(self) -> None:
        """Discard the buffer."""
        self._file.close()

    def _keep(self, count: int) -> None:
        self._file.write(self._pending[:count])
        self.size += count
        del self._pending[:count]

    def _end(self, progress: Progress) -> bool:
        self.progress = progress
        self._file.seek(0)
        return False

    def _head(self) -> bool:
        end = self._pending.find(_HEAD_END)
        if end < 0 or end > MAX_HEAD_BYTES:
            if len(self._pending) > MAX_HEAD_BYTES:
                self.progress = Progress.HEAD_TOO_LARGE
            return False
        head, self._pending = bytes(self._pending[: end + 4]), self._pending[end + 4 :]
        lengths, codings = [found.strip(b" \t") for found in _LENGTH.findall(head)], _CODING.findall(head)
        self._path = _path(head)
        self._file.write(_EXPECT.sub(b"", head))
        self._limit = self._limit_of(self._path)
        doubtful = len(lengths) + len(codings) > 1 or any(not _DIGITS.fullmatch(length) for length in lengths)
        self._left = 0 if doubtful or not lengths else int(lengths[0])
        if doubtful or self._left > self._limit:
            return self._end(Progress.CUT_SHORT)
        self.is_expectant = bool(_EXPECT.search(head))
        if codings:
            self.progress = Progress.CHUNK_LINE
            return True
        return self._body_of_known_length()

    def _body_of_known_length(self) -> bool:
        self.progress = Progress.LENGTH
        count = min(self._left, len(self._pending))
        self._keep(count)
        self._left -= count
        return self._end(Progress.COMPLETE) if self._left == 0 else False

    def _chunk_line(self) -> bool:
        end = self._pending.find(b"\n", 0, MAX_CHUNK_LINE)
        if end < 0:
            return self._end(Progress.CUT_SHORT) if len(self._pending) >= MAX_CHUNK_LINE else False
        size = _CHUNK_SIZE.match(self._pending)
        if size is None:
            self._keep(end + 1)
            return self._end(Progress.CUT_SHORT)
        length = int(size[0], 16)
        self._keep(end + 1)
        self._body += length
        excess = max(0, self._body - self._limit - SLACK_BYTES)
        self._left = length - excess if excess else length + len(b"\r\n")
        self.progress = Progress.CHUNK if length else Progress.TRAILER
        return True

    def _chunk(self) -> bool:
        count = min(self._left, len(self._pending))
        self._keep(count)
        self._left -= count
        if self._left:
            return False
        if self._body > self._limit + SLACK_BYTES:
            return self._end(Progress.CUT_SHORT)
        self.progress = Progress.CHUNK_LINE
        return True

    def _trailer(self) -> bool:
        """Lines up to an empty one."""
        end = self._pending.find(b"\n", 0, MAX_HEAD_BYTES)
        if end < 0:
            return self._end(Progress.CUT_SHORT) if len(self._pending) >= MAX_HEAD_BYTES else False
        is_last = not self._pending[:end].strip()
        self._keep(end + 1)
        self._body += end
        if is_last:
            return self._end(Progress.COMPLETE)
        return self._end(Progress.CUT_SHORT) if self._body > self._limit + MAX_HEAD_BYTES else True


def _path(head: bytes) -> str:
    parts = head.split(b"\r\n", 1)[0].split(b" ")
    return (parts[1] if len(parts) > 1 else b"").split(b"?", 1)[0].decode("latin-1")


def _nothing(_: RequestBuffer) -> bool:
    return False


_STEPS: dict[Progress, Callable[[RequestBuffer], bool]] = {
    Progress.HEAD: RequestBuffer._head,
    Progress.LENGTH: RequestBuffer._body_of_known_length,
    Progress.CHUNK_LINE: RequestBuffer._chunk_line,
    Progress.CHUNK: RequestBuffer._chunk,
    Progress.TRAILER: RequestBuffer._trailer,
    Progress.COMPLETE: _nothing,
    Progress.CUT_SHORT: _nothing,
    Progress.HEAD_TOO_LARGE: _nothing,
}
