"""Merchants, who works for them, and what they sell."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any, Self

from django.conf import settings
from django.core.validators import MinValueValidator, RegexValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from jobs.models import Job

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser, AnonymousUser

    AnyUser = AbstractBaseUser | AnonymousUser


def in_language(english: str, chinese: str) -> str:
    """The text for the active language; the other one where it is missing."""
    if (get_language() or "en").startswith("zh"):
        return chinese or english
    return english or chinese


class MerchantScoped(models.QuerySet[Any]):
    """Reads of rows that belong to a merchant. ``merchant_path`` leads from the row to its merchant's id."""

    merchant_path = "merchant_id"

    def visible_to(self, user: AnyUser) -> Self:
        """Rows of the merchants that ``user`` is an active member of; all rows for a superuser."""
        if getattr(user, "is_superuser", False):
            return self
        member_of = Membership.objects.filter(user_id=user.pk or 0, merchant__is_active=True)
        return self.filter(**{f"{self.merchant_path}__in": member_of.values("merchant_id")})

    def of_shop(self, merchant: Merchant) -> Self:
        """Rows of one merchant."""
        return self.filter(**{self.merchant_path: merchant.pk})


class MerchantQuerySet(MerchantScoped):
    merchant_path = "pk"

    def open(self) -> Self:
        """Shops that shoppers can visit."""
        return self.filter(is_active=True)


class Merchant(models.Model):
    """The tenant: one shop with its products, styles, shoppers and settings."""

    name = models.CharField(_("name"), max_length=120)
    name_zh = models.CharField(_("name (Chinese)"), max_length=120, blank=True)
    slug = models.SlugField(_("address"), max_length=60, unique=True)
    tagline = models.CharField(_("tagline"), max_length=200, blank=True)
    tagline_zh = models.CharField(_("tagline (Chinese)"), max_length=200, blank=True)
    currency = models.CharField(
        _("currency"),
        max_length=3,
        default="EUR",
        validators=[RegexValidator(r"^[A-Z]{3}$", _("Three capital letters."))],
    )
    is_active = models.BooleanField(_("open"), default=True)
    personalisation_enabled = models.BooleanField(_("personalise the storefront"), default=True)
    bandit_enabled = models.BooleanField(_("learn which rendering to show"), default=True)
    truth_limits = models.JSONField(_("product-truth limits"), default=dict, blank=True)
    brand = models.JSONField(_("brand"), default=dict, blank=True)
    #: What experiments run and what their winners changed (``recommend.experiments.treatment``): read with the shop, so
    #: that serving needs no query of its own.
    serving = models.JSONField(default=dict, blank=True, editable=False)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    objects = MerchantQuerySet.as_manager()

    class Meta:
        verbose_name = _("shop")
        verbose_name_plural = _("shops")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def display_name(self) -> str:
        return in_language(self.name, self.name_zh)

    @property
    def display_tagline(self) -> str:
        return in_language(self.tagline, self.tagline_zh)


class Membership(models.Model):
    """A user's role at a merchant."""

    class Role(models.TextChoices):
        VIEWER = "viewer", _("Viewer")
        REVIEWER = "reviewer", _("Reviewer")
        EDITOR = "editor", _("Editor")
        OWNER = "owner", _("Owner")

    merchant = models.ForeignKey(Merchant, models.CASCADE, related_name="memberships", verbose_name=_("shop"))
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="memberships", verbose_name=_("user")
    )
    role = models.CharField(_("role"), max_length=10, choices=Role, default=Role.VIEWER)
    #: When the user last turned to this shop from another one: the newest is the one that a log-in opens.
    turned_to_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = MerchantScoped.as_manager()

    class Meta:
        verbose_name = _("membership")
        verbose_name_plural = _("memberships")
        constraints = [models.UniqueConstraint(fields=["merchant", "user"], name="membership_once")]

    def __str__(self) -> str:
        return f"{self.user} · {self.get_role_display()} · {self.merchant}"


