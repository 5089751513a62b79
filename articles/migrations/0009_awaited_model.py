from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('articles', '0008_source_details'),
    ]

    operations = [
        migrations.RenameField(
            model_name='run',
            old_name='awaits',
            new_name='awaited_model',
        ),
        migrations.RenameField(
            model_name='run',
            old_name='parkings',
            new_name='failed_tries',
        ),
        migrations.AlterField(
            model_name='run',
            name='failed_tries',
            field=models.PositiveSmallIntegerField(default=0, help_text='Failed tries of that model in this outage.'),
        ),
    ]
