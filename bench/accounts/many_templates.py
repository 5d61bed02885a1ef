"""Ten thousand templates: their sync, and the lists, searches and pickers that show them."""

import json
import re
import resource
import subprocess
import time
from collections.abc import Iterator, Sequence
from itertools import cycle, islice
from typing import Any

import requests

from bench.errors import BenchError
from bench.pipeline.history import ADMIN, PERCENT, REQUESTS, WARM_UP, by_key, getter, logged_in
from bench.production import PRODUCTION
from testkit.load import http_load
from testkit.load.api_clients import recipients
from testkit.pipeline import Pipeline
from testkit.processes import CHECKOUT, cpu_s, python
from testkit.statistics import summary

TEMPLATES = 10_000
LANGUAGES = ("en", "de")
# The sandbox sends a webhook for each new template: they share requests.
WEBHOOK_BATCH = 100
SYNC_S = 300
CONNECTIONS = 4
OK = 200
_TEXT = "Hi {{1}}, your order {{2}} has left our store and arrives on {{3}} between nine and ten. "
_INBOUND = """
INSERT INTO messaging_message (id, direction, number_id, peer, wamid, type, content, text, context_wamid, origin,
  status, at, created_at, updated_at, priority, due_at, releases, attempts, calls, error_title, reference, campaign,
  template, on_unknown, generation)
SELECT uuidv7(), 'inbound', min(id), %s, 'wamid.1', 'text', '{}', 'hello', '', 'user', 'received',
  now(), now(), now(), 5, NULL, 0, 0, 0, '', '', '', '', 'wait', 0 FROM messaging_businessnumber RETURNING id
"""


def measure(templates: int = TEMPLATES, requests_each: int = REQUESTS) -> dict[str, Any]:
    """`sync`, and `sync_again`, which changes nothing: seconds, CPU seconds of the command and of PostgreSQL. By HTTP:
    p50 and p95 of lists, searches, the reply form and the phone page's picker."""
    with Pipeline({"web": 1}, PRODUCTION) as pipeline:
        _create(pipeline, templates)
        syncs = {name: _sync(pipeline, templates) for name in ("sync", "sync_again")}
        pipeline.execute("VACUUM ANALYZE messaging_template")
        return {"templates": templates, **syncs, **_answers(pipeline, requests_each)}


def _create(pipeline: Pipeline, templates: int) -> None:
    """Approved templates at Meta, of 300 to 1,500 bytes."""
    there = pipeline.sandbox.call("GET", "templates?limit=0")["count"]
    settings = {"template_limit": templates, "webhook_batch": WEBHOOK_BATCH, "webhook_batch_ms": 1000}
    pipeline.sandbox.call("POST", "settings", settings)
    address = f"{pipeline.env['SANDBOX_URL']}/_sandbox/templates"
    made = [http_load.request(address, json.dumps(body).encode(), {}) for body in islice(_bodies(), templates - there)]
    http_load.run(address, made, None, CONNECTIONS).require(OK)


def _bodies() -> Iterator[dict[str, Any]]:
    header = {"type": "HEADER", "format": "IMAGE", "example": {"header_handle": ["https://example.com/a.jpg"]}}
    buttons = [{"type": "URL", "text": "Track", "url": "https://example.com/orders/{{1}}"}]
    for number in range(TEMPLATES):
        body = {"type": "BODY", "text": _TEXT * (1 + number % 12), "example": {"body_text": [["Ann", "17", "Friday"]]}}
        components = [header, body, {"type": "FOOTER", "text": "Example shop"}, {"type": "BUTTONS", "buttons": buttons}]
        for language in LANGUAGES:
            yield {"name": f"order_shipped_{number}", "language": language, "components": components}


def _sync(pipeline: Pipeline, templates: int) -> dict[str, float]:
    postgres, before = cpu_s(pipeline.postgres.pid or 0), _children_cpu_s()
    begun = time.monotonic()
    done = subprocess.run(
        python("manage.py", "sync_templates"),
        env=pipeline.env, cwd=CHECKOUT, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
        timeout=SYNC_S,
    )  # fmt: skip
    seconds = time.monotonic() - begun
    found = re.search(r": (\d+) templates in", done.stdout)
    if done.returncode or found is None or int(found[1]) != templates:
        raise BenchError(f"not all templates were synced: {done.stdout} {done.stderr[-500:]}")
    return {
        "seconds": seconds,
        "cpu_s": _children_cpu_s() - before,
        "postgres_cpu_s": cpu_s(pipeline.postgres.pid or 0) - postgres,
    }


def _children_cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _answers(pipeline: Pipeline, requests_each: int) -> dict[str, dict[str, float]]:
    (peer,) = recipients(1)
    ((chat,),) = pipeline.query(_INBOUND, [peer])
    admin, base = logged_in(pipeline), pipeline.env["BASE_URL"]
    page = f"{ADMIN}/conversation/{chat}"
    words = [f"{number}" for number in range(100, 200)]
    by_session, by_api = getter(admin, base), getter(by_key(pipeline), base)
    by_phone = getter(requests.Session(), pipeline.env["SANDBOX_URL"])
    phone = "/_sandbox/templates?status=APPROVED&limit=200&search="
    kinds = {
        "api_list": (by_api, _paths("/messaging/templates", "", "?page_size=200", "?status=approved&language=de")),
        "api_search": (by_api, _paths("/messaging/templates?search=", *words, "zzz")),
        "admin_list": (by_session, _paths(f"{ADMIN}/template/", "", "?p=3", "?language=de", "?held=no")),
        "admin_search": (by_session, _paths(f"{ADMIN}/template/?q=", *words, "zzz")),
        "reply_form": (by_session, [f"{page}/change/"]),
        "reply_search": (lambda word: _search_ms(admin, f"{base}{page}", word), [*words, "zzz"]),
        "phone": (by_phone, _paths(phone, "", *words, "zzz")),
    }
    found = {}
    for name, (ask, given) in kinds.items():
        for path in islice(cycle(given), WARM_UP):
            ask(path)
        found[name] = summary([ask(path) for path in islice(cycle(given), requests_each)], PERCENT)
    return found


def _paths(start: str, *ends: str) -> Sequence[str]:
    return [f"{start}{end}" for end in ends]


def _search_ms(session: requests.Session, page: str, word: str) -> float:
    """The milliseconds of a search in the reply form. Raises BenchError."""
    begun = time.monotonic()
    token = session.cookies.get("csrftoken", "")
    answer = session.post(
        f"{page}/templates/", {"template_search": word}, headers={"X-CSRFToken": token}, timeout=60,
        allow_redirects=False,
    )  # fmt: skip
    if answer.status_code != OK:
        raise BenchError(f"the search of the reply form was answered {answer.status_code}")
    return (time.monotonic() - begun) * 1000
