"""The Celery application. Settings that survived real kills; the reasons stand in docs/decisions."""

from __future__ import annotations

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "stylerec_site.settings")

app = Celery("stylerec")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
