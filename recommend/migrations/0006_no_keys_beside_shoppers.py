"""The shoppers' table holds no keys any more."""

import uuid

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [("recommend", "0005_move_shopper_keys")]

    operations = [
        migrations.AlterField("shopper", "key_id", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
        migrations.RemoveField("shopper", "wrapped_key"),
    ]
