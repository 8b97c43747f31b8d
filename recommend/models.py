"""Shoppers, what they did, the recommenders fitted on it, and the slates they were given."""

from __future__ import annotations

import uuid
from typing import Self

from django.db import models
from django.db.models import Q
from django.db.models.expressions import RawSQL
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from catalog.models import Merchant, MerchantScoped, Product
from jobs.models import Job
from jobs.versions import Version
from styling.models import Style, StyledImage


class Shopper(models.Model):
    """A pseudonymous visitor who consented. Without consent no row exists."""

    class Consent(models.TextChoices):
        GRANTED = "granted", _("Granted")
        WITHDRAWN = "withdrawn", _("Withdrawn")

    merchant = models.ForeignKey(Merchant, models.CASCADE, related_name="shoppers", verbose_name=_("shop"))
    #: ``epoch:HMAC(key of the epoch, merchant | visitor id)``: unlinkable across merchants and epochs. Sealed in a backup.
    pseudonym = models.CharField(_("pseudonym"), max_length=200, editable=False)
    consent = models.CharField(_("consent"), max_length=10, choices=Consent, default=Consent.GRANTED)
    consent_version = models.CharField(_("consent text"), max_length=20, blank=True)
    consent_at = models.DateTimeField(_("consent given"), default=timezone.now)
    personalisation_enabled = models.BooleanField(_("personalisation on"), default=True)
    #: The name of the shopper's data key in the key store: random, so that it says nothing and is nobody else's later.
    key_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    #: Sealed with that key: the styles that the shopper took out of the profile.
    sealed_profile = models.BinaryField(editable=False, default=b"")
    created_at = models.DateTimeField(_("first seen"), auto_now_add=True)
    last_seen_at = models.DateTimeField(_("last seen"), default=timezone.now, db_index=True)

    objects = MerchantScoped.as_manager()

    class Meta:
        verbose_name = _("shopper")
        verbose_name_plural = _("shoppers")
        ordering = ["-last_seen_at"]
        constraints = [models.UniqueConstraint(fields=["merchant", "pseudonym"], name="shopper_once")]

    def __str__(self) -> str:
        return self.pseudonym[:12]


class InteractionQuerySet(MerchantScoped):
    def telling(self) -> Self:
        """Events that speak for a shopper's taste. Written out, not passed as a value: so the partial index serves."""
        return self.exclude(kind=RawSQL("'impression'", ()))


class Interaction(models.Model):
    """One event of a shopper."""

    class Kind(models.TextChoices):
        IMPRESSION = "impression", _("Impression")
        VIEW = "view", _("View")
        CLICK = "click", _("Click")
        ADD_TO_CART = "add_to_cart", _("Added to bag")
        PURCHASE = "purchase", _("Purchase")
        RATING = "rating", _("Rating")
        LIKE = "like", _("Like")
        DISLIKE = "dislike", _("Dislike")

    merchant = models.ForeignKey(
        Merchant, models.CASCADE, db_index=False, related_name="interactions", verbose_name=_("shop")
    )
    #: Chosen by the client, so that a repeated request changes nothing.
    event_id = models.UUIDField(default=uuid.uuid4, editable=False)
    shopper = models.ForeignKey(Shopper, models.CASCADE, related_name="interactions", verbose_name=_("shopper"))
    product = models.ForeignKey(Product, models.CASCADE, related_name="interactions", verbose_name=_("product"))
    kind = models.CharField(_("event"), max_length=12, choices=Kind)
    value = models.FloatField(_("value"), null=True, blank=True)
    style = models.ForeignKey(
        Style, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("style shown")
    )
    styled_image = models.ForeignKey(
        StyledImage,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("rendering shown"),
    )
    slot = models.CharField(_("place"), max_length=20, blank=True)
    slate_id = models.UUIDField(null=True, blank=True)
    position = models.PositiveSmallIntegerField(_("position"), null=True, blank=True)
    occurred_at = models.DateTimeField(_("when"), default=timezone.now)
    received_at = models.DateTimeField(auto_now_add=True)

    objects = InteractionQuerySet.as_manager()

    class Meta:
        verbose_name = _("interaction")
        verbose_name_plural = _("interactions")
        ordering = ["-occurred_at"]
        constraints = [models.UniqueConstraint(fields=["merchant", "event_id"], name="interaction_once")]
        indexes = [
            models.Index(fields=["merchant", "-occurred_at"], name="interaction_recent"),
            # Most events are impressions; a shopper's history is read for every page, and without them.
            models.Index(
                fields=["shopper", "-occurred_at", "id", "kind"],
                condition=~Q(kind="impression"),
                name="interaction_told_history",
            ),
            models.Index(fields=["merchant", "kind", "product"], name="interaction_counts"),
        ]

    def __str__(self) -> str:
        return f"{self.shopper} {self.kind} {self.product_id}"


