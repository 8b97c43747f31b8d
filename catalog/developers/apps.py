from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class DevelopersConfig(AppConfig):
    name = "catalog.developers"
    label = "developers"
    verbose_name = _("For developers")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from corsheaders.signals import check_request_enabled

        from catalog.developers.keys import may_ask_across_origins

        check_request_enabled.connect(may_ask_across_origins)
