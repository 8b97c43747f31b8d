"""The catalogue's pages, under ``/admin/catalog/``."""

from __future__ import annotations

from django.urls import path, register_converter
from django.urls.converters import StringConverter

from catalog.developers import views as developers
from catalog.views import imports, pictures, statuses, switching


class TableKindConverter(StringConverter):
    """The two kinds of table that we write."""

    regex = "csv|xlsx"


register_converter(TableKindConverter, "table")

app_name = "catalog"
urlpatterns = [
    path("product/<int:product_id>/pictures/", pictures.upload, name="upload_picture"),
    path("product/<int:product_id>/pictures/order/", pictures.order, name="order_pictures"),
    path("picture/<int:picture_id>/describe/", pictures.describe, name="describe_picture"),
    path("picture/<int:picture_id>/delete/", pictures.remove, name="remove_picture"),
    path("product/<int:product_id>/archive/", statuses.set_one, {"status": "archived"}, name="archive"),
    path("product/<int:product_id>/publish/", statuses.set_one, {"status": "published"}, name="publish"),
    path("import/", imports.start, name="import"),
    path("import/template.<table:kind>", imports.download_template, name="import_template"),
    path("import/draft/<uuid:draft_id>/", imports.draft, name="import_draft"),
    path("import/draft/<uuid:draft_id>/problems.<table:kind>", imports.draft_problems, name="draft_problems"),
    path("import/draft/<uuid:draft_id>/confirm/", imports.confirm, name="confirm_import"),
    path("import/draft/<uuid:draft_id>/discard/", imports.discard, name="discard_import"),
    path("import/run/<uuid:import_id>/", imports.run, name="import_run"),
    path("import/run/<uuid:import_id>/state/", imports.run_state, name="import_state"),
    path("import/run/<uuid:import_id>/problems.<table:kind>", imports.run_problems, name="import_problems"),
    path("import/run/<uuid:import_id>/cancel/", imports.act, {"verb": "cancel"}, name="cancel_import"),
    path("import/run/<uuid:import_id>/retry/", imports.act, {"verb": "retry"}, name="retry_import"),
    path("webhook/<int:endpoint_id>/ping/", developers.ping, name="ping_webhook"),
    path("webhook/<int:endpoint_id>/rotate/", developers.rotate, name="rotate_webhook"),
    path("webhook/<int:endpoint_id>/switch/", developers.switch, name="switch_webhook"),
    path("webhook/delivery/<int:delivery_id>/again/", developers.redeliver, name="redeliver"),
    path("storefront-key/<int:key_id>/revoke/", developers.revoke, name="revoke_key"),
    path("storefront-key/<int:key_id>/replace/", developers.replace, name="replace_key"),
    path("shop/", switching.switch, name="switch_shop"),
    path("undo/<slug:change>/", statuses.undo, name="undo"),
]
