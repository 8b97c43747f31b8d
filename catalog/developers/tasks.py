"""The developers' background work."""

from __future__ import annotations

from celery import shared_task

from catalog.developers import delivering, idempotency


@shared_task(name="developers.deliver")
def deliver(delivery_id: int) -> None:
    """One attempt at a webhook delivery, where it is due."""
    delivering.deliver(delivery_id)


@shared_task(name="developers.ring_due")
def ring_due() -> None:
    """Ring for what is due and may have been forgotten (every half minute, by the beat)."""
    delivering.ring_due()


@shared_task(name="developers.purge")
def purge() -> None:
    """Forget what nobody can ask for any more (hourly, by the beat)."""
    idempotency.purge()
    delivering.purge()
