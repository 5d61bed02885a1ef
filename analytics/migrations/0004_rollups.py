"""Rollups by quarter of an hour and by hour, their dimensions, and what is to be counted again."""
import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('analytics', '0003_event_indexes'),
    ]

    operations = [
        migrations.CreateModel(
            name='Dimensions',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('digest', models.UUIDField(unique=True)),
                ('number_id', models.BigIntegerField(help_text='BusinessNumber.pk')),
                ('client_id', models.BigIntegerField(help_text='ApiClient.pk; 0: none.')),
                ('direction', models.CharField(max_length=8)),
                ('type', models.CharField(max_length=32)),
                ('template', models.CharField(blank=True, max_length=512)),
                ('campaign', models.CharField(blank=True, max_length=100)),
                ('country', models.CharField(blank=True, help_text='The country calling code of the other end.', max_length=3)),
                ('category', models.CharField(blank=True, help_text='As Meta bills it; empty: not said yet.', max_length=40)),
                ('price_type', models.CharField(blank=True, help_text='regular, free_customer_service, …', max_length=40)),
                ('status', models.CharField(blank=True, max_length=10)),
                ('error_code', models.IntegerField(default=0)),
            ],
        ),
        migrations.AddField(
            model_name='cursor',
            name='mark_id',
            field=models.BigIntegerField(null=True),
        ),
        migrations.AddField(
            model_name='cursor',
            name='mark_xid',
            field=models.BigIntegerField(null=True),
        ),
        migrations.AddField(
            model_name='cursor',
            name='seen_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='cursor',
            name='seen_id',
            field=models.BigIntegerField(null=True),
        ),
        migrations.AlterField(
            model_name='cursor',
            name='position',
            field=models.BigIntegerField(default=0, help_text='Every MessageEvent up to this id was read.'),
        ),
        migrations.CreateModel(
            name='Bucket',
            fields=[
                ('start', models.DateTimeField(primary_key=True, serialize=False)),
                ('dirty_since', models.DateTimeField(null=True)),
                ('due_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('counted_at', models.DateTimeField(null=True)),
                ('took_ms', models.IntegerField(default=0)),
                ('messages', models.BigIntegerField(default=0)),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('dirty_since__isnull', False)), fields=['due_at'], name='bucket_dirty')],
            },
        ),
        migrations.CreateModel(
            name='Latency',
            fields=[
                ('pk', models.CompositePrimaryKey('minutes', 'start', 'dimensions_id', 'kind', 'place', blank=True, editable=False, primary_key=True, serialize=False)),
                ('minutes', models.SmallIntegerField()),
                ('start', models.DateTimeField()),
                ('kind', models.SmallIntegerField(help_text='`histogram.Kind`')),
                ('place', models.SmallIntegerField()),
                ('count', models.IntegerField()),
                ('dimensions', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, to='analytics.dimensions')),
            ],
            options={
                'verbose_name_plural': 'latencies',
            },
        ),
        migrations.CreateModel(
            name='Rollup',
            fields=[
                ('pk', models.CompositePrimaryKey('minutes', 'start', 'dimensions_id', blank=True, editable=False, primary_key=True, serialize=False)),
                ('minutes', models.SmallIntegerField(help_text='15 or 60.')),
                ('start', models.DateTimeField()),
                ('messages', models.IntegerField()),
                ('accepted', models.IntegerField()),
                ('sent', models.IntegerField()),
                ('delivered', models.IntegerField()),
                ('read', models.IntegerField()),
                ('answered', models.IntegerField()),
                ('opened', models.IntegerField()),
                ('responded', models.IntegerField()),
                ('dimensions', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, to='analytics.dimensions')),
            ],
        ),
    ]
