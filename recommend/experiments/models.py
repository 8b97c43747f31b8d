"""Experiments, their variants, and which shopper saw which variant first when."""

from __future__ import annotations

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from catalog.models import Merchant, MerchantScoped
from recommend.experiments.metrics import GOALS, METRICS
from recommend.experiments.subjects import LAYERS, SUBJECTS, own_name
from recommend.models import Shopper


class Experiment(models.Model):
    """One question put to the shop's shoppers: which of several settings does better?"""

    class Status(models.TextChoices):
        DRAFT = "draft", _("Draft")
        RUNNING = "running", _("Running")
        STOPPED = "stopped", _("Stopped")
        DECIDED = "decided", _("Decided")

    TRANSITIONS: dict[str, frozenset[str]] = {
        "draft": frozenset({"running"}),
        "running": frozenset({"stopped"}),
        "stopped": frozenset({"decided"}),
        "decided": frozenset({"stopped"}),
    }

    merchant = models.ForeignKey(Merchant, models.CASCADE, related_name="experiments", verbose_name=_("shop"))
    name = models.CharField(_("name"), max_length=120)
    hypothesis = models.CharField(_("what you expect, and why"), max_length=500, blank=True)
    subject = models.CharField(
        _("what differs"), max_length=12, choices=[(code, subject.name) for code, subject in SUBJECTS.items()]
    )
    #: The subject's layer, stored for the constraint: one running experiment per layer and shop.
    layer = models.CharField(_("layer"), max_length=10, choices=list(LAYERS.items()), editable=False)
    status = models.CharField(_("status"), max_length=8, choices=Status, default=Status.DRAFT, editable=False)
    metric = models.CharField(
        _("goal"), max_length=10, choices=[(code, METRICS[code].name) for code in GOALS], default="clicked"
    )
    #: The relative uplift of the goal that one hopes to see, 0.1 for ten percent. Fixed before the start.
    uplift = models.FloatField(
        _("smallest uplift worth knowing"),
        default=0.1,
        validators=[MinValueValidator(0.01), MaxValueValidator(5)],
    )
    #: The goal's rate before the start (of revenue the mean), from the shop's own shoppers or as somebody expects it.
    base_rate = models.FloatField(_("rate so far"), default=0.05, validators=[MinValueValidator(0.0001)])
    #: How revenue is read: ``{"cap": 340.0, "mean": 3.2, "currency": "EUR"}``. Fixed before the start, since a cap that
    #: follows the data would spoil the reading. Empty where an experiment began before revenue was read.
    spend = models.JSONField(default=dict, editable=False)
    #: Shoppers that each variant needs by then (see ``services.planning``).
    needed = models.PositiveBigIntegerField(_("shoppers needed per variant"), default=0, editable=False)
    #: ``{"bought": 0.1}``: metrics that must not get worse by more than this share of themselves.
    guardrails = models.JSONField(_("guard-rails"), default=dict, blank=True)
    #: The cumulated daily counts by variant when it was stopped; nothing in it is about a person.
    result = models.JSONField(default=dict, editable=False)
    #: What was served before the winner was rolled out, for the way back: ``{"value": "personal"}``.
    before = models.JSONField(default=dict, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", editable=False
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    started_at = models.DateTimeField(_("started"), null=True, blank=True, editable=False)
    stopped_at = models.DateTimeField(_("stopped"), null=True, blank=True, editable=False)
    decided_at = models.DateTimeField(_("decided"), null=True, blank=True, editable=False)

    objects = MerchantScoped.as_manager()

    class Meta:
        verbose_name = _("experiment")
        verbose_name_plural = _("experiments")
        ordering = ["-created_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["merchant", "layer"], condition=Q(status="running"), name="experiment_one_per_layer"
            )
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def winner(self) -> Variant | None:
        """The variant that was rolled out."""
        return next((variant for variant in self.variants.all() if variant.is_rolled_out), None)


class OfExperimentQuerySet(MerchantScoped):
    merchant_path = "experiment__merchant_id"


class Variant(models.Model):
    """One of the settings that are compared, and its share of the shop's shoppers. The first one is the control."""

    experiment = models.ForeignKey(Experiment, models.CASCADE, related_name="variants", verbose_name=_("experiment"))
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    name = models.CharField(_("name"), max_length=80)
    #: An option of the experiment's subject; for versions the recommender's id.
    value = models.CharField(_("setting"), max_length=20)
    share = models.FloatField(_("share"), default=0.5, validators=[MinValueValidator(0.01), MaxValueValidator(1)])
    is_rolled_out = models.BooleanField(_("rolled out"), default=False, editable=False)

    objects = OfExperimentQuerySet.as_manager()

    class Meta:
        verbose_name = _("variant")
        verbose_name_plural = _("variants")
        ordering = ["position", "id"]
        constraints = [
            models.UniqueConstraint(fields=["experiment", "position"], name="variant_once_per_position"),
            models.UniqueConstraint(fields=["experiment", "value"], name="variant_once_per_setting"),
            models.UniqueConstraint(
                fields=["experiment"], condition=Q(is_rolled_out=True), name="variant_one_rolled_out"
            ),
            models.CheckConstraint(condition=Q(share__gt=0, share__lte=1), name="variant_share_is_a_share"),
        ]

    def __str__(self) -> str:
        return self.display_name

    @property
    def display_name(self) -> str:
        """Its name; one that is the setting's own, in whichever language it was made, in the reader's language."""
        return own_name(self.experiment.subject, self.value, self.name)


class Exposure(models.Model):
    """The moment at which a shopper first saw their variant. Gone with the shopper, and once the experiment ends."""

    experiment = models.ForeignKey(Experiment, models.CASCADE, related_name="exposures", db_index=False)
    variant = models.ForeignKey(Variant, models.CASCADE, related_name="exposures")
    shopper = models.ForeignKey(Shopper, models.CASCADE, related_name="exposures")
    at = models.DateTimeField(_("first seen"))

    objects = OfExperimentQuerySet.as_manager()

    class Meta:
        verbose_name = _("exposure")
        verbose_name_plural = _("exposures")
        constraints = [models.UniqueConstraint(fields=["experiment", "shopper"], name="exposure_once")]

    def __str__(self) -> str:
        return f"{self.experiment_id} {self.variant_id}"
