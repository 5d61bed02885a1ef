"""Small real files, made here: a picture, a second of a voice note, a page, a sticker."""

from __future__ import annotations

import base64
import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

WIDTH, HEIGHT = 320, 200
# An Opus packet of silence: 20 ms, full band, one channel (RFC 6716).
_SILENCE = bytes((0xF8, 0xFF, 0xFE))
_PACKETS, _SAMPLES_A_PACKET, _OPUS_RATE = 50, 960, 48_000
_OGG_POLYNOMIAL = 0x04C11DB7
_FIRST, _LAST = 2, 4
# Lossless WebP of one pixel; a viewer enlarges it.
_STICKER = "UklGRhoAAABXRUJQVlA4TA0AAAAvAAAAEAcQERGIiP4HAA=="


@dataclass(frozen=True, slots=True)
class Upload:
    """A file with its MIME type and name."""

    content: bytes
    mime_type: str
    filename: str = ""


def sample(kind: str) -> Upload | None:
    """A file of this kind of message; None where there is none (video)."""
    make = _SAMPLES.get(kind)
    return make() if make else None


def _picture() -> Upload:
    """A sunset, as PNG."""
    rows = bytearray()
    for y in range(HEIGHT):
        rows.append(0)
        for x in range(WIDTH):
            near = (x - 220) ** 2 + (y - 120) ** 2 < 38**2
            ground = y > 140 + (x % 80) // 8
            rows += bytes((20, 40, 60) if ground else (255, 236, 150) if near else (60 + y, 70 + y // 2, 170 - y // 2))
    parts = (
        (b"IHDR", struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, 2, 0, 0, 0)),
        (b"IDAT", zlib.compress(bytes(rows), 9)),
        (b"IEND", b""),
    )
    chunks = (struct.pack(">I", len(d)) + n + d + struct.pack(">I", zlib.crc32(n + d)) for n, d in parts)
    return Upload(b"\x89PNG\r\n\x1a\n" + b"".join(chunks), "image/png")


def _voice() -> Upload:
    """Silence in Ogg Opus, as WhatsApp's voice notes are (RFC 7845)."""
    head = b"OpusHead" + struct.pack("<BBHIhB", 1, 1, 312, _OPUS_RATE, 0, 0)
    tags = b"OpusTags" + struct.pack("<I", 7) + b"sandbox" + struct.pack("<I", 0)
    pages = [_ogg_page([head], 0, 0, _FIRST), _ogg_page([tags], 1, 0, 0)]
    pages.append(_ogg_page([_SILENCE] * _PACKETS, 2, _PACKETS * _SAMPLES_A_PACKET, _LAST))
    return Upload(b"".join(pages), "audio/ogg; codecs=opus")


def _ogg_page(packets: list[bytes], number: int, position: int, flags: int) -> bytes:
    """Of packets shorter than 255 bytes."""
    head = struct.pack("<4sBBqIII", b"OggS", 0, flags, position, 1, number, 0)
    body = bytes((len(packets), *map(len, packets))) + b"".join(packets)
    page = head + body
    return page[:22] + struct.pack("<I", _ogg_crc(page)) + page[26:]


def _ogg_crc(page: bytes) -> int:
    crc = 0
    for byte in page:
        crc ^= byte << 24
        for _ in range(8):
            crc = (crc << 1) ^ _OGG_POLYNOMIAL if crc & 0x80000000 else crc << 1
        crc &= 0xFFFFFFFF
    return crc


def _page() -> Upload:
    """One page with a line on it, as PDF."""
    text = b"BT /F1 24 Tf 40 120 Td (Hello from the sandbox) Tj ET"
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 360 240] /Contents 4 0 R"
        b" /Resources << /Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(text), text),
    ]
    return Upload(b"".join(_pdf(objects)), "application/pdf", "hello.pdf")


def _pdf(objects: list[bytes]) -> Iterator[bytes]:
    yield (head := b"%PDF-1.4\n")
    offset, offsets = len(head), []
    for n, content in enumerate(objects, 1):
        offsets.append(offset)
        piece = b"%d 0 obj\n%s\nendobj\n" % (n, content)
        offset += len(piece)
        yield piece
    yield b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    yield b"".join(b"%010d 00000 n \n" % at for at in offsets)
    yield b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, offset)


_SAMPLES: dict[str, Callable[[], Upload]] = {
    "image": _picture,
    "audio": _voice,
    "voice": _voice,
    "document": _page,
    "sticker": lambda: Upload(base64.b64decode(_STICKER), "image/webp"),
}
