"""Durations and scores as people say them."""

from __future__ import annotations

from typing import Any

from django import template
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from catalog.views.doors import thumbnail

register = template.Library()


@register.filter
def minutes_text(minutes: float) -> str:
    """Minutes as “4 minutes”, “3 hours” or “9 days”."""
    if minutes < 90:
        count = max(1, round(minutes))
        return ngettext("%(count)d minute", "%(count)d minutes", count) % {"count": count}
    if minutes < 36 * 60:
        count = round(minutes / 60)
        return ngettext("%(count)d hour", "%(count)d hours", count) % {"count": count}
    count = round(minutes / 60 / 24)
    return ngettext("%(count)d day", "%(count)d days", count) % {"count": count}


@register.filter
def percent(share: Any) -> str:
    """A share in [0, 1] as “45 %”; a dash where there is none."""
    return _("%(percent)d%%") % {"percent": round(100 * share)} if isinstance(share, int | float) else "–"


@register.filter
def large_url(picture: Any) -> str:
    """The address of a copy of a stored picture that fills a screen."""
    return thumbnail(picture, width=1024)


@register.filter
def thumbnail_url(picture: Any) -> str:
    """The address of a stored picture's smallest copy."""
    return thumbnail(picture)
