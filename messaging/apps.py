"""Messages, the numbers that send them, the contacts that get them."""

from django.apps import AppConfig


class MessagingConfig(AppConfig):
    """Nothing to do at start."""

    name = "messaging"
