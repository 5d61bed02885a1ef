"""The cost of a load: CPU of our processes and of PostgreSQL, SQS requests, WAL, pages written, statements."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bench.pipeline.running import Pipeline

PAGE_BYTES = 8192
# PostgreSQL's processes report what they wrote at the end of a transaction, at most once a second.
REPORTED_S = 1.2
_WAL = "SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn, wal_fpi FROM pg_stat_wal"
# What any of PostgreSQL's processes wrote into tables and indexes, vacuum and checkpoints included.
_WRITTEN = "SELECT sum(write_bytes) FROM pg_stat_io WHERE object = 'relation'"


@dataclass(frozen=True, slots=True)
class Reading:
    """Totals at one moment."""

    cpu_s: Mapping[str, float]
    postgres_cpu_s: float
    requests: int
    wal_bytes: int
    full_page_images: int


class Meter:
    """Costs from the moment it is made until `per_message`.

    A checkpoint at both ends turns the pages that the load dirtied into pages written; a page that was written and
    dirtied again counts twice. After the first checkpoint the first change of each page writes the whole page to the
    WAL, as after every checkpoint: `full_page_images`.
    """

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline
        self._written = self._pages_written()
        self._first = self._read()

    def per_message(self, messages: int) -> dict[str, Any]:
        """{cpu_ms, cpu_ms_by_process, postgres_cpu_ms, total_cpu_ms, requests_per_message, wal_bytes, full_page_images,
        pages_written}, each for one message. `cpu_ms` is the sum of all our processes."""
        first, last = self._first, self._read()
        used = {name: (seconds - first.cpu_s[name]) * 1000 / messages for name, seconds in last.cpu_s.items()}
        ours, postgres = sum(used.values()), (last.postgres_cpu_s - first.postgres_cpu_s) * 1000 / messages
        return {
            "cpu_ms": ours,
            "cpu_ms_by_process": used,
            "postgres_cpu_ms": postgres,
            "total_cpu_ms": ours + postgres,
            "requests_per_message": (last.requests - first.requests) / messages,
            "wal_bytes": (last.wal_bytes - first.wal_bytes) / messages,
            "full_page_images": (last.full_page_images - first.full_page_images) / messages,
            "pages_written": (self._pages_written() - self._written) / messages,
        }

    def _read(self) -> Reading:
        ((wal_bytes, images),) = self._pipeline.ask(_WAL)
        cpu_s, postgres_cpu_s = self._pipeline.cpu_s(), self._pipeline.postgres_cpu_s()
        return Reading(cpu_s, postgres_cpu_s, self._pipeline.requests(), int(wal_bytes), int(images))

    def _pages_written(self) -> float:
        time.sleep(REPORTED_S)
        self._pipeline.ask("CHECKPOINT")
        time.sleep(REPORTED_S)
        ((written,),) = self._pipeline.ask(_WRITTEN)
        return float(written or 0) / PAGE_BYTES


def statements(pipeline: Pipeline, messages: int, load: Callable[[], object]) -> dict[str, Any]:
    """{queries_per_message, queries_by_process} of all our processes, for a load of this many messages."""
    pipeline.wait_idle()
    with pipeline.statements.counted():
        load()
    counts = pipeline.statements.counts()
    by_process = {process.name: counts[process.name] / messages for process in pipeline.processes}
    return {"queries_per_message": sum(by_process.values()), "queries_by_process": by_process}
