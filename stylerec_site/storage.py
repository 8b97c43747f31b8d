"""Local files that are there whole or not at all."""

from __future__ import annotations

import contextlib
import os
import uuid
from pathlib import Path
from typing import Any

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

    def _save(self, name: str, content: Any) -> str:
        part = f"{PARTS}/{uuid.uuid4().hex}.part"
        try:
            super()._save(part, content)  # type: ignore[misc]
            return self._place(part, name)
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
