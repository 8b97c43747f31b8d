"""From an upload to a job: look at it first (a draft), then confirm; or at once, as the API does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import PurePosixPath
from typing import Any

from django.core.files.storage import default_storage
from django.db import transaction
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from catalog.access import require_role
from catalog.archives import DEFAULT as ARCHIVE_LIMITS
from catalog.archives import open_archive
from catalog.models import ImportDraft, ImportRun, Membership, Merchant
from catalog.services.import_sources import Source, open_upload
from catalog.services.imports import Plan, plan
from jobs.errors import NotFound, UserError
from jobs.services import enqueue

KIND = "catalog.import"
#: A draft that nobody confirmed for so long is forgotten with its files.
DRAFT_KEPT = timedelta(days=1)


def start_import(*, merchant: Merchant, upload: Any, actor: Any = None) -> ImportRun:
    """Keep the upload and ask for its import. A table that cannot be read at all is refused here and now."""
    draft, planned = _prepare(merchant, upload, None, actor)
    return _confirm(draft, planned, actor)


def prepare_import(*, merchant: Merchant, table: Any, by: Any, pictures: Any = None) -> ImportDraft:
    """Keep an upload (a table or a ZIP, and perhaps a ZIP of pictures beside it) to be looked at before it counts.

    Raises ``UserError`` where the table or a ZIP cannot be read at all; then nothing is kept.
    """
    return _prepare(merchant, table, pictures, by)[0]


def _prepare(merchant: Merchant, table: Any, pictures: Any, by: Any) -> tuple[ImportDraft, Plan]:
    require_role(by, merchant, Membership.Role.EDITOR)
    for upload in filter(None, (table, pictures)):
        _require_size(upload)
    if pictures is not None:
        open_archive(pictures)
    name = str(getattr(table, "name", "") or "products.csv")[:200]
    planned = plan(merchant=merchant, source=open_upload(table, name=name, pictures=pictures))
    forget_drafts(merchant=merchant)
    kept: list[str] = []
    try:
        kept.append(_keep(table, name))
        if pictures is not None:
            kept.append(_keep(pictures, "pictures.zip"))
        draft = ImportDraft.objects.create(
            merchant=merchant, created_by=by, source=kept[0], source_name=name, pictures="".join(kept[1:])
        )
    except BaseException:  # the second file, or the row, found no room: nobody will ever ask for the first
        forget_files(kept)
        raise
    return draft, planned


def plan_of(draft: ImportDraft) -> Plan:
    """What importing the draft would do now."""
    with opened(draft) as source:
        return plan(merchant=draft.merchant, source=source)


def confirm_import(*, draft: ImportDraft, by: Any) -> ImportRun:
    """Ask for the import of a draft. The second of two clicks finds no draft any more."""
    require_role(by, draft.merchant, Membership.Role.EDITOR)
    return _confirm(draft, plan_of(draft), by)


def _confirm(draft: ImportDraft, planned: Plan, by: Any) -> ImportRun:
    with transaction.atomic():
        if not ImportDraft.objects.filter(pk=draft.pk).delete()[0]:
            raise NotFound("not-found", _("This import was confirmed or discarded already."), _("Look at the list."))
        return enqueue(
            ImportRun(
                kind=KIND,
                queue="default",
                merchant=draft.merchant,
                merchant_key=draft.merchant_id,
                created_by=by,
                parameters={"language": get_language()},
                source=draft.source.name,
                source_name=draft.source_name,
                pictures=draft.pictures.name,
                rows_total=len(planned.rows),
                rows_new=len(planned.new),
                rows_changed=len(planned.changed),
                rows_bad=len(planned.bad),
            )
        )


def discard_draft(*, draft: ImportDraft, by: Any) -> None:
    """Forget an upload that is not to be imported."""
    require_role(by, draft.merchant, Membership.Role.EDITOR)
    _forget(draft)


def forget_drafts(*, merchant: Merchant) -> None:
    """Forget the shop's drafts that nobody confirmed in time."""
    for draft in ImportDraft.objects.filter(merchant=merchant, created_at__lt=timezone.now() - DRAFT_KEPT):
        _forget(draft)


def forget_files(names: list[str]) -> None:
    """Delete uploads once they are read and done with."""
    for name in filter(None, names):
        default_storage.delete(name)


@contextmanager
def opened(row: ImportDraft | ImportRun) -> Iterator[Source]:
    """The kept upload as a source, open for the time of the ``with`` block."""
    with ExitStack() as stack:
        try:
            table = stack.enter_context(default_storage.open(str(row.source.name), "rb"))
            pictures = None
            if row.pictures:
                pictures = stack.enter_context(default_storage.open(str(row.pictures.name), "rb"))
        except OSError as error:
            raise UserError("upload-gone", _("The uploaded file is no longer there."), _("Upload it again.")) from error
        yield open_upload(table, name=row.source_name, pictures=pictures)


def _forget(draft: ImportDraft) -> None:
    names = [str(draft.source.name), str(draft.pictures.name)]
    if ImportDraft.objects.filter(pk=draft.pk).delete()[0]:
        transaction.on_commit(lambda: forget_files(names))


def _require_size(upload: Any) -> None:
    if (getattr(upload, "size", None) or 0) > ARCHIVE_LIMITS.most_packed_bytes:
        raise UserError(
            "upload-too-large",
            _("The file is larger than %(megabytes)d MB.") % {"megabytes": ARCHIVE_LIMITS.most_packed_bytes // 10**6},
            _("Split it into several."),
        )


def _keep(upload: Any, name: str) -> str:
    suffix = PurePosixPath(name).suffix.lower()
    upload.seek(0)
    return default_storage.save(f"imports/upload{suffix if suffix.isascii() and len(suffix) <= 5 else ''}", upload)
