"""Styles, the training runs that learn them, and the renderings that come out."""

from __future__ import annotations

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from catalog.models import Category, Merchant, MerchantScoped, ProductImage, in_language
from jobs.models import Job
from jobs.versions import Version


class Style(models.Model):
    """A named look: the target domain (B) of a CycleGAN."""

    merchant = models.ForeignKey(Merchant, models.CASCADE, related_name="styles", verbose_name=_("shop"))
    name = models.CharField(_("name"), max_length=120)
    name_zh = models.CharField(_("name (Chinese)"), max_length=120, blank=True)
    slug = models.SlugField(_("address"), max_length=120)
    description = models.TextField(_("description"), blank=True)
    description_zh = models.TextField(_("description (Chinese)"), blank=True)
    position = models.PositiveIntegerField(_("position"), default=0)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    objects = MerchantScoped.as_manager()

    class Meta:
        verbose_name = _("style")
        verbose_name_plural = _("styles")
        ordering = ["position", "name"]
        constraints = [models.UniqueConstraint(fields=["merchant", "slug"], name="style_slug_once")]

    def __str__(self) -> str:
        return self.display_name

    @property
    def display_name(self) -> str:
        return in_language(self.name, self.name_zh)


class StyleReferenceQuerySet(MerchantScoped):
    merchant_path = "style__merchant_id"


class StyleReference(models.Model):
    """One picture of a style's target domain."""

    style = models.ForeignKey(Style, models.CASCADE, related_name="references", verbose_name=_("style"))
    file = models.FileField(_("picture"), upload_to="references/", max_length=200)
    width = models.PositiveIntegerField(editable=False)
    height = models.PositiveIntegerField(editable=False)
    sha256 = models.CharField(max_length=64, editable=False)
    perceptual_hash = models.CharField(max_length=16, editable=False, blank=True)
    renditions = models.JSONField(default=list, editable=False)
    created_at = models.DateTimeField(_("added"), auto_now_add=True)

    objects = StyleReferenceQuerySet.as_manager()

    class Meta:
        verbose_name = _("style reference")
        verbose_name_plural = _("style references")
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["style", "sha256"], name="style_reference_once")]

    def __str__(self) -> str:
        return f"{self.style} #{self.pk}"


class TrainingRun(Job):
    """One training of a translator for a style."""

    merchant = models.ForeignKey(Merchant, models.CASCADE, related_name="training_runs", verbose_name=_("shop"))
    style = models.ForeignKey(Style, models.CASCADE, related_name="training_runs", verbose_name=_("style"))
    source_category = models.ForeignKey(
        Category,
        models.SET_NULL,
        null=True,
        blank=True,
        verbose_name=_("products to learn from"),
        help_text=_("Leave empty to learn from all products."),
    )
    start_from = models.ForeignKey(
        "StyleModel", models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("goes on from")
    )
    preset = models.CharField(_("preset"), max_length=30, default="draft")
    #: The whole ``TrainingSettings`` that the run used, as it goes into the artifact.
    settings = models.JSONField(_("settings"), default=dict, blank=True)
    #: Down-sampled loss curve: ``[{"step": 10, "generator": 1.2, …}]``.
    losses = models.JSONField(default=list, editable=False)
    scores = models.JSONField(_("scores"), default=dict, editable=False)
    #: Held-out scores over the run: ``[{"step": 225, "style_score": 0.2, …}]``.
    score_history = models.JSONField(default=list, editable=False)

    objects = MerchantScoped.as_manager()  # type: ignore[assignment,misc]

    class Meta:
        verbose_name = _("training run")
        verbose_name_plural = _("training runs")
        ordering = ["-created_at"]


class TrainingSampleQuerySet(MerchantScoped):
    merchant_path = "run__merchant_id"


class TrainingSample(models.Model):
    """The sample grid at one step of a training run."""

    run = models.ForeignKey(TrainingRun, models.CASCADE, related_name="samples")
    step = models.PositiveIntegerField()
    file = models.FileField(upload_to="samples/", max_length=200)

    objects = TrainingSampleQuerySet.as_manager()

    class Meta:
        verbose_name = _("training sample")
        verbose_name_plural = _("training samples")
        ordering = ["step"]
        constraints = [models.UniqueConstraint(fields=["run", "step"], name="training_sample_once")]

    def __str__(self) -> str:
        return f"{self.run} · {self.step}"


class StyleModel(Version):
    """A trained, versioned translator with its scores."""

    merchant = models.ForeignKey(Merchant, models.CASCADE, related_name="style_models", verbose_name=_("shop"))
    style = models.ForeignKey(Style, models.CASCADE, related_name="models", verbose_name=_("style"))
    training_run = models.OneToOneField(
        TrainingRun,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="style_model",
        verbose_name=_("training run"),
    )
    samples = models.FileField(upload_to="samples/", max_length=200, blank=True, editable=False)
    #: Rules of the artifact's domain: what must stand beside every rendering, and whether a person must look first.
    notice = models.CharField(_("notice"), max_length=300, blank=True, editable=False)
    never_auto_publish = models.BooleanField(_("published one by one only"), default=False, editable=False)

    objects = MerchantScoped.as_manager()

    class Meta:
        verbose_name = _("style model")
        verbose_name_plural = _("style models")
        ordering = ["style", "-version"]
        constraints = [
            models.UniqueConstraint(fields=["style", "version"], name="style_model_version_once"),
            models.UniqueConstraint(fields=["style"], condition=Q(status="deployed"), name="style_model_one_deployed"),
        ]

    def __str__(self) -> str:
        return f"{self.style} v{self.version}"


