"""Days of other lengths, which have charges alone: parts of days, and days on which the clock changes.

The primary key gets the length. Adding a column with a constant default rewrites no row.
"""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("analytics", "0010_views_of_days")]

    operations = [
        migrations.SeparateDatabaseAndState(
            [
                migrations.RunSQL(
                    """
                    ALTER TABLE analytics_day ADD COLUMN minutes smallint NOT NULL DEFAULT 1440,
                      DROP CONSTRAINT analytics_day_pkey, ADD PRIMARY KEY (start, minutes)
                    """,
                    """
                    DELETE FROM analytics_day WHERE minutes <> 1440;
                    ALTER TABLE analytics_day DROP COLUMN minutes, ADD PRIMARY KEY (start)
                    """,
                ),
            ],
            [
                migrations.AlterField("day", "start", models.DateTimeField()),
                migrations.AddField("day", "minutes", models.SmallIntegerField(default=1440, db_default=1440)),
                migrations.AddField(
                    "day",
                    "pk",
                    models.CompositePrimaryKey(
                        "start", "minutes", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
            ],
        ),
        migrations.AddField("daycharge", "minutes", models.SmallIntegerField(default=1440, db_default=1440)),
    ]
