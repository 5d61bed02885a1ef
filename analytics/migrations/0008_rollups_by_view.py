"""Rollups by a few dimensions only, and durations in columns.

What was counted before stays; the worker counts each quarter of an hour once more, which makes its views. Quarters
whose messages were deleted keep their counts and get views of these.
"""

import django.db.models.deletion
from django.db import migrations, models

PLACES = 32
KEY = ("minutes", "view", "start", "dimensions_id")
BINS = ", ".join(f"p{place}" for place in range(PLACES))
SUMS = ", ".join(f"COALESCE(sum(count) FILTER (WHERE place = {place}), 0)" for place in range(PLACES))


class Migration(migrations.Migration):
    dependencies = [("analytics", "0007_budgets")]

    operations = [
        migrations.AddField("rollup", "view", models.SmallIntegerField(db_default=0, default=0, help_text="0: by all dimensions.")),
        migrations.AddField("rollup", "failed", models.IntegerField(db_default=0, default=0)),
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(
                    f"ALTER TABLE analytics_rollup DROP CONSTRAINT analytics_rollup_pkey, ADD PRIMARY KEY ({', '.join(KEY)})",
                    "DELETE FROM analytics_rollup WHERE view <> 0; ALTER TABLE analytics_rollup "
                    "DROP CONSTRAINT analytics_rollup_pkey, ADD PRIMARY KEY (minutes, start, dimensions_id)",
                )
            ],
            state_operations=[
                migrations.AlterField(
                    "rollup",
                    "pk",
                    models.CompositePrimaryKey(*KEY, blank=True, editable=False, primary_key=True, serialize=False),
                )
            ],
        ),
        migrations.CreateModel(
            "Histogram",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(*KEY, "kind", blank=True, editable=False, primary_key=True, serialize=False),
                ),
                ("minutes", models.SmallIntegerField()),
                ("view", models.SmallIntegerField()),
                ("start", models.DateTimeField()),
                ("kind", models.SmallIntegerField(help_text="`histogram.Kind`")),
                *((f"p{place}", models.IntegerField(default=0)) for place in range(PLACES)),
                (
                    "dimensions",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="analytics.dimensions",
                    ),
                ),
            ],
        ),
        migrations.RunSQL(
            f"""
            INSERT INTO analytics_histogram (minutes, view, start, dimensions_id, kind, {BINS})
            SELECT minutes, 0, start, dimensions_id, kind, {SUMS} FROM analytics_latency GROUP BY 1, 3, 4, 5
            """,
            migrations.RunSQL.noop,
        ),
        migrations.DeleteModel("Latency"),
        migrations.RunSQL(
            """
            UPDATE analytics_rollup r SET failed = r.messages FROM analytics_dimensions d
            WHERE d.id = r.dimensions_id AND d.direction = 'outbound' AND d.status = 'failed'
            """,
            migrations.RunSQL.noop,
        ),
        # Days wait until their hours have views, six hours at most after the last one was counted.
        migrations.RunSQL(
            [
                "UPDATE analytics_bucket SET dirty_since = COALESCE(dirty_since, now()), due_at = now()",
                "UPDATE analytics_day SET dirty_since = COALESCE(dirty_since, now())",
            ],
            migrations.RunSQL.noop,
        ),
    ]