class ApiToken(models.Model):
    """A scoped key for the API. Only its SHA-256 is kept; the secret is shown once."""

    class Scope(models.TextChoices):
        READ = "read", _("Read")
        WRITE = "write", _("Read and write")
        EVENTS = "events", _("Send events, read recommendations")

    merchant = models.ForeignKey(Merchant, models.CASCADE, related_name="api_tokens", verbose_name=_("shop"))
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="api_tokens", verbose_name=_("user")
    )
    name = models.CharField(_("name"), max_length=80)
    prefix = models.CharField(_("starts with"), max_length=12, editable=False)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    scope = models.CharField(_("scope"), max_length=10, choices=Scope, default=Scope.READ)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    last_used_at = models.DateTimeField(_("last used"), null=True, blank=True, editable=False)
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True, editable=False)

    objects = MerchantScoped.as_manager()

    class Meta:
        verbose_name = _("API token")
        verbose_name_plural = _("API tokens")
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"


class Category(models.Model):
    """A shelf of the shop."""

    merchant = models.ForeignKey(Merchant, models.CASCADE, related_name="categories", verbose_name=_("shop"))
    name = models.CharField(_("name"), max_length=120)
    name_zh = models.CharField(_("name (Chinese)"), max_length=120, blank=True)
    slug = models.SlugField(_("address"), max_length=120)
    position = models.PositiveIntegerField(_("position"), default=0)

    objects = MerchantScoped.as_manager()

    class Meta:
        verbose_name = _("category")
        verbose_name_plural = _("categories")
        ordering = ["position", "name"]
        constraints = [models.UniqueConstraint(fields=["merchant", "slug"], name="category_slug_once")]

    def __str__(self) -> str:
        return self.display_name

    @property
    def display_name(self) -> str:
        return in_language(self.name, self.name_zh)


class ProductQuerySet(MerchantScoped):
    def on_sale(self) -> Self:
        """Products that shoppers can see: published, in an open shop."""
        return self.filter(status=Product.Status.PUBLISHED, merchant__is_active=True)


class Product(models.Model):
    """Something the shop sells."""

    class Status(models.TextChoices):
        DRAFT = "draft", _("Draft")
        PUBLISHED = "published", _("Published")
        ARCHIVED = "archived", _("Archived")

    merchant = models.ForeignKey(Merchant, models.CASCADE, related_name="products", verbose_name=_("shop"))
    category = models.ForeignKey(
        Category, models.SET_NULL, null=True, blank=True, related_name="products", verbose_name=_("category")
    )
    sku = models.CharField(_("SKU"), max_length=64)
    name = models.CharField(_("name"), max_length=200)
    name_zh = models.CharField(_("name (Chinese)"), max_length=200, blank=True)
    description = models.TextField(_("description"), blank=True)
    description_zh = models.TextField(_("description (Chinese)"), blank=True)
    price = models.DecimalField(_("price"), max_digits=12, decimal_places=2, validators=[MinValueValidator(0)])
    stock = models.PositiveIntegerField(
        _("in stock"),
        null=True,
        blank=True,
        help_text=_("Empty: always in stock."),
    )
    status = models.CharField(_("status"), max_length=10, choices=Status, default=Status.PUBLISHED)
    search_text = models.TextField(editable=False, blank=True, default="")
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    updated_at = models.DateTimeField(_("changed"), auto_now=True)

    objects = ProductQuerySet.as_manager()

    class Meta:
        verbose_name = _("product")
        verbose_name_plural = _("products")
        ordering = ["-created_at", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["merchant", "sku"], name="product_sku_once"),
            models.CheckConstraint(condition=Q(price__gte=0), name="product_price_not_negative"),
        ]
        indexes = [
            models.Index(fields=["merchant", "status", "-created_at"], name="product_newest"),
            models.Index(fields=["merchant", "category", "status", "-created_at", "-id"], name="product_of_shelf"),
        ]

    def __str__(self) -> str:
        return self.display_name

    @property
    def display_name(self) -> str:
        return in_language(self.name, self.name_zh)

    @property
    def is_sold_out(self) -> bool:
        return self.stock == 0

    @property
    def display_description(self) -> str:
        return in_language(self.description, self.description_zh)


