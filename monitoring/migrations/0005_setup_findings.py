"""The last result of each check of the set-up."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("monitoring", "0004_stalled_processes")]

    operations = [
        migrations.CreateModel(
            "SetupFinding",
            [
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("check_name", models.CharField(max_length=50)),
                ("about", models.CharField(
                    blank=True, help_text="Meta's id of the account or number, or empty.", max_length=64,
                )),
                ("state", models.CharField(max_length=10)),
                ("text", models.TextField()),
                ("next_step", models.TextField(blank=True)),
                ("checked_at", models.DateTimeField()),
            ],
            {"ordering": ["pk"]},
        ),
    ]  # fmt: skip
