"""The tables of docs/deploy.md that follow from the bench: what a vCPU carries, what a million messages cost."""

from collections.abc import Mapping
from typing import Any

from bench.report.markers import between
from testkit.processes import CHECKOUT

PAGE = CHECKOUT / "docs" / "deploy.md"
CAPACITY = "<!-- capacity: `python -m bench page` writes what follows -->", "<!-- end of capacity -->"
COST = "<!-- cost: `python -m bench page` writes what follows -->", "<!-- end of cost -->"
# Rows by the part of the bench whose CPU they take, and the process.
ROWS = {
    "web, API sends": ("send", "web"),
    "web, webhooks": ("status", "web"),
    "dispatcher": ("send", "dispatcher"),
    "outgoing": ("send", "outgoing"),
    "incoming, statuses": ("status", "incoming"),
    "analytics, for one send": ("send", "analytics"),
}
# Beyond this share of its CPU a process's latencies grow.
BUSY = 0.7
TASK_VCPU = 0.25
WEB_TASK_VCPU = 0.5
STATUSES = 3
# Dollars of us-east-1: https://aws.amazon.com/sqs/pricing/ and /fargate/pricing/, read in June and March 2026.
SQS_MILLION = 0.40
VCPU_HOUR = 0.04048


def with_tables(page: str, figures: Mapping[str, Any]) -> str:
    """The page with both tables made anew. Raises ValueError where a marker is missing."""
    return between(between(page, *CAPACITY, capacity(figures)), *COST, cost(figures))


def capacity(figures: Mapping[str, Any]) -> str:
    """Messages a second by process, in Markdown."""
    lines = [
        f"From the CPU that a message takes in each process ([performance.md](performance.md), {_date(figures)}, one "
        f"core of {figures['measured']['send']['machine']['cpu']}), at {BUSY:.0%} of a vCPU:",
        "",
        "| process | CPU ms | a second and vCPU | a second in its task |",
        "| --- | --- | --- | --- |",
    ]
    for title, (part, process) in ROWS.items():
        cpu_ms = figures[part]["cpu_ms_by_process"][process]
        task = WEB_TASK_VCPU if process == "web" else TASK_VCPU
        per_vcpu = BUSY * 1000 / cpu_ms
        lines.append(f"| {title} | {cpu_ms:.2f} | {per_vcpu:,.0f} | {per_vcpu * task:,.0f} ({task} vCPU) |")
    return "\n".join(lines)


def cost(figures: Mapping[str, Any]) -> str:
    """What a million sends with three statuses each cost in requests and CPU, in Markdown."""
    requests = [figures[part]["requests_per_message"] for part in ("send", "status")]
    cpu_ms = [sum(figures[part]["cpu_ms_by_process"].values()) for part in ("send", "status")]
    millions = requests[0] + STATUSES * requests[1]
    hours = (cpu_ms[0] + STATUSES * cpu_ms[1]) / 3600 * 1000
    return "\n".join(
        (
            f"| per million messages sent, with three statuses each ({_date(figures)}) | | |",
            "| --- | --- | --- |",
            f"| SQS: {requests[0]:.2f} requests a send, {requests[1]:.2f} a status | {millions:.1f} million requests | "
            f"${millions * SQS_MILLION:.2f} at ${SQS_MILLION:.2f} a million, June 2026 |",
            f"| CPU: {cpu_ms[0]:.1f} ms a send, {cpu_ms[1]:.2f} ms a status | {hours:.1f} vCPU-hours | "
            f"${hours * VCPU_HOUR:.2f} |",
            "| logs: 0.35 KB a request of the API, 0.4 KB a task | up to 1 GB | $0.50 a GB, June 2026 |",
        )
    )


def _date(figures: Mapping[str, Any]) -> str:
    return str(figures["measured"]["send"]["date"])[:10]
