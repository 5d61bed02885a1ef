"""The charges of a day together. Days that were summed up before have none: they are summed up again."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("analytics", "0008_rollups_by_view")]

    operations = [
        migrations.CreateModel(
            "DayCharge",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("start", models.DateTimeField()),
                ("number_id", models.BigIntegerField()),
                ("client_id", models.BigIntegerField()),
                ("template", models.CharField(blank=True, max_length=512)),
                ("campaign", models.CharField(blank=True, max_length=100)),
                ("market", models.CharField(max_length=60)),
                ("category", models.CharField(blank=True, max_length=40)),
                ("price_type", models.CharField(blank=True, max_length=40)),
                ("messages", models.IntegerField()),
            ],
            options={"indexes": [models.Index(fields=["start"], name="day_charge_start")]},
        ),
        migrations.RunSQL(
            "UPDATE analytics_day SET dirty_since = COALESCE(dirty_since, now()), due_at = now()",
            migrations.RunSQL.noop,
        ),
    ]
