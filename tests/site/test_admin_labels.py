"""Every status in a list of the admin has its colour; Unfold writes the bare code of one that has none."""

from __future__ import annotations

from django.contrib import admin
from django.core.exceptions import FieldDoesNotExist


def test_every_choice_that_a_list_shows_has_a_colour() -> None:
    missing, seen = [], 0
    for model, page in admin.site._registry.items():
        for name in page.list_display:
            shown = getattr(page, name, None) if isinstance(name, str) else None
            colors = getattr(shown, "label", None)
            if not isinstance(colors, dict):
                continue
            try:
                choices = model._meta.get_field(getattr(shown, "admin_order_field", "")).choices or ()
            except FieldDoesNotExist:
                continue
            seen += 1
            missing += [f"{model.__name__}.{name}: {code}" for code, _label in choices if code not in colors]
    assert seen >= 8
    assert missing == []
