from django.apps import AppConfig


class SiteConfig(AppConfig):
    """The roof holds commands and templates, no models."""

    name = "stylerec_site"
