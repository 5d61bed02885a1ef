import django.db.models.functions.datetime
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    """Portfolios: their messaging limit, and the recipients that count against it."""

    dependencies = [("messaging", "0024_accounts")]

    operations = [
        migrations.CreateModel(
            "Portfolio",
            [
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.CharField(max_length=64, unique=True)),
                ("tier", models.CharField(
                    blank=True, db_default="", help_text="Meta's word, such as TIER_2K.", max_length=40,
                )),
                ("users_a_day", models.PositiveIntegerField(
                    blank=True, help_text="Empty: unlimited, or not known.", null=True,
                )),
                ("limit_at", models.DateTimeField(blank=True, help_text="When Meta named the limit.", null=True)),
                ("opened", models.IntegerField(db_default=0, default=0)),
                ("counted_from", models.DateTimeField(
                    db_default=django.db.models.functions.datetime.Now(), default=django.utils.timezone.now,
                )),
            ],
        ),
        migrations.AddField(
            "businessnumber",
            "limited_by",
            models.ForeignKey(
                "messaging.portfolio", models.SET_NULL, blank=True, db_index=False, editable=False, null=True,
            ),
        ),
        migrations.CreateModel(
            "OpenedCount",
            [
                ("pk", models.CompositePrimaryKey(
                    "portfolio_id", "minute", blank=True, editable=False, primary_key=True, serialize=False,
                )),
                ("minute", models.DateTimeField()),
                ("recipients", models.IntegerField()),
                ("portfolio", models.ForeignKey(
                    "messaging.portfolio", models.CASCADE, db_constraint=False, db_index=False,
                )),
            ],
        ),
        migrations.CreateModel(
            "OpenedRecipient",
            [
                ("pk", models.CompositePrimaryKey(
                    "portfolio_id", "peer", blank=True, editable=False, primary_key=True, serialize=False,
                )),
                ("peer", models.CharField(max_length=140)),
                ("opened_at", models.DateTimeField()),
                ("message_id", models.UUIDField(null=True)),
                ("portfolio", models.ForeignKey(
                    "messaging.portfolio", models.CASCADE, db_constraint=False, db_index=False,
                )),
            ],
            {"indexes": [models.Index(fields=["portfolio", "opened_at"], name="opened_at")]},
        ),
    ]  # fmt: skip
