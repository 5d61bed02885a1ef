"""The running sums of each day's charges. Days that were summed up before have none: they are summed up again."""

import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("analytics", "0012_charge_prices")]

    operations = [
        migrations.CreateModel(
            "RunningCharge",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("start", models.DateTimeField()),
                ("minutes", models.SmallIntegerField()),
                ("market", models.CharField(max_length=60)),
                ("category", models.CharField(blank=True, max_length=40)),
                ("whole", models.BooleanField()),
                ("number_id", models.BigIntegerField()),
                ("client_id", models.BigIntegerField()),
                ("template", models.CharField(blank=True, max_length=512)),
                ("campaign", models.CharField(blank=True, max_length=100)),
                ("quarters", django.contrib.postgres.fields.ArrayField(models.SmallIntegerField(), size=None)),
                ("volumes", django.contrib.postgres.fields.ArrayField(models.IntegerField(), size=None)),
            ],
            options={
                "indexes": [
                    models.Index(fields=["start", "minutes", "market", "category"], name="running_charge_start")
                ]
            },
        ),
        migrations.RunSQL(
            "UPDATE analytics_day SET dirty_since = COALESCE(dirty_since, now()), due_at = now()",
            migrations.RunSQL.noop,
        ),
    ]
