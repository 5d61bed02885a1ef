from django.db import migrations, models


class Migration(migrations.Migration):
    """Whether a number sends marketing templates by the Marketing Messages API."""

    dependencies = [("messaging", "0025_portfolios")]

    operations = [
        migrations.AddField(
            "businessnumber",
            "marketing_api",
            models.BooleanField(
                "Marketing Messages API",
                db_default=False,
                default=False,
                help_text="Send marketing templates by Meta's Marketing Messages API; where Meta refuses that, by the "
                "Cloud API.",
            ),
        ),
    ]