class ProductImageQuerySet(MerchantScoped):
    merchant_path = "product__merchant_id"


class ProductImage(models.Model):
    """One picture of a product. ``original`` is kept untouched and private; ``file`` is the safe copy that we use."""

    product = models.ForeignKey(Product, models.CASCADE, related_name="images", verbose_name=_("product"))
    position = models.PositiveIntegerField(_("position"), default=0)
    alt_text = models.CharField(_("alternative text"), max_length=200, blank=True)
    original = models.FileField(_("original"), upload_to="originals/", max_length=200)
    file = models.FileField(_("picture"), upload_to="pictures/", max_length=200)
    width = models.PositiveIntegerField(_("width"), editable=False)
    height = models.PositiveIntegerField(_("height"), editable=False)
    sha256 = models.CharField(max_length=64, editable=False, db_index=True)
    perceptual_hash = models.CharField(max_length=16, editable=False, blank=True)
    #: Smaller copies for ``srcset``: ``[{"width": 320, "format": "webp", "path": "renditions/…"}]``.
    renditions = models.JSONField(default=list, editable=False)
    created_at = models.DateTimeField(_("added"), auto_now_add=True)

    objects = ProductImageQuerySet.as_manager()

    class Meta:
        verbose_name = _("product picture")
        verbose_name_plural = _("product pictures")
        ordering = ["position", "id"]
        constraints = [models.UniqueConstraint(fields=["product", "sha256"], name="product_picture_once")]

    def __str__(self) -> str:
        return self.alt_text or f"{self.product} #{self.position + 1}"


class ImportRun(Job):
    """One import of a table (and pictures) into the catalogue."""

    merchant = models.ForeignKey(Merchant, models.CASCADE, related_name="import_runs", verbose_name=_("shop"))
    source = models.FileField(_("file"), upload_to="imports/", max_length=200)
    source_name = models.CharField(_("file name"), max_length=200, blank=True)
    pictures = models.FileField(_("ZIP of pictures"), upload_to="imports/", max_length=200, blank=True)
    rows_total = models.PositiveIntegerField(_("rows"), default=0)
    rows_new = models.PositiveIntegerField(_("new"), default=0)
    rows_changed = models.PositiveIntegerField(_("changed"), default=0)
    rows_bad = models.PositiveIntegerField(_("bad"), default=0)
    #: ``[{"row": 7, "sku": "…", "problems": [{"code": …, "message": …}], "raw": {…}}]``, at most 5,000.
    problems = models.JSONField(default=list, editable=False)

    objects = MerchantScoped.as_manager()  # type: ignore[assignment,misc]

    class Meta:
        verbose_name = _("import")
        verbose_name_plural = _("imports")
        ordering = ["-created_at"]


class ImportDraft(models.Model):
    """An uploaded table that was looked at and not yet imported."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    merchant = models.ForeignKey(Merchant, models.CASCADE, related_name="import_drafts")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    source = models.FileField(upload_to="imports/", max_length=200)
    source_name = models.CharField(max_length=200)
    pictures = models.FileField(upload_to="imports/", max_length=200, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = MerchantScoped.as_manager()

    class Meta:
        verbose_name = _("import to confirm")
        verbose_name_plural = _("imports to confirm")

    def __str__(self) -> str:
        return self.source_name


class AuditEntry(models.Model):
    """Who did what, when, with before and after; each entry's hash covers the one before it."""

    merchant = models.ForeignKey(Merchant, models.CASCADE, null=True, related_name="audit_entries")
    actor = models.CharField(_("who"), max_length=150)
    action = models.CharField(_("did"), max_length=60)
    target = models.CharField(_("to"), max_length=120)
    before = models.JSONField(_("before"), default=dict)
    after = models.JSONField(_("after"), default=dict)
    at = models.DateTimeField(_("when"))
    previous_hash = models.CharField(max_length=64, editable=False)
    hash = models.CharField(max_length=64, editable=False)

    objects = MerchantScoped.as_manager()

    class Meta:
        verbose_name = _("audit entry")
        verbose_name_plural = _("audit trail")
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.actor} {self.action} {self.target}"
