"""Smaller copies of a picture for ``srcset``, as WebP and AVIF: made by a worker, never at page view.

A picture without renditions is shown as its own file until the worker has been there. Templates write::

    <picture>
      <source type="image/avif" srcset="{srcset_of(renditions, kind='avif')}" sizes="…">
      <img src="{file.url}" srcset="{srcset_of(renditions)}" sizes="…" width="…" height="…" alt="…">
    </picture>

and leave the ``<source>`` out where its ``srcset`` is empty.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import Model
from PIL import Image

from catalog.models import Merchant

#: Where they are stored; also the name of the columns that list them.
FOLDER = "renditions"
#: Widths in pixels; the picture's own width is always there as the original file.
WIDTHS = (128, 240, 480, 960)
WIDEST = 1600
#: This copy is there as JPEG too: not every mail program reads WebP or AVIF.
MAIL_WIDTH = 480
#: A copy that is nearly as wide as the widest one would save nobody anything.
NEARLY = 0.9
WEBP_QUALITY = 82
#: Looks as WebP does at its quality, in fewer bytes.
AVIF_QUALITY = 60
#: About as quick as WebP; slower speeds save little more.
AVIF_SPEED = 9
#: Models whose rows show copies, each with the path from a row to its owner's key.
_shown_by: dict[type[Model], str] = {}


def stored_name(*, folder: str, sha256: str, owner: int, extension: str) -> str:
    """The name of a file by its content and its owner: nobody guesses it, and the same content has the same one."""
    identifier = uuid5(NAMESPACE_URL, f"{owner}:{sha256}").hex
    return f"{folder}/{identifier[:2]}/{identifier}.{extension}"


def store(content: bytes, *, folder: str, sha256: str, owner: int, extension: str) -> str:
    """Store ``content`` under a name made from its hash and its owner; the name.

    Stored again, it only becomes young again, so that nobody takes it for left over before a row names it.
    """
    name = stored_name(folder=folder, sha256=sha256, owner=owner, extension=extension)
    if default_storage.exists(name) and _renewed(name, content):
        return name
    return default_storage.save(name, ContentFile(content))


def _renewed(name: str, content: bytes) -> bool:
    """Set the time of a stored file to now; False where it has just gone."""
    renew = getattr(default_storage, "renew", None)
    if renew is not None:
        return bool(renew(name, content))
    with default_storage.open(name, "wb") as file:  # an object store, where writing is whole or not at all
        file.write(content)
    return True


@contextmanager
def naming_files(owner: int) -> Iterator[None]:
    """A transaction in which nobody else names or forgets files of this shop.

    Equal pictures share their files, so that whoever deletes one must not miss a row that is not committed yet.
    """
    with transaction.atomic():
        Merchant.objects.select_for_update(no_key=True).filter(pk=owner).first()
        yield


def make_renditions(content: bytes, *, sha256: str, owner: int, at_most: int | None = None) -> list[dict[str, Any]]:
    """Copies of a picture, narrow first: ``[{"width", "height", "format": "webp", "path", "avif"}]``.

    ``path`` is the WebP, ``avif`` the same picture as AVIF, ``jpg`` (of one width) as JPEG. With ``at_most``, only so many
    of the narrowest are made. It decodes and encodes: worker code.
    """
    with Image.open(io.BytesIO(content)) as picture:
        picture.load()
        whole = picture.convert("RGB")
    widest = min(whole.width, WIDEST)
    widths = [width for width in WIDTHS if width < NEARLY * widest] + [widest]
    return [_rendition(whole, width=width, sha256=sha256, owner=owner) for width in widths[:at_most]]


def srcset_of(renditions: Sequence[dict[str, Any]], *, kind: str = "webp") -> str:
    """The ``srcset`` of a picture's copies, ``webp`` or ``avif``; empty where there are none of the kind."""
    key = "avif" if kind == "avif" else "path"
    return ", ".join(f"{default_storage.url(row[key])} {row['width']}w" for row in renditions if row.get(key))


def files_of(renditions: Sequence[dict[str, Any]]) -> list[str]:
    """Names of all files of these copies."""
    return [row[key] for row in renditions for key in ("path", "avif", "jpg") if row.get(key)]


def mail_copy(renditions: Sequence[dict[str, Any]]) -> str | None:
    """The name of the copy that every mail program reads; None for pictures that are small themselves, or older."""
    return next((row["jpg"] for row in renditions if row.get("jpg")), None)


def show_copies(model: type[Model], *, owner: str) -> None:
    """Say that rows of ``model`` (with ``sha256`` and ``renditions``) show copies; ``owner`` is the path to their owner."""
    _shown_by[model] = owner


def forget_copies(renditions: Sequence[dict[str, Any]], *, sha256: str, owner: int) -> None:
    """Delete these copies of a picture that is gone, unless the owner shows the same content elsewhere, and so the same
    copies: a product's picture may be a style's reference as well.
    """
    for model, path in _shown_by.items():
        if model._default_manager.filter(sha256=sha256, **{path: owner}).exists():
            return
    for name in files_of(renditions):
        default_storage.delete(name)


def _rendition(picture: Image.Image, *, width: int, sha256: str, owner: int) -> dict[str, Any]:
    height = max(1, round(picture.height * width / picture.width))
    smaller = picture if width == picture.width else picture.resize((width, height), Image.Resampling.LANCZOS)

    def kept(kind: str, **options: Any) -> str:
        buffer = io.BytesIO()
        smaller.save(buffer, format=Image.registered_extensions()[f".{kind}"], **options)
        content = buffer.getvalue()
        return store(content, folder=FOLDER, sha256=f"{sha256}:{width}", owner=owner, extension=kind)

    rendition = {
        "width": width,
        "height": height,
        "format": "webp",
        "path": kept("webp", quality=WEBP_QUALITY, method=3),
        "avif": kept("avif", quality=AVIF_QUALITY, speed=AVIF_SPEED, max_threads=1),
    }
    if width == MAIL_WIDTH:
        rendition["jpg"] = kept("jpg", quality=WEBP_QUALITY, optimize=True)
    return rendition
