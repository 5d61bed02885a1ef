"""The project as a Django app: system checks and management commands."""

from django.apps import AppConfig


class WaprojectConfig(AppConfig):
    """No models; registers the system checks."""

    name = "waproject"

    def ready(self) -> None:
        """Register the checks; report errors and trace where settings say so."""
        from waproject import checks  # noqa: F401
        from waproject.observability import set_up

        set_up()