class RecommenderFit(Job):
    """One fit of a recommender on a merchant's interactions."""

    merchant = models.ForeignKey(Merchant, models.CASCADE, related_name="recommender_fits", verbose_name=_("shop"))
    settings = models.JSONField(_("settings"), default=dict, blank=True)

    objects = MerchantScoped.as_manager()  # type: ignore[assignment,misc]

    class Meta:
        verbose_name = _("recommender fit")
        verbose_name_plural = _("recommender fits")
        ordering = ["-created_at"]


class Recommender(Version):
    """A fitted, versioned recommender with its offline scores."""

    merchant = models.ForeignKey(Merchant, models.CASCADE, related_name="recommenders", verbose_name=_("shop"))
    fit = models.OneToOneField(
        RecommenderFit,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="recommender",
        verbose_name=_("fit"),
    )
    #: Why it was not deployed by itself: ``{"new": .12, "old": .17, "version": 3}``, empty where it was.
    held = models.JSONField(default=dict, editable=False)

    objects = MerchantScoped.as_manager()

    class Meta:
        verbose_name = _("recommender")
        verbose_name_plural = _("recommenders")
        ordering = ["-version"]
        constraints = [
            models.UniqueConstraint(fields=["merchant", "version"], name="recommender_version_once"),
            models.UniqueConstraint(
                fields=["merchant"], condition=Q(status="deployed"), name="recommender_one_deployed"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.merchant} v{self.version}"

    @property
    def held_reason(self) -> str:
        """Why it was not deployed by itself, in the active language."""
        if not self.held:
            return ""
        text = _("NDCG@10 %(new).3f is below %(old).3f of version %(version)d by more than its interval.")
        return str(text) % self.held


class Slate(models.Model):
    """The ordered products, each with the style shown and the reason, given to one shopper in one place."""

    #: The place that nobody knows to have been looked at: no page, but a mail that was perhaps opened.
    MAIL = "email"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    # Written with every personal page: no index that another one stands in for, or that only a deletion would use.
    merchant = models.ForeignKey(
        Merchant, models.CASCADE, db_index=False, related_name="slates", verbose_name=_("shop")
    )
    shopper = models.ForeignKey(Shopper, models.CASCADE, related_name="slates", verbose_name=_("shopper"))
    recommender = models.ForeignKey(
        Recommender,
        models.SET_NULL,
        null=True,
        blank=True,
        db_index=False,
        related_name="+",
        verbose_name=_("recommender"),
    )
    slot = models.CharField(_("place"), max_length=20)
    #: ``[{"product": 7, "style": 2, "rendering": 31, "score": .8, "reason": "because-you-viewed", "source": 4,
    #: "propensity": .9, "known": 1.0, "share": .6, "among": [[0, .4], [2, .6]]}]``: ``known`` and ``share`` are what the
    #: rendering was chosen by, ``among`` the (style, share) of all that could have been shown, 0 being the original.
    items = models.JSONField(default=list)
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)

    objects = MerchantScoped.as_manager()

    class Meta:
        verbose_name = _("slate")
        verbose_name_plural = _("slates")
        ordering = ["-created_at"]
        indexes = [models.Index(fields=["merchant", "created_at"], name="slate_learning")]

    def __str__(self) -> str:
        return f"{self.slot} {str(self.id)[:8]}"


