"""Moments in the admin's lists as people say them (“3 minutes ago”), with the exact time to hover over."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from django.contrib.humanize.templatetags.humanize import naturaltime
from django.core.exceptions import FieldDoesNotExist
from django.db.models import DateTimeField, Model
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.translation import gettext as _
from unfold.decorators import display


def moment_shown(moment: datetime | None) -> str:
    """A moment in words; “–” where there is none."""
    if moment is None:
        return "–"
    local = timezone.localtime(moment)
    exact = date_format(local, "DATETIME_FORMAT")
    return format_html(
        '<time datetime="{}" title="{}" style="white-space: nowrap">{}</time>',
        local.isoformat(),
        exact,
        naturaltime(moment),
    )


def took(started: datetime | None, finished: datetime | None) -> str:
    """How long something took, to two figures or so; “–” where it is not known."""
    if started is None or finished is None:
        return "–"
    seconds = (finished - started).total_seconds()
    if seconds < 100:
        return _("took %(n)s s") % {"n": f"{seconds:.0f}" if seconds >= 10 else f"{seconds:.1f}"}
    if seconds < 6000:
        return _("took %(n)s min") % {"n": f"{seconds / 60:.0f}"}
    return _("took %(n)s h") % {"n": f"{seconds / 3600:.1f}"}


def with_moments(model: type[Model], columns: Sequence[Any]) -> list[Any]:
    """A list's columns, those that are moments told in words; they sort as before."""
    return [_column(model, name) if _is_moment(model, name) else name for name in columns]


def _is_moment(model: type[Model], name: Any) -> bool:
    try:
        return isinstance(name, str) and isinstance(model._meta.get_field(name), DateTimeField)
    except FieldDoesNotExist:
        return False


@cache
def _column(model: type[Model], name: str) -> Callable[[Any], str]:
    """One and the same function for a column: lists compare their columns."""

    def shown(row: Any) -> str:
        return moment_shown(getattr(row, name))

    shown.__name__ = name
    described: Callable[[Any], str] = display(
        description=model._meta.get_field(name).verbose_name,  # type: ignore[union-attr]
        ordering=name,
    )(shown)
    return described
