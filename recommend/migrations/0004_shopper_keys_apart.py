"""Shoppers' data keys get names of their own; a pseudonym has room for being sealed in a backup."""

import uuid

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [("recommend", "0003_learn_from_slates")]

    operations = [
        migrations.AddField("shopper", "key_id", models.UUIDField(default=uuid.uuid4, editable=False, null=True)),
        migrations.AlterField(
            "shopper",
            "pseudonym",
            models.CharField(editable=False, max_length=200, verbose_name="pseudonym"),
        ),
    ]
