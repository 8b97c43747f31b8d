"""One row of every model that belongs to a shop, made from the models themselves, so that a new one is not forgotten.

Every text of a shop's rows carries the shop's mark, and the keys of a foreign shop's rows are numbers that occur
nowhere else: whatever leaks can be recognised in a page's text.
"""

from __future__ import annotations

import datetime
import itertools
import uuid
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.apps import apps
from django.db import models
from django.utils import timezone

from catalog.models import Membership, Merchant
from jobs.models import Job
from styling.models import StyledImage, StyleModel
from tests.catalog.factories import UserFactory

ROOMS = ("jobs", "catalog", "developers", "styling", "recommend", "creatives", "experiments")
#: Models that belong to nobody, each with its reason. Everything else must lead to a merchant.
NOBODYS = {
    "jobs.WorkerPresence": "which workers run concerns the site, not a shop",
    "recommend.CountedUntil": "one row: how far the site's events are counted",
    "recommend.PictureVector": "a function of a picture's content, found by its SHA-256 alone",
    "developers.IdempotencyRecord": "keyed by its owner (token or user); no door reads it by id",
}
#: What a row needs besides its marks.
SPECIAL: dict[str, dict[str, Any]] = {
    "recommend.MerchandisingRule": {"category": None},
    "catalog.Merchant": {"currency": "EUR"},
    "catalog.Membership": {"role": Membership.Role.OWNER},
    "styling.StyleModel": {"status": StyleModel.Status.DEPLOYED},
    "styling.StyledImage": {"status": StyledImage.Status.GENERATED},
    "recommend.Shopper": {"consent": "granted"},
}
_numbers = itertools.count(1)


def models_of_rooms() -> list[type[models.Model]]:
    """Every model of our own apps, in an order in which each follows those that it points to."""
    known = [model for model in apps.get_models() if model._meta.app_label in ROOMS and not model._meta.proxy]
    ordered: list[type[models.Model]] = []

    def place(model: type[models.Model], above: tuple[type[models.Model], ...] = ()) -> None:
        if model in ordered or model in above:
            return
        for pointer in pointers(model):
            if pointer.related_model in known:
                place(pointer.related_model, (*above, model))
        ordered.append(model)

    for model in known:
        place(model)
    return ordered


def pointers(model: type[models.Model]) -> list[Any]:
    """The foreign keys of a model, without the link to the table that it inherits from."""
    return [
        candidate
        for candidate in model._meta.get_fields()
        if isinstance(candidate, models.ForeignKey) and not candidate.remote_field.parent_link
    ]


def belongs_to_a_shop(model: type[models.Model], seen: frozenset[type[models.Model]] = frozenset()) -> bool:
    """Whether a chain of required foreign keys leads from the model to ``Merchant`` (or to ``Job``, which names one)."""
    if model in (Merchant, Job):
        return True
    if model in seen:
        return False
    return any(
        belongs_to_a_shop(pointer.related_model, seen | {model}) for pointer in pointers(model) if not pointer.null
    ) or any(pointer.related_model is Merchant for pointer in pointers(model))


@dataclass
class Possessions:
    """All that one shop has: a row of each model, by model."""

    mark: str
    first_key: int | None = None
    rows: dict[type[models.Model], models.Model] = field(default_factory=dict)
    people: dict[str, Any] = field(default_factory=dict)

    @property
    def merchant(self) -> Any:
        return self.rows[Merchant]

    def of(self, label: str) -> Any:
        """The row of the model ``app.Model``."""
        return self.rows[apps.get_model(label)]

    def keys(self) -> list[Any]:
        """The primary keys of all rows."""
        return [row.pk for row in self.rows.values()]

    def snapshot(self) -> dict[str, list[dict[str, Any]]]:
        """Every column of every row that the shop has, as the database holds it at the moment."""
        return {
            model._meta.label: list(model._base_manager.filter(pk=row.pk).values()) for model, row in self.rows.items()
        }


def possessions(mark: str, *, first_key: int | None = None) -> Possessions:
    """A new shop with everything. ``first_key`` gives its rows keys that no other rows come near."""
    shop = Possessions(mark, first_key)
    owner = UserFactory(username=f"{mark}-owner", first_name=mark)
    shop.people["owner"] = owner
    wanted = [model for model in models_of_rooms() if model._meta.label not in NOBODYS and model is not Job]
    of_jobs = [model for model in wanted if any(pointer.related_model is Job for pointer in pointers(model))]
    for model in wanted:
        if model not in of_jobs:
            shop.rows[model] = _row(model, shop, owner)
    shop.rows[Job] = Job.objects.get(pk=shop.of("catalog.ImportRun").pk)  # every job's row is also one of these
    for model in of_jobs:
        shop.rows[model] = _row(model, shop, owner)
    for role in (Membership.Role.EDITOR, Membership.Role.REVIEWER, Membership.Role.VIEWER):
        shop.people[role] = UserFactory(username=f"{mark}-{role}")
        Membership.objects.create(user=shop.people[role], merchant=shop.merchant, role=role)
    return shop


def _row(model: type[models.Model], shop: Possessions, owner: Any) -> models.Model:
    values: dict[str, Any] = {}
    for column in model._meta.fields:
        if column.auto_created or getattr(column.remote_field, "parent_link", False):
            continue
        if column.primary_key and isinstance(column, models.AutoField | models.BigAutoField):
            continue
        values[column.name] = _value(column, shop, owner)
    values |= SPECIAL.get(model._meta.label, {})
    if issubclass(model, Job):
        values |= {"status": Job.Status.QUEUED, "merchant_key": shop.merchant.pk, "idempotency_key": None}
    if shop.first_key is not None and isinstance(model._meta.pk, models.AutoField | models.BigAutoField):
        # Apart from each other, so that a row of ours that the database numbers next has nobody else's key.
        values[model._meta.pk.name] = shop.first_key + 50 * (1 + len(shop.rows))
    row = model._base_manager.create(**{name: value for name, value in values.items() if value is not ...})
    for several in model._meta.many_to_many:
        related = shop.rows.get(several.related_model)
        if related is not None:
            getattr(row, several.name).add(related)
    return row


def _value(column: Any, shop: Possessions, owner: Any) -> Any:
    """A value for a column: the shop's own row, its mark, or what the column starts with."""
    if isinstance(column, models.ForeignKey):
        if column.related_model in shop.rows:
            return shop.rows[column.related_model]
        if column.related_model._meta.label == "auth.User":
            return owner
        return None if column.null else ...
    if column.choices:
        return column.get_default() or column.choices[0][0]
    if isinstance(column, models.UUIDField):
        return uuid.uuid4()
    if isinstance(column, models.DateTimeField):
        return None if column.null else timezone.now() - datetime.timedelta(minutes=5)
    if isinstance(column, models.DateField):
        return timezone.now().date()
    if isinstance(column, models.JSONField | models.BooleanField):
        return ...
    if isinstance(column, models.BinaryField):
        return shop.mark.encode()
    if isinstance(column, models.DecimalField):
        return Decimal("19.50")
    if isinstance(column, models.IntegerField | models.FloatField):
        return ... if column.has_default() else 1
    if isinstance(column, models.FileField):
        return f"{column.upload_to}{shop.mark}-{next(_numbers)}.webp"
    if column.name == "perceptual_hash":
        return "00ff" * 4
    if isinstance(column, models.CharField | models.TextField):
        text = f"{shop.mark}-{next(_numbers)}"
        return text[: column.max_length] if column.max_length else text
    raise AssertionError(f"{column} of {column.model._meta.label}: say here what a {type(column).__name__} starts with")
