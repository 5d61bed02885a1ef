"""Messages, the numbers that send them, the contacts that get them."""

from django.apps import AppConfig


class MessagingConfig(AppConfig):
    """Makes the API description know our keys."""

    name = "messaging"

    def ready(self) -> None:
        """Let tasks find Celery's application, and drf-spectacular the extension.

        `waproject` does not load the application itself, so that its SQS library stands alone.
        """
        import waproject.celery  # noqa: F401
        from messaging import openapi  # noqa: F401
