"""The page's own endpoints. What a user writes goes through POST /_sandbox/inbound, as anyone else's."""

from __future__ import annotations

import asyncio
import json
import secrets
from contextlib import suppress
from http import HTTPStatus
from pathlib import Path
from typing import Any

from tornado.iostream import StreamClosedError

from ..control.control_handler import ControlHandler
from ..settings import InputError
from ..users.phones import RESUME, STOP, Phone
from ..users.user import User, is_user_id, phone_digits, user_with_phone
from .view import view

_STATIC = Path(__file__).parent / "static"
_TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_FILES = {path.name: (path.read_bytes(), _TYPES[path.suffix]) for path in sorted(_STATIC.iterdir())}
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; media-src 'self' blob:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
# Types that a browser displays or plays without running them.
_SHOWN = {
    *("image/png", "image/jpeg", "image/gif", "image/webp"),
    *("audio/ogg", "audio/mpeg", "audio/mp4", "audio/aac", "audio/amr", "audio/wav", "audio/webm"),
    *("video/mp4", "video/3gpp", "video/webm"),
}
_LOOK_SECONDS = 0.15
MOST_PAGES = 20
MAX_NAME = 60
_SWITCHES = ("on", "reads", "blocked")


class PageHandler(ControlHandler):
    """``GET /_sandbox/`` and the page's files."""

    def get(self, name: str = "page.html") -> None:
        """One of the files; its content security policy allows no other origin."""
        if name not in _FILES:
            self.answer({"error": "Not Found"}, HTTPStatus.NOT_FOUND)
            return
        content, kind = _FILES[name]
        self.set_header("Content-Type", f"{kind}; charset=UTF-8")
        self.set_header("Content-Security-Policy", _POLICY)
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("Referrer-Policy", "no-referrer")
        self.set_header("Cache-Control", "no-cache")
        self.finish(content)


class LiveHandler(ControlHandler):
    """``GET /_sandbox/phone/live?of=<address>``: server-sent events, the whole view whenever it has changed."""

    open_pages: set[asyncio.Event] = set()

    def prepare(self) -> None:
        """Called by Tornado before the method."""
        self._over = asyncio.Event()

    async def get(self) -> None:
        """Send the view until the page is closed; without an open page no view is made."""
        if len(self.open_pages) >= MOST_PAGES:
            self.answer({"error": f"More than {MOST_PAGES} pages are open; close some."}, HTTPStatus.TOO_MANY_REQUESTS)
            return
        address = self.get_query_argument("of", "")
        self.set_header("Content-Type", "text/event-stream; charset=UTF-8")
        self.set_header("Cache-Control", "no-store")
        self.open_pages.add(self._over)
        try:
            with suppress(StreamClosedError):
                await self._send_changes(address)
        finally:
            self.open_pages.discard(self._over)

    def on_connection_close(self) -> None:
        """The page was closed."""
        self._over.set()

    async def _send_changes(self, address: str) -> None:
        sent = ""
        while not self._over.is_set():
            current = json.dumps(view(self.simulator, address), separators=(",", ":"))
            if current != sent:
                sent = current
                self.write(f"data: {current}\n\n")
                await self.flush()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._over.wait(), _LOOK_SECONDS)


async def close_pages() -> None:
    """Close the event streams of open pages, before the process ends."""
    while LiveHandler.open_pages:
        for over in LiveHandler.open_pages:
            over.set()
        await asyncio.sleep(0)


class FileHandler(ControlHandler):
    """``GET /_sandbox/phone/files/<media id>``."""

    def get(self, media_id: str) -> None:
        """The file, as the phone shows it; what may run as a page is only downloaded."""
        file = self.simulator.media.find(media_id)
        if file is None:
            self.answer({"error": "Not Found"}, HTTPStatus.NOT_FOUND)
            return
        shown = file.mime_type.partition(";")[0].strip() in _SHOWN
        self.set_header("Content-Type", file.mime_type if shown else "application/octet-stream")
        if not shown:
            self.set_header("Content-Disposition", "attachment")
        self.set_header("Content-Security-Policy", "default-src 'none'; sandbox")
        self.set_header("X-Content-Type-Options", "nosniff")
        self.finish(file.content)


class PhoneHandler(ControlHandler):
    """Takes changes from the page itself and from programs, not from another site's page."""

    def prepare(self) -> None:
        """Called by Tornado before the method."""
        if self.request.headers.get("Sec-Fetch-Site", "none") not in {"none", "same-origin"}:
            self.answer({"error": "This is for the sandbox's own page."}, HTTPStatus.FORBIDDEN)


class UsersHandler(PhoneHandler):
    """``POST /_sandbox/phone/people``."""

    def post(self) -> None:
        """``{"name", "number"?, "shows_number"?}``: a new person's ``{"address"}``; what is not given is made up."""
        given = self.json_object()
        name = given.get("name")
        if not isinstance(name, str) or not 1 <= len(name.strip()) <= MAX_NAME:
            raise InputError("name", f"must have 1 to {MAX_NAME} characters")
        phone = self.simulator.phones.keep(_new_user(given), name.strip())
        self.answer({"address": phone.user.address})


class SwitchesHandler(PhoneHandler):
    """``POST /_sandbox/phone/switches``."""

    async def post(self) -> None:
        """``{"address", "on"?, "reads"?, "blocked"?, "marketing"?}``; a change of marketing is sent to the business."""
        given = self.json_object()
        phone = self.simulator.phones.find(str(given.get("address", "")))
        if phone is None:
            raise InputError("address", "no user has this phone")
        for name in (*_SWITCHES, "marketing"):
            if not isinstance(given.get(name, True), bool):
                raise InputError(name, "must be true or false")
        self._switch(self.simulator.phones.keep(phone.user), given)
        self.answer({"ok": True})

    def _switch(self, phone: Phone, given: dict[str, Any]) -> None:
        phone.switch(**{name: given[name] for name in _SWITCHES if name in given})
        if "marketing" in given and given["marketing"] != phone.marketing:
            phone.marketing = given["marketing"]
            self.simulator.user_prefers(phone.user, phone.name, RESUME if phone.marketing else STOP)


def _new_user(given: dict[str, Any]) -> User:
    number, user_id = given.get("number"), given.get("user_id")
    if user_id is not None and not is_user_id(user_id):
        raise InputError("user_id", "must be a business-scoped user id, such as US.13491208655302741918")
    if given.get("shows_number", True) is False:
        return User(None, user_id or f"US.{secrets.randbelow(9 * 10**19) + 10**19}")
    # Not one of the numbers that say what happens to a send.
    digits = phone_digits(number) if number else f"1555123{secrets.randbelow(10**4):04d}"
    if digits is None:
        raise InputError("number", "must be a phone number, such as +1 555 123 0001")
    return user_with_phone(digits, user_id)
