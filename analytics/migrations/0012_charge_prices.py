"""An index of what charges by market and category, for prices by volume. Made while the pipeline works."""

from django.db import migrations, models
from django.db.models import Q

from waproject.resumable_migrations import AddIndex


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("analytics", "0011_parts_of_days")]

    operations = [
        AddIndex(
            "charge",
            models.Index(fields=["market", "category", "at"], condition=Q(price_type="regular"), name="charge_price"),
        ),
    ]
