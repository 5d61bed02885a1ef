"""A person whose number, name and text are planted everywhere that the pipeline stores anything."""

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.core.files.base import ContentFile
from django.db import connection
from django.utils import timezone

from analytics.models import Event
from messaging.incoming.store import receive
from messaging.media import storage
from messaging.media_states import State
from messaging.models import (
    AccountEvent,
    Attempt,
    Contact,
    Media,
    Message,
    OpenedRecipient,
    OrphanStatus,
    PairPace,
    Portfolio,
    UnknownUpdate,
    WhatsAppId,
)
from messaging.portfolios import assign_portfolio
from messaging.states import Status
from messaging.whatsapp.recipients import canonical
from tests.messaging.bodies import inbound_text, webhook
from tests.messaging.factories import in_state, number

# A Brazilian number: webhooks give it without its ninth digit.
WRITTEN, NUMBER, NAME, TEXT = "+55 (11) 98765-4321", "551187654321", "Zebedeu Quaresma", "meu segredo planted"
USER_ID = "BR.13491208655302741918"
BYSTANDER = "15557654321"


def plant() -> None:
    """Store the person, and a bystander, in every table that may hold them."""
    for at, wamid in enumerate(("wamid.PLANTED1", "wamid.PLANTED2")):
        receive(webhook(inbound_text(wamid, TEXT, NUMBER, 1_790_000_000 + at), name=NAME))
    receive(webhook(inbound_text("wamid.BYSTANDER", "hello from Bob", BYSTANDER), name="Bob"))
    Contact.objects.filter(phone=NUMBER).update(user_id=USER_ID)
    sent = in_state(
        Status.DELIVERED, peer=canonical(NUMBER), sent_to=NUMBER, wamid="wamid.PLANTED3", reference=NUMBER,
        text=TEXT, content={"content": TEXT},
    )  # fmt: skip
    Attempt.objects.create(message=sent, n=1, wamid="wamid.PLANTED3", outcome="accepted")
    first = Message.objects.get(wamid="wamid.PLANTED1")
    name = storage().save(f"2026/01/01/{first.pk}", ContentFile(TEXT.encode()))
    Media.objects.create(
        message=first, media_id="77", kind="image", state=State.STORED, name=name, filename=f"{NAME}.jpg",
        give_up_at=timezone.now(), finished_at=timezone.now(),
    )  # fmt: skip
    raw = {"from": NUMBER, "name": NAME, "text": TEXT}
    UnknownUpdate.objects.create(kind="new", raw=raw, digest="1")
    UnknownUpdate.objects.create(kind="new", raw={"from": BYSTANDER}, digest="2")
    AccountEvent.objects.create(
        kind="user_preferences", raw={"user": USER_ID}, subject=USER_ID, digest="3", at=timezone.now()
    )
    OrphanStatus.objects.create(
        wamid="wamid.OTHER", phone_number_id="1", status="read", raw={"recipient_id": NUMBER}, at=timezone.now()
    )
    PairPace.objects.create(number=number(), peer=canonical(NUMBER))
    WhatsAppId.objects.create(phone=canonical(NUMBER), wa_id=NUMBER, peer=canonical(NUMBER))
    portfolio = Portfolio.objects.get(pk=assign_portfolio(number().pk))
    OpenedRecipient.objects.create(portfolio=portfolio, peer=canonical(NUMBER), opened_at=timezone.now())
    Event.objects.create(
        event_type="order", data={"name": NAME}, source="api", contact=canonical(NUMBER), occurred_at=timezone.now()
    )
    contact = Contact.objects.get(user_id=USER_ID)
    LogEntry.objects.create(
        user=User.objects.create(username="ann"), action_flag=CHANGE, object_id=str(contact.pk), object_repr=NAME,
        content_type=ContentType.objects.get_for_model(Contact),
    )  # fmt: skip


def tables_with(*words: str) -> list[str]:
    """The tables of the whole database in which a row holds one of these words, in any column."""
    patterns = [f"%{word}%" for word in words]
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")
        parts = [
            f"SELECT '{name}' WHERE EXISTS (SELECT FROM \"{name}\" t WHERE t::text LIKE ANY(%(patterns)s))"  # noqa: S608
            for (name,) in cursor.fetchall()
        ]
        cursor.execute(" UNION ALL ".join(parts), {"patterns": patterns})
        return sorted(name for (name,) in cursor.fetchall())


def everything() -> tuple[str, ...]:
    """What must not be found: numbers in every spelling, name, text, wamids, user id."""
    return (NUMBER, "5511987654321", NAME, TEXT, USER_ID, "wamid.PLANTED")
