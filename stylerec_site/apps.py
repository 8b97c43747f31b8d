from django.apps import AppConfig


class SiteConfig(AppConfig):
    """The roof holds commands and templates, no models."""

    name = "stylerec_site"

    def ready(self) -> None:
        from jobs.registry import lead_kinds, name_kinds
        from stylerec_site.job_names import NAMES, PAGES

        name_kinds(NAMES)
        lead_kinds(PAGES)
