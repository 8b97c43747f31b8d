"""A disk that is really full: the kernel refuses, nothing half written stays, what was there before is still whole.

Where no small file system can be mounted (that takes root), ``test_no_room.py``, ``test_storage.py`` and
``tests/jobs/test_faults.py`` still hold the same with injected errors and the kernel's own limit on a file.
"""

from __future__ import annotations

import errno
import os
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import DatabaseError, connection
from django.test import Client

from catalog.models import AuditEntry, ImportDraft, Product, ProductImage
from catalog.services.pictures import add_picture
from catalog.tokens import create_token
from jobs.full_disk import no_room
from recommend.engine import artifact as recommenders
from stylerec_site.chaos.disk import fill, make_room, small_disk
from tests.catalog.factories import ProductFactory, picture_bytes
from tests.styling.factories import person

pytestmark = [pytest.mark.django_db, pytest.mark.optional]


@pytest.fixture
def disk(tmp_path, settings) -> Iterator[Path]:
    """A disk of two megabytes, on which pictures and artifacts lie."""
    with small_disk(tmp_path / "disk", megabytes=2) as mounted:
        if not mounted:
            pytest.skip("no file system can be mounted here")
        settings.MEDIA_ROOT = tmp_path / "disk" / "media"
        settings.ARTIFACTS_ROOT = tmp_path / "disk" / "artifacts"
        yield tmp_path / "disk"


def files_below(root: Path) -> set[str]:
    return {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()} - {"filler"}


def test_an_upload_fails_cleanly_and_works_again_when_there_is_room(disk):
    product = ProductFactory()
    first = add_picture(product=product, upload=picture_bytes(color=(1, 2, 3)))
    secret = create_token(merchant=product.merchant, user=person(product.merchant), name="till", scope="write")[1]
    client = Client(raise_request_exception=False, headers={"authorization": f"Token {secret}"})
    before = files_below(disk)

    def send():
        upload = ContentFile(picture_bytes(color=(200, 2, 3)), name="a.png")
        return client.post(f"/api/v1/products/{product.pk}/images/", {"file": upload})

    fill(disk)
    refused = send()
    assert (refused.status_code, refused.json()["error"]["code"]) == (507, "no-room")
    assert refused["X-Request-ID"] in refused.content.decode()
    assert int(refused["Retry-After"]) > 0
    assert [image.pk for image in ProductImage.objects.all()] == [first.pk]
    assert files_below(disk) == before, "nothing half written"

    make_room(disk)
    assert send().status_code == 201
    assert ProductImage.objects.count() == 2
    trail = AuditEntry.objects.filter(merchant=product.merchant, action="picture-added")
    assert trail.count() == 1, "what came over the API is on the record, and what did not come is not"
    for image in ProductImage.objects.all():
        with default_storage.open(str(image.file.name)) as file:
            assert file.read()[-2:] == b"\xff\xd9"


def test_an_artifact_is_replaced_whole_or_not_at_all(disk, settings):
    target = settings.ARTIFACTS_ROOT / "fit"
    recommenders.write(target, arrays={"item_matrix": np.ones((4, 4))}, config={"factors": 2}, metrics={"n": 1})
    before = files_below(disk)
    fill(disk)
    with pytest.raises(OSError, match="No space left") as refused:
        recommenders.write(
            target, arrays={"item_matrix": np.zeros((500, 500))}, config={"factors": 2}, metrics={"n": 2}
        )
    assert refused.value.errno == errno.ENOSPC
    assert files_below(disk) == before
    arrays, _config, metrics = recommenders.read(target)
    assert metrics == {"n": 1}
    assert arrays["item_matrix"].sum() == 16
    make_room(disk)
    recommenders.write(target, arrays={"item_matrix": np.zeros((20, 20))}, config={"factors": 2}, metrics={"n": 2})
    assert recommenders.read(target)[2] == {"n": 2}


