"""The site's addresses and, beside them, the plain views that the benchmarks compare with."""

from __future__ import annotations

from django.urls import include, path

from benchmarks.plain_views import PlainEvents, bare_json

urlpatterns = [
    path("plain/json/", bare_json),
    path("plain/events/", PlainEvents.as_view()),
    path("", include("stylerec_site.urls")),
]
