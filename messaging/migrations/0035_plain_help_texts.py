"""Help texts without backticks, which pages show as they are."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("messaging", "0034_drop_count_openings"),
    ]

    operations = [
        migrations.AlterField(
            model_name="apiclient",
            name="may_send_high",
            field=models.BooleanField(
                db_default=True,
                default=True,
                help_text="Whether its messages may have the priority high; without it they are refused.",
                verbose_name="may send high priority",
            ),
        ),
        migrations.AlterField(
            model_name="auditentry",
            name="object",
            field=models.CharField(help_text="The kind and our own id, such as message 0190…", max_length=200),
        ),
        migrations.AlterField(
            model_name="businessnumber",
            name="paused_by",
            field=models.CharField(
                blank=True, help_text="Who paused it; system after an error of Meta.", max_length=150
            ),
        ),
        migrations.AlterField(
            model_name="hold",
            name="by",
            field=models.CharField(help_text="Who set the hold; system after an error of Meta.", max_length=150),
        ),
    ]
