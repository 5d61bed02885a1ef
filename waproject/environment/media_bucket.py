"""The storage backend of a media bucket: django-storages' S3 backend, which names missing permissions in the log."""

from typing import Any

from storages.backends.s3 import S3Storage

from waproject.sqs import access_denied


class MediaBucket(S3Storage):  # type: ignore[misc]
    """As S3Storage."""

    @property
    def connection(self) -> Any:
        """The thread's connection to S3."""
        known = getattr(self._connections, "connection", None)
        connection = super().connection
        if connection is not known:
            access_denied.watch(connection.meta.client)
        return connection
