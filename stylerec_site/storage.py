"""Local files that are there whole or not at all."""

from __future__ import annotations

import contextlib
import os
import uuid
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage

#: Where files are while they are written: on the same file system as their place, and never served.
PARTS = "parts"


class WholeFileStorage(FileSystemStorage):
    """Writes beside the place and links into it, as S3 does by itself.

    Django writes into the place. A full disk or a kill then leaves a half file under a name that is made from the
    content, which the next upload of the same picture would take for whole.
    """

    #: What a kill leaves there, the sweeper finds (``catalog.services.leftovers``).
    parts = PARTS

    def renew(self, name: str, content: bytes) -> bool:
        """Set the time of the file ``name``, which holds ``content``, to now; False where it has just gone."""
        try:
            os.utime(self.path(name))
        except FileNotFoundError:
            return False
        except PermissionError:  # another user's, as of a command that root has run: one of our own takes its place
            with self._part() as part:
                super()._save(part, ContentFile(content))  # type: ignore[misc]
                Path(self.path(part)).replace(self.path(name))
        return True

    def delete_unchanged(self, name: str, modified: datetime) -> bool:
        """Delete the file unless it was written or renewed after ``modified``; whether it went.

        It is moved away before its time is looked at: who renews it before has made it young, who comes later finds none.
        """
        with self._part() as part:
            Path(self.path(part)).parent.mkdir(parents=True, exist_ok=True)
            try:
                Path(self.path(name)).rename(self.path(part))
            except FileNotFoundError:
                return False
            if self.get_modified_time(part) == modified:
                return True
            with contextlib.suppress(FileExistsError):  # stored anew in the meantime
                os.link(self.path(part), self.path(name))
            return False

    def _save(self, name: str, content: Any) -> str:
        with self._part() as part:
            super()._save(part, content)  # type: ignore[misc]
            return self._place(part, name)

    @contextlib.contextmanager
    def _part(self) -> Iterator[str]:
        """A name for a file beside all places, which is deleted at the end."""
        part = f"{PARTS}/{uuid.uuid4().hex}.part"
        try:
            yield part
        finally:
            with contextlib.suppress(OSError):
                self.delete(part)

    def _place(self, part: str, name: str) -> str:
        """Give the finished file its name, or the next free one: what has a name already is not written over."""
        while True:
            target = Path(self.path(name))
            target.parent.mkdir(parents=True, exist_ok=True)
            try:
                os.link(self.path(part), target)
            except FileExistsError:
                name = self.get_available_name(name)
            else:
                return name.replace("\\", "/")
