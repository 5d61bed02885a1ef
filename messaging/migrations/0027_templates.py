import django.db.models.deletion
import django.db.models.functions.datetime
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    """Templates by account, name and language, and holds that name all three. Older holds hold as before."""

    dependencies = [
        ('messaging', '0026_number_marketing_api'),
    ]

    operations = [
        migrations.CreateModel(
            name='Template',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=512)),
                ('language', models.CharField(max_length=20)),
                ('template_id', models.CharField(blank=True, help_text="Meta's id of the template in this language.", max_length=32)),
                ('category', models.CharField(blank=True, max_length=40)),
                ('status', models.CharField(blank=True, help_text='Such as APPROVED, PENDING, PAUSED or DISABLED.', max_length=40)),
                ('quality', models.CharField(blank=True, help_text='GREEN, YELLOW, RED or UNKNOWN.', max_length=20)),
                ('components', models.JSONField(default=list)),
                ('parameter_format', models.CharField(blank=True, help_text='POSITIONAL or NAMED.', max_length=20)),
                ('reason', models.CharField(blank=True, help_text="Meta's reason for the status.", max_length=255)),
                ('status_at', models.DateTimeField(blank=True, null=True)),
                ('removed_at', models.DateTimeField(blank=True, help_text='When Meta no longer had it.', null=True)),
                ('updated_at', models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options={
                'ordering': ['name', 'language'],
            },
        ),
        migrations.RemoveConstraint(
            model_name='hold',
            name='hold_once',
        ),
        migrations.AddField(
            model_name='account',
            name='templates_due_at',
            field=models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), default=django.utils.timezone.now, help_text='When the templates are synced next.'),
        ),
        migrations.AddField(
            model_name='hold',
            name='language',
            field=models.CharField(blank=True, db_default='', default='', help_text='The language of the template; empty: all languages.', max_length=20),
        ),
        migrations.AddField(
            model_name='hold',
            name='waba_id',
            field=models.CharField(blank=True, db_default='', default='', help_text='The account of the template; empty: all accounts.', max_length=32, verbose_name='WABA id'),
        ),
        migrations.AddConstraint(
            model_name='hold',
            constraint=models.UniqueConstraint(condition=models.Q(('resumed_at__isnull', True)), fields=('kind', 'key', 'client', 'number', 'waba_id', 'language'), name='hold_once', nulls_distinct=False),
        ),
        migrations.AddField(
            model_name='template',
            name='account',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='templates', to='messaging.account'),
        ),
        migrations.AddConstraint(
            model_name='template',
            constraint=models.UniqueConstraint(fields=('account', 'name', 'language'), name='template_once'),
        ),
    ]