@pytest.fixture
def site_on_disk(tmp_path, settings, transactional_db) -> Iterator[Path]:
    """A disk of twelve megabytes, on which the whole site lies: its database, too."""
    with small_disk(tmp_path / "disk", megabytes=12) as mounted:
        if not mounted:
            pytest.skip("no file system can be mounted here")
        settings.MEDIA_ROOT = tmp_path / "disk" / "media"
        database = connection.settings_dict
        usual, database["NAME"] = database["NAME"], str(tmp_path / "disk" / "site.sqlite3")
        with closing(sqlite3.connect(usual)) as source, closing(sqlite3.connect(database["NAME"])) as copy:
            source.backup(copy)
        connection.close()
        try:
            yield tmp_path / "disk"
        finally:
            connection.close()
            database["NAME"] = usual


@pytest.mark.sqlite
@pytest.mark.django_db(transaction=True)
def test_a_site_whose_disk_is_full_is_read_as_ever_and_says_why_it_cannot_be_changed(site_on_disk):
    """SQLite itself is refused by the kernel: with nothing left, not even a row can be changed."""
    product = ProductFactory(name="Vase")
    add_picture(product=product, upload=picture_bytes(color=(1, 2, 3)))
    secret = create_token(merchant=product.merchant, user=person(product.merchant), name="till", scope="write")[1]
    visitor = Client(raise_request_exception=False)
    program = Client(raise_request_exception=False, headers={"authorization": f"Token {secret}"})
    merchant = Client(raise_request_exception=False)
    merchant.force_login(person(product.merchant))
    api, admin = f"/api/v1/products/{product.pk}/", f"/admin/catalog/product/{product.pk}"
    reads = [
        (visitor, f"/s/{product.merchant.slug}/"),
        (visitor, f"/s/{product.merchant.slug}/p/{product.pk}/"),
        (program, api),
        (merchant, f"{admin}/change/"),
    ]

    def upload(color):
        return SimpleUploadedFile("a.png", picture_bytes(color=color))

    def write(color):
        return [
            program.patch(api, {"name": "Bowl"}, content_type="application/json").status_code,
            program.post(f"{api}images/", {"file": upload((1, 1, color))}).status_code,
            merchant.post(f"{admin}/pictures/", {"file": upload((2, 2, color))}).status_code,
            merchant.post(
                "/admin/catalog/import/", {"table": SimpleUploadedFile("products.csv", b"sku,name,price\nA,Jug,5\n")}
            ).status_code,
        ]

    fill(site_on_disk)
    assert write(10) == [507, 507, 507, 507]
    assert [client.get(address).status_code for client, address in reads] == [200, 200, 200, 200]
    assert program.get(api).json()["name"] == "Vase"
    make_room(site_on_disk)
    assert write(10) == [200, 201, 200, 302]
    assert Product.objects.get(pk=product.pk).name == "Bowl"
    assert ProductImage.objects.count() == 3
    assert ImportDraft.objects.count() == 1


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user of the machine may enter, as pytest's own may not be."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_postgresql_says_in_its_own_way_that_its_disk_is_full(open_folder):
    """A table on a small disk: what cannot grow is told apart from what is wrong with the statement."""
    place = open_folder / "disk" / "tables"
    with small_disk(open_folder / "disk", megabytes=2) as mounted, connection.cursor() as cursor:
        if not mounted:
            pytest.skip("no file system can be mounted here")
        cursor.execute("SHOW data_directory")
        of_the_server = Path(cursor.fetchone()[0]).stat()
        place.mkdir()
        os.chown(place, of_the_server.st_uid, of_the_server.st_gid)
        place.parent.chmod(0o755)
        cursor.execute(f"CREATE TABLESPACE small_disk LOCATION '{place}'")
        cursor.execute("CREATE TABLE filler (text text) TABLESPACE small_disk")
        cursor.execute("ALTER TABLE filler ALTER text SET STORAGE EXTERNAL")  # as large as it is
        try:
            with pytest.raises(DatabaseError) as refused:
                cursor.execute("INSERT INTO filler SELECT repeat('x', 10000) FROM generate_series(1, 1000)")
            assert no_room(refused.value)
        finally:
            cursor.execute("DROP TABLE filler")
            cursor.execute("DROP TABLESPACE small_disk")
