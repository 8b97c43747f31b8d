"""Version 1 of the API: every room's resources under one router, and the schema that describes them."""

from __future__ import annotations

from importlib import import_module

from django.urls import URLPattern, include, path
from drf_spectacular.views import SpectacularAPIView, SpectacularRedocView, SpectacularSwaggerView
from rest_framework.routers import DefaultRouter

from recommend.shelf_api import SHELF_PATHS

router = DefaultRouter()
router.include_format_suffixes = False  # there is one format, and actions do not take the argument
extra_paths: list[URLPattern] = []
for room in (
    "jobs",
    "catalog",
    "catalog.developers",
    "styling",
    "recommend",
    "recommend.creatives",
    "recommend.experiments",
):
    resources = import_module(f"{room}.api")
    for prefix, viewset, basename in resources.ROUTES:
        router.register(prefix, viewset, basename)
    extra_paths += getattr(resources, "PATHS", [])
extra_paths += SHELF_PATHS

app_name = "api"
urlpatterns = [
    path("schema/", SpectacularAPIView.as_view(permission_classes=[], throttle_classes=[]), name="schema"),
    path("docs/", SpectacularSwaggerView.as_view(url_name="api:schema", permission_classes=[]), name="docs"),
    path("redoc/", SpectacularRedocView.as_view(url_name="api:schema", permission_classes=[]), name="redoc"),
    *extra_paths,
    path("", include(router.urls)),
]
