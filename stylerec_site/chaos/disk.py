"""A file system of a few megabytes, which can really be full: every byte refused is the kernel's own ENOSPC."""

from __future__ import annotations

import errno
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_CHUNK = b"\0" * 65_536
_FILLER = "filler"


@contextmanager
def small_disk(directory: Path, *, megabytes: int) -> Iterator[bool]:
    """Mount a file system of this size at ``directory``; whether that was possible (it takes Linux, and root)."""
    directory.mkdir(parents=True, exist_ok=True)
    options = ["-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(directory)]
    try:
        mounted = subprocess.run(["mount", *options], check=False, capture_output=True).returncode == 0
    except OSError:
        mounted = False
    try:
        yield mounted
    finally:
        if mounted:
            # Lazily: a process that has just been killed may still hold a file.
            subprocess.run(["umount", "--lazy", str(directory)], check=True, capture_output=True)


def fill(directory: Path) -> None:
    """Write until nothing more goes in."""
    with (directory / _FILLER).open("ab", buffering=0) as filler:
        for chunk in (_CHUNK, b"\0"):  # the last page byte by byte, so that not even a small file has room
            try:
                while True:
                    filler.write(chunk)
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise


def make_room(directory: Path) -> None:
    """Take away what ``fill`` wrote."""
    (directory / _FILLER).unlink(missing_ok=True)
