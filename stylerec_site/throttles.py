"""Rate limits, counted in Valkey. DRF answers 429 with Retry-After."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rest_framework.request import Request
from rest_framework.throttling import AnonRateThrottle, SimpleRateThrottle

if TYPE_CHECKING:
    from rest_framework.views import APIView


class AnonymousThrottle(AnonRateThrottle):
    """Requests without a log-in, by address."""


class TokenThrottle(SimpleRateThrottle):
    """Requests with a token or a log-in, by token or user."""

    scope = "token"

    def get_cache_key(self, request: Request, view: APIView) -> str | None:
        if not request.user.is_authenticated:
            return None
        token_id = getattr(request.auth, "pk", None)
        return f"throttle_token_{token_id}" if token_id else f"throttle_user_{request.user.pk}"
