"""Move the wrapped keys from the shoppers' table into the key store, and back."""

import time
import uuid

from django.db import migrations

from recommend.privacy import key_store


def move_out(apps, schema_editor):
    shopper = apps.get_model("recommend", "Shopper")
    names = {pk: uuid.uuid4() for pk in shopper.objects.values_list("pk", flat=True)}
    wrapped = dict(shopper.objects.exclude(wrapped_key=b"").values_list("pk", "wrapped_key"))
    key_store.add([(names[pk].hex, bytes(key).decode(), int(time.time())) for pk, key in wrapped.items()])
    for pk, name in names.items():
        shopper.objects.filter(pk=pk).update(key_id=name)  # the column's default was one value for all rows


def move_back(apps, schema_editor):
    keys = key_store.every()
    shopper = apps.get_model("recommend", "Shopper")
    for pk, name in list(shopper.objects.values_list("pk", "key_id")):
        shopper.objects.filter(pk=pk).update(wrapped_key=keys.get(name, b""))


class Migration(migrations.Migration):

    dependencies = [("recommend", "0004_shopper_keys_apart")]

    operations = [migrations.RunPython(move_out, move_back)]
