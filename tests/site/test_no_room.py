"""Who stores something where no room is left is told so, through every door; what was there before stays.

The storage's refusal is injected here (``test_full_disk.py`` has the kernel's own); the database's is its own: an SQLite
that may not grow.
"""

from __future__ import annotations

import errno
import sqlite3

import pytest
from botocore.exceptions import ClientError
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import DatabaseError, OperationalError, connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from psycopg.errors import DiskFull

from catalog.models import ApiToken, AuditEntry, ImportDraft, ImportRun, ProductImage
from catalog.services.pictures import add_picture
from catalog.services.rendition_jobs import make_missing
from jobs.full_disk import NoRoom, no_room
from stylerec_site.storage import WholeFileStorage
from tests.api.clients import client_of
from tests.catalog.factories import ProductFactory, picture_bytes
from tests.styling.factories import person

TABLE = b"sku,name,name_zh,category,price,images\nA1,Vase,,,10,\n"


def caused(error: Exception, by: Exception) -> Exception:
    error.__cause__ = by
    return error


def sqlite_error(code: int) -> sqlite3.Error:
    error = sqlite3.OperationalError("database or disk is full")
    error.sqlite_errorcode = code
    return error


def s3_error(status: int) -> ClientError:
    return ClientError({"Error": {"Code": "X"}, "ResponseMetadata": {"HTTPStatusCode": status}}, "PutObject")  # type: ignore[typeddict-item]


@pytest.mark.parametrize(
    ("error", "is_full"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), True),
        (OSError(errno.EDQUOT, "Disk quota exceeded"), True),
        (caused(ValueError("wrapped"), OSError(errno.ENOSPC, "")), True),
        (OSError(errno.EACCES, "Permission denied"), False),
        (caused(OperationalError(), sqlite_error(sqlite3.SQLITE_FULL)), True),
        (caused(OperationalError(), sqlite_error(sqlite3.SQLITE_BUSY)), False),
        (caused(OperationalError(), DiskFull("could not extend file")), True),
        (s3_error(507), True),
        (s3_error(503), False),
        (ValueError("ours"), False),
        (None, False),
    ],
)
def test_what_says_that_there_is_no_room(error, is_full):
    assert isinstance(no_room(error), NoRoom) is is_full


@pytest.fixture
def full(monkeypatch):
    """A storage that takes nothing more."""

    def refuse(storage, name, content):
        raise OSError(errno.ENOSPC, "No space left on device")

    return lambda: monkeypatch.setattr(WholeFileStorage, "_save", refuse)


@pytest.mark.django_db
class TestStorage:
    def test_an_upload_over_the_api(self, full):
        product = ProductFactory()
        client = client_of(product.merchant)
        full()
        answer = client.post(
            f"/api/v1/products/{product.pk}/images/", {"file": ContentFile(picture_bytes(), name="a.png")}
        )
        error = answer.json()["error"]
        assert (answer.status_code, error["code"]) == (507, "no-room")
        assert error["message"].startswith("The server has no room left")
        assert "freed" in error["hint"]
        assert error["request_id"] == answer["X-Request-ID"]
        assert int(answer["Retry-After"]) > 0
        assert not ProductImage.objects.exists()

    def test_the_same_key_may_be_sent_again_when_there_is_room(self, full, monkeypatch):
        product = ProductFactory()
        client = client_of(product.merchant)

        def send():
            return client.post(
                f"/api/v1/products/{product.pk}/images/",
                {"file": ContentFile(picture_bytes(), name="a.png")},
                headers={"idempotency-key": "one-upload"},
            )

        full()
        assert send().status_code == 507
        monkeypatch.undo()
        again = send()
        assert (again.status_code, "Idempotency-Replayed" in again) == (201, False)

    @pytest.mark.parametrize(("language", "words"), [("en", "no room left"), ("zh-hans", "")])
    def test_a_dropped_picture(self, client, full, language, words):
        product = ProductFactory()
        client.force_login(person(product.merchant))
        address = reverse("catalog:upload_picture", args=[product.pk])
        full()
        answer = client.post(
            address,
            {"file": SimpleUploadedFile("a.png", picture_bytes())},
            headers={"accept-language": language},
        )
        assert (answer.status_code, answer.json()["error"]["code"]) == (507, "no-room")
        assert words in answer.json()["error"]["message"]
        assert int(answer["Retry-After"]) > 0

    def test_an_import_keeps_neither_row_nor_file(self, full, monkeypatch, settings):
        merchant = ProductFactory().merchant
        client = Client(raise_request_exception=False)
        client.force_login(person(merchant))
        full()
        files = {"table": SimpleUploadedFile("products.csv", TABLE)}
        page = client.post(reverse("catalog:import"), {"merchant": merchant.pk, **files})
        assert page.status_code == 507
        assert "The server has no room left" in page.content.decode()
        assert page["X-Request-ID"] in page.content.decode()
        assert int(page["Retry-After"]) > 0
        assert not ImportDraft.objects.exists()
        monkeypatch.undo()
        monkeypatch.setattr(ImportDraft.objects, "create", _no_row)
        page = client.post(reverse("catalog:import"), {"merchant": merchant.pk, "table": _table()})
        assert page.status_code == 507
        assert not [path for path in settings.MEDIA_ROOT.rglob("*") if path.is_file()], "nobody will ask for it again"

    def test_an_import_over_the_api(self, full):
        merchant = ProductFactory().merchant
        client = client_of(merchant)
        full()
        answer = client.post("/api/v1/imports/", {"file": _table()})
        assert (answer.status_code, answer.json()["error"]["code"]) == (507, "no-room")
        assert not ImportRun.objects.exists()

    def test_a_body_that_finds_no_room_while_it_comes_in(self, monkeypatch):
        """A large file is spooled to the disk before any view has a say."""
        product = ProductFactory()
        client = Client(raise_request_exception=False, enforce_csrf_checks=True)
        client.force_login(person(product.merchant))
        client.get(reverse("catalog:import"))
        token = client.cookies["csrftoken"].value
        monkeypatch.setattr("django.core.files.uploadhandler.MemoryFileUploadHandler.receive_data_chunk", _no_room)
        answer = client.post(
            reverse("catalog:upload_picture", args=[product.pk]),
            {"file": SimpleUploadedFile("a.png", picture_bytes())},
            headers={"accept": "application/json", "x-csrftoken": token},
        )
        assert (answer.status_code, answer.json()["error"]["code"]) == (507, "no-room")

    def test_renditions_wait_for_room_and_are_not_taken_for_lost(self, full):
        product = ProductFactory()
        add_picture(product=product, upload=picture_bytes())
        full()
        with pytest.raises(OSError, match="No space"):
            make_missing(merchant=product.merchant)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("code", "status"), [(sqlite3.SQLITE_FULL, 200), (sqlite3.SQLITE_CORRUPT, 503)])
