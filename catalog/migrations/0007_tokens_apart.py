"""Searchable texts as ``catalog.search`` makes them now: Chinese beside Latin letters are tokens of their own."""

from __future__ import annotations

from typing import Any

from django.db import migrations

from catalog.search import searchable

AT_ONCE = 1_000


def retokenise(apps: Any, schema_editor: Any) -> None:
    """Split the tokens that are there; the texts that they came from are not needed for it."""
    products = apps.get_model("catalog", "Product").objects.using(schema_editor.connection.alias)
    last = 0
    while rows := list(products.filter(pk__gt=last).order_by("pk").only("pk", "search_text")[:AT_ONCE]):
        last = rows[-1].pk
        changed = []
        for product in rows:
            text = searchable(product.search_text)
            if set(text.split()) != set(product.search_text.split()):
                product.search_text = text
                changed.append(product)
        products.bulk_update(changed, ["search_text"], batch_size=AT_ONCE)


class Migration(migrations.Migration):
    dependencies = [("catalog", "0006_last_shop")]

    operations = [migrations.RunPython(retokenise, migrations.RunPython.noop)]
