"""What the front page sends and loads, under ``/admin/today/``."""

from __future__ import annotations

from django.urls import path

from stylerec_site.dashboard import views

app_name = "today"
urlpatterns = [
    path("open-shop/", views.open_first_shop, name="open_shop"),
    path("shop/<int:merchant_id>/demo/", views.start_demo, name="start_demo"),
    path("shop/<int:merchant_id>/performance/", views.performance_part, name="performance"),
    path("job/<uuid:job_id>/state/", views.job_state, name="job_state"),
    path("job/<uuid:job_id>/retry/", views.retry, name="retry"),
]
