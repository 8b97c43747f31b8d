"""Webhooks and publishable keys in the admin: made, tried, changed over and ended; what was sent, and send it again."""

from __future__ import annotations

from catalog.developers.admin import keys, webhooks

__all__ = ["keys", "webhooks"]
