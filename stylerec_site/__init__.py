"""The roof: settings, urls, the Celery application, the admin's front page and the demo."""

from stylerec_site.celery import app as celery_app

__all__ = ["celery_app"]
