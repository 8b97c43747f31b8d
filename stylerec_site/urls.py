"""Every address of the site. The storefront's come last."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path, re_path

from recommend.creatives.views.links import follow_link
from stylerec_site.health import healthz, no_icon, readyz
from stylerec_site.media import media
from stylerec_site.metrics import metrics
from stylerec_site.two_factor import two_factor

urlpatterns = [
    path("favicon.ico", no_icon, name="favicon"),
    path("healthz", healthz, name="healthz"),
    path("readyz", readyz, name="readyz"),
    path("metrics", metrics, name="metrics"),
    path("media/<path:path>", media, name="media"),
    path("i18n/", include("django.conf.urls.i18n")),
    path("api/v1/", include("stylerec_site.api_urls")),
    path("admin/two-factor/", two_factor, name="two_factor"),
    path("admin/today/", include("stylerec_site.dashboard.urls")),
    path("admin/catalog/", include("catalog.urls")),
    path("admin/styling/", include("styling.urls")),
    path("admin/recommend/", include("recommend.admin_views.urls")),
    path("admin/creatives/", include("recommend.creatives.urls")),
    path("admin/experiments/", include("recommend.experiments.urls")),
    path("admin/", admin.site.urls),
    re_path(r"^c/(?P<code>[A-Za-z0-9-]{1,12})/?$", follow_link, name="creative_link"),
    path("", include("recommend.urls")),
]

handler400 = "stylerec_site.errors.bad_request"
handler403 = "stylerec_site.errors.permission_denied"
handler404 = "stylerec_site.errors.page_not_found"
handler500 = "stylerec_site.errors.server_error"
