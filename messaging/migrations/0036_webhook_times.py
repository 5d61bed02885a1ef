"""Meta's times of categories and qualities, for webhooks that come in any order."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('messaging', '0035_plain_help_texts'),
    ]

    operations = [
        migrations.AddField(
            model_name='template',
            name='category_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='template',
            name='quality_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='templatecategory',
            name='at',
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
    ]
