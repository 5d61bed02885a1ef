"""Messages, the numbers that send them, the contacts that get them."""

from django.apps import AppConfig


class MessagingConfig(AppConfig):
    """Wires what is found by being imported: tasks, signals, the API's description."""

    name = "messaging"

    def ready(self) -> None:
        """Let tasks find Celery's application, drf-spectacular the extension, and the signals their domain events.

        `waproject` does not load the application itself, so that its SQS library stands alone.
        """
        from django.db.models.signals import post_delete

        import waproject.celery  # noqa: F401
        from messaging.access import openapi  # noqa: F401
        from messaging.lifecycle import django_signals, domain_events
        from messaging.media.records import remove_file
        from messaging.models import Media
        from messaging.subscriptions.outbox import outbox

        post_delete.connect(remove_file, Media, dispatch_uid="media")
        domain_events.listen(django_signals.send_signals)
        domain_events.set_outbox(outbox)
