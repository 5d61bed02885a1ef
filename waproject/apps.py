"""The frame as a Django app: start-up checks and queue commands."""

from django.apps import AppConfig


class WaprojectConfig(AppConfig):
    """No models; registers the system checks."""

    name = "waproject"

    def ready(self) -> None:
        """Register the checks."""
        from waproject import checks  # noqa: F401
