"""The machine's speed at this hour: the CPU of a fixed piece of Python, against which CPU-ms of other days can be set.

It looks records up in a table and writes and reads them as JSON: no database, no network, none of our code. Changing it
would make older figures incomparable.
"""

import json
import statistics
import time
from functools import cache
from typing import Any

RECORDS = 20_000
# A turn touches this many of them, spread over 40 MB: at 80 a second it takes twice the CPU, as a send does.
TOUCHED = 100
STEP = 197
TURNS = 80
PER_S = 80


def measure(turns: int = TURNS) -> dict[str, float]:
    """The median CPU-ms of a turn: {warm_ms: one after the other, cold_ms: 80 a second, with cold caches}."""
    table = _table()
    turn(table)
    return {"warm_ms": _median_ms(table, turns, 0.0), "cold_ms": _median_ms(table, turns, 1 / PER_S)}


def turn(table: list[dict[str, Any]]) -> int:
    """The fixed work; the number of characters that it read and wrote."""
    count = 0
    for place in range(TOUCHED):
        record = table[place * STEP % RECORDS]
        count += sum(len(line["text"]) for line in record["lines"] if line["even"])
        text = json.dumps({"name": record["name"], "place": place, "parts": len(record["parts"])})
        count += len(json.loads(text)["name"])
    return count


@cache
def _table() -> list[dict[str, Any]]:
    return [_record(number) for number in range(RECORDS)]


def _record(number: int) -> dict[str, Any]:
    lines = [{"line": line, "text": f"line {line} of record {number}", "even": line % 2 == 0} for line in range(4)]
    return {
        "number": number,
        "name": f"record {number}",
        "lines": lines,
        "parts": {str(number + n): n for n in range(8)},
    }


def _median_ms(table: list[dict[str, Any]], turns: int, pause_s: float) -> float:
    used = []
    for _ in range(turns):
        time.sleep(pause_s)
        began = time.thread_time()
        turn(table)
        used.append((time.thread_time() - began) * 1000)
    return statistics.median(used)
