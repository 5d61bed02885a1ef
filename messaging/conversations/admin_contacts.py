"""Contacts in the admin, with their consent and conversations."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from messaging.access import record_action
from messaging.contacts import ConsentChange, record_consent, withdraw_released
from messaging.conversations.name_search import contacts_named
from messaging.conversations.queries import conversations_with
from messaging.erasure import Person
from messaging.erasure.erase import CannotEraseYet, erase
from messaging.erasure.person import person_of
from messaging.messages import peers_matching, preview
from messaging.models import (
    Contact,
)
from messaging.whatsapp.recipients import canonical
from waproject.web.admin.read_only_admin import ReadOnlyAdmin

# To match, count and sort all names with a common letter would take seconds.
MOST_FOUND = 1000


def contacts_matching(term: str) -> QuerySet[Contact, int]:
    """The ids of the contacts with this phone number or user id, or with a name that contains the term."""
    peers = peers_matching(term)
    keys = {canonical(peer) for peer in peers}
    by_address = Contact.objects.filter(Q(phone__in=peers) | Q(phone_key__in=keys) | Q(user_id__in=peers))
    # A union, because one OR of all conditions would scan the table; of all, because the database then stops early.
    return by_address.values_list("pk", flat=True).union(contacts_named(term).values_list("pk", flat=True), all=True)


@admin.register(Contact)
class ContactAdmin(ReadOnlyAdmin):
    """Contacts: everyone who has written to us."""

    list_display = ["__str__", "phone", "user_id", "opted_out_at", "blocked_at", "last_seen_at"]
    search_fields = ["name"]
    search_help_text = "A part of a name, with or without accents; or a phone number or user id, in full."
    actions = ["block", "unblock", "opt_out", "opt_in", "erase"]

    def get_readonly_fields(self, request: HttpRequest, obj: Contact | None = None) -> list[str]:
        """The conversations, with the beginnings of their latest messages, for those who may look at these."""
        return ["conversations"] if request.user.has_perm("messaging.view_conversation") else []

    def buttons_of(self, obj: Contact) -> set[str]:
        """The actions that change something: a blocked contact is unblocked, one who has opted out opted in."""
        return {"unblock" if obj.blocked_at else "block", "opt_in" if obj.opted_out_at else "opt_out", "erase"}

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Contact], search_term: str
    ) -> tuple[QuerySet[Contact], bool]:
        """By name in any spelling, by number with or without separators, or by user id."""
        term = search_term.replace("\0", "").strip()
        if not term:
            return queryset, False
        found = list(contacts_matching(term)[: MOST_FOUND + 1])
        if len(found) > MOST_FOUND:
            text = (
                f"More than {MOST_FOUND:,} contacts match, and {MOST_FOUND:,} of them are shown: give more of the name."
            )
            self.message_user(request, text, messages.WARNING)
        return queryset.filter(pk__in=found[:MOST_FOUND]), False

    @admin.display(description="Conversations")
    def conversations(self, contact: Contact) -> SafeString:
        """Links to the contact's conversations, one for each business number."""
        return format_html_join(
            SafeString("<br>"),
            "<a href='{}'>{}</a> {} {}",
            (
                (
                    reverse("admin:messaging_conversation_change", args=[one.latest.pk]),
                    one.number,
                    timezone.localtime(one.latest.at).strftime("%Y-%m-%d %H:%M"),
                    preview(one.latest),
                )
                for one in conversations_with(contact)
            ),
        ) or SafeString("none")

    @admin.action(description="Block (store messages, but deliver and send none)", permissions=["block"])
    def block(self, request: HttpRequest, queryset: QuerySet[Contact]) -> None:
        """Send nothing until the contact is unblocked."""
        with self._recorded(request, queryset, "block") as pks:
            Contact.objects.filter(pk__in=pks, blocked_at=None).update(blocked_at=timezone.now())
            withdraw_released(pks, "operator")

    @admin.action(description="Unblock", permissions=["block"])
    def unblock(self, request: HttpRequest, queryset: QuerySet[Contact]) -> None:
        """Allow sends again. Messages received while blocked are not delivered to subscribers."""
        with self._recorded(request, queryset, "unblock") as pks:
            Contact.objects.filter(pk__in=pks).update(blocked_at=None)

    @admin.action(description="Opt out of marketing", permissions=["block"])
    def opt_out(self, request: HttpRequest, queryset: QuerySet[Contact]) -> None:
        """Record an opt-out, as if the user had sent it."""
        with self._recorded(request, queryset, "opt out") as pks:
            self._record_consent(pks, opts_out=True)
            withdraw_released(pks, "operator")

    @admin.action(description="Opt in to marketing again", permissions=["block"])
    def opt_in(self, request: HttpRequest, queryset: QuerySet[Contact]) -> None:
        """Record an opt-in. Only for users who have asked for it."""
        with self._recorded(request, queryset, "opt in") as pks:
            self._record_consent(pks, opts_out=False)

    @admin.action(description="Erase everything of this person", permissions=["erase"])
    def erase(self, request: HttpRequest, queryset: QuerySet[Contact]) -> HttpResponse | None:
        """Ask first; then erase, if nothing of the person is still on its way."""
        contact = queryset.first()
        if contact is None or queryset.count() != 1:
            self.message_user(request, "Erase one person at a time.", messages.WARNING)
            return None
        person = person_of(contact.user_id or contact.phone or "")
        if request.POST.get("confirmed") != "yes":
            return self._confirm(request, contact, person)
        try:
            done = erase(person, str(request.user), request.POST.get("forget_objection") == "yes")
        except CannotEraseYet as error:
            self.message_user(request, str(error), messages.WARNING)
            return None
        self.message_user(request, f"Erased: {done.messages} messages, {done.contacts} contacts.", messages.SUCCESS)
        return HttpResponseRedirect(reverse("admin:messaging_contact_changelist"))

    def has_erase_permission(self, request: HttpRequest) -> bool:
        """Whether the account may erase people."""
        return request.user.has_perm("messaging.erase_contact")

    def _confirm(self, request: HttpRequest, contact: Contact, person: Person) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": "Erase a person",
            "opts": self.opts,
            "contact": contact,
            "messages_count": person.messages.count(),
            "objects": person.contacts.filter(Q(opted_out_at__isnull=False) | Q(blocked_at__isnull=False)).exists(),
        }
        return TemplateResponse(request, "admin/messaging/contact/erase.html", context)

    def has_block_permission(self, request: HttpRequest) -> bool:
        """Whether the account may block contacts and change their consent; all fields are read-only."""
        return request.user.has_perm("messaging.change_contact")

    def _record_consent(self, pks: list[int], *, opts_out: bool) -> None:
        now = timezone.now()
        record_consent([ConsentChange(pk, opts_out, now, "operator") for pk in pks])

    @contextmanager
    def _recorded(self, request: HttpRequest, queryset: QuerySet[Contact], action: str) -> Iterator[list[int]]:
        """An action on these contacts, locked in the order of other writers, with its entries in the audit log."""
        with transaction.atomic():
            rows = queryset.order_by("pk").select_for_update(no_key=True)
            pks = list(rows.values_list("pk", flat=True))
            yield pks
            for pk in pks:
                record_action(str(request.user), action, f"contact {pk}")
        self.message_user(request, f"{len(pks)} contacts: {action}.", messages.SUCCESS)
