"""Rate limits, counted in Valkey. DRF answers 429 with Retry-After; every answer says how much is left.

The times of the requests that were let through are kept in a list by a script of Valkey's: one round trip, and two
requests at one moment are never both the last one.
"""

from __future__ import annotations

import hmac
import math
from functools import cache
from typing import TYPE_CHECKING, Any

import redis
import structlog
from django.conf import settings
from redis.commands.core import Script
from rest_framework.request import Request
from rest_framework.throttling import AnonRateThrottle, SimpleRateThrottle

if TYPE_CHECKING:
    from rest_framework.views import APIView

log = structlog.get_logger(__name__)

#: Takes a key, how many requests, in how many microseconds. Returns whether this one is let through, how many are left,
#: and in how many microseconds the oldest is forgotten.
_COUNT = """
local most, duration = tonumber(ARGV[1]), tonumber(ARGV[2])
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local oldest = tonumber(redis.call('LINDEX', KEYS[1], -1))
while oldest and oldest <= now - duration do
  redis.call('RPOP', KEYS[1])
  oldest = tonumber(redis.call('LINDEX', KEYS[1], -1))
end
local count = redis.call('LLEN', KEYS[1])
if count >= most then return {0, 0, oldest and oldest + duration - now or duration} end
redis.call('LPUSH', KEYS[1], string.format('%.0f', now))
redis.call('PEXPIRE', KEYS[1], math.ceil(duration / 1000))
return {1, most - count - 1, (oldest or now) + duration - now}
"""


@cache
def counter() -> Script:
    """The script at this process's connection pool."""
    client = redis.Redis.from_url(settings.REDIS_URL, **settings.CACHES["default"]["OPTIONS"])
    return client.register_script(_COUNT)  # type: ignore[no-any-return]


class _Counted(SimpleRateThrottle):
    """Leaves ``request.rate_limit = (limit, remaining, seconds until more are left)`` for the headers."""

    num_requests: int
    duration: int
    _seconds: float

    def allow_request(self, request: Request, view: APIView) -> bool:
        key = self.get_cache_key(request, view) if self.rate is not None else None
        if key is None:
            return True
        try:
            allowed, left, microseconds = counter()(
                keys=[f"stylerec:{key}"], args=[self.num_requests, self.duration * 1_000_000]
            )
        except redis.RedisError as error:
            # A counter that is away must not close the shop; the limit comes back with it.
            log.warning("throttle.uncounted", error=str(error))
            return True
        self._seconds = microseconds / 1e6
        underlying: Any = request._request
        underlying.rate_limit = (self.num_requests, left, math.ceil(self._seconds))
        return bool(allowed)

    def wait(self) -> float:
        """Seconds after which a refused client may come again."""
        return self._seconds


class AnonymousThrottle(_Counted, AnonRateThrottle):
    """Requests without a log-in, by address. The counter knows the address only by a keyed hash."""

    def get_ident(self, request: Request) -> str:
        address = super().get_ident(request)
        return hmac.digest(settings.SECRET_KEY.encode(), f"throttle|{address}".encode(), "sha256").hex()[:32]


class TokenThrottle(_Counted):
    """Requests with a token or a log-in, by token or user."""

    scope = "token"

    def get_cache_key(self, request: Request, view: APIView) -> str | None:
        if not request.user.is_authenticated:
            return None
        token_id = getattr(request.auth, "pk", None)
        return f"throttle_token_{token_id}" if token_id else f"throttle_user_{request.user.pk}"
