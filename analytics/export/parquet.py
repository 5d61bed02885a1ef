"""Facts as Parquet, a row group at a time. Needs pyarrow, which is not a dependency: docs/analytics.md."""

import importlib
from collections.abc import Iterator, Sequence
from typing import Any

from analytics.export.facts import COLUMNS, Fact

# Of the order of what readers expect; 50,000 facts are some 20 MB in memory.
ROW_GROUP = 50_000
TIMES = frozenset(name for name in COLUMNS if name.endswith("_at"))


def pyarrow() -> Any:
    """The package, or None where it is not installed."""
    try:
        return importlib.import_module("pyarrow")
    except ImportError:
        return None


class _Sink:
    """A file for pyarrow whose written bytes can be taken out."""

    closed = False

    def __init__(self) -> None:
        self._written: list[bytes] = []
        self._position = 0

    def write(self, data: Any) -> int:
        chunk = bytes(data)
        self._written.append(chunk)
        self._position += len(chunk)
        return len(chunk)

    def tell(self) -> int:
        return self._position

    def writable(self) -> bool:
        return True

    def readable(self) -> bool:
        return False

    def seekable(self) -> bool:
        return False

    def flush(self) -> None:
        """Nothing is buffered."""

    def close(self) -> None:
        self.closed = True

    def taken(self) -> bytes:
        """The bytes written since the last call."""
        written, self._written = b"".join(self._written), []
        return written


def parquet_parts(chunks: Iterator[Sequence[Fact]]) -> Iterator[bytes]:
    """The file in parts. Times are UTC in microseconds; ids and names are text."""
    arrow, parquet = importlib.import_module("pyarrow"), importlib.import_module("pyarrow.parquet")
    schema = arrow.schema([(name, _type(arrow, name)) for name in COLUMNS])
    sink = _Sink()
    with parquet.ParquetWriter(sink, schema) as writer:
        waiting: list[Fact] = []
        for chunk in chunks:
            waiting += chunk
            if len(waiting) >= ROW_GROUP:
                writer.write_table(_table(arrow, schema, waiting))
                waiting = []
                yield sink.taken()
        if waiting:
            writer.write_table(_table(arrow, schema, waiting))
    yield sink.taken()


def _table(arrow: Any, schema: Any, rows: Sequence[Fact]) -> Any:
    columns = list(zip(*rows, strict=True))
    return arrow.table(
        [arrow.array(list(values), field.type) for values, field in zip(columns, schema, strict=True)], schema=schema
    )


def _type(arrow: Any, name: str) -> Any:
    if name in TIMES:
        return arrow.timestamp("us", tz="UTC")
    return {"error_code": arrow.int32(), "billable": arrow.bool_()}.get(name, arrow.string())
