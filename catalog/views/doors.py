"""What the admin's pages share: who may come in, how a ``UserError`` is shown, what a stranger finds."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.core.files.storage import default_storage
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from catalog.services.exports import KINDS
from jobs.errors import NotFound, UserError

View = Callable[..., HttpResponse]


def staff_page(view: View) -> View:
    """A page for staff; a ``UserError`` becomes a message on the page that it came from."""

    @functools.wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return view(request, *args, **kwargs)
        except NotFound as error:
            raise Http404(str(error)) from error
        except UserError as error:
            messages.error(request, str(error))
            return HttpResponseRedirect(request.path)

    return admin.site.admin_view(guarded)


def staff_json(view: View) -> View:
    """A JSON address for staff; a ``UserError`` becomes ``{"error": {"code", "message", "hint"}}``."""

    @functools.wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return view(request, *args, **kwargs)
        except UserError as error:
            body = {"code": error.code, "message": str(error.message), "hint": str(error.hint)}
            return JsonResponse({"error": body}, status=error.status_code)

    return admin.site.admin_view(guarded)


def page(request: HttpRequest, template: str, context: dict[str, Any], *, title: str) -> HttpResponse:
    """Render a page inside the admin's frame."""
    return render(request, template, {**admin.site.each_context(request), "title": title, **context})


def found(rows: QuerySet[Any], request: HttpRequest, **lookup: Any) -> Any:
    """The row that the user may see; another shop's row does not exist."""
    row = rows.visible_to(request.user).filter(**lookup).first()  # type: ignore[attr-defined]
    if row is None:
        raise NotFound(
            "not-found", _("This does not exist."), _("It may have been deleted, or belong to another shop.")
        )
    return row


def thumbnail(picture: Any) -> str:
    """The address of a picture's smallest copy."""
    return default_storage.url(picture.renditions[0]["path"]) if picture.renditions else picture.file.url


def table_download(content: bytes, *, name: str, kind: str) -> HttpResponse:
    """A ``csv`` or ``xlsx`` to be saved under ``name``."""
    return HttpResponse(
        content, content_type=KINDS[kind], headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )
