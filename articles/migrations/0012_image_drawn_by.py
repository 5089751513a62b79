from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


def fill_from_steps(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Who drew the image of an article is in the output of its step."""
    article_model, step_model = apps.get_model("articles", "Article"), apps.get_model("articles", "Step")
    drawn = step_model.objects.filter(stage="image", kind="draw", output__isnull=False).order_by("pk")
    for article_id, picture in drawn.values_list("run__article_id", "output").iterator():
        if picture and picture.get("name") and picture.get("drawn_by"):
            found = article_model.objects.filter(pk=article_id, image=picture["name"])
            found.update(image_drawn_by=picture["drawn_by"][:200])


class Migration(migrations.Migration):

    dependencies = [
        ('articles', '0011_source_kind'),
    ]

    operations = [
        migrations.AddField(
            model_name='article',
            name='image_drawn_by',
            field=models.CharField(blank=True, help_text='An image model, or “the studio”; empty if unknown.', max_length=200),
        ),
        migrations.RunPython(fill_from_steps, migrations.RunPython.noop),
    ]
