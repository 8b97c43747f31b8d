"""Limits by address on what is tried and on what anybody may change, counted in Valkey.

Failures are counted, not requests, so that those who share an address with somebody who guesses are not shut out: a good
token passes whatever its neighbours do, and so does a browser in which the same person has logged in before.
"""

from __future__ import annotations

import hmac
import ipaddress
from collections.abc import Callable
from functools import cache
from typing import Any

import redis
import structlog
from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse

from stylerec_site.errors import error_page

log = structlog.get_logger(__name__)

KNOWN_BROWSER = "stylerec_known_browser"
KNOWN_FOR_SECONDS = 180 * 24 * 3600
LOGIN = "admin:login"
#: Forms of the storefront that change something, by view name; those that are not named here are ``storefront``.
ORDER = "storefront:order"


@cache
def _client() -> redis.Redis:
    """This process's connection pool."""
    return redis.Redis.from_url(settings.REDIS_URL, **settings.CACHES["default"]["OPTIONS"])


def address_of(request: HttpRequest) -> str:
    """Where a request comes from: the last address that no proxy of ours wrote; of IPv6 the /64 that a customer is given."""
    address = _written_address(request)
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:  # a socket's peer, or a proxy's nonsense
        return address
    if parsed.version == 4:
        return address
    return str(ipaddress.ip_network((parsed, 64), strict=False))


def _written_address(request: HttpRequest) -> str:
    forwarded = [part.strip() for part in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",") if part.strip()]
    if settings.PROXIES and forwarded:
        return str(forwarded[-min(settings.PROXIES, len(forwarded))])[:64]
    return str(request.META.get("REMOTE_ADDR", ""))


def _key(limit: str, request: HttpRequest) -> str:
    """The counter's name; it knows the address by a keyed hash only."""
    text = f"brakes|{limit}|{address_of(request)}"
    return f"stylerec:brakes:{limit}:{hmac.digest(settings.SECRET_KEY.encode(), text.encode(), 'sha256').hex()[:32]}"


def count(limit: str, request: HttpRequest) -> int:
    """Count one; the seconds to wait where that was one too many, else 0."""
    most, seconds = settings.LIMITS_BY_ADDRESS[limit]
    key = _key(limit, request)
    try:
        with _client().pipeline(transaction=True) as pipeline:
            pipeline.incr(key)
            pipeline.expire(key, seconds, nx=True)
            pipeline.ttl(key)
            used, _set, left = pipeline.execute()
    except redis.RedisError as error:
        # A counter that is away must not close the shop; the limit comes back with it.
        log.warning("brakes.uncounted", error=str(error))
        return 0
    return max(1, left) if used > most else 0


def is_used_up(limit: str, request: HttpRequest) -> int:
    """The seconds to wait where no more are let through, else 0. Counts nothing."""
    most, _seconds = settings.LIMITS_BY_ADDRESS[limit]
    try:
        with _client().pipeline(transaction=False) as pipeline:
            pipeline.get(_key(limit, request))
            pipeline.ttl(_key(limit, request))
            used, left = pipeline.execute()
    except redis.RedisError as error:
        log.warning("brakes.uncounted", error=str(error))
        return 0
    return max(1, left) if int(used or 0) >= most else 0


def refusal(request: HttpRequest, seconds: int) -> HttpResponse:
    """429, and when to come back."""
    response = error_page(request, 429)
    response["Retry-After"] = str(seconds)
    return response


class BrakesMiddleware:
    """Refuses what comes too often. Stands behind the log-in's own lock, and in front of the views."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if response.status_code == 401 or _is_refused_metrics(request, response):
            seconds = count("credentials", request)
            return refusal(request, seconds) if seconds else response
        if _is_login(request):
            if response.status_code == 302:
                _remember(request, response)
            elif response.status_code == 200:  # the form again
                count("login", request)
        return response

    def process_view(
        self, request: HttpRequest, view: Any, arguments: tuple[Any, ...], keywords: dict[str, Any]
    ) -> HttpResponse | None:
        """Refuse before anything is read or written."""
        if request.method != "POST" or request.resolver_match is None:
            return None
        name = request.resolver_match.view_name
        seconds = 0
        if name == LOGIN and not _is_known(request):
            seconds = is_used_up("login", request)
        elif name.startswith("storefront:"):
            seconds = count("order" if name == ORDER else "storefront", request)
        return refusal(request, seconds) if seconds else None


def _is_login(request: HttpRequest) -> bool:
    match = request.resolver_match
    return request.method == "POST" and match is not None and match.view_name == LOGIN


def _is_refused_metrics(request: HttpRequest, response: HttpResponse) -> bool:
    match = request.resolver_match
    return response.status_code == 404 and match is not None and match.view_name == "metrics"


def _remember(request: HttpRequest, response: HttpResponse) -> None:
    """Let the browser say later on who has logged in with it, and nothing else."""
    response.set_cookie(
        KNOWN_BROWSER,
        signing.dumps(request.user.get_username(), salt=KNOWN_BROWSER),  # a cookie is ASCII, a name need not be
        max_age=KNOWN_FOR_SECONDS,
        secure=settings.PRODUCTION,
        httponly=True,
        samesite="Strict",
        path="/admin/",
    )


def _is_known(request: HttpRequest) -> bool:
    """Whether the person who logs in has done so in this browser before."""
    try:
        known = signing.loads(request.COOKIES.get(KNOWN_BROWSER, ""), salt=KNOWN_BROWSER, max_age=KNOWN_FOR_SECONDS)
    except signing.BadSignature:
        return False
    return bool(known == request.POST.get("username", ""))
