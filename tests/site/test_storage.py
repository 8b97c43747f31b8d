"""A file is there whole or not at all, on a full disk too."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import TemporaryUploadedFile

from catalog.services.renditions import store, stored_name
from stylerec_site.processes import BASE_DIR

NAMES = {"folder": "pictures", "sha256": "ab" * 32, "owner": 1, "extension": "png"}


def files_below(root) -> list[str]:
    return sorted(path.relative_to(root).as_posix() for path in Path(root).rglob("*") if path.is_file())


def read(name: str) -> bytes:
    with default_storage.open(name) as file:
        return file.read()


def test_what_is_saved_can_be_read_and_leaves_nothing_else(settings):
    name = default_storage.save("pictures/a.png", ContentFile(b"whole"))
    assert read(name) == b"whole"
    assert files_below(settings.MEDIA_ROOT) == ["pictures/a.png"]


def test_a_name_that_is_taken_is_not_written_over(settings):
    first = default_storage.save("pictures/a.png", ContentFile(b"first"))
    second = default_storage.save("pictures/a.png", ContentFile(b"second"))
    assert first != second
    assert read(first) == b"first"


def test_large_uploads_are_moved_into_place(settings):
    upload = TemporaryUploadedFile("big.png", "image/png", 5, None)
    upload.write(b"large")
    upload.seek(0)
    name = default_storage.save("pictures/big.png", upload)
    assert read(name) == b"large"
    upload.close()


def test_the_same_content_from_many_at_once_is_stored_whole(settings):
    content = os.urandom(300_000)
    names: list[str] = []
    threads = [threading.Thread(target=lambda: names.append(store(content, **NAMES))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(names) == 8
    assert all(read(name) == content for name in names)


def test_a_write_that_fails_half_way_leaves_no_file(settings, monkeypatch):
    """Half the bytes are on the disk when it is full; the next upload of the same picture must not find them."""

    def half(content, chunk_size=None):
        yield content.read(50_000)
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(ContentFile, "chunks", half)
    with pytest.raises(OSError, match="No space"):
        store(b"x" * 100_000, **NAMES)
    monkeypatch.undo()
    assert files_below(settings.MEDIA_ROOT) == []
    assert not default_storage.exists(stored_name(**NAMES))
    name = store(b"x" * 100_000, **NAMES)
    assert default_storage.size(name) == 100_000


def test_a_file_system_that_takes_no_more_bytes_leaves_no_file(tmp_path):
    """The same with the kernel's own refusal (RLIMIT_FSIZE), in a process of its own."""
    script = (
        "import resource, django; django.setup()\n"
        "from django.core.files.base import ContentFile\n"
        "from django.core.files.storage import default_storage\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (65536, 65536))\n"
        "try:\n"
        "    default_storage.save('pictures/a.png', ContentFile(b'x' * 1_000_000))\n"
        "except OSError as error:\n"
        "    print('refused', error.errno)\n"
    )
    environment = {**os.environ, "STYLEREC_MEDIA": str(tmp_path), "DJANGO_SETTINGS_MODULE": "stylerec_site.settings"}
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=BASE_DIR, env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["refused", str(errno.EFBIG)]
    assert files_below(tmp_path) == []


def test_a_file_of_another_user_is_replaced_where_its_time_cannot_be_set(settings, monkeypatch):
    name = store(b"drawn", **NAMES)
    path = settings.MEDIA_ROOT / name
    os.utime(path, (0, 0))

    def not_ours(path):
        raise PermissionError(errno.EPERM, "Operation not permitted", path)

    monkeypatch.setattr(os, "utime", not_ours)
    assert store(b"drawn", **NAMES) == name
    assert path.stat().st_mtime > 0
    assert read(name) == b"drawn"
    assert files_below(settings.MEDIA_ROOT) == [name]
