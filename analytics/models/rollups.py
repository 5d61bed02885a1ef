"""Counts of messages by quarter of an hour, and marks of those to count again.

    MessageEvent ─ sweep ─▶ Bucket (dirty) ─ recount ─▶ Rollup, Histogram (of a quarter) ─ sum ─▶ the same (of its hour)
                                                                      └▶ Day (dirty) ─ sum ─▶ the same (of its day)

A message counts in the quarter in which its id was made, whenever its statuses come. Counts outlive the messages.
"""

from django.db import models
from django.db.models import Q
from django.utils import timezone

# One more than `rollups.histogram.BOUNDS`.
HISTOGRAM_PLACES = 32


class Cursor(models.Model):
    """The position of a sweep in messaging's trail; see `analytics.rollups.sweep` for what makes it exact."""

    name = models.CharField(max_length=50, primary_key=True)
    position = models.BigIntegerField(default=0, help_text="Every MessageEvent up to this id was read.")
    moved_at = models.DateTimeField(null=True, help_text="When position last rose.")
    # The highest id that a sweep saw; the next one knows that its transaction had begun by then.
    seen_id = models.BigIntegerField(null=True)
    seen_at = models.DateTimeField(null=True)
    # An id, and the first transaction that had not begun when it was seen: once all before that have ended, no row up
    # to the id can still appear.
    mark_id = models.BigIntegerField(null=True)
    mark_xid = models.BigIntegerField(null=True)

    def __str__(self) -> str:
        return f"{self.name} at {self.position}"


class Bucket(models.Model):
    """A quarter of an hour in UTC."""

    start = models.DateTimeField(primary_key=True)
    dirty_since = models.DateTimeField(null=True)
    # Not counted again before this time, however dirty.
    due_at = models.DateTimeField(default=timezone.now)
    # The last count, or the last attempt of one.
    counted_at = models.DateTimeField(null=True)
    took_ms = models.IntegerField(default=0)
    # Fewer than that in a recount: their rows are gone, and the counts stay as they are.
    messages = models.BigIntegerField(default=0)

    class Meta:
        indexes = [models.Index(fields=["due_at"], condition=Q(dirty_since__isnull=False), name="bucket_dirty")]

    def __str__(self) -> str:
        return f"quarter from {self.start:%Y-%m-%d %H:%M}"


class Day(models.Model):
    """A day that has sums of its own: `Rollup`, `Histogram`, `DayCharge`, `RunningCharge`. They count while it is not
    dirty.

    24 hours from midnight in UTC, or from that of a zone that questions ask for. Of other lengths it has charges alone:
    a part of a day, cut where an account's month or price begins, or a day on which the clock changes.
    """

    pk = models.CompositePrimaryKey("start", "minutes")
    start = models.DateTimeField()
    minutes = models.SmallIntegerField(default=1440, db_default=1440)
    dirty_since = models.DateTimeField(null=True)
    due_at = models.DateTimeField(default=timezone.now)
    took_ms = models.IntegerField(default=0)

    class Meta:
        indexes = [models.Index(fields=["due_at"], condition=Q(dirty_since__isnull=False), name="day_dirty")]

    def __str__(self) -> str:
        return f"day from {self.start:%Y-%m-%d}"


class Dimensions(models.Model):
    """The values that messages of one rollup share. Those that do not apply are empty or 0."""

    # SHA-256 over all of it, the first 128 bits: the texts are too long for an index.
    digest = models.UUIDField(unique=True)
    number_id = models.BigIntegerField(help_text="BusinessNumber.pk")
    client_id = models.BigIntegerField(help_text="ApiClient.pk; 0: none.")
    direction = models.CharField(max_length=8)
    type = models.CharField(max_length=32)
    template = models.CharField(max_length=512, blank=True)
    campaign = models.CharField(max_length=100, blank=True)
    country = models.CharField(max_length=3, blank=True, help_text="The country calling code of the other end.")
    category = models.CharField(max_length=40, blank=True, help_text="As Meta bills it; empty: not said yet.")
    price_type = models.CharField(max_length=40, blank=True, help_text="regular, free_customer_service, …")
    status = models.CharField(max_length=10, blank=True)
    error_code = models.IntegerField(default=0)

    class Meta:
        # Filters by these choose the few rows of rollups that a question reads.
        indexes = [
            models.Index(fields=["template"], condition=~models.Q(template=""), name="dimensions_template"),
            models.Index(fields=["campaign"], condition=~models.Q(campaign=""), name="dimensions_campaign"),
        ]

    def __str__(self) -> str:
        return f"dimensions {self.pk}"


class Rollup(models.Model):
    """Messages of one quarter of an hour, of one hour or of one day, with the same dimensions.

    `view` (`rollups.dimension_views`) says by which dimensions these are counted; those that it leaves out are empty. A
    day begins at midnight in UTC or at that of another zone. Dimensions are never deleted, so the database need not
    check them for each of the rows that a recount writes.
    """

    pk = models.CompositePrimaryKey("minutes", "view", "start", "dimensions_id")
    minutes = models.SmallIntegerField(help_text="15, 60 or 1440.")
    view = models.SmallIntegerField(default=0, db_default=0, help_text="0: by all dimensions.")
    start = models.DateTimeField()
    dimensions = models.ForeignKey(Dimensions, models.PROTECT, db_index=False, db_constraint=False)
    messages = models.IntegerField()
    # Outbound: how many came at least so far.
    accepted = models.IntegerField()
    sent = models.IntegerField()
    delivered = models.IntegerField()
    read = models.IntegerField()
    # Outbound: to how many the recipient wrote back within 24 hours.
    answered = models.IntegerField()
    # Outbound: how many are failed now.
    failed = models.IntegerField(default=0, db_default=0)
    # Inbound: after how many the user waited for us, and how often we wrote back within 24 hours.
    opened = models.IntegerField()
    responded = models.IntegerField()

    def __str__(self) -> str:
        return f"{self.messages} messages from {self.start:%Y-%m-%d %H:%M}"


class Histogram(models.Model):
    """Durations of the same: `p<n>` of them lie from bound n-1 up to bound n (`histogram.BOUNDS`).

    Columns, because a sum of 32 columns costs a fifth of a sum over 32 rows. Their dimensions have no status, error
    code and price type.
    """

    pk = models.CompositePrimaryKey("minutes", "view", "start", "dimensions_id", "kind")
    minutes = models.SmallIntegerField()
    view = models.SmallIntegerField()
    start = models.DateTimeField()
    dimensions = models.ForeignKey(Dimensions, models.PROTECT, db_index=False, db_constraint=False)
    kind = models.SmallIntegerField(help_text="histogram.Kind")

    def __str__(self) -> str:
        return f"durations of kind {self.kind} from {self.start:%Y-%m-%d %H:%M}"


for _place in range(HISTOGRAM_PLACES):
    Histogram.add_to_class(f"p{_place}", models.IntegerField(default=0))
