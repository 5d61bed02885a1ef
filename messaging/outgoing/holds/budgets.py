"""Holds of clients, campaigns and clients' campaigns that are over budget."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from messaging.access import record_action
from messaging.models import Hold, HoldKind

WHO = "budget"


@dataclass(frozen=True, slots=True)
class BudgetScope:
    """Whose messages a budget covers: of `client_id` (None: of all clients), of `campaign` ("": of all)."""

    client_id: int | None
    campaign: str


def hold_over_budget(spent: Mapping[BudgetScope, str]) -> tuple[int, int]:
    """Hold exactly these, each with its reason: holds of others end. Returns how many began and how many ended.

    Idempotent. Messages of an ended hold are released by the dispatcher, in batches.
    """
    began = ended = 0
    with transaction.atomic():
        held: dict[BudgetScope, Hold] = {}
        for hold in Hold.objects.select_for_update().filter(kind=HoldKind.BUDGET, resumed_at=None).order_by("pk"):
            scope = BudgetScope(hold.client_id, hold.key)
            if scope in spent:
                held[scope] = hold
                continue
            hold.resumed_at = timezone.now()
            hold.save(update_fields=["resumed_at"])
            record_action(WHO, "resume", f"hold {hold.pk}", kind=hold.kind, key=hold.key)
            ended += 1
        for scope, reason in spent.items():
            if scope not in held:
                hold, new = Hold.objects.get_or_create(
                    kind=HoldKind.BUDGET,
                    key=scope.campaign,
                    client_id=scope.client_id,
                    number=None,
                    resumed_at=None,
                    defaults={"by": WHO, "reason": reason[:255]},
                )
                if new:
                    record_action(WHO, "hold", f"hold {hold.pk}", kind=hold.kind, key=hold.key)
                    began += 1
    return began, ended
