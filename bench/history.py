"""The history at a million messages: the admin's pages and the API's list, over HTTP and logged in."""

import random
import re
import time
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urlencode

import requests

from bench.pipeline import Pipeline
from bench.processes import BenchError
from bench.statistics import percentile

MESSAGES = 1_000_000
REQUESTS = 60
WARM_UP = 6
ADMIN = "/admin/messaging"
_SEED = 20

_FILL = """
INSERT INTO messaging_message (id, direction, number_id, contact_id, peer, wamid, type, content, text, context_wamid,
  origin, status, at, created_at, updated_at, priority, due_at, releases, released_at, outcome_at, attempts, calls,
  error_code, error_title, reference, campaign, template, on_unknown, generation)
SELECT uuidv7(age), CASE WHEN inbound THEN 'inbound' ELSE 'outbound' END, number.id,
  CASE WHEN inbound THEN contact.id END, peer, 'wamid.BENCH' || n, 'text', '{"content": "hello"}',
  'Your order ' || n || ' is on its way and arrives between nine and ten', '',
  CASE WHEN inbound THEN 'user' ELSE '' END,
  CASE WHEN inbound THEN 'received' WHEN n %% 50 = 0 THEN 'failed' WHEN n %% 3 = 0 THEN 'delivered' ELSE 'read' END,
  now() + age, now() + age, now() + age, 5, CASE WHEN NOT inbound THEN now() + age END, 1,
  CASE WHEN NOT inbound THEN now() + age END, CASE WHEN NOT inbound THEN now() + age END, 1, 1,
  CASE WHEN NOT inbound AND n %% 50 = 0 THEN 131026 END, '', CASE WHEN n %% 10 = 0 THEN 'order ' || n ELSE '' END,
  CASE WHEN n %% 4 = 0 THEN 'campaign ' || n / 50000 ELSE '' END, '', 'wait', 0
FROM (
  SELECT n, n %% 3 = 1 AS inbound, (n - %s) * interval '2 seconds' AS age,
    CASE WHEN n %% 50 = 7 THEN '15550000000'
      ELSE '1555' || lpad((n::bigint * 7919 %% 150000 + 1)::text, 7, '0') END AS peer
  FROM generate_series(1, %s) AS n
) AS made
LEFT JOIN messaging_contact contact ON contact.phone_key = peer
CROSS JOIN (SELECT min(id) AS id FROM messaging_businessnumber) AS number
ORDER BY n
"""
_CONTACTS = """
INSERT INTO messaging_contact (portfolio, phone, phone_key, name, username, consent_source, first_seen_at, last_seen_at)
SELECT '', peer, peer, 'Customer ' || n, '', '', now(), now()
FROM (SELECT n, '1555' || lpad(n::text, 7, '0') AS peer FROM generate_series(0, %s) AS n) AS made
"""
_EVENTS = """
INSERT INTO messaging_messageevent (message_id, status, at, source, applied, error_title)
SELECT m.id, s.status, m.at, 'webhook', true, '' FROM messaging_message m
CROSS JOIN unnest(ARRAY['sent', 'delivered', 'read']) AS s(status)
WHERE m.direction = 'outbound' AND m.error_code IS NULL AND m.reference <> ''
"""


