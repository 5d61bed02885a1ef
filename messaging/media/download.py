"""Downloads from Meta into the storage, in threads of `deliver`, without the database."""

import tempfile
import threading
import time
from collections.abc import Callable
from typing import IO

from django.conf import settings
from django.core.files import File

from messaging.accounts import MissingToken, access_token
from messaging.media.records import Download, DownloadResult, StoredFile, storage
from messaging.media_states import Failure, LocalFailure
from messaging.whatsapp.media import is_same_digest
from messaging.whatsapp.media_api import DownloadedFile, FileInfo, MediaApi, MediaError, TransferFailure, too_large

# Concurrent downloads of one process.
DOWNLOADS_AT_ONCE = 12
# A larger file is moved from memory to a temporary file.
IN_MEMORY = 512 * 1024


class Downloader:
    """The downloads of this process; while Meta throttles those of a token, it makes no request with it."""

    def __init__(self, api_of: Callable[[str], MediaApi]) -> None:
        """`api_of`: makes the client by the name of its token's variable; may raise MediaError."""
        self._make_api = api_of
        self._apis: dict[str, MediaApi] = {}
        self._lock = threading.Lock()
        self._waits_until: dict[str, float] = {}

    def download(self, download: Download) -> DownloadResult:
        """Look up, transfer, check and store a file; every failure is returned, not raised."""
        waits_s = self._waits_until.get(download.token_name, 0.0) - time.monotonic()
        if waits_s > 0:
            return DownloadResult(
                download, None, Failure(TransferFailure.THROTTLED, waits_s), "Meta throttles downloads."
            )
        with tempfile.SpooledTemporaryFile(IN_MEMORY) as file:
            try:
                found, fetched = self._transfer(download, file)
            except MediaError as error:
                if error.failure is TransferFailure.THROTTLED:
                    self._waits_until[download.token_name] = time.monotonic() + error.wait_s
                return DownloadResult(download, None, Failure(error.failure, error.wait_s), error.text)
            except OSError as error:
                return _storage_failure(download, error)
            if problem := _problem(download, found, fetched):
                broken = Failure(LocalFailure.BROKEN, repeated=problem == download.error)
                return DownloadResult(download, None, broken, problem)
            try:
                _store(download.name, file)
            except Exception as error:  # storage back ends raise errors of any type
                return _storage_failure(download, error)
        mime_type = found.mime_type or download.mime_type
        return DownloadResult(download, StoredFile(mime_type, fetched.size, fetched.sha256.hex()))

    def _transfer(self, download: Download, file: IO[bytes]) -> tuple[FileInfo, DownloadedFile]:
        """Transfer the file; if its URL has expired, look it up once more."""
        api = self._media_api(download.token_name)
        try:
            found = _look_up(api, download)
            return found, api.fetch(found.url, file, download.max_bytes)
        except MediaError as error:
            if error.failure is not TransferFailure.EXPIRED:
                raise
        found = _look_up(api, download)
        return found, api.fetch(found.url, file, download.max_bytes)

    def _media_api(self, token_name: str) -> MediaApi:
        with self._lock:
            if token_name not in self._apis:
                self._apis[token_name] = self._make_api(token_name)
            return self._apis[token_name]


def _look_up(api: MediaApi, download: Download) -> FileInfo:
    found = api.look_up(download.media_id)
    if found.size is not None and found.size > download.max_bytes:
        raise too_large(found.size, download.max_bytes)
    return found


def _problem(download: Download, found: FileInfo, fetched: DownloadedFile) -> str:
    """The reason to reject a downloaded file; empty if there is none."""
    if found.size is not None and found.size != fetched.size:
        return f"The file has {fetched.size:,} bytes; Meta reports {found.size:,}."
    if not is_same_digest(found.sha256, fetched.sha256) or not is_same_digest(download.sha256, fetched.sha256):
        return "The file's SHA-256 is not the one that Meta reports."
    return ""


def _store(name: str, file: IO[bytes]) -> None:
    file.seek(0)
    stored_as = storage().save(name, File(file))
    if stored_as != name:
        raise OSError("the storage chose another name")


def _storage_failure(download: Download, error: Exception) -> DownloadResult:
    return DownloadResult(
        download, None, Failure(LocalFailure.NOT_STORED), f"The storage failed: {type(error).__name__}."
    )


def media_api(token_name: str) -> MediaApi:
    """The client of Meta's media API with this token. Raises MediaError."""
    try:
        token = access_token(token_name)
    except MissingToken as error:
        raise MediaError(TransferFailure.MISCONFIGURED, str(error)) from None
    return MediaApi(
        settings.WA_GRAPH_URL,
        settings.WA_GRAPH_VERSION,
        token,
        settings.WA_MEDIA_HOSTS,
        pool_size=DOWNLOADS_AT_ONCE,
    )


downloader = Downloader(media_api)
