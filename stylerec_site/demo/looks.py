"""The demo's styles: drawn references of other objects in each look, trained by the worker."""

from __future__ import annotations

import io
from typing import Any

from catalog.models import Merchant
from styling.demo import LOOKS
from styling.models import Style, StyleModel, TrainingRun
from styling.services.references import add_references
from styling.services.styles import create_style
from styling.services.training import start_training

SEED = 11
REFERENCES = 64
#: The looks that the demo trains, in this order. The others wait in the admin for a first training of one's own.
TRAINED = ("pop-art", "ink")


def set_up_style(merchant: Merchant, slug: str, *, by: Any) -> Style:
    """The style with its references, drawn where they are missing."""
    look = LOOKS[slug]
    style = Style.objects.filter(merchant=merchant, name=look.name).first() or create_style(
        merchant=merchant,
        by=by,
        name=look.name,
        name_zh=look.name_zh,
        description=look.description,
        description_zh=look.description_zh,
    )
    have = style.references.count()
    if have < REFERENCES:
        add_references(style=style, files=(_drawn(slug, index) for index in range(have, REFERENCES)), by=by)
    return style


def _drawn(slug: str, index: int) -> bytes:
    buffer = io.BytesIO()
    LOOKS[slug].draw(index, SEED).save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def training_of(style: Style, *, by: Any) -> TrainingRun | None:
    """A run for a style that has no version yet: the one that is under way, or a new one."""
    if StyleModel.objects.filter(style=style).exists():
        return None
    under_way = TrainingRun.objects.filter(style=style, status__in=["queued", "running"]).first()
    return under_way or start_training(style=style, by=by)
