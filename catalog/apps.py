from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CatalogConfig(AppConfig):
    name = "catalog"
    verbose_name = _("Catalogue")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from catalog import openapi  # noqa: F401 - registers the description of our tokens
        from catalog.services.renditions import show_copies

        show_copies(self.get_model("ProductImage"), owner="product__merchant_id")
