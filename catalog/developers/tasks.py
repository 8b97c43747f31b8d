"""The developers' background work."""

from __future__ import annotations

from celery import shared_task

from catalog.developers import idempotency


@shared_task(name="developers.purge")
def purge() -> None:
    """Forget what nobody can ask for any more (hourly, by the beat)."""
    idempotency.purge()
