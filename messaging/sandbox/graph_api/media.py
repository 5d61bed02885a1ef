"""The Cloud API's media endpoints: look-up by id, download from a URL that expires after five minutes, upload."""

from __future__ import annotations

import asyncio
import hmac
from http import HTTPStatus

from tornado.iostream import StreamClosedError

from .. import graph_errors
from ..graph_errors import GraphError
from ..media.file_types import UPLOAD_TYPES, is_upload_type, most_bytes
from ..media.library import Fault, FaultKind, MediaFile
from ..media.samples import Upload
from .graph_handler import GraphHandler

MEDIA_PATH = r"/v\d+\.\d+/([^/]+)"
UPLOAD_PATH = r"/v\d+\.\d+/(\d+)/media"
FILE_PATH = r"/whatsapp_business/attachments/"
_UPLOAD_REFUSED, _APP_LIMIT, _UNAVAILABLE = 131053, 4, 2
_PIECE = 64 * 1024
# Beyond every limit that a client may have.
_ENDLESS_BYTES = 256 * 1024 * 1024
_ELSEWHERE = "https://files.example.com/photo"


class TokenHandler(GraphHandler):
    """Requires the access token."""

    def prepare(self) -> None:
        """Runs before the method."""
        given = self.request.headers.get("Authorization", "").encode()
        if not hmac.compare_digest(given, f"Bearer {self.simulator.identity.access_token}".encode()):
            raise graph_errors.bad_token()


class MediaHandler(TokenHandler):
    """``GET`` and ``DELETE /vNN.N/{media_id}``."""

    def get(self, media_id: str) -> None:
        """The file's URL, valid for five minutes, and its facts."""
        file = self._file(media_id, "GET")
        file.look_ups += 1
        if file.fails_now(FaultKind.UNAVAILABLE):
            raise GraphError(
                _UNAVAILABLE, "Service temporarily unavailable", http_status=HTTPStatus.SERVICE_UNAVAILABLE
            )
        if file.fails_now(FaultKind.THROTTLED):
            self.set_header("Retry-After", "1")
            raise GraphError(
                _APP_LIMIT, "(#4) Application request limit reached", http_status=HTTPStatus.TOO_MANY_REQUESTS
            )
        base = f"{self.request.protocol}://{self.request.host}"
        there = f"{base}/whatsapp_business/attachments/?{self.simulator.media.query(file)}"
        self.answer(
            {
                "messaging_product": "whatsapp",
                "url": _ELSEWHERE if file.has(FaultKind.ELSEWHERE) else there,
                "mime_type": file.mime_type,
                "sha256": file.digest.hex(),
                "file_size": file.reported_size,
                "id": file.id,
            }
        )

    def delete(self, media_id: str) -> None:
        """Delete the file."""
        self.simulator.media.remove(self._file(media_id, "DELETE").id)
        self.answer({"success": True})

    def _file(self, media_id: str, method: str) -> MediaFile:
        file = self.simulator.media.find(media_id)
        number = self.get_query_argument("phone_number_id", "")
        if file is None or number not in {"", file.phone_number_id}:
            raise graph_errors.no_such_object(media_id, method)
        return file


class FileHandler(TokenHandler):
    """``GET /whatsapp_business/attachments/``: what lookaside.fbsbx.com is for Meta."""

    async def get(self) -> None:
        """The file's bytes."""
        parameters = (self.get_query_argument(name, "") for name in ("mid", "ext", "hash"))
        file = self.simulator.media.opened(*parameters)
        if file is None:
            raise GraphError(100, "URL signature expired or wrong", http_status=HTTPStatus.NOT_FOUND)
        file.transfers += 1
        if file.has(FaultKind.REDIRECT):
            self.redirect(_ELSEWHERE)
            return
        self.set_header("Content-Type", file.mime_type)
        if file.has(FaultKind.ENDLESS):
            await self._write_endlessly()
            return
        self.set_header("Content-Length", str(len(file.content)))
        if file.fails_now(FaultKind.CUT):
            await self._break_off(file.content)
        elif file.fault and file.fault.kind is FaultKind.SLOW:
            await self._trickle(file.content, file.fault)
        else:
            self.finish(file.content)

    async def _trickle(self, content: bytes, fault: Fault) -> None:
        pieces = [
            content[at : at + max(1, len(content) // 10)] for at in range(0, len(content), max(1, len(content) // 10))
        ]
        for piece in pieces:
            await asyncio.sleep(fault.seconds / len(pieces))
            try:
                self.write(piece)
                await self.flush()
            except StreamClosedError:
                return

    async def _break_off(self, content: bytes) -> None:
        self.write(content[: len(content) // 2])
        await self.flush()
        if self.request.connection is not None:
            self.detach().close()

    async def _write_endlessly(self) -> None:
        for _ in range(0, _ENDLESS_BYTES, _PIECE):
            try:
                self.write(bytes(_PIECE))
                await self.flush()
            except StreamClosedError:
                return


class UploadHandler(TokenHandler):
    """``POST /vNN.N/{phone_number_id}/media``."""

    def post(self, phone_number_id: str) -> None:
        """Store the file; answers ``{"id": ...}`` for use in messages."""
        if not self.simulator.identity.has(phone_number_id):
            raise graph_errors.no_such_object(phone_number_id, "POST")
        if self.get_body_argument("messaging_product", "") != "whatsapp":
            raise graph_errors.invalid_parameter("The parameter messaging_product is required.")
        files = self.request.files.get("file")
        if not files:
            raise graph_errors.invalid_parameter("The parameter file is required.")
        mime_type = self.get_body_argument("type", "") or files[0].content_type
        if not is_upload_type(mime_type):
            raise graph_errors.invalid_parameter(
                f"Param file must be a file with one of the following types: {', '.join(UPLOAD_TYPES)}. "
                f"Received file of type '{mime_type[:128]}'."
            )
        if not files[0].body:
            raise graph_errors.invalid_parameter("Param file must not be empty.")
        if len(files[0].body) > most_bytes(mime_type):
            details = f"The file is too large for {mime_type}."
            raise GraphError(_UPLOAD_REFUSED, f"(#{_UPLOAD_REFUSED}) Media upload error", details=details)
        file = self.simulator.media.add(Upload(files[0].body, mime_type, files[0].filename), phone_number_id)
        self.answer({"id": file.id})
