"""What came from Meta and is no message of a conversation."""

from django.contrib import admin

from messaging.admin.history import ReadOnlyAdmin
from messaging.models import (
    Contact,
    OrphanStatus,
    UnknownUpdate,
)


@admin.register(Contact)
class ContactAdmin(ReadOnlyAdmin):
    """Who wrote to us."""

    list_display = ["__str__", "phone", "user_id", "first_seen_at", "last_seen_at"]
    search_fields = ["=phone", "=user_id", "name"]


@admin.register(UnknownUpdate)
class UnknownUpdateAdmin(ReadOnlyAdmin):
    """What Meta sent and the pipeline does not model yet."""

    list_display = ["received_at", "kind", "phone_number_id"]
    list_filter = ["kind"]


@admin.register(OrphanStatus)
class OrphanStatusAdmin(ReadOnlyAdmin):
    """Statuses that wait for their message."""

    list_display = ["received_at", "status", "phone_number_id"]
    list_filter = ["status"]
