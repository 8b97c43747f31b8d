"""Rate limits, counted in Valkey. DRF answers 429 with Retry-After; every answer says how much is left."""

from __future__ import annotations

import hmac
import math
from typing import TYPE_CHECKING, Any

import structlog
from django.conf import settings
from redis.exceptions import RedisError
from rest_framework.request import Request
from rest_framework.throttling import AnonRateThrottle, SimpleRateThrottle

if TYPE_CHECKING:
    from rest_framework.views import APIView

log = structlog.get_logger(__name__)


class _Announced(SimpleRateThrottle):
    """Leaves ``request.rate_limit = (limit, remaining, seconds until it is whole again)`` for the headers."""

    history: list[float]
    now: float
    duration: int
    num_requests: int

    def allow_request(self, request: Request, view: APIView) -> bool:
        try:
            allowed = super().allow_request(request, view)
        except RedisError as error:
            # A counter that is away must not close the shop; the limit comes back with it.
            log.warning("throttle.uncounted", error=str(error))
            return True
        if self.rate is not None and getattr(self, "history", None) is not None:
            reset = self.duration - (self.now - self.history[-1]) if self.history else self.duration
            left = max(0, self.num_requests - len(self.history))
            underlying: Any = request._request
            underlying.rate_limit = (self.num_requests, left, math.ceil(reset))
        return allowed


class AnonymousThrottle(_Announced, AnonRateThrottle):
    """Requests without a log-in, by address. The counter knows the address only by a keyed hash."""

    def get_ident(self, request: Request) -> str:
        address = super().get_ident(request)
        return hmac.digest(settings.SECRET_KEY.encode(), f"throttle|{address}".encode(), "sha256").hex()[:32]


class TokenThrottle(_Announced):
    """Requests with a token or a log-in, by token or user."""

    scope = "token"

    def get_cache_key(self, request: Request, view: APIView) -> str | None:
        if not request.user.is_authenticated:
            return None
        token_id = getattr(request.auth, "pk", None)
        return f"throttle_token_{token_id}" if token_id else f"throttle_user_{request.user.pk}"
