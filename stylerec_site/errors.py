"""The pages for what went wrong, each with the request's id: in the visitor's language, as JSON to API clients.

Nothing here asks the database: these pages must come when it is what went wrong.
"""

from __future__ import annotations

import sys
from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig, TooManyFilesSent
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.utils.cache import add_never_cache_headers
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from jobs.errors import Text
from jobs.full_disk import NoRoom, no_room

#: How long a restart of the database takes, about.
SECONDS_UNTIL_BACK = 5
#: status → (stable code, title, what to do next)
PAGES: dict[int, tuple[str, Text, Text]] = {
    400: ("bad-request", _("This request cannot be understood."), _("Go back, reload the page and try again.")),
    403: (
        "not-allowed",
        _("You may not do this."),
        _("Reload the page and try again; or log in with another account."),
    ),
    404: ("not-found", _("This page does not exist."), _("It may have been sold, moved, or never been here.")),
    413: ("too-large", _("This upload is too large."), _("Send fewer or smaller files at once.")),
    429: ("too-many-requests", _("Too many attempts."), _("Wait a while, then try again.")),
    503: (
        "unavailable",
        _("The shop is being seen to."),
        _("Please try again in a few seconds."),
    ),
    500: (
        "our-error",
        _("Something went wrong on our side."),
        _("It has been noted. Please try again in a moment."),
    ),
}
_full = NoRoom()
PAGES[_full.status_code] = (_full.code, _full.message, _full.hint)


def error_page(request: HttpRequest, status: int) -> HttpResponse:
    """The page of one status; JSON to the API's clients, and to a page's script that asks for it."""
    code, title, hint = PAGES[status]
    request_id = getattr(request, "request_id", "")
    response: HttpResponse
    wants_json = request.get_preferred_type(["text/html", "application/json"]) == "application/json"
    if request.path.startswith("/api/") or wants_json:
        body: dict[str, Any] = {
            "code": code,
            "message": str(title),
            "hint": str(hint),
            "details": {},
            "request_id": request_id,
        }
        response = JsonResponse({"error": body}, status=status)
    else:
        context = {
            "status": status,
            "title": title,
            "hint": hint,
            "request_id": request_id,
            "language": get_language() or settings.LANGUAGE_CODE,
        }
        response = HttpResponse(render_to_string("error.html", context), status=status)
    add_never_cache_headers(response)
    return response


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400; 413 where it was the size."""
    return error_page(request, 413 if isinstance(exception, RequestDataTooBig | TooManyFilesSent) else 400)


def permission_denied(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """403."""
    return error_page(request, 403)


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """404."""
    return error_page(request, 404)


def server_error(request: HttpRequest) -> HttpResponse:
    """500; 507 where no room is left; 503 where the database is away or busy, which passes by itself."""
    error = sys.exc_info()[1]
    if (full := no_room(error)) is not None:
        response = error_page(request, full.status_code)
        response["Retry-After"] = str(full.retry_after)
        return response
    if not isinstance(error, OperationalError | InterfaceError):
        return error_page(request, 500)
    response = error_page(request, 503)
    response["Retry-After"] = str(SECONDS_UNTIL_BACK)
    return response


def form_without_token(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403 for a form that is older than the log-in, or was sent by another site (``CSRF_FAILURE_VIEW``)."""
    return error_page(request, 403)


def locked_out(request: HttpRequest, credentials: Any = None, *args: Any, **kwargs: Any) -> HttpResponse:
    """429 after too many wrong passwords (``AXES_LOCKOUT_CALLABLE``)."""
    response = error_page(request, 429)
    response["Retry-After"] = str(round(settings.AXES_COOLOFF_TIME * 3600))
    return response
