"""The targets of the figures, and the judgement of figures by them."""

from collections.abc import Mapping
from dataclasses import dataclass
from operator import ge, le
from typing import Any

COMPARE = {"≥": ge, "≤": le}


@dataclass(frozen=True, slots=True)
class Target:
    """`of`: the figure is a ratio, `path` divided by `of`; both are dotted names in bench.json."""

    title: str
    path: str
    sign: str
    limit: float
    unit: str = ""
    of: str | None = None


@dataclass(frozen=True, slots=True)
class Judged:
    """A target with what was measured."""

    target: Target
    figure: float

    @property
    def met(self) -> bool:
        """Whether the figure is within the limit."""
        return bool(COMPARE[self.target.sign](self.figure, self.target.limit))


def _times_stock(title: str, path: str, sign: str, limit: float) -> Target:
    """A ratio of ours to stock in the same run; `path` has {} where the kind stands."""
    return Target(title, path.format("ours"), sign, limit, "of stock", path.format("stock"))


def _pages(part: str, stored: str) -> tuple[Target, ...]:
    """The pages and filters of `history`, with this many stored messages."""
    pages = ("list", "search", "message", "conversation", "conversations")
    return (
        *(
            Target(f"{PAGES[name]} at {stored} messages, p95", f"{part}.{name}.p95_ms", "≤", 300, "ms")
            for name in pages
        ),
        Target(f"the API's list at {stored}, slowest of any filter", f"{part}.api.slowest_ms", "≤", 300, "ms"),
    )


def _aged(title: str, part: str) -> Target:
    """The CPU of one, ours and PostgreSQL's, at ten million stored messages: a ratio to that at none."""
    path = "{}.total_cpu_ms"
    return Target(
        f"CPU of a {title} at 10,000,000 stored, with PostgreSQL",
        path.format(f"{part}_at_10000000"),
        "≤",
        1.15,
        "of that at 0",
        path.format(part),
    )


