"""The monitor's readings without those of SQS."""

from monitoring.metrics import gauges
from monitoring.metrics.gauges import Readings


def database_readings() -> Readings:
    """What the gauges of all parts say that are read from the database."""
    return {
        series: value
        for part, (read_part, _) in gauges.PARTS.items()
        if part != "queues"
        for series, value in read_part().items()
    }
