"""`manage.py create_api_key NAME`: a key for an API client."""

from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from messaging.access import record_action
from messaging.models import ApiClient, ApiKey


class Command(BaseCommand):
    """Prints the key. It is not stored and cannot be shown again."""

    help = "Create an API key for the client of that name; creates the client if needed. The key is shown once."

    def add_arguments(self, parser: CommandParser) -> None:
        """The client's name, and whether it is an operator."""
        parser.add_argument("name")
        parser.add_argument(
            "--operator",
            action="store_true",
            help="make the client an operator: its keys may change templates and see, redrive and discard dead letters",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Create and print the key. Raises CommandError for an invalid name, and for an inactive client."""
        name = options["name"].strip()
        if not name.isprintable():
            raise CommandError("This cannot be a client's name: it has a character that cannot be shown.")
        with transaction.atomic():
            client = ApiClient.objects.filter(name=name).first() or _new_client(name)
            if not client.active:
                raise CommandError(
                    "This client is inactive, so its keys are refused: make it active in the admin first."
                )
            if options["operator"] and not client.operator:
                client.operator = True
                client.save(update_fields=["operator"])
                record_action("manage.py", "change client", f"client {client.pk}", operator=True)
            key, text = ApiKey.issue(client)
            record_action("manage.py", "issue key", f"client {client.pk}", key=str(key))
        self.stdout.write(text)


def _new_client(name: str) -> ApiClient:
    try:
        ApiClient(name=name).full_clean(validate_unique=False)
    except ValidationError as error:
        raise CommandError(f"This cannot be a client's name: {' '.join(error.messages)}") from None
    # Another command may create it at this moment.
    return ApiClient.objects.get_or_create(name=name)[0]
