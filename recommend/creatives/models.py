"""Advertising pictures: sets of them, the runs that draw them, their tracked links, and what came back."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from catalog.models import Merchant, MerchantScoped, Product
from jobs.models import Job
from recommend.creatives.texts import FORMAT_NAMES
from styling.models import Style


class CreativeSet(models.Model):
    """Products × formats under one brief: headline, style, layout and colours."""

    merchant = models.ForeignKey(Merchant, models.CASCADE, related_name="creative_sets", verbose_name=_("shop"))
    name = models.CharField(_("name"), max_length=120)
    style = models.ForeignKey(
        Style,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("style"),
        help_text=_("Empty: the original photos."),
    )
    #: The whole ``Brief``: language, headline, layout, colours, and what is shown.
    brief = models.JSONField(_("brief"), default=dict)
    logo = models.FileField(_("logo"), upload_to="logos/", max_length=200, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", verbose_name=_("asked for by")
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    objects = MerchantScoped.as_manager()

    class Meta:
        verbose_name = _("set of creatives")
        verbose_name_plural = _("sets of creatives")
        ordering = ["-created_at", "-id"]
        indexes = [models.Index(fields=["merchant", "-created_at"], name="creative_set_recent")]

    def __str__(self) -> str:
        return self.name


class CreativeRun(Job):
    """One drawing of a set, or of some of its creatives (``parameters["creatives"]``) again."""

    merchant = models.ForeignKey(Merchant, models.CASCADE, related_name="creative_runs", verbose_name=_("shop"))
    creative_set = models.ForeignKey(CreativeSet, models.CASCADE, related_name="runs", verbose_name=_("set"))

    objects = MerchantScoped.as_manager()  # type: ignore[assignment,misc]

    class Meta:
        verbose_name = _("drawing of creatives")
        verbose_name_plural = _("drawings of creatives")
        ordering = ["-created_at"]


class TrackedLink(models.Model):
    """A short address that leads to a product. It outlives its creative: an advertisement may still be out there."""

    code = models.CharField(_("code"), max_length=12, unique=True, editable=False)
    #: What a shopper's click is filed under where they consented, as a slate's id would be.
    attribution = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    merchant = models.ForeignKey(Merchant, models.CASCADE, related_name="tracked_links", verbose_name=_("shop"))
    product = models.ForeignKey(
        Product, models.SET_NULL, null=True, blank=True, related_name="tracked_links", verbose_name=_("product")
    )
    style = models.ForeignKey(Style, models.SET_NULL, null=True, blank=True, related_name="+")
    campaign = models.CharField(max_length=120, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = MerchantScoped.as_manager()

    class Meta:
        verbose_name = _("tracked link")
        verbose_name_plural = _("tracked links")
        ordering = ["-id"]

    def __str__(self) -> str:
        return self.code

    def get_absolute_url(self) -> str:
        return reverse("creative_link", args=[self.code])


class Creative(models.Model):
    """One advertising picture: a product in a format. Drawn again it stays the same row, with the same link."""

    merchant = models.ForeignKey(Merchant, models.CASCADE, related_name="creatives", verbose_name=_("shop"))
    creative_set = models.ForeignKey(
        CreativeSet, models.CASCADE, related_name="creatives", verbose_name=_("set"), db_index=False
    )
    product = models.ForeignKey(
        Product, models.SET_NULL, null=True, blank=True, related_name="creatives", verbose_name=_("product")
    )
    #: The product as it was when it was chosen: it may be deleted since.
    sku = models.CharField(_("SKU"), max_length=64)
    product_name = models.CharField(_("product"), max_length=200)
    format = models.CharField(_("format"), max_length=20, choices=list(FORMAT_NAMES.items()))
    link = models.OneToOneField(TrackedLink, models.PROTECT, related_name="creative", verbose_name=_("link"))
    file = models.FileField(_("picture"), upload_to="creatives/", max_length=200, blank=True)
    sha256 = models.CharField(max_length=64, blank=True, editable=False)
    renditions = models.JSONField(default=list, editable=False)
    #: Where product and texts are, their contrast, what was left out: the drawing's report.
    report = models.JSONField(default=dict, editable=False)
    #: Why it could not be drawn: a code of ``problems.py``, empty where it was.
    problem = models.CharField(_("problem"), max_length=30, blank=True, editable=False)
    drawn_by = models.ForeignKey(
        CreativeRun, models.SET_NULL, null=True, blank=True, related_name="creatives", editable=False
    )
    drawn_at = models.DateTimeField(_("drawn"), null=True, blank=True, editable=False)

    objects = MerchantScoped.as_manager()

    class Meta:
        verbose_name = _("creative")
        verbose_name_plural = _("creatives")
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["creative_set", "sku", "format"], name="creative_once_per_format")
        ]

    def __str__(self) -> str:
        return f"{self.product_name} · {self.format}"


class OfLinkQuerySet(MerchantScoped):
    merchant_path = "link__merchant_id"


class DailyClicks(models.Model):
    """Clicks on a link on one day, counted without a row per visitor: nothing in it is about a person."""

    link = models.ForeignKey(TrackedLink, models.CASCADE, related_name="days", db_index=False)
    day = models.DateField(_("day"))
    clicks = models.PositiveIntegerField(_("clicks"), default=0)
    #: The same browser again within the half hour, and what robots asked for: known, but not counted as clicks.
    repeats = models.PositiveIntegerField(_("repeats"), default=0)
    robots = models.PositiveIntegerField(_("robots"), default=0)

    objects = OfLinkQuerySet.as_manager()

    class Meta:
        verbose_name = _("clicks of a day")
        verbose_name_plural = _("clicks by day")
        ordering = ["-day"]
        constraints = [models.UniqueConstraint(fields=["link", "day"], name="creative_clicks_once_per_day")]

    def __str__(self) -> str:
        return f"{self.link} {self.day} {self.clicks}"


class DailyImpressions(models.Model):
    """How often a creative was shown on a day, as the advertising place reports it: only it can know."""

    link = models.ForeignKey(TrackedLink, models.CASCADE, related_name="impression_days", db_index=False)
    day = models.DateField(_("day"))
    impressions = models.PositiveIntegerField(_("impressions"), default=0)

    objects = OfLinkQuerySet.as_manager()

    class Meta:
        verbose_name = _("impressions of a day")
        verbose_name_plural = _("impressions by day")
        ordering = ["-day"]
        constraints = [models.UniqueConstraint(fields=["link", "day"], name="creative_impressions_once_per_day")]

    def __str__(self) -> str:
        return f"{self.link} {self.day} {self.impressions}"
