"""Templates as a sync has stored them."""

from typing import Any

from django.utils import timezone

from messaging.models import Account, Template


def synced_template(name: str = "offer", language: str = "en", waba_id: str = "77", **facts: Any) -> Template:
    """A template of a synced account, without parameters unless `facts` say otherwise."""
    account, _ = Account.objects.get_or_create(waba_id=waba_id, defaults={"templates_synced_at": timezone.now()})
    body = [{"type": "BODY", "text": "Hello"}]
    given = {"template_id": "1", "status": "APPROVED", "category": "UTILITY", "components": body, **facts}
    return Template.objects.create(account=account, name=name, language=language, **given)
