"""Requests that may be sent twice: what a request did and its answer are one transaction, under a key of the client's.

Two requests with one key cannot both act: on SQLite the second waits for the write lock, on PostgreSQL for the first's
insert, and then both find the finished answer. A request that failed (any status but 2xx) leaves no trace, so the same
key may be tried again.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta

from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from catalog.developers.models import IdempotencyRecord
from jobs.errors import UserError

#: For how long a key gives the first answer again.
KEPT_FOR = timedelta(hours=24)
_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_KEPT_HEADERS = ("Content-Type", "Location", "ETag", "Content-Language")


class KeyReused(UserError):
    """The key was used for another request."""

    status_code = 422


@dataclass(frozen=True)
class Answer:
    """A response as it is kept: status, the headers that belong to its content, body."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def had_effect(self) -> bool:
        return 200 <= self.status < 300


def checked_key(text: str) -> str:
    """The key, where it is one."""
    if not _KEY.fullmatch(text):
        raise UserError(
            "idempotency-key-malformed",
            _("The Idempotency-Key is 1 to 255 printable ASCII characters without spaces."),
            _("A random UUID is a good key."),
        )
    return text


def fingerprint_of(
    *,
    method: str,
    address: str,
    body: bytes = b"",
    fields: Iterable[tuple[str, str]] = (),
    files: Iterable[tuple[str, UploadedFile]] = (),
) -> str:
    """SHA-256 of what a request asks for. Forms are taken field by field: their boundary differs each time."""
    digest = hashlib.sha256()

    def add(*parts: bytes) -> None:
        for part in parts:
            digest.update(len(part).to_bytes(8, "big") + part)

    add(method.encode(), address.encode(), body)
    for name, value in sorted(fields):
        add(name.encode(), value.encode())
    for name, file in files:
        content = hashlib.sha256()
        for chunk in file.chunks():
            content.update(chunk)
        file.seek(0)
        add(name.encode(), (file.name or "").encode(), content.digest())
    return digest.hexdigest()


def once(*, owner: str, key: str, fingerprint: str, act: Callable[[], Answer]) -> tuple[Answer, bool]:
    """Let ``act`` happen once for ``owner`` and ``key``: its answer, and whether it is an earlier one.

    Raises ``KeyReused`` where the key belongs to another request. An answer without effect rolls everything back.
    """
    with transaction.atomic():
        expired = timezone.now() - KEPT_FOR
        IdempotencyRecord.objects.filter(owner=owner, key=key, created_at__lt=expired).delete()
        fresh = IdempotencyRecord(owner=owner, key=key, fingerprint=fingerprint)
        # The insert waits for an unfinished one with the same key; it then changes nothing, and the reader finds that.
        IdempotencyRecord.objects.bulk_create([fresh], ignore_conflicts=True)
        record = IdempotencyRecord.objects.select_for_update().get(owner=owner, key=key)
        if record.fingerprint != fingerprint:
            raise KeyReused(
                "idempotency-key-reused",
                _("This Idempotency-Key was used for another request."),
                _("Take a new key for every new request, and the same one only to repeat it."),
            )
        if record.status:
            return Answer(record.status, record.headers, bytes(record.body)), True
        answer = act()
        if answer.had_effect:
            IdempotencyRecord.objects.filter(pk=record.pk).update(
                status=answer.status,
                headers={name: value for name, value in answer.headers.items() if name in _KEPT_HEADERS},
                body=answer.body,
            )
        else:
            transaction.set_rollback(True)
    return answer, False


def purge() -> int:
    """Forget answers that nobody can ask for any more; how many."""
    return IdempotencyRecord.objects.filter(created_at__lt=timezone.now() - KEPT_FOR).delete()[0]
