from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class DevelopersConfig(AppConfig):
    name = "catalog.developers"
    label = "developers"
    verbose_name = _("For developers")
    default_auto_field = "django.db.models.BigAutoField"
