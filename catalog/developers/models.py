"""State behind the API's promises: answers that can be given again, webhooks, keys for browsers."""

from __future__ import annotations

import secrets

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from catalog.models import Merchant, MerchantScoped


class IdempotencyRecord(models.Model):
    """The answer to a request with an ``Idempotency-Key``, written in the transaction of what the request did."""

    #: Who asked: ``token:7``, or ``user:3:shop`` for a session.
    owner = models.CharField(max_length=100)
    key = models.CharField(max_length=255)
    #: SHA-256 over method, address, query and body; nothing of the request itself is kept.
    fingerprint = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(default=0)
    headers = models.JSONField(default=dict)
    body = models.BinaryField(default=b"")
    created_at = models.DateTimeField(default=timezone.now, db_index=True)

    class Meta:
        verbose_name = _("repeatable answer")
        verbose_name_plural = _("repeatable answers")
        constraints = [models.UniqueConstraint(fields=["owner", "key"], name="idempotency_key_once")]

    def __str__(self) -> str:
        return f"{self.owner} {self.key[:12]}"


def new_publishable_key() -> str:
    """A key that may stand in a page's source: it opens the shelf and takes events, nothing else."""
    return f"pk_{secrets.token_urlsafe(18)}"


class PublishableKey(models.Model):
    """Lets pages of listed origins show a shelf and send events. No secret: whoever reads the page reads the key."""

    merchant = models.ForeignKey(Merchant, models.CASCADE, related_name="publishable_keys", verbose_name=_("shop"))
    name = models.CharField(_("name"), max_length=80)
    key = models.CharField(_("key"), max_length=40, unique=True, default=new_publishable_key, editable=False)
    #: ``["https://shop.example"]``: scheme, host and port, nothing after.
    origins = models.JSONField(_("origins"), default=list)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True, editable=False)

    objects = MerchantScoped.as_manager()

    class Meta:
        verbose_name = _("publishable key")
        verbose_name_plural = _("publishable keys")
        ordering = ["-id"]

    def __str__(self) -> str:
        return self.name


class WebhookEndpoint(models.Model):
    """An address of the shop's own that wants to be told."""

    class Event(models.TextChoices):
        JOB_SUCCEEDED = "job.succeeded", _("A job succeeded")
        JOB_FAILED = "job.failed", _("A job failed")
        IMAGE_PUBLISHED = "styled_image.published", _("A rendering was published")
        IMAGE_UNPUBLISHED = "styled_image.unpublished", _("A rendering was taken off the storefront")
        PRODUCT_UPDATED = "product.updated", _("A product was created or changed")
        MODEL_DEPLOYED = "style_model.deployed", _("Another version of a style went into use")
        PING = "ping", _("A test message")

    merchant = models.ForeignKey(Merchant, models.CASCADE, related_name="webhook_endpoints", verbose_name=_("shop"))
    url = models.CharField(_("address"), max_length=2000)
    description = models.CharField(_("description"), max_length=200, blank=True)
    #: Names of ``Event``; empty means all.
    events = models.JSONField(_("events"), default=list, blank=True)
    #: The signing secret, encrypted by the site's keys; the one before it goes on signing until ``previous_until``.
    sealed_secret = models.BinaryField(editable=False)
    sealed_previous = models.BinaryField(editable=False, default=b"")
    previous_until = models.DateTimeField(null=True, blank=True, editable=False)
    is_active = models.BooleanField(_("active"), default=True)
    #: Deliveries that were given up, one after the other; a success sets it back.
    failures = models.PositiveIntegerField(_("failures in a row"), default=0, editable=False)
    disabled_at = models.DateTimeField(_("switched off"), null=True, blank=True, editable=False)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    objects = MerchantScoped.as_manager()

    class Meta:
        verbose_name = _("webhook")
        verbose_name_plural = _("webhooks")
        ordering = ["-id"]

    def __str__(self) -> str:
        return self.url[:80]


class WebhookDeliveryQuerySet(MerchantScoped):
    merchant_path = "endpoint__merchant_id"


class WebhookDelivery(models.Model):
    """One message on its way to one endpoint, and what became of each attempt."""

    class Status(models.TextChoices):
        PENDING = "pending", _("Waiting")
        DELIVERED = "delivered", _("Delivered")
        FAILED = "failed", _("Given up")

    endpoint = models.ForeignKey(WebhookEndpoint, models.CASCADE, related_name="deliveries", verbose_name=_("webhook"))
    #: ``webhook-id``: the same in every attempt and at every endpoint, so that receivers can tell repetitions.
    message_id = models.CharField(_("message"), max_length=40)
    event = models.CharField(_("event"), max_length=40, choices=WebhookEndpoint.Event)
    #: The exact body that is signed and sent.
    body = models.TextField(editable=False)
    status = models.CharField(_("status"), max_length=10, choices=Status, default=Status.PENDING)
    attempts = models.PositiveIntegerField(_("attempts"), default=0, editable=False)
    next_attempt_at = models.DateTimeField(_("next attempt"), default=timezone.now, null=True, editable=False)
    #: ``[{"at": …, "status": 500, "error": "webhook-refused", "milliseconds": 31, "answer": "…"}]``
    log: models.JSONField[list[dict[str, object]], list[dict[str, object]]] = models.JSONField(
        _("attempts so far"), default=list, editable=False
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True, editable=False)

    objects = WebhookDeliveryQuerySet.as_manager()

    class Meta:
        verbose_name = _("webhook delivery")
        verbose_name_plural = _("webhook deliveries")
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["next_attempt_at"], condition=Q(status="pending"), name="delivery_due"),
            models.Index(fields=["created_at"], name="delivery_age"),
        ]

    def __str__(self) -> str:
        return f"{self.event} → {self.endpoint}"
