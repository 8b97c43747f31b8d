"""The catalogue's pages, under ``/admin/catalog/``."""

from __future__ import annotations

from django.urls import path

from catalog.views import pictures, statuses

app_name = "catalog"
urlpatterns = [
    path("product/<int:product_id>/pictures/", pictures.upload, name="upload_picture"),
    path("product/<int:product_id>/pictures/order/", pictures.order, name="order_pictures"),
    path("picture/<int:image_id>/describe/", pictures.describe, name="describe_picture"),
    path("picture/<int:image_id>/delete/", pictures.remove, name="remove_picture"),
    path("product/<int:product_id>/archive/", statuses.set_one, {"status": "archived"}, name="archive"),
    path("product/<int:product_id>/publish/", statuses.set_one, {"status": "published"}, name="publish"),
    path("undo/<slug:token>/", statuses.undo, name="undo"),
]