class StylizationRun(Job):
    """One batch of product pictures rendered by one style model."""

    merchant = models.ForeignKey(Merchant, models.CASCADE, related_name="stylization_runs", verbose_name=_("shop"))
    style_model = models.ForeignKey(StyleModel, models.CASCADE, related_name="runs", verbose_name=_("style model"))
    #: ``TranslateOptions`` (strength, keep_product, keep_background, keep_color) of this run.
    options = models.JSONField(_("options"), default=dict, blank=True)
    product_images = models.ManyToManyField(ProductImage, related_name="+", verbose_name=_("pictures"))

    objects = MerchantScoped.as_manager()  # type: ignore[assignment,misc]

    class Meta:
        verbose_name = _("stylisation")
        verbose_name_plural = _("stylisations")
        ordering = ["-created_at"]


class StyledImageQuerySet(MerchantScoped):
    def published(self) -> Self:
        return self.filter(status=StyledImage.Status.PUBLISHED)

    def awaiting_review(self) -> Self:
        return self.filter(status=StyledImage.Status.GENERATED)


class StyledImage(models.Model):
    """A style model's rendering of one product picture."""

    class Status(models.TextChoices):
        GENERATED = "generated", _("Awaiting review")
        APPROVED = "approved", _("Approved")
        REJECTED = "rejected", _("Rejected")
        PUBLISHED = "published", _("Published")

    TRANSITIONS: dict[str, frozenset[str]] = {
        "generated": frozenset({"approved", "rejected"}),
        "approved": frozenset({"generated", "rejected", "published"}),
        "rejected": frozenset({"generated", "approved"}),
        "published": frozenset({"approved", "rejected"}),
    }

    merchant = models.ForeignKey(Merchant, models.CASCADE, related_name="styled_images", verbose_name=_("shop"))
    product_image = models.ForeignKey(
        ProductImage, models.CASCADE, related_name="styled_images", verbose_name=_("picture")
    )
    style = models.ForeignKey(Style, models.CASCADE, related_name="styled_images", verbose_name=_("style"))
    style_model = models.ForeignKey(
        StyleModel, models.CASCADE, related_name="styled_images", verbose_name=_("style model")
    )
    run = models.ForeignKey(
        StylizationRun,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="styled_images",
        verbose_name=_("run"),
    )
    status = models.CharField(_("status"), max_length=10, choices=Status, default=Status.GENERATED)
    file = models.FileField(_("rendering"), upload_to="renderings/", max_length=200)
    width = models.PositiveIntegerField(editable=False)
    height = models.PositiveIntegerField(editable=False)
    sha256 = models.CharField(max_length=64, editable=False)
    renditions = models.JSONField(default=list, editable=False)
    options = models.JSONField(_("options"), default=dict, blank=True)
    #: The product-truth report of this rendering, and the limits it breaks (``[{"code": …, …}]``).
    truth = models.JSONField(_("product truth"), default=dict, editable=False)
    breaches = models.JSONField(_("beyond the limits"), default=list, editable=False)
    is_flagged = models.BooleanField(_("flagged"), default=False, editable=False)
    reject_reason = models.CharField(_("reason"), max_length=300, blank=True)
    reviewed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("reviewed by"),
    )
    reviewed_at = models.DateTimeField(_("reviewed"), null=True, blank=True)
    published_at = models.DateTimeField(_("published at"), null=True, blank=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    objects = StyledImageQuerySet.as_manager()

    class Meta:
        verbose_name = _("rendering")
        verbose_name_plural = _("renderings")
        ordering = ["-created_at", "-id"]
        constraints = [
            # A doubled message may render a picture twice, but only one row can exist.
            models.UniqueConstraint(fields=["run", "product_image"], name="styled_image_once_per_run"),
            models.UniqueConstraint(
                fields=["product_image", "style"],
                condition=Q(status="published"),
                name="styled_image_one_published",
            ),
        ]
        indexes = [
            models.Index(fields=["merchant", "status", "-created_at"], name="styled_image_review"),
            models.Index(fields=["product_image", "status"], name="styled_image_shown"),
        ]

    def __str__(self) -> str:
        return f"{self.product_image} · {self.style}"


class ReviewStepQuerySet(MerchantScoped):
    merchant_path = "image__merchant_id"


class ReviewStep(models.Model):
    """One move of a rendering along its transitions; the steps of one press of a button share a batch."""

    batch = models.UUIDField(db_index=True, editable=False)
    image = models.ForeignKey(StyledImage, models.CASCADE, related_name="steps", verbose_name=_("rendering"))
    before = models.CharField(_("from"), max_length=10, choices=StyledImage.Status)
    after = models.CharField(_("to"), max_length=10, choices=StyledImage.Status)
    reason = models.CharField(_("reason"), max_length=300, blank=True)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", verbose_name=_("who")
    )
    at = models.DateTimeField(_("when"), auto_now_add=True)
    undone_at = models.DateTimeField(_("undone"), null=True, blank=True)

    objects = ReviewStepQuerySet.as_manager()

    class Meta:
        verbose_name = _("review step")
        verbose_name_plural = _("review steps")
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.image_id}: {self.before} → {self.after}"
