"""Tries to log in, counted for the throttle."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("messaging", "0012_canonical_numbers")]

    operations = [
        migrations.CreateModel(
            name="LoginThrottle",
            fields=[
                ("key", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("tries", models.IntegerField()),
                ("since", models.DateTimeField(db_index=True)),
            ],
            options={"default_permissions": ()},
        )
    ]
