"""The Django app of messages, business numbers and contacts."""

from django.apps import AppConfig


class MessagingConfig(AppConfig):
    """Registers what works by being imported: tasks, signal receivers, the OpenAPI extension."""

    name = "messaging"

    def ready(self) -> None:
        """Load Celery's application and the OpenAPI extension, and connect signals and the outbox.

        `waproject` does not load the application itself, so that its SQS library stands alone.
        """
        from django.db.models.signals import post_delete

        import waproject.celery  # noqa: F401
        from messaging.access import openapi  # noqa: F401
        from messaging.lifecycle import django_signals, domain_events
        from messaging.media.records import remove_file
        from messaging.models import Media
        from messaging.retention import checks, register  # noqa: F401
        from messaging.retention.messaging_rules import RULES
        from messaging.subscriptions.outbox import outbox

        post_delete.connect(remove_file, Media, dispatch_uid="media")
        domain_events.listen(django_signals.send_signals)
        domain_events.set_outbox(outbox)
        register(*RULES)
