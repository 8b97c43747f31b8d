"""What surrounds every API request: repeatable writes, conditional reads, and how much of the limit is left."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.middleware.http import ConditionalGetMiddleware
from django.utils.cache import patch_cache_control, patch_vary_headers
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import APIException
from rest_framework.request import Request

from catalog.authentication import ApiTokenAuthentication
from catalog.developers import idempotency
from jobs.errors import UserError
from stylerec_site.api import error_response

API = "/api/v1/"
_UNSAFE = {"POST", "PUT", "PATCH", "DELETE"}


class BodyTooLarge(UserError):
    """More than a request without files may carry."""

    status_code = 413


class IdempotencyMiddleware:
    """Answer a repeated write with the first one's answer. Stands last, so that everything else is done each time."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        key = request.headers.get("Idempotency-Key")
        if key is None or request.method not in _UNSAFE or not request.path.startswith(API):
            return self.get_response(request)
        owner = _owner_of(request)
        if owner is None:
            return self.get_response(request)  # nobody we know: the view says so
        kept: list[HttpResponse] = []

        def act() -> idempotency.Answer:
            response = self.get_response(request)
            kept.append(response)
            return idempotency.Answer(response.status_code, dict(response.items()), response.content)

        try:
            answer, is_earlier = idempotency.once(
                owner=owner,
                key=idempotency.checked_key(key),
                fingerprint=_fingerprint_of(request),
                act=act,
            )
        except UserError as error:
            return error_response(request, error)
        if not is_earlier:
            return kept[0]
        response = HttpResponse(answer.body, status=answer.status, headers=answer.headers)
        response["Idempotency-Replayed"] = "true"
        return response


def _owner_of(request: HttpRequest) -> str | None:
    """Whose key it is. A token is checked here too: a revoked one gets no earlier answer."""
    try:
        known = ApiTokenAuthentication().authenticate(Request(request))
    except APIException:
        return None
    if known is not None:
        return f"token:{known[1].pk}"
    if request.user.is_authenticated:
        return f"user:{request.user.pk}:{request.headers.get('X-Merchant', '')}"[:100]
    return None


def _fingerprint_of(request: HttpRequest) -> str:
    what: dict[str, Any] = {"method": request.method, "address": request.get_full_path()}
    if request.content_type == "multipart/form-data" and request.method == "POST":
        fields = [(name, value) for name, values in request.POST.lists() for value in values]
        files = [(name, file) for name, many in request.FILES.lists() for file in many]
        return idempotency.fingerprint_of(**what, fields=fields, files=files)
    try:
        return idempotency.fingerprint_of(**what, body=request.body)
    except RequestDataTooBig as error:
        raise BodyTooLarge(
            "body-too-large", _("The request is larger than a repeatable one may be."), _("Send several smaller ones.")
        ) from error


class ConditionalReadsMiddleware(ConditionalGetMiddleware):
    """``ETag`` on the API's reads, 304 to ``If-None-Match``; an answer is the asker's own to keep, never a proxy's."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        if not request.path.startswith(API):
            return response
        limit = getattr(request, "rate_limit", None)
        if limit is not None:
            response["RateLimit-Limit"], response["RateLimit-Remaining"], response["RateLimit-Reset"] = map(str, limit)
        if request.method not in {"GET", "HEAD"}:
            return response
        patch_vary_headers(response, ["Authorization", "Cookie", "Accept-Language", "X-Merchant"])
        if not response.has_header("Cache-Control"):
            patch_cache_control(response, private=True, no_cache=True)
        return super().process_response(request, response) if response.status_code == 200 else response  # type: ignore[arg-type]
