"""What every API resource shares: cursor pages and the one error format.

An error is ``{"error": {"code", "message", "hint", "details", "request_id"}}`` with a stable ``code``; message and hint
are in the language of the request.
"""

from __future__ import annotations

from typing import Any

import structlog
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, JsonResponse
from django.utils.translation import gettext as _
from rest_framework import exceptions, status
from rest_framework.pagination import CursorPagination
from rest_framework.response import Response
from rest_framework.views import exception_handler as drf_exception_handler

from jobs.errors import UserError
from jobs.full_disk import no_room

log = structlog.get_logger(__name__)


class CursorPage(CursorPagination):
    """Newest first by primary key: stable while rows are added, constant cost at any depth."""

    ordering = "-pk"
    page_size = 50
    page_size_query_param = "page_size"
    max_page_size = 200


def error_response(request: HttpRequest, error: UserError) -> JsonResponse:
    """The error format outside of a view."""
    return JsonResponse(_body(error, getattr(request, "request_id", "")), status=error.status_code)


def exception_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """Map theirs to the error format; leave ours to Django, which logs them and answers 500 with the request id."""
    request_id = getattr(context.get("request"), "request_id", "")
    error = no_room(error) or error
    if isinstance(error, UserError):
        headers = {} if error.retry_after is None else {"Retry-After": str(error.retry_after)}
        return Response(_body(error, request_id), status=error.status_code, headers=headers)
    if isinstance(error, Http404):
        error = exceptions.NotFound()
    elif isinstance(error, PermissionDenied):
        error = exceptions.PermissionDenied()
    response = drf_exception_handler(error, context)
    if response is None:
        return None
    response.data = {"error": {**_describe(error, response), "request_id": request_id}}
    return response


def _body(error: UserError, request_id: str) -> dict[str, Any]:
    return {
        "error": {
            "code": error.code,
            "message": str(error.message),
            "hint": str(error.hint),
            "details": error.details,
            "request_id": request_id,
        }
    }


def _describe(error: Exception, response: Response) -> dict[str, Any]:
    if isinstance(error, exceptions.ValidationError):
        return {
            "code": "invalid",
            "message": _("Some fields are not right."),
            "hint": _("See details, field by field."),
            "details": response.data if isinstance(response.data, dict) else {"non_field_errors": response.data},
        }
    codes = {
        status.HTTP_401_UNAUTHORIZED: (
            "not-authenticated",
            _("Send “Authorization: Token …”; make a token in the admin."),
        ),
        status.HTTP_403_FORBIDDEN: (
            "not-allowed",
            _("Ask an owner of the shop for a role or token that may do this."),
        ),
        status.HTTP_404_NOT_FOUND: ("not-found", _("Check the address; it may belong to another shop.")),
        status.HTTP_429_TOO_MANY_REQUESTS: (
            "too-many-requests",
            _("Wait as long as the Retry-After header says."),
        ),
    }
    detail = getattr(error, "detail", str(error))
    framework_code = str(getattr(detail, "code", "error")).replace("_", "-")
    code, hint = codes.get(response.status_code, (framework_code, ""))
    return {"code": code, "message": str(detail), "hint": hint, "details": {}}
