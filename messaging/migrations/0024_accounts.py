import django.db.models.functions.datetime
import django.utils.timezone
import messaging.models.accounts
from django.db import migrations, models


ACCOUNTS_OF_NUMBERS = """
INSERT INTO messaging_account (waba_id, portfolio_id, name, currency, timezone_id, review_status, ban_state, restriction)
SELECT DISTINCT waba_id, '', '', '', '', '', '', '' FROM messaging_businessnumber WHERE waba_id ~ '^[0-9]+$'
"""


class Migration(migrations.Migration):
    """Accounts, one for each that a number names, and Meta's facts about numbers."""

    dependencies = [
        ('messaging', '0023_erasure'),
    ]

    operations = [
        migrations.CreateModel(
            name='Account',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('waba_id', models.CharField(max_length=32, unique=True, verbose_name='WABA id')),
                ('portfolio_id', models.CharField(blank=True, help_text="Meta's id of the business portfolio.", max_length=32)),
                ('name', models.CharField(blank=True, max_length=255)),
                ('currency', models.CharField(blank=True, max_length=8)),
                ('timezone_id', models.CharField(blank=True, help_text="Meta's id of the time zone.", max_length=64)),
                ('review_status', models.CharField(blank=True, help_text="Meta's review, such as APPROVED.", max_length=40)),
                ('ban_state', models.CharField(blank=True, help_text='DISABLE, SCHEDULE_FOR_DISABLE or REINSTATE; empty: never banned.', max_length=40)),
                ('restriction', models.CharField(blank=True, help_text='Restrictions that Meta has reported.', max_length=255)),
                ('token_name', models.CharField(db_default='WA_ACCESS_TOKEN', default='WA_ACCESS_TOKEN', help_text='The environment variable that holds the token of this account: WA_ACCESS_TOKEN, or one of WA_ACCESS_TOKEN_…; the token itself is not stored.', max_length=80, validators=[messaging.models.accounts.valid_token_name], verbose_name='access token')),
                ('synced_at', models.DateTimeField(blank=True, help_text='When Meta was last asked for these facts.', null=True)),
                ('templates_synced_at', models.DateTimeField(blank=True, help_text='Likewise for the templates.', null=True)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), default=django.utils.timezone.now)),
            ],
            options={
                'verbose_name': 'WhatsApp account',
                'ordering': ['waba_id'],
            },
        ),
        migrations.AddField(
            model_name='businessnumber',
            name='account_mode',
            field=models.CharField(blank=True, db_default='', help_text='LIVE or SANDBOX.', max_length=20),
        ),
        migrations.AddField(
            model_name='businessnumber',
            name='messaging_limit',
            field=models.CharField(blank=True, db_default='', help_text="The portfolio's tier, such as TIER_2K.", max_length=40),
        ),
        migrations.AddField(
            model_name='businessnumber',
            name='name_status',
            field=models.CharField(blank=True, db_default='', help_text="Meta's review of the name.", max_length=40),
        ),
        migrations.AddField(
            model_name='businessnumber',
            name='quality',
            field=models.CharField(blank=True, db_default='', help_text='GREEN, YELLOW, RED or UNKNOWN.', max_length=20),
        ),
        migrations.AddField(
            model_name='businessnumber',
            name='status',
            field=models.CharField(blank=True, db_default='', help_text='Such as CONNECTED.', max_length=40),
        ),
        migrations.AddField(
            model_name='businessnumber',
            name='synced_at',
            field=models.DateTimeField(blank=True, help_text='When Meta was last asked for these facts.', null=True),
        ),
        migrations.AddField(
            model_name='businessnumber',
            name='throughput',
            field=models.CharField(blank=True, db_default='', help_text='STANDARD or HIGH.', max_length=20),
        ),
        migrations.AddField(
            model_name='businessnumber',
            name='verified_name',
            field=models.CharField(blank=True, db_default='', max_length=255),
        ),
        migrations.RunSQL(ACCOUNTS_OF_NUMBERS, migrations.RunSQL.noop),
    ]
