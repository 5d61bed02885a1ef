"""Messages, the numbers that send them, the contacts that get them."""

from django.apps import AppConfig


class MessagingConfig(AppConfig):
    """Makes the API description know our keys."""

    name = "messaging"

    def ready(self) -> None:
        """Let drf-spectacular find the extension."""
        from messaging import openapi  # noqa: F401
