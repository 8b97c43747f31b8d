from django.apps import AppConfig


class SiteConfig(AppConfig):
    """The roof holds commands and templates, no models."""

    name = "stylerec_site"

    def ready(self) -> None:
        from jobs.registry import name_kinds
        from stylerec_site.job_names import NAMES

        name_kinds(NAMES)
