"""The recommender's screens, under ``/admin/recommend/``."""

from __future__ import annotations

from django.urls import path

from recommend.admin_views import health, statistics, versions, why

app_name = "recommending"
urlpatterns = [
    path("versions/", versions.versions, name="versions"),
    path("shop/<int:merchant_id>/fit/", versions.fit, name="fit"),
    path("fit/<uuid:fit_id>/state/", versions.fit_state, name="fit_state"),
    path("fit/<uuid:fit_id>/cancel/", versions.steer, {"verb": "cancel"}, name="cancel_fit"),
    path("fit/<uuid:fit_id>/retry/", versions.steer, {"verb": "retry"}, name="retry_fit"),
    path("health/", health.health, name="health"),
    path("why/", why.why, name="why"),
    path("statistics/", statistics.statistics, name="statistics"),
    path("shop/<int:merchant_id>/statistics.csv", statistics.download, name="statistics_csv"),
    path("version/<int:recommender_id>/deploy/", versions.deploy, name="deploy"),
]
