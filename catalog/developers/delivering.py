"""Bringing messages to their endpoints. The row is the truth, the broker a doorbell: lost or doubled rings change nothing.

An attempt claims the row by a conditional UPDATE; what it finds out is written only while its claim holds.
"""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import structlog
from cryptography.fernet import InvalidToken
from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from catalog import audit, remote
from catalog.access import require_role
from catalog.developers import endpoints, signing
from catalog.developers.models import WebhookDelivery, WebhookEndpoint
from catalog.models import Membership
from jobs.errors import Conflict

log = structlog.get_logger(__name__)
Status = WebhookDelivery.Status

#: Pauses in seconds after the first, second, … failed attempt; after the last one the message is given up.
PAUSES: Sequence[float] = (5, 300, 1_800, 7_200, 18_000, 36_000, 36_000)
#: An endpoint is switched off once so many messages, one after the other, were given up.
FAILURES_UNTIL_OFF = 5
#: How long an attempt may hold its row; well beyond the longest exchange.
CLAIM = timedelta(seconds=60)
#: Rings further ahead than this are left to the look at what is due.
LONGEST_COUNTDOWN = 600
KEPT_FOR = timedelta(days=30)
GONE = 410


def ring(delivery_id: int, *, after: float = 0) -> bool:
    """Have a worker look at this delivery. A broker that is away is no error: ``ring_due`` rings again."""
    from catalog.developers.tasks import deliver as task  # the task module imports this one

    try:
        task.apply_async(args=(delivery_id,), countdown=after, retry=False)
    except Exception as error:  # noqa: BLE001 - kombu lets every client's own exceptions through
        log.warning("webhooks.ring_failed", delivery=delivery_id, error=str(error))
        return False
    return True


def ring_due() -> int:
    """Ring for every delivery whose time has come and whose ring may be lost; how many."""
    due = WebhookDelivery.objects.filter(status=Status.PENDING, next_attempt_at__lte=timezone.now())
    return sum(ring(pk) for pk in due.order_by("next_attempt_at").values_list("pk", flat=True)[:1_000])


def deliver(delivery_id: int) -> str | None:
    """One attempt; the status after it, or None where there was nothing to do."""
    now = timezone.now()
    claimed = WebhookDelivery.objects.filter(pk=delivery_id, status=Status.PENDING, next_attempt_at__lte=now)
    if not claimed.update(next_attempt_at=now + CLAIM, attempts=F("attempts") + 1):
        return None
    delivery = WebhookDelivery.objects.select_related("endpoint__merchant").get(pk=delivery_id)
    if not delivery.endpoint.is_active:
        _finish(delivery, Status.FAILED, {"error": "webhook-off"})
        return Status.FAILED
    attempt = _attempt(delivery)
    if attempt["error"] == "":
        _finish(delivery, Status.DELIVERED, attempt)
        WebhookEndpoint.objects.filter(pk=delivery.endpoint_id, failures__gt=0).update(failures=0)
        return Status.DELIVERED
    if attempt["status"] == GONE or delivery.attempts > len(PAUSES):
        if _finish(delivery, Status.FAILED, attempt):
            _count_failure(delivery.endpoint, gone=attempt["status"] == GONE)
        return Status.FAILED
    pause = PAUSES[delivery.attempts - 1] * random.uniform(1.0, 1.2)
    _write(delivery, attempt, next_attempt_at=timezone.now() + timedelta(seconds=pause))
    if pause <= LONGEST_COUNTDOWN:
        ring(delivery.pk, after=pause)
    return Status.PENDING


def redeliver(*, delivery: WebhookDelivery, by: Any) -> WebhookDelivery:
    """Send a finished message again, with the same id. Needs an editor."""
    require_role(by, delivery.endpoint.merchant, Membership.Role.EDITOR)
    with transaction.atomic():
        if (
            not WebhookDelivery.objects.filter(pk=delivery.pk)
            .exclude(status=Status.PENDING)
            .update(status=Status.PENDING, attempts=0, next_attempt_at=timezone.now(), finished_at=None)
        ):
            raise Conflict(
                "delivery-waiting", _("This message is on its way already."), _("Wait for its next attempt.")
            )
        transaction.on_commit(lambda: ring(delivery.pk))
    delivery.refresh_from_db()
    return delivery


def purge() -> int:
    """Forget finished deliveries older than a month; how many."""
    old = WebhookDelivery.objects.filter(created_at__lt=timezone.now() - KEPT_FOR)
    return old.exclude(status=Status.PENDING).delete()[0]


def _attempt(delivery: WebhookDelivery) -> dict[str, Any]:
    """Send it once: ``{"at", "status", "error", "milliseconds", "answer"}``; ``error`` is empty where it arrived."""
    body = delivery.body.encode()
    started, now = time.monotonic(), timezone.now()
    status, answer, error = 0, "", ""
    try:
        headers = signing.headers_of(
            message_id=delivery.message_id,
            timestamp=int(now.timestamp()),
            body=body,
            signing=endpoints.secrets_of(delivery.endpoint),
        )
        reply = remote.post(
            delivery.endpoint.url,
            body=body,
            headers={"Content-Type": "application/json", **headers},
            rules=endpoints.rules(),
        )
        status, answer = reply.status, reply.body.decode("utf-8", "replace").replace("\x00", "")[:500]
        error = "" if 200 <= reply.status < 300 else "webhook-url-refused"
    except remote.RejectedUrl as rejected:
        error = f"webhook-{rejected.code}"
    except InvalidToken:
        error = "webhook-secret-unreadable"  # the site's keys were changed; a new secret mends it
    return {
        "at": now.isoformat(),
        "status": status,
        "error": error,
        "milliseconds": round(1000 * (time.monotonic() - started)),
        "answer": answer,
    }


def _write(delivery: WebhookDelivery, attempt: dict[str, Any], **changes: Any) -> bool:
    """Write what an attempt found out, unless another has taken the row over since."""
    held = WebhookDelivery.objects.filter(pk=delivery.pk, status=Status.PENDING, attempts=delivery.attempts)
    return bool(held.update(log=[*delivery.log, attempt][-20:], **changes))


def _finish(delivery: WebhookDelivery, status: str, attempt: dict[str, Any]) -> bool:
    return _write(delivery, attempt, status=status, next_attempt_at=None, finished_at=timezone.now())


def _count_failure(endpoint: WebhookEndpoint, *, gone: bool) -> None:
    """Switch an endpoint off that says it is gone, or that has failed too often in a row."""
    with transaction.atomic():
        row = WebhookEndpoint.objects.select_for_update().filter(pk=endpoint.pk).first()
        if row is None:
            return
        failures = row.failures + 1
        off = row.is_active and (gone or failures >= FAILURES_UNTIL_OFF)
        changes: dict[str, Any] = {"is_active": False, "disabled_at": timezone.now()} if off else {}
        WebhookEndpoint.objects.filter(pk=row.pk).update(failures=failures, **changes)
        if off:
            log.warning("webhooks.switched_off", endpoint=row.pk, failures=failures)
            audit.record(
                merchant=endpoint.merchant,
                actor=None,
                action="webhook-switched-off",
                target=row,
                after={"failures": failures, "gone": gone},
            )
