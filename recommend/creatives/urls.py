"""The merchant's pages of creatives, under ``/admin/creatives/``. ``/c/<code>`` is among the site's own."""

from __future__ import annotations

from django.urls import path

from recommend.creatives.views import asking, figures, sets

app_name = "creatives"
urlpatterns = [
    path("new/", asking.new, name="new"),
    path("set/<int:set_id>/", sets.show, name="set"),
    path("set/<int:set_id>/state/", sets.state, name="state"),
    path("set/<int:set_id>/change/", asking.change, name="change"),
    path("set/<int:set_id>/again/", sets.again, name="again"),
    path("set/<int:set_id>/cancel/", sets.cancel, name="cancel"),
    path("set/<int:set_id>/delete/", sets.delete, name="delete"),
    path("set/<int:set_id>/zip/", sets.download_all, name="zip"),
    path("set/<int:set_id>/figures/", figures.show, name="figures"),
    path("creative/<int:creative_id>/download/", sets.download, name="download"),
    path("creative/<int:creative_id>/delete/", sets.delete_one, name="delete_one"),
]
