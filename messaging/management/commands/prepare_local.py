"""`manage.py prepare_local`: set-up of `make run`, once its database and SQS server are running."""

from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from messaging.models import ApiClient, ApiKey, BusinessNumber
from messaging.models.access import prefix_of


class Command(BaseCommand):
    """Idempotent; a second run only updates a changed password."""

    help = "Local only: migrate, create the queues, the admin user, an API client and the business number."

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the set-up. Raises CommandError outside DEPLOYMENT=local."""
        if not settings.LOCAL:
            raise CommandError("prepare_local works only with DEPLOYMENT=local.")
        if not settings.LOCAL_ADMIN_PASSWORD or not prefix_of(settings.LOCAL_API_KEY):
            raise CommandError("ADMIN_PASSWORD and API_KEY (wak_<prefix>_<secret>) must be set.")
        call_command("migrate", interactive=False, verbosity=0)
        call_command("create_queues", verbosity=0)
        self._admin(settings.LOCAL_ADMIN_USER, settings.LOCAL_ADMIN_PASSWORD)
        self._api_key(settings.LOCAL_API_KEY)
        BusinessNumber.objects.get_or_create(phone_number_id=settings.WA_PHONE_NUMBER_ID)

    def _admin(self, name: str, password: str) -> None:
        user, _ = get_user_model().objects.get_or_create(
            username=name, defaults={"is_staff": True, "is_superuser": True}
        )
        if not user.check_password(password):
            user.set_password(password)
            user.save()

    def _api_key(self, key: str) -> None:
        if not ApiKey.objects.filter(prefix=prefix_of(key)).exists():
            client, _ = ApiClient.objects.get_or_create(name="local")
            ApiKey.issue(client, key)
