import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    """Renames Ceiling to SpendingLimit: the table is renamed in place, its rows are kept."""

    dependencies = [
        ("articles", "0004_waiting_for_the_model"),
        ("contenttypes", "0002_remove_content_type_name"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RenameModel("Ceiling", "SpendingLimit"),
        migrations.AlterModelOptions(
            name="spendinglimit",
            options={"verbose_name": "spending limit", "verbose_name_plural": "spending limits"},
        ),
        migrations.AlterField(
            model_name="spendinglimit",
            name="user",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="spending_limit",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
    ]
