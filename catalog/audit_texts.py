"""The audit trail in a merchant's words."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from django.apps import apps
from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.db.models import Model
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from jobs.errors import Text

#: Kinds of rows that are told by their number alone: a name of theirs would point at a person.
NAMELESS = frozenset({"Shopper"})
#: What is told of something new; the rest is on its own page.
TOLD_OF_NEW = ("role", "scope", "preset", "products", "pictures", "version")
#: Changed fields that are told.
SHOWN_CHANGES = 3
#: What each action says; one that is not here is shown as it is written, with spaces.
ACTIONS: dict[str, Text] = {
    "category-changed": _("Changed a category"),
    "category-deleted": _("Deleted a category"),
    "creative-deleted": _("Deleted a creative"),
    "creatives-asked-for": _("Asked for ad creatives"),
    "creatives-changed": _("Changed ad creatives"),
    "creatives-deleted": _("Deleted ad creatives"),
    "experiment-created": _("Made an experiment"),
    "experiment-deleted": _("Deleted an experiment"),
    "experiment-rolled-out": _("Rolled an experiment out"),
    "experiment-started": _("Started an experiment"),
    "experiment-stopped": _("Stopped an experiment"),
    "experiment-taken-back": _("Took an experiment's roll-out back"),
    "member-added": _("Added a person"),
    "member-removed": _("Removed a person"),
    "member-role-changed": _("Changed a person's role"),
    "model-deployed": _("Put a version of a style into use"),
    "model-deployed-first": _("Put a style's first version into use"),
    "model-retired": _("Retired a version of a style"),
    "model-rolled-back": _("Went back to an earlier version of a style"),
    "picture-added": _("Added a picture"),
    "picture-removed": _("Removed a picture"),
    "product-changed": _("Changed a product"),
    "product-created": _("Made a product"),
    "products-archived": _("Archived products"),
    "products-draft": _("Took products back to drafts"),
    "products-published": _("Published products"),
    "publishable-key-created": _("Made a publishable key"),
    "publishable-key-revoked": _("Revoked a publishable key"),
    "recommender-deployed": _("Put a recommender into use"),
    "reference-removed": _("Removed a reference picture"),
    "references-added": _("Added reference pictures"),
    "renderings-approved": _("Approved renderings"),
    "renderings-published": _("Published renderings"),
    "renderings-rejected": _("Rejected renderings"),
    "renderings-unpublished": _("Took renderings off the storefront"),
    "review-undone": _("Took a review back"),
    "rule-changed": _("Changed a rule"),
    "rule-deleted": _("Deleted a rule"),
    "shop-changed": _("Changed the shop's settings"),
    "shop-opened": _("Opened the shop"),
    "style-created": _("Made a style"),
    "style-deleted": _("Deleted a style"),
    "stylise-started": _("Started stylising"),
    "token-created": _("Made an API token"),
    "token-revoked": _("Revoked an API token"),
    "training-started": _("Started a training"),
    "truth-limits-changed": _("Changed the product-truth limits"),
    "webhook-changed": _("Changed a webhook"),
    "webhook-created": _("Made a webhook"),
    "webhook-deleted": _("Deleted a webhook"),
    "webhook-secret-rotated": _("Made a new webhook secret"),
    "webhook-switched-off": _("A webhook was switched off"),
}


def action_text(action: str) -> str:
    """An action in words."""
    return str(ACTIONS.get(action) or action.replace("-", " ").capitalize())


def target_text(target: str) -> str:
    """``Style:3`` as “Style #3”; what is no such name stays."""
    name, _colon, key = target.partition(":")
    model = _models().get(name)
    return f"{capfirst(str(model._meta.verbose_name))} #{key}" if model else target


def actor_text(actor: str) -> str:
    """Who it was; what nobody asked for, the site did by itself."""
    return str(_("the site itself")) if actor == "system" else actor


def names_of(targets: Iterable[str]) -> dict[str, str]:
    """The names of what entries tell of, one query for each kind; without those that are gone, and without shoppers."""
    keys: dict[str, set[str]] = defaultdict(set)
    for target in targets:
        kind, colon, key = target.partition(":")
        if colon and kind in _models() and kind not in NAMELESS:
            keys[kind].add(key)
    names: dict[str, str] = {}
    for kind, of_kind in keys.items():
        model = _models()[kind]
        try:
            rows = list(model._default_manager.filter(pk__in=of_kind))
        except (ValueError, ValidationError):
            continue
        for row in rows:
            names[f"{kind}:{row.pk}"] = str(getattr(row, "display_name", "") or getattr(row, "name", "") or row)
    return names


def changes_text(target: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    """What changed, in short: how many renderings, or up to three fields with their old and new values."""
    renderings = after.get("renderings")
    if isinstance(renderings, list):
        count = len(renderings)
        return ngettext("%(count)d rendering", "%(count)d renderings", count) % {"count": count}
    model = _models().get(target.partition(":")[0])
    changed = [
        key
        for key in after
        if before.get(key) != after[key]
        and (key in before or key in TOLD_OF_NEW)
        and _is_plain(after[key], before.get(key))
    ]
    told = [
        f"{_field_name(model, key)}: {before[key] or '–'} → {after[key]}"
        if key in before
        else f"{_field_name(model, key)}: {after[key]}"
        for key in changed[:SHOWN_CHANGES]
    ]
    return " · ".join(told) + (" …" if len(changed) > SHOWN_CHANGES else "")


def _is_plain(*values: Any) -> bool:
    return all(value is None or (isinstance(value, str | int | float) and len(str(value)) <= 40) for value in values)


def _field_name(model: type[Model] | None, key: str) -> str:
    try:
        return str(model._meta.get_field(key).verbose_name) if model else key.replace("_", " ")  # type: ignore[union-attr]
    except (FieldDoesNotExist, AttributeError):
        return key.replace("_", " ")


@cache
def _models() -> dict[str, type[Model]]:
    return {model.__name__: model for model in apps.get_models()}
