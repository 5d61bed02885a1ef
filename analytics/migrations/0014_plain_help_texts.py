"""Help texts without backticks, which pages show as they are."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("analytics", "0013_running_charges"),
    ]

    operations = [
        migrations.AlterField(
            model_name="histogram",
            name="kind",
            field=models.SmallIntegerField(help_text="histogram.Kind"),
        ),
    ]
