"""Moments on pages, as lists tell them: “3 minutes ago”, the exact time to hover over."""

from __future__ import annotations

from django import template

from jobs.admin_times import moment_shown

register = template.Library()
register.filter("moment", moment_shown)
