from django.db import migrations, models


class Migration(migrations.Migration):
    """Looks are kept by the recipe that made them. The table holds nothing that a fit does not make again."""

    dependencies = [("recommend", "0010_name_position")]

    operations = [
        migrations.DeleteModel(name="PictureVector"),
        migrations.CreateModel(
            name="PictureVector",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("sha256", models.CharField(max_length=64)),
                ("recipe", models.CharField(max_length=40)),
                ("vector", models.BinaryField()),
            ],
            options={
                "verbose_name": "picture vector",
                "verbose_name_plural": "picture vectors",
                "constraints": [
                    models.UniqueConstraint(fields=("sha256", "recipe"), name="picture_vector_once"),
                ],
            },
        ),
    ]
