"""The table of the three lanes: queues, tasks, visibility timeouts, receives, concurrency."""

from dataclasses import dataclass

from django.conf import settings

# The visibility timeout in seconds after a message's 1st, 2nd, … failed receive. The nine waits between ten receives
# take 63 minutes, so an outage of an hour moves nothing to a DLQ.
BACK_OFF_S = (10, 30, 60, 120, 300, 600, 900, 900, 900)
MAX_RECEIVES = len(BACK_OFF_S) + 1


@dataclass(frozen=True, slots=True)
class Lane:
    """One queue with its dead-letter queue; times in seconds."""

    name: str
    tasks: tuple[str, ...]
    # prefork: CPU-bound tasks, one process each. threads: tasks that wait for HTTP.
    pool: str
    default_concurrency: int
    # Messages delivered to the pool, in multiples of its concurrency; other received messages wait in the consumer.
    prefetch_multiplier: int
    # Tasks for which f(a); f(b) equals f(a, b): messages that arrive together run as one task, in one transaction.
    joined_tasks: tuple[str, ...] = ()
    # Seconds between draining the queue and the next receive, so that it returns more than one message.
    linger: float = 0.0
    # Messages that a worker holds at once, started or not. On shutdown it releases those that are not started.
    capacity: int = 40
    # A task must end well before its message becomes visible again, or it runs twice at once.
    task_time_limit: int = 60
    visibility_timeout: int = 120
    max_receives: int = MAX_RECEIVES
    back_off: tuple[int, ...] = BACK_OFF_S

    @property
    def url(self) -> str:
        """The queue's URL."""
        return str(settings.SQS_QUEUES[self.name]["url"])

    @property
    def dlq_url(self) -> str:
        """The dead-letter queue's URL; a start-up check refuses an empty one."""
        return str(settings.SQS_QUEUES[self.name]["dlq_url"])

    @property
    def concurrency(self) -> int:
        """Tasks that one worker runs concurrently: `{LANE}_CONCURRENCY`, or this table's default."""
        return settings.LANE_CONCURRENCY[self.name] or self.default_concurrency


LANES = {
    lane.name: lane
    for lane in (
        Lane(
            "incoming",
            tasks=("messaging.receive", "messaging.receive_stored"),
            pool="prefork",
            default_concurrency=2,
            prefetch_multiplier=2,
            joined_tasks=("messaging.receive",),
            linger=0.1,
            # Joined tasks of 30 messages for two processes, and as many prefetched ones.
            capacity=120,
        ),
        Lane(
            "outgoing",
            tasks=("messaging.send", "messaging.revive"),
            pool="threads",
            # A task only claims rows; their calls run in a pool of their own (messaging/outgoing/call_pool.py).
            default_concurrency=2,
            prefetch_multiplier=5,
            joined_tasks=("messaging.send",),
            # Each dispatcher publishes at each tick for each number; unjoined, each message would cost two queries.
            linger=0.1,
        ),
        Lane(
            "analytics",
            # The last two are of version 0.1 and do nothing; they may still lie on the queue.
            tasks=(
                "analytics.record_events",
                "analytics.roll_up",
                "analytics.record_message_events",
                "analytics.sweep_message_events",
            ),
            pool="prefork",
            default_concurrency=2,
            prefetch_multiplier=2,
            joined_tasks=("analytics.record_events",),
            linger=0.25,
        ),
    )
}


def dead_letter_name(lane: Lane) -> str:
    """The Celery queue name of a lane's dead-letter queue, for tasks that are published to it."""
    return f"{lane.name}-dead-letters"