class MerchandisingRule(models.Model):
    """A merchant's own say in what is shown: pin, boost, bury or hide a product or a category."""

    class Effect(models.TextChoices):
        PIN = "pin", _("Pin to the front")
        BOOST = "boost", _("Boost")
        BURY = "bury", _("Bury")
        HIDE = "hide", _("Never recommend")

    merchant = models.ForeignKey(Merchant, models.CASCADE, related_name="rules", verbose_name=_("shop"))
    effect = models.CharField(_("effect"), max_length=6, choices=Effect)
    product = models.ForeignKey(
        Product, models.CASCADE, null=True, blank=True, related_name="rules", verbose_name=_("product")
    )
    category = models.ForeignKey(
        "catalog.Category",
        models.CASCADE,
        null=True,
        blank=True,
        related_name="rules",
        verbose_name=_("category"),
    )
    slot = models.CharField(_("place"), max_length=20, blank=True, help_text=_("Empty means everywhere."))
    starts_at = models.DateTimeField(_("from"), null=True, blank=True)
    ends_at = models.DateTimeField(_("until"), null=True, blank=True)

    objects = MerchantScoped.as_manager()

    class Meta:
        verbose_name = _("merchandising rule")
        verbose_name_plural = _("merchandising rules")
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(product__isnull=False) ^ Q(category__isnull=False), name="rule_has_one_subject"
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_effect_display()}: {self.product or self.category}"


class RenderingPolicy(models.Model):
    """The state of a merchant's bandit that chooses which rendering of a product to show."""

    merchant = models.OneToOneField(Merchant, models.CASCADE, related_name="rendering_policy", verbose_name=_("shop"))
    state = models.JSONField(default=dict, editable=False)
    #: The last slate that the state has learned from; learning is idempotent beyond it.
    learned_until = models.DateTimeField(null=True, blank=True, editable=False)
    learned_until_slate = models.UUIDField(null=True, blank=True, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    objects = MerchantScoped.as_manager()

    class Meta:
        verbose_name = _("rendering policy")
        verbose_name_plural = _("rendering policies")

    def __str__(self) -> str:
        return str(self.merchant)


class PictureVector(models.Model):
    """The look of a picture, by the picture's content: computed once, whichever shop or rendering shows it."""

    sha256 = models.CharField(max_length=64)
    #: What made the numbers (``services.picture_vectors.Recipe``): those of different recipes are never compared.
    recipe = models.CharField(max_length=40)
    #: float32, little endian.
    vector = models.BinaryField()

    class Meta:
        verbose_name = _("picture vector")
        verbose_name_plural = _("picture vectors")
        constraints = [models.UniqueConstraint(fields=["sha256", "recipe"], name="picture_vector_once")]

    def __str__(self) -> str:
        return self.sha256[:12]


class DailyCount(models.Model):
    """What happened on one day: in all, in one style, in one category, or at one place. Kept by ``services.daily_rates``.

    Nothing in it says whose the events were.
    """

    class By(models.TextChoices):
        ALL = "all", _("all")
        STYLE = "style", _("style")
        CATEGORY = "category", _("category")
        PLACE = "place", _("place")

    merchant = models.ForeignKey(Merchant, models.CASCADE, related_name="daily_counts", verbose_name=_("shop"))
    day = models.DateField(_("day"))
    by = models.CharField(max_length=8, choices=By)
    #: The style's or category's id, or the place; empty for all, and for events without one.
    key = models.CharField(max_length=20, blank=True)
    impressions = models.PositiveIntegerField(_("impressions"), default=0)
    views = models.PositiveIntegerField(_("views"), default=0)
    clicks = models.PositiveIntegerField(_("clicks"), default=0)
    bags = models.PositiveIntegerField(_("into the bag"), default=0)
    purchases = models.PositiveIntegerField(_("purchases"), default=0)

    objects = MerchantScoped.as_manager()

    class Meta:
        verbose_name = _("counts of a day")
        verbose_name_plural = _("counts by day")
        ordering = ["-day"]
        constraints = [models.UniqueConstraint(fields=["merchant", "by", "day", "key"], name="daily_count_once")]

    def __str__(self) -> str:
        return f"{self.day} {self.by} {self.key}"


class CountedUntil(models.Model):
    """How far the site's interactions have been counted into ``DailyCount``: one row."""

    interaction = models.BigIntegerField(default=0)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = _("counting")
        verbose_name_plural = _("counting")

    def __str__(self) -> str:
        return str(self.interaction)
