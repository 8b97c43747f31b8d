from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CreativesConfig(AppConfig):
    name = "recommend.creatives"
    label = "creatives"
    verbose_name = _("Ad creatives")
    default_auto_field = "django.db.models.BigAutoField"
