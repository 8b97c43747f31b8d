"""The admin's front page."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest


def callback(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Fill the context of ``templates/admin/index.html``."""
    return context
