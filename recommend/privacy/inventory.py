"""The code's own say: which model fields hold something about people, whatever the record declares."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from django.apps import apps
from django.db.models import Model

from recommend.models import Shopper
from recommend.privacy.record import SHOPPERS, STAFF, Kept

#: Names that speak of a person wherever they stand.
_TELLING = re.compile(
    r"visitor|shopper|e_?mail|phone|birth|gender|passport|(^|_)ip(_|$)|ip_address|user_agent|first_name|last_name"
)
#: Tables of packages in which such a name means something else.
_HARMLESS = {
    ("axes.accessattemptexpiration", "access_attempt"),
}


def linked_to_shoppers() -> set[type[Model]]:
    """``Shopper``, and every model with a key to it, to one of those, and so on."""
    linked: set[type[Model]] = {Shopper}
    while True:
        more = {
            model
            for model in apps.get_models(include_auto_created=True)
            if model not in linked
            and any(field.is_relation and field.concrete and field.related_model in linked for field in _fields(model))
        }
        if not more:
            return linked
        linked |= more


def undeclared(record: Iterable[Kept] = (*SHOPPERS, *STAFF)) -> list[str]:
    """``app.Model.field`` of every field about people that the record does not name."""
    declared = {(kept.place.lower(), name) for kept in record for name in kept.fields}
    linked = linked_to_shoppers()
    missing = []
    for model in apps.get_models(include_auto_created=True):
        label = model._meta.label_lower
        for field in _fields(model):
            about_people = model in linked or _TELLING.search(field.name)
            if about_people and (label, field.name) not in declared | _HARMLESS:
                missing.append(f"{model._meta.label}.{field.name}")
    return sorted(missing)


def gone(record: Iterable[Kept] = (*SHOPPERS, *STAFF)) -> list[str]:
    """Declared fields that no model has: the record speaks of what is no longer there."""
    known = {
        (model._meta.label_lower, field.name)
        for model in apps.get_models(include_auto_created=True)
        for field in _fields(model)
    }
    return sorted(
        f"{kept.place}.{name}" for kept in record for name in kept.fields if (kept.place.lower(), name) not in known
    )


def _fields(model: type[Model]) -> list[Any]:
    return [field for field in model._meta.get_fields() if field.concrete]
