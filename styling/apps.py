from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class StylingConfig(AppConfig):
    name = "styling"
    verbose_name = _("Styling")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from catalog.services.renditions import show_copies

        show_copies(self.get_model("StyleReference"), owner="style__merchant_id")
        show_copies(self.get_model("StyledImage"), owner="merchant_id")
