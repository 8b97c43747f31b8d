"""What the admin's pages share: who may come in, how a ``UserError`` is shown, what a stranger finds, who is at work."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Sequence
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import BadRequest
from django.core.files.storage import default_storage
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from catalog.current_shop import follow
from catalog.models import Merchant
from catalog.services.exports import KINDS
from catalog.services.renditions import srcset_of
from jobs.errors import NotFound, UserError
from jobs.full_disk import no_room
from jobs.presence import SEEN_WITHIN, workers_seen

View = Callable[..., HttpResponse]
#: What a picture in a list's row needs, also on a screen of two pixels for one.
IN_A_ROW = 88
#: Digits of the longest key that every database takes.
LONGEST_KEY = 18


def staff_page(view: View) -> View:
    """A page for staff; a ``UserError`` becomes a message on the page that it came from."""

    @functools.wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        request.__dict__["_is_page"] = True
        try:
            return view(request, *args, **kwargs)
        except NotFound as error:
            raise Http404(str(error)) from error
        except UserError as error:
            messages.error(request, str(error))
            return HttpResponseRedirect(request.path)

    return admin.site.admin_view(guarded)


def staff_json(view: View) -> View:
    """A JSON address for staff; a ``UserError``, or a full disk, becomes ``{"error": {"code", "message", "hint"}}``."""

    @functools.wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return view(request, *args, **kwargs)
        except Exception as error:
            told = error if isinstance(error, UserError) else no_room(error)
            if told is None:
                raise
            body = {"code": told.code, "message": str(told.message), "hint": str(told.hint)}
            headers = {} if told.retry_after is None else {"Retry-After": str(told.retry_after)}
            return JsonResponse({"error": body}, status=told.status_code, headers=headers)

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
    shop_id = row.pk if isinstance(row, Merchant) else getattr(row, "merchant_id", None)
    if shop_id and request.__dict__.get("_is_page"):  # what a page asks for by script must not switch other tabs
        follow(request, shop_id)
    return row


def key_of(value: object) -> int | None:
    """A row's key from a body or an address; None for what cannot be one (no number, or longer than any key)."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value if 0 <= value < 10**LONGEST_KEY else None
    text = value if isinstance(value, str) else ""
    return int(text) if text.isdecimal() and len(text) <= LONGEST_KEY else None


def keys_of(values: object) -> list[int]:
    """The keys in a body's list; ``BadRequest`` where it is no list, or something in it is no key."""
    keys = [key_of(value) for value in values] if isinstance(values, list) else [None]
    if None in keys:
        raise BadRequest("not a list of keys")
    return [key for key in keys if key is not None]


def json_body(request: HttpRequest) -> dict[str, Any]:
    """The object that a script sent; ``BadRequest`` for anything else."""
    try:
        body = json.loads(request.body or b"{}")
    except (ValueError, RecursionError) as error:
        raise BadRequest("not JSON") from error
    if not isinstance(body, dict):
        raise BadRequest("not an object")
    return body


def worker_notice(queue: str) -> str:
    """What to tell the user when no worker listens to ``queue``; empty when one does."""
    if workers_seen(queue):
        return ""
    return _(
        "No worker has been seen for %(seconds)d seconds: jobs wait until one starts. "
        "Start one with: celery -A stylerec_site worker -Q %(queue)s --pool solo"
    ) % {"seconds": SEEN_WITHIN.total_seconds(), "queue": queue}


def srcset(renditions: Sequence[dict[str, Any]]) -> str:
    """The ``srcset`` attribute of a picture's smaller copies."""
    return srcset_of(renditions)


def thumbnail(picture: Any, *, width: int = 240) -> str:
    """The address of a picture's smallest copy that is so many pixels wide; of the widest one where none is."""
    copies = picture.renditions
    if not copies:
        return str(picture.file.url)
    return str(default_storage.url(next((copy for copy in copies if copy["width"] >= width), copies[-1])["path"]))


def table_download(content: bytes, *, name: str, kind: str) -> HttpResponse:
    """A ``csv`` or ``xlsx`` to be saved under ``name``."""
    return HttpResponse(
        content, content_type=KINDS[kind], headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )
