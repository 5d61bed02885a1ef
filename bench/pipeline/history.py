"""Response times of the message history at a million stored messages: the admin's pages, the API's list."""

import random
import re
import time
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urlencode

import requests

from bench.errors import BenchError
from bench.pipeline.running import Pipeline
from bench.pipeline.stored import fill
from testkit.pipeline import Pipeline as RunningPipeline
from testkit.statistics import summary

MESSAGES = 1_000_000
# Enough for a p95: ten lie beyond it.
REQUESTS = 200
# Of each filter of the API, whose slowest request counts.
API_REQUESTS = 15
WARM_UP = 6
PERCENT = 95
ADMIN = "/admin/messaging"
_SEED = 20


def measure(pipeline: Pipeline, messages: int = MESSAGES, rounds: int = REQUESTS) -> dict[str, Any]:
    """p50 and p95 of each kind of page; of each filter of the API in `api` p50 and the slowest. No other load runs.

    At least this many messages are stored then.
    """
    ((stored,),) = pipeline.ask("SELECT count(*) FROM messaging_message")
    filled_s = fill(pipeline, messages) if stored < messages else 0.0
    session = logged_in(pipeline)
    chance = random.Random(_SEED)  # noqa: S311 - the same pages in each run
    sample = pipeline.ask("SELECT id, peer, wamid FROM messaging_message ORDER BY md5(id::text) LIMIT %s", rounds)
    get = getter(session, pipeline.env["BASE_URL"])
    ids, peers = [str(row[0]) for row in sample], [row[1] for row in sample]
    pages = {name: [chance.choice(paths) for _ in range(rounds)] for name, paths in _pages(ids, peers).items()}
    for paths in pages.values():
        # A template's first use compiles it, in each web process.
        for path in paths[:WARM_UP]:
            get(path)
    found: dict[str, Any] = {name: summary([get(path) for path in paths], PERCENT) for name, paths in pages.items()}
    api = getter(by_key(pipeline), pipeline.env["BASE_URL"])
    filters = {
        name: summary([api(f"/messaging/messages?{urlencode(query)}") for _ in range(API_REQUESTS)], PERCENT)
        for name, query in _filters(sample).items()
    }
    slowest = max(figures["slowest_ms"] for figures in filters.values())
    return {"messages": max(stored, messages), "filled_s": filled_s, **found, "api": {**filters, "slowest_ms": slowest}}


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
        "hold": {"hold": "quality"},
        "type": {"type": "text"},
        "phone_number": {"phone_number": f"+{peer}"},
        "phone_number_busy": {"phone_number": "15550000000"},
        "wamid": {"wamid": wamid},
        "reference": {"reference": "order 500"},
        "campaign": {"campaign": "campaign 0"},
        "created_before": {"created_before": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 864_000))},
        "created_after": {"created_after": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 864_000))},
    }


def getter(session: requests.Session, base: str) -> Callable[[str], float]:
    """A function that asks for a path and returns the milliseconds; BenchError for another status than 200."""

    def get(path: str) -> float:
        begin = time.monotonic()
        answer = session.get(base + path, timeout=60, allow_redirects=False)
        if answer.status_code != 200:  # noqa: PLR2004
            raise BenchError(f"{path} answered {answer.status_code}")
        return (time.monotonic() - begin) * 1000

    return get


def logged_in(pipeline: RunningPipeline) -> requests.Session:
    """A session of the superuser. Raises BenchError."""
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


def by_key(pipeline: RunningPipeline) -> requests.Session:
    """A session with the API key."""
    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {pipeline.env['API_KEY']}"
    return session
