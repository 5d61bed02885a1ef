"""Downloads from Meta into the storage, in threads of `deliver`, without the database."""

import tempfile
import threading
import time
from collections.abc import Callable
from typing import IO

from django.conf import settings
from django.core.files import File

from messaging.media.records import Download, Kept, Tried, storage
from messaging.media_states import Failure, Ours
from messaging.whatsapp.media import is_same_digest
from messaging.whatsapp.media_api import Fetched, Found, MediaApi, MediaError, Trouble, too_large

# Files at once in one process.
AT_ONCE = 12
# A file is in memory up to this size, then in the system's directory for temporary files.
IN_MEMORY = 512 * 1024


class Fetcher:
    """This process's fetching: while Meta asks it to wait, it does not ask."""

    def __init__(self, api: Callable[[], MediaApi]) -> None:
        self._make = api
        self._api: MediaApi | None = None
        self._lock = threading.Lock()
        self._waits_until = 0.0

    def fetch(self, download: Download) -> Tried:
        """Look up, transfer, check, store; returns an outcome for all that can go wrong."""
        waits_s = self._waits_until - time.monotonic()
        if waits_s > 0:
            return Tried(download, None, Failure(Trouble.THROTTLED, waits_s), "Meta asks to wait.")
        with tempfile.SpooledTemporaryFile(IN_MEMORY) as file:
            try:
                found, fetched = self._transfer(download, file)
            except MediaError as error:
                if error.trouble is Trouble.THROTTLED:
                    self._waits_until = time.monotonic() + error.wait_s
                return Tried(download, None, Failure(error.trouble, error.wait_s), error.words)
            except OSError as error:
                return _not_kept(download, error)
            if problem := _problem(download, found, fetched):
                return Tried(download, None, Failure(Ours.BROKEN), problem)
            try:
                _keep(download.name, file)
            except Exception as error:  # a storage raises what it likes
                return _not_kept(download, error)
        mime_type = found.mime_type or download.mime_type
        return Tried(download, Kept(mime_type, fetched.size, fetched.sha256.hex()))

    def _transfer(self, download: Download, file: IO[bytes]) -> tuple[Found, Fetched]:
        """A URL that is not taken is asked for anew, once."""
        api = self._media_api()
        try:
            found = _look_up(api, download)
            return found, api.fetch(found.url, file, download.most)
        except MediaError as error:
            if error.trouble is not Trouble.EXPIRED:
                raise
        found = _look_up(api, download)
        return found, api.fetch(found.url, file, download.most)

    def _media_api(self) -> MediaApi:
        with self._lock:
            if self._api is None:
                self._api = self._make()
            return self._api


def _look_up(api: MediaApi, download: Download) -> Found:
    found = api.look_up(download.media_id)
    if found.size is not None and found.size > download.most:
        raise too_large(found.size, download.most)
    return found


def _problem(download: Download, found: Found, fetched: Fetched) -> str:
    """The reason to reject a downloaded file; empty if there is none."""
    if found.size is not None and found.size != fetched.size:
        return f"{fetched.size:,} bytes came, and Meta tells of {found.size:,}."
    if not is_same_digest(found.sha256, fetched.sha256) or not is_same_digest(download.sha256, fetched.sha256):
        return "It is not the file that Meta told of: its SHA-256 is another."
    return ""


def _keep(name: str, file: IO[bytes]) -> None:
    file.seek(0)
    kept = storage().save(name, File(file))
    if kept != name:
        raise OSError("the storage chose another name")


def _not_kept(download: Download, error: Exception) -> Tried:
    return Tried(download, None, Failure(Ours.NOT_KEPT), f"It came and could not be stored: {type(error).__name__}.")


def media_api() -> MediaApi:
    """By the settings."""
    return MediaApi(
        settings.WA_GRAPH_URL,
        settings.WA_GRAPH_VERSION,
        settings.WA_ACCESS_TOKEN,
        settings.WA_MEDIA_HOSTS,
        pool_size=AT_ONCE,
    )


fetcher = Fetcher(media_api)
