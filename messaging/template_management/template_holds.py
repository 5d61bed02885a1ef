"""The active holds on templates."""

from collections.abc import Sequence

from django.db.models import Exists, OuterRef, Q

from messaging.models import Hold, HoldKind, Template


def holds_of(templates: Sequence[Template]) -> dict[int, list[Hold]]:
    """The active holds that cover each of these templates, by primary key, the oldest first. One query.

    A hold of a number covers the templates of the number's account, one without a name all templates.
    """
    names = {template.name for template in templates}
    named = Hold.objects.filter(kind=HoldKind.TEMPLATE, key__in={"", *names}, resumed_at=None)
    holds = list(named.select_related("number").order_by("pk"))
    return {template.pk: [hold for hold in holds if _covers(hold, template)] for template in templates}


def is_held() -> Exists:
    """Whether an active hold covers a template, as a part of a query of templates."""
    waba_id = OuterRef("account__waba_id")
    return Exists(
        Hold.objects.filter(
            Q(waba_id="") | Q(waba_id=waba_id),
            Q(language="") | Q(language=OuterRef("language")),
            Q(number=None) | Q(number__waba_id="") | Q(number__waba_id=waba_id),
            Q(key="") | Q(key=OuterRef("name")),
            kind=HoldKind.TEMPLATE,
            resumed_at=None,
        )
    )


def _covers(hold: Hold, template: Template) -> bool:
    waba_id = template.account.waba_id
    of_account = hold.waba_id in {"", waba_id} and (hold.number is None or hold.number.waba_id in {"", waba_id})
    return hold.key in {"", template.name} and of_account and hold.language in {"", template.language}
