"""The project as a Django app: system checks and management commands."""

from django.apps import AppConfig


class WaprojectConfig(AppConfig):
    """No models; registers the system checks."""

    name = "waproject"

    def ready(self) -> None:
        """Register the checks."""
        from waproject import checks  # noqa: F401
