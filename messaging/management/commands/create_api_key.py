"""`manage.py create_api_key NAME`: a key for an API client."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from messaging.access import note
from messaging.models import ApiClient, ApiKey


class Command(BaseCommand):
    """Prints the key; it is not kept and cannot be shown again."""

    help = "Make an API key for the client of that name, which is made when it is new. The key is shown once."

    def add_arguments(self, parser: CommandParser) -> None:
        """The client's name."""
        parser.add_argument("name")

    def handle(self, *args: Any, **options: Any) -> None:
        """Make and print the key."""
        client, _ = ApiClient.objects.get_or_create(name=options["name"])
        key, text = ApiKey.issue(client)
        note("manage.py", "issue key", f"client {client.pk}", key=str(key))
        self.stdout.write(text)
