"""How the API's schema describes our tokens."""

from __future__ import annotations

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension


class PublishableKeyScheme(OpenApiAuthenticationExtension):
    target_class = "catalog.developers.keys.PublishableKeyAuthentication"
    name = "PublishableKey"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {
            "type": "apiKey",
            "in": "query",
            "name": "key",
            "description": "`pk_…`: may stand in a page's source; it is good for the origins it was made for.",
        }


class ApiTokenScheme(OpenApiAuthenticationExtension):
    target_class = "catalog.authentication.ApiTokenAuthentication"
    name = "ApiToken"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {
            "type": "apiKey",
            "in": "header",
            "name": "Authorization",
            "description": "`Token sr_…`: make one in the admin; it is shown once.",
        }
