"""Every address of the site, from the URL resolver, and which row each of its parameters names.

A new route needs nothing here as long as its parameters have known names; one with an unknown name fails the tests
until ``PARAMETERS`` says what it means, and one that is for everybody must be named in ``PUBLIC``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from tests.security.possessions import NOBODYS

#: Routes that anybody may read: they show nothing of a shop but its storefront.
PUBLIC = {
    "favicon", "healthz", "readyz", "metrics", "media", "set_language", "creative_link",
    "api:schema", "api:docs", "api:redoc", "api:api-root",
    "admin:login", "admin:jsi18n",
}  # fmt: skip
PUBLIC_NAMESPACES = {"storefront"}
#: The operator's own pages: model permissions guard them, and no member of a shop holds any.
OPERATORS = ("admin:auth_", "admin:axes_", "admin:otp_totp_")

#: Which model's row a parameter names, whatever the route.
PARAMETERS = {
    "style_id": "styling.Style",
    "reference_id": "styling.StyleReference",
    "model_id": "styling.StyleModel",
    "merchant_id": "catalog.Merchant",
    "image_id": "styling.StyledImage",
    "rendering_id": "styling.StyledImage",
    "fit_id": "recommend.RecommenderFit",
    "recommender_id": "recommend.Recommender",
    "product_id": "catalog.Product",
    "rule_id": "recommend.MerchandisingRule",
    "category_id": "catalog.Category",
    "membership_id": "catalog.Membership",
    "token_id": "catalog.ApiToken",
    "key_id": "developers.PublishableKey",
    "endpoint_id": "developers.WebhookEndpoint",
    "delivery_id": "developers.WebhookDelivery",
    "shopper_id": "recommend.Shopper",
    "slate_id": "recommend.Slate",
    "import_id": "catalog.ImportRun",
    "draft_id": "catalog.ImportDraft",
    "picture_id": "catalog.ProductImage",
    "job_id": "jobs.Job",
    "set_id": "creatives.CreativeSet",
    "creative_id": "creatives.Creative",
    "experiment_id": "experiments.Experiment",
    "variant_id": "experiments.Variant",
}
#: The same for names that mean different things on different routes, by the start of the route's address.
PARAMETERS_BELOW = {
    ("admin/catalog/picture/", "image_id"): "catalog.ProductImage",
    ("admin/styling/training/", "run_id"): "styling.TrainingRun",
    ("admin/styling/stylisation/", "run_id"): "styling.StylizationRun",
}
#: Parameters that are no row's key: what stands there on every route.
CONSTANTS = {
    "token": "not-a-token", "change": "abc", "format": "json", "kind": "csv", "app_label": "catalog",
    "visitor_id": "customer-81",
}  # fmt: skip


@dataclass(frozen=True)
class Route:
    """One address: its pattern, its full name, and the model behind each parameter (None for constants)."""

    pattern: str
    name: str
    models: dict[str, type[Any] | None]

    @property
    def is_public(self) -> bool:
        return self.name in PUBLIC or self.name.partition(":")[0] in PUBLIC_NAMESPACES

    @property
    def is_operators(self) -> bool:
        return self.name.startswith(OPERATORS) or any(
            model is not None and model._meta.label in NOBODYS for model in self.models.values()
        )

    @property
    def is_api(self) -> bool:
        return self.name.startswith("api:")

    @property
    def row_names(self) -> list[str]:
        """The parameters that are keys of rows."""
        return [name for name, model in self.models.items() if model is not None]

    def address(self, key_of: Callable[[str, type[Any]], Any]) -> str:
        """The address, with the key that ``key_of(parameter, model)`` gives wherever a row is named."""
        values = {
            name: CONSTANTS.get(name, "1") if model is None else key_of(name, model)
            for name, model in self.models.items()
        }
        return reverse(self.name, kwargs=values)


def routes() -> list[Route]:
    """Every named route; nameless ones are the admin's redirects and its catch-all, and nothing else."""
    found: dict[tuple[str, tuple[str, ...]], Route] = {}
    nameless: list[str] = []
    for pattern, name, converters, callback in _walk(get_resolver()):
        if not name.rpartition(":")[2]:
            nameless.append(pattern)
            continue
        route = Route(
            pattern, name, {parameter: _model(pattern, name, parameter, callback) for parameter in converters}
        )
        found[name, tuple(sorted(converters))] = route
    strange = [p for p in nameless if not p.endswith(("/<path:object_id>/", "(?P<url>.*)$"))]
    assert not strange, f"{strange}: give these routes a name"
    return list(found.values())


def _walk(
    resolver: URLResolver, before: str = "", namespaces: tuple[str, ...] = ()
) -> Iterator[tuple[str, str, list[str], Any]]:
    for entry in resolver.url_patterns:
        pattern = before + str(entry.pattern)
        if isinstance(entry, URLPattern):
            parameters = [*entry.pattern.converters] or [*entry.pattern.regex.groupindex]
            yield pattern, ":".join([*namespaces, entry.name or ""]), parameters, entry.callback
        else:
            yield from _walk(entry, pattern, (*namespaces, *([entry.namespace] if entry.namespace else [])))


def _model(pattern: str, name: str, parameter: str, callback: Any) -> type[Any] | None:
    """The model whose key stands at a parameter."""
    if parameter in CONSTANTS:
        return None
    for (start, below), label in PARAMETERS_BELOW.items():
        if parameter == below and pattern.startswith(start):
            return apps.get_model(label)
    if parameter in PARAMETERS:
        return apps.get_model(PARAMETERS[parameter])
    if parameter == "pk" and hasattr(callback, "cls"):
        return callback.cls.queryset.model
    if parameter in {"object_id", "id", "pk"} and name.startswith("admin:") and pattern.startswith("admin/"):
        _admin, app_label, model_name, *_rest = pattern.split("/")
        if app_label != "r":
            return apps.get_model(app_label, model_name)
    if Route(pattern, name, {}).is_public or name == "admin:view_on_site":
        return None
    raise AssertionError(f"{pattern}: say in PARAMETERS which row “{parameter}” names, or make the route PUBLIC")
