"""The audit trail in a merchant's words."""

from __future__ import annotations

from functools import cache

from django.apps import apps
from django.db.models import Model
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from jobs.errors import Text

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
    "model-deployed": _("Put a version of a style into use"),
    "model-deployed-first": _("Put a style's first version into use"),
    "model-retired": _("Retired a version of a style"),
    "model-rolled-back": _("Went back to an earlier version of a style"),
    "picture-added": _("Added a picture"),
    "picture-removed": _("Removed a picture"),
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


@cache
def _models() -> dict[str, type[Model]]:
    return {model.__name__: model for model in apps.get_models()}
