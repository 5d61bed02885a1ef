from django.db import migrations, models


class Migration(migrations.Migration):
    """Whether a client may use the priority high; all may at first."""

    dependencies = [("messaging", "0019_due_by_client")]

    operations = [
        migrations.AddField(
            "apiclient",
            "may_send_high",
            models.BooleanField(
                "may send high priority",
                default=True,
                db_default=True,
                help_text="Whether its messages may have the priority `high`; without it they are refused.",
            ),
        ),
    ]