def measure(pipeline: Pipeline, messages: int = MESSAGES, rounds: int = REQUESTS) -> dict[str, Any]:
    """Milliseconds, p50 and p95, of each kind of page; `api` by filter. Nothing else goes on."""
    begun = time.monotonic()
    _fill(pipeline, messages)
    filled_s = time.monotonic() - begun
    session = _logged_in(pipeline)
    chance = random.Random(_SEED)  # noqa: S311 - the same pages in each run
    sample = pipeline.execute("SELECT id, peer, wamid FROM messaging_message ORDER BY md5(id::text) LIMIT %s", rounds)
    get = _getter(session, pipeline.env["BASE_URL"])
    ids, peers = [str(row[0]) for row in sample], [row[1] for row in sample]
    pages = {name: [chance.choice(paths) for _ in range(rounds)] for name, paths in _pages(ids, peers).items()}
    for paths in pages.values():
        # A template's first use compiles it, in each web process.
        for path in paths[:WARM_UP]:
            get(path)
    found: dict[str, Any] = {name: _figures([get(path) for path in paths]) for name, paths in pages.items()}
    api = _getter(_by_key(pipeline), pipeline.env["BASE_URL"])
    found["api"] = {
        name: _figures([api(f"/messaging/messages?{urlencode(query)}") for _ in range(max(5, rounds // 4))])
        for name, query in _filters(sample).items()
    }
    found["api"]["worst_p95_ms"] = max(figures["p95_ms"] for figures in found["api"].values())
    return {"messages": messages, "filled_s": filled_s, **found}


def _fill(pipeline: Pipeline, messages: int) -> None:
    pipeline.execute("SET statement_timeout = 0")
    # What is made here need not outlive a crash of the server.
    pipeline.execute("SET synchronous_commit = off")
    pipeline.execute(_CONTACTS, min(150_000, messages))
    pipeline.execute(_FILL, messages, messages)
    pipeline.execute(_EVENTS)
    pipeline.execute("VACUUM ANALYZE messaging_message, messaging_messageevent, messaging_contact")


def _pages(ids: Sequence[str], peers: Sequence[str]) -> dict[str, list[str]]:
    lists = ("", "?direction=inbound", "?status__exact=failed", "?age=week", "?p=2", "?direction=outbound&age=hour")
    return {
        "list": [f"{ADMIN}/message/{query}" for query in lists],
        "search": [f"{ADMIN}/message/?q=%2B{peer}" for peer in peers],
        "message": [f"{ADMIN}/message/{pk}/change/" for pk in ids],
        "conversation": [f"{ADMIN}/conversation/{pk}/change/" for pk in ids],
        "conversations": [
            f"{ADMIN}/conversation/",
            f"{ADMIN}/conversation/?unanswered=1",
            *(f"{ADMIN}/conversation/?before={pk}" for pk in ids[:3]),
            *(f"{ADMIN}/conversation/?q={peer}" for peer in peers[:3]),
        ],
    }


def _filters(sample: Sequence[tuple[Any, ...]]) -> dict[str, dict[str, Any]]:
    _, peer, wamid = sample[0]
    return {
        "none": {},
        "page_size": {"page_size": 200},
        "direction": {"direction": "inbound"},
        "status": {"status": "failed"},
        "status_rare": {"status": "cancelled"},
        "type": {"type": "text"},
        "phone_number": {"phone_number": f"+{peer}"},
        "phone_number_busy": {"phone_number": "15550000000"},
        "wamid": {"wamid": wamid},
        "reference": {"reference": "order 500"},
        "campaign": {"campaign": "campaign 0"},
        "created_before": {"created_before": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 864_000))},
        "created_after": {"created_after": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 864_000))},
    }


def _getter(session: requests.Session, base: str) -> Callable[[str], float]:
    def get(path: str) -> float:
        begin = time.monotonic()
        answer = session.get(base + path, timeout=60, allow_redirects=False)
        if answer.status_code != 200:  # noqa: PLR2004
            raise BenchError(f"{path} answered {answer.status_code}")
        return (time.monotonic() - begin) * 1000

    return get


def _figures(milliseconds: Sequence[float]) -> dict[str, float]:
    ordered = sorted(milliseconds)
    return {"p50_ms": percentile(ordered, 50), "p95_ms": percentile(ordered, 95)}


def _logged_in(pipeline: Pipeline) -> requests.Session:
    session, url = requests.Session(), f"{pipeline.env['BASE_URL']}/admin/login/?next=/admin/"
    form = session.get(url, timeout=30).text
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', form)
    if token is None:
        raise BenchError("the log-in page has no form")
    answer = session.post(
        url,
        {
            "username": pipeline.env["ADMIN_USER"],
            "password": pipeline.env["ADMIN_PASSWORD"],
            "csrfmiddlewaretoken": token[1],
        },
        allow_redirects=False,
        timeout=30,
    )
    if answer.status_code != 302:  # noqa: PLR2004
        raise BenchError(f"logging in was answered {answer.status_code}")
    return session


def _by_key(pipeline: Pipeline) -> requests.Session:
    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {pipeline.env['API_KEY']}"
    return session
