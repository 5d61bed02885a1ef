"""`manage.py create_api_key NAME`: a key for an API client."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from messaging.access import record_action
from messaging.models import ApiClient, ApiKey


class Command(BaseCommand):
    """Prints the key. It is not stored and cannot be shown again."""

    help = "Create an API key for the client of that name; creates the client if needed. The key is shown once."

    def add_arguments(self, parser: CommandParser) -> None:
        """The client's name."""
        parser.add_argument("name")

    def handle(self, *args: Any, **options: Any) -> None:
        """Create and print the key."""
        client, _ = ApiClient.objects.get_or_create(name=options["name"])
        key, text = ApiKey.issue(client)
        record_action("manage.py", "issue key", f"client {client.pk}", key=str(key))
        self.stdout.write(text)