PAGES = {
    "list": "list",
    "search": "search",
    "message": "message page",
    "conversation": "conversation",
    "conversations": "list of conversations",
}
# One message each, through the whole pipeline.
COSTS = {
    "send": "send",
    "bulk": "message of a bulk",
    "status": "status webhook",
    "webhooks_300": "user's message",
    "deliveries": "user's message, delivered to a subscriber",
}
TEMPLATE_PAGES = {
    "api_list": "the API's list",
    "api_search": "the API's search",
    "admin_list": "list",
    "admin_search": "search",
    "reply_form": "reply form",
    "reply_search": "the reply form's search",
    "phone": "the sandbox's picker",
}
_OURS = "transport.ours"
QUESTIONS = (
    "summary", "timeseries", "funnel", "errors", "templates", "campaigns", "costs", "conversations", "page",
)  # fmt: skip
TARGETS = (
    _times_stock("drain at 10 ms SQS latency, prefork", "transport.{}.backlog_10ms.prefork.msg_per_s", "≥", 10),
    _times_stock("drain at 10 ms SQS latency, threads", "transport.{}.backlog_10ms.threads.msg_per_s", "≥", 10),
    _times_stock("worker CPU per task in a backlog, prefork", "transport.{}.backlog.prefork.cpu_ms", "≤", 0.3),
    Target("requests per message in a backlog, prefork", f"{_OURS}.backlog.prefork.requests_per_message", "≤", 0.25),
    Target("requests per message in a backlog, threads", f"{_OURS}.backlog.threads.requests_per_message", "≤", 0.25),
    Target("requests per message at 80/s, prefork", f"{_OURS}.steady_80.prefork.requests_per_message", "≤", 0.35),
    Target("requests per message at 80/s, threads", f"{_OURS}.steady_80.threads.requests_per_message", "≤", 0.35),
    Target("delay at 80/s, p99, prefork", f"{_OURS}.steady_80.prefork.p99_ms", "≤", 60, "ms"),
    Target("delay at 80/s, p99, threads", f"{_OURS}.steady_80.threads.p99_ms", "≤", 60, "ms"),
    Target("requests per message, publishing many", "publish.ours.requests_per_message", "≤", 0.1),
    _times_stock("web CPU per webhook", "webhook.{}.cpu_ms", "≤", 0.4),
    Target("web CPU per webhook, alone", "webhook.ours.cpu_ms", "≤", 0.48, "ms"),
    Target("CPU per send, all our processes", "send.cpu_ms", "≤", 3, "ms"),
    Target("SQS requests per send", "send.requests_per_message", "≤", 0.5),
    Target("CPU per status webhook, all our processes", "status.cpu_ms", "≤", 0.85, "ms"),
    Target("SQS requests per status webhook", "status.requests_per_message", "≤", 0.5),
    Target("sends a second of an outgoing worker with 0.25 vCPU, at 80/s", "task_size.outgoing.per_s", "≥", 79),
    Target("statuses a second of an incoming worker with 0.25 vCPU, at 240/s", "task_size.incoming.per_s", "≥", 230),
    Target("memory of that outgoing worker", "task_size.outgoing.peak_mb", "≤", 512, "MB"),
    Target("memory of that incoming worker", "task_size.incoming.peak_mb", "≤", 512, "MB"),
    Target("from SIGTERM under load to the end of the slowest process", "stops.slowest_s", "≤", 30, "s"),
    Target("CPU per message of a bulk, all our processes", "bulk.cpu_ms", "≤", 0.8, "ms"),
    Target("messages of a bulk accepted a second", "bulk.per_s", "≥", 900),
    Target("SQS requests per message of a bulk", "bulk.requests_per_message", "≤", 0.05),
    Target("requests a minute of an idle worker", "idle.requests_per_minute", "≤", 4),
    Target("webhooks at 300/s, p50", "webhooks_300.p50_ms", "≤", 40, "ms"),
    Target("webhooks at 300/s, p99", "webhooks_300.p99_ms", "≤", 150, "ms"),
    Target("webhooks at 300/s, refused", "webhooks_300.refused", "≤", 0),
    Target("webhooks at 300/s, database queries of webhooks in web", "webhooks_300.web_queries", "≤", 0),
    # A second's worth: what is on its way at any time while the workers keep up.
    Target("webhooks at 300/s, not stored yet at the end", "webhooks_300.behind", "≤", 300),
    Target("1,000 statuses in a POST, slowest answer", "statuses_1000.answer_slowest_ms", "≤", 250, "ms"),
    Target("1,000 statuses in a POST, stored", "statuses_1000.stored_s", "≤", 3, "s"),
    *_pages("history", "1,000,000"),
    *_pages("history_at_10000000", "10,000,000"),
    *(_aged(title, part) for part, title in COSTS.items()),
    Target("messages of a bulk accepted a second, 10,000,000 stored", "bulk_at_10000000.per_s", "≥", 900),
    Target("p99 of a send while retention deletes", "retention.send.p99_ratio", "≤", 1.2, "of that without"),
    Target("p99 of a delivery while retention deletes", "retention.deliveries.p99_ratio", "≤", 1.2, "of that without"),
    Target("1,000 statuses in a POST, queries", "statuses_1000.queries", "≤", 40),
    *(
        Target(f"analytics, {name}, 90 days of 10,000,000 messages, p95", f"analytics.{name}.p95_ms", "≤", 300, "ms")
        for name in QUESTIONS
    ),
    Target("CPU of the messaging limit, a message released alone", "limit.alone_ms", "≤", 0.1, "ms"),
    Target("the same, to a recipient who counts already", "limit.alone_again_ms", "≤", 0.1, "ms"),
    Target("CPU of the messaging limit, each of ten messages", "limit.ten_ms", "≤", 0.1, "ms"),
    Target("CPU of a template's check", "checks.cpu_ms", "≤", 0.1, "ms"),
    Target("database queries of a template's check", "checks.queries", "≤", 0),
    Target("10,000 templates, synced", "templates.sync.seconds", "≤", 10, "s"),
    *(
        Target(f"{title} at 10,000 templates, p95", f"templates.{name}.p95_ms", "≤", 300, "ms")
        for name, title in TEMPLATE_PAGES.items()
    ),
    Target("events a second, from batches to stored rows", "events.per_s", "≥", 5000),
    Target("worker CPU per event", "events.worker_cpu_ms", "≤", 0.1, "ms"),
    Target("worker CPU of counting a message with its statuses", "rollups.worker_cpu_ms", "≤", 0.15, "ms"),
    Target("a dirty quarter of an hour with 250,000 events, counted", "dirty_quarter.counted_s", "≤", 3, "s"),
    Target("CPU of a send beside the counting", "beside_rollups.send_cpu", "≤", 1.03, "times"),
    Target("p50 of a send beside the counting", "beside_rollups.send_p50", "≤", 1.03, "times"),
    Target("CPU of a status webhook beside the counting", "beside_rollups.status_cpu", "≤", 1.03, "times"),
    Target("p50 of a status webhook beside the counting", "beside_rollups.status_p50", "≤", 1.03, "times"),
)


def judge(figures: Mapping[str, Any], targets: tuple[Target, ...] = TARGETS) -> list[Judged]:
    """The judgement of every target whose figures were measured."""
    judged = []
    for target in targets:
        value = look_up(figures, target.path)
        base = 1.0 if target.of is None else look_up(figures, target.of)
        if value is not None and base is not None:
            judged.append(Judged(target, value / base))
    return judged


def look_up(figures: Mapping[str, Any], path: str) -> float | None:
    """The figure at a dotted path; None if it was not measured."""
    found: Any = figures
    for name in path.split("."):
        found = found.get(name) if isinstance(found, Mapping) else None
    return None if found is None else float(found)


def number(value: float) -> str:
    """The value with three significant digits and at most two decimals."""
    if abs(value) >= 100:  # noqa: PLR2004
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"  # noqa: PLR2004


def row(judged: Judged) -> tuple[str, str, str, str]:
    """Title, figure, limit, and ok or missed."""
    target = judged.target
    unit = f" {target.unit}" if target.unit else ""
    limit = f"{target.sign} {target.limit:,g}{unit}"
    return target.title, f"{number(judged.figure)}{unit}", limit, "ok" if judged.met else "missed"
