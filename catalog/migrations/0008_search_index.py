"""An inverted index over the tokens of ``Product.search_text``.

SQLite: a contentless FTS5 table, kept by triggers, so that whoever writes a product's row writes the index in the same
transaction. The tokens are ASCII letters and digits, or not ASCII at all, and stand between spaces, which is just what the
``ascii`` tokenizer takes for a token. A later migration that makes SQLite build ``catalog_product`` anew (an altered column)
loses the triggers with the old table: it must run ``make_triggers`` again; ``tests/catalog/test_search.py`` says so.

PostgreSQL: a generated column with the tokens as a ``tsvector`` that nothing has parsed, and GIN over it.
"""

from __future__ import annotations

from typing import Any

from django.db import migrations
from django.db.models import F, Func, IntegerField

from catalog.search import MOST_BYTES, searchable

TABLE = """
CREATE VIRTUAL TABLE catalog_product_search
USING fts5(tokens, content='', detail='none', columnsize=0, tokenize='ascii')
"""
FILL = """
INSERT INTO catalog_product_search(rowid, tokens)
SELECT id, '§' || merchant_id || search_text FROM catalog_product
"""
PUT = "INSERT INTO catalog_product_search(rowid, tokens) VALUES (new.id, '§' || new.merchant_id || new.search_text);"
#: A contentless table has to be told what it held.
TAKE = """INSERT INTO catalog_product_search(catalog_product_search, rowid, tokens)
VALUES ('delete', old.id, '§' || old.merchant_id || old.search_text);"""
TRIGGERS = {
    "catalog_product_search_new": f"AFTER INSERT ON catalog_product BEGIN {PUT} END",
    "catalog_product_search_gone": f"AFTER DELETE ON catalog_product BEGIN {TAKE} END",
    "catalog_product_search_changed": (
        "AFTER UPDATE OF search_text, merchant_id ON catalog_product"
        " WHEN old.search_text <> new.search_text OR old.merchant_id <> new.merchant_id"
        f" BEGIN {TAKE} {PUT} END"
    ),
}
#: PostgreSQL alone has it, and Django does not know it: nothing but the index and its condition reads it.
COLUMN = """
ALTER TABLE catalog_product ADD COLUMN search_tokens tsvector
GENERATED ALWAYS AS (array_to_tsvector(array_remove(string_to_array(search_text, ' '), ''))) STORED
"""
GIN = "CREATE INDEX catalog_product_search ON catalog_product USING gin (search_tokens)"


def make(apps: Any, schema_editor: Any) -> None:
    if schema_editor.connection.vendor == "sqlite":
        schema_editor.execute(TABLE)
        schema_editor.execute(FILL)
        make_triggers(apps, schema_editor)
    else:
        cut(apps, schema_editor)
        schema_editor.execute(COLUMN)
        schema_editor.execute(GIN)


def cut(apps: Any, schema_editor: Any) -> None:
    """Leave no row more tokens than a ``tsvector`` holds. Since ``searchable`` keeps to it 0007 does so, too, but not where
    it ran before.
    """
    products = apps.get_model("catalog", "Product").objects.using(schema_editor.connection.alias)
    size = Func(F("search_text"), function="octet_length", output_field=IntegerField())
    for product in products.alias(size=size).filter(size__gt=MOST_BYTES).only("pk", "search_text").iterator(chunk_size=10):
        products.filter(pk=product.pk).update(search_text=searchable(product.search_text))


def make_triggers(apps: Any, schema_editor: Any) -> None:
    """What keeps the index in SQLite; for any later migration after which it is lost."""
    if schema_editor.connection.vendor == "sqlite":
        for name, what in TRIGGERS.items():
            schema_editor.execute(f"CREATE TRIGGER IF NOT EXISTS {name} {what}")


def remove(apps: Any, schema_editor: Any) -> None:
    if schema_editor.connection.vendor == "sqlite":
        for name in TRIGGERS:
            schema_editor.execute(f"DROP TRIGGER {name}")
        schema_editor.execute("DROP TABLE catalog_product_search")
    else:
        schema_editor.execute("ALTER TABLE catalog_product DROP COLUMN search_tokens")  # and its index


class Migration(migrations.Migration):
    dependencies = [("catalog", "0007_tokens_apart")]

    operations = [migrations.RunPython(make, remove)]
