"""Saying that something happened: messages are rows of the transaction in which it happened, sent once it is committed."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from django.db import transaction
from django.utils import timezone

from catalog.access import require_role
from catalog.developers.delivering import ring
from catalog.developers.models import WebhookDelivery, WebhookEndpoint
from catalog.models import Membership
from jobs.models import Job


def announce(*, merchant_id: int, event: str, items: Callable[[], Sequence[Mapping[str, Any]]]) -> int:
    """Tell the shop's endpoints that want to know, one message for each item; how many messages that were.

    ``items`` is only asked where somebody listens. Runs inside the caller's transaction: what is rolled back was never
    announced.
    """
    active = WebhookEndpoint.objects.filter(merchant_id=merchant_id, is_active=True)
    listening = [endpoint for endpoint in active if not endpoint.events or event in endpoint.events]
    return _write(listening, event, items()) if listening else 0


def ping(*, endpoint: WebhookEndpoint, by: Any) -> None:
    """Send one endpoint a test message, whatever it listens to. Needs an editor."""
    require_role(by, endpoint.merchant, Membership.Role.EDITOR)
    _write([endpoint], WebhookEndpoint.Event.PING, [{"endpoint": endpoint.pk}])


def _write(listening: Sequence[WebhookEndpoint], event: str, items: Sequence[Mapping[str, Any]]) -> int:
    now = timezone.now()
    rows = []
    for data in items:
        message_id = f"msg_{secrets.token_hex(16)}"
        body = json.dumps({"type": event, "timestamp": now.isoformat(), "data": data}, ensure_ascii=False, default=str)
        rows += [
            WebhookDelivery(endpoint=endpoint, message_id=message_id, event=event, body=body, next_attempt_at=now)
            for endpoint in listening
        ]
    with transaction.atomic():
        made = WebhookDelivery.objects.bulk_create(rows, batch_size=500)
        transaction.on_commit(partial(_ring_all, [row.pk for row in made]))
    return len(rows)


def announce_job(job: Job) -> None:
    """Tell that a job of a shop succeeded, failed or was given up."""
    if job.merchant_key is None:
        return
    succeeded = job.status == Job.Status.SUCCEEDED
    event = WebhookEndpoint.Event.JOB_SUCCEEDED if succeeded else WebhookEndpoint.Event.JOB_FAILED
    announce(merchant_id=job.merchant_key, event=event, items=lambda: [_job(job)])


def _job(job: Job) -> dict[str, Any]:
    error = {"code": job.error_code, "message": job.error_message, "hint": job.error_hint} if job.error_code else None
    return {"id": str(job.pk), "kind": job.kind, "status": job.status, "result": job.result, "error": error}


def _ring_all(delivery_ids: Sequence[int]) -> None:
    for delivery_id in delivery_ids:
        if not ring(delivery_id):
            return  # the broker is away: the next look at what is due finds them all
