from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class StylingConfig(AppConfig):
    name = "styling"
    verbose_name = _("Styling")
    default_auto_field = "django.db.models.BigAutoField"
