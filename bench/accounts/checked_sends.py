"""Sends of templates and texts, and checks alone, in this process: `python -m bench.accounts.checked_sends CHECKS`.

Prints JSON. CPU is that of this thread, and of its backend in PostgreSQL where the database is asked.
"""

import statistics
import sys
import time
from typing import Any

from bench.accounts.programs import CpuClock, print_figures
from bench.pipeline.sampled_sends import PER_S, send
from testkit.load.api_clients import recipients

LOADS = 20
WABA_ID = "102290129340398"
NAME, LANGUAGE = "shipped", "en_US"
COMPONENTS = [
    {"type": "HEADER", "format": "IMAGE", "example": {"header_handle": ["https://example.com/a.jpg"]}},
    {"type": "BODY", "text": "Hi {{1}}, your order {{2}} arrives on {{3}}."},
    {"type": "FOOTER", "text": "Example shop"},
    {"type": "BUTTONS", "buttons": [
        {"type": "URL", "text": "Track", "url": "https://example.com/{{1}}"},
        {"type": "QUICK_REPLY", "text": "Thanks"},
    ]},
]  # fmt: skip
DATA = {
    "name": NAME,
    "language": LANGUAGE,
    "components": [
        {"type": "header", "parameters": [{"type": "image", "image": {"link": "https://example.com/b.jpg"}}]},
        {"type": "body", "parameters": [{"type": "text", "text": text} for text in ("Ann", "4711", "Friday")]},
        {"type": "button", "sub_type": "url", "index": 0, "parameters": [{"type": "text", "text": "4711"}]},
    ],
}
TEMPLATE = {"message_type": "template", "message_data": DATA}
TEXT = {"message_type": "text", "message_data": {"content": "Hi Ann, your order 4711 arrives on Friday."}}


def main() -> None:
    """Measure and print."""
    from waproject.wsgi import application

    store_template()
    queries = {kind: _queries(application, body) for kind, body in (("template", TEMPLATE), ("text", TEXT))}
    print_figures({
        "queries": queries["template"] - queries["text"],
        "template_queries": queries["template"],
        "text_queries": queries["text"],
        "cpu_ms": _check_ms(int(sys.argv[1])),
        "load_ms": _load_ms(),
    })  # fmt: skip


def store_template() -> None:
    """A synced account with one template, to which the default number belongs."""
    from django.conf import settings
    from django.utils import timezone

    from messaging.models import Account, BusinessNumber, Template

    BusinessNumber.objects.update_or_create(phone_number_id=settings.WA_PHONE_NUMBER_ID, defaults={"waba_id": WABA_ID})
    account, _ = Account.objects.update_or_create(waba_id=WABA_ID, defaults={"templates_synced_at": timezone.now()})
    Template.objects.filter(account=account).delete()
    Template.objects.create(
        account=account, name=NAME, language=LANGUAGE, template_id="1", status="APPROVED", category="UTILITY",
        components=COMPONENTS,
    )  # fmt: skip


def _queries(application: Any, body: dict[str, Any]) -> int:
    """The queries of a send whose template was sent just before."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    first, second = recipients(2)
    send(application, {"phone_number": f"+{first}", **body})
    with CaptureQueriesContext(connection) as made:
        send(application, {"phone_number": f"+{second}", **body})
    return len(made)


def _check_ms(checks: int) -> float:
    """The median CPU of a check."""
    from messaging.message_templates import check_template, load_templates

    clock, used = CpuClock(), []
    for _ in range(checks):
        load_templates([(WABA_ID, NAME)])
        time.sleep(1 / PER_S)
        begun = clock.ms()
        load_templates([(WABA_ID, NAME)])
        is_checked = check_template(WABA_ID, DATA)
        used.append(clock.ms() - begun)
        if not is_checked:
            raise RuntimeError("the template was not checked")
    return statistics.median(used)


def _load_ms() -> float:
    """The median CPU of a check that has to ask the database, PostgreSQL's included."""
    from django.db import connection

    from messaging.message_templates import load_templates
    from messaging.message_templates.catalogue import clear_template_cache

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        clock = CpuClock(cursor.fetchone()[0])
    used = []
    for _ in range(LOADS):
        clear_template_cache()
        begun = clock.ms()
        load_templates([(WABA_ID, NAME)])
        used.append(clock.ms() - begun)
    return statistics.median(used)


if __name__ == "__main__":
    main()