def test_reading_over_the_api_goes_on_although_the_tokens_use_cannot_be_noted(monkeypatch, code, status):
    product = ProductFactory()
    client = client_of(product.merchant)
    client.raise_request_exception = False

    def refuse(rows, **changes):
        raise caused(OperationalError("database or disk is full"), sqlite_error(code))

    monkeypatch.setattr(type(ApiToken.objects.all()), "update", refuse)
    assert client.get(f"/api/v1/products/{product.pk}/").status_code == status


def _no_room(*arguments, **keywords):
    raise OSError(errno.ENOSPC, "No space left on device")


def _no_row(**fields):
    raise caused(OperationalError("database or disk is full"), sqlite_error(sqlite3.SQLITE_FULL))


def _table() -> SimpleUploadedFile:
    return SimpleUploadedFile("products.csv", TABLE)


@pytest.mark.django_db(transaction=True)
@pytest.mark.sqlite
class TestDatabase:
    @pytest.fixture
    def no_growth(self):
        """Let the database grow no further: SQLite itself refuses, as it does where the disk is full."""
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA max_page_count")
            before = cursor.fetchone()[0]

            def stop() -> None:
                cursor.execute("VACUUM")  # no free pages either
                cursor.execute("PRAGMA page_count")
                cursor.execute(f"PRAGMA max_page_count = {cursor.fetchone()[0]}")

            yield stop
            cursor.execute(f"PRAGMA max_page_count = {before}")

    def test_it_refuses_with_the_code_that_is_looked_for(self, no_growth):
        product = ProductFactory()
        no_growth()
        with pytest.raises(DatabaseError, match="full") as refused:
            AuditEntry.objects.create(
                merchant=product.merchant, action="x", at=timezone.now(), after={"text": "x" * 100_000}
            )
        assert no_room(refused.value)

    @pytest.mark.parametrize("key", [None, "one-upload"])
    def test_an_upload_is_refused_with_words_and_leaves_no_row(self, no_growth, key):
        product = ProductFactory(sku="A1", name="Vase")
        client = client_of(product.merchant)
        no_growth()
        headers = {"idempotency-key": key} if key else {}
        body = {"name": "x" * 190, "description": "y" * 20_000}
        answer = client.patch(f"/api/v1/products/{product.pk}/", body, content_type="application/json", headers=headers)
        assert (answer.status_code, answer.json()["error"]["code"]) == (507, "no-room"), answer.content
        product.refresh_from_db()
        assert (product.name, product.description) == ("Vase", "")
        assert client.get(f"/api/v1/products/{product.pk}/").json()["name"] == "Vase", "reading goes on"

    def test_a_page_says_it_too(self, no_growth):
        product = ProductFactory(name="Vase")
        client = Client(raise_request_exception=False)
        client.force_login(person(product.merchant))
        no_growth()
        rows = b"".join(b"B%d,%s,,,10,\n" % (n, b"x" * 150) for n in range(300))
        page = client.post(
            reverse("catalog:import"),
            {"merchant": product.merchant_id, "table": SimpleUploadedFile("products.csv", TABLE + rows)},
        )
        while page.status_code == 302:  # a draft is one small row, and may still find a place
            page = client.post(reverse("catalog:import"), {"merchant": product.merchant_id, "table": _table()})
        assert page.status_code == 507
        assert "The server has no room left" in page.content.decode()
