"""What breaks below the site: a busy SQLite, a PostgreSQL that restarts, pictures that are gone, a disk that is full."""

from __future__ import annotations

import errno
import sqlite3
import threading
import uuid

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import OperationalError, connection

from catalog.models import Product
from catalog.services.pictures import add_picture
from jobs import lifecycle, services
from jobs.models import Job
from jobs.registry import job_handler
from jobs.tasks import work
from styling.services.likeness import looks_of
from tests.catalog.factories import ProductFactory, picture_bytes


@job_handler("faults.full-disk")
def _full_disk(context):
    default_storage.save("samples/a.png", ContentFile(b"x" * 1000))
    return {}


@pytest.mark.django_db(transaction=True)
@pytest.mark.sqlite
def test_a_busy_sqlite_is_waited_for():
    """Another process holds the write lock for a while: the write waits for it instead of failing."""
    product = ProductFactory()
    locked, may_end = threading.Event(), threading.Event()

    def hold() -> None:
        other = sqlite3.connect(connection.settings_dict["NAME"], isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        locked.set()
        may_end.wait(5)
        other.execute("COMMIT")
        other.close()

    holder = threading.Thread(target=hold)
    holder.start()
    assert locked.wait(5)
    threading.Timer(0.5, may_end.set).start()
    assert Product.objects.filter(pk=product.pk).update(stock=4) == 1
    holder.join()
    assert Product.objects.get(pk=product.pk).stock == 4


@pytest.mark.django_db(transaction=True)
@pytest.mark.postgres
def test_a_connection_that_the_database_cut_is_replaced(client):
    """PostgreSQL restarts between two requests: the next request finds out before it fails (health checks)."""
    connection.settings_dict["CONN_MAX_AGE"], connection.settings_dict["CONN_HEALTH_CHECKS"] = 60, True
    assert client.get("/").status_code == 200
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        pid = cursor.fetchone()[0]
    other = connection.copy()
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s)", [pid])
    other.close()
    with pytest.raises(OperationalError):
        Product.objects.count()  # in the middle of a request it fails, and the request with it
    connection.close_if_unusable_or_obsolete()
    assert client.get("/").status_code == 200


@pytest.mark.django_db
def test_a_full_disk_gives_the_job_another_attempt_and_then_ends_it_with_the_reason(monkeypatch, settings):
    def full(content, chunk_size=None):
        yield content.read(500)
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(ContentFile, "chunks", full)
    job = services.enqueue(Job(kind="faults.full-disk"))
    for _ in range(settings.JOBS_MAX_FRUITLESS_ATTEMPTS):
        Job.objects.filter(pk=job.pk).update(not_before=None)
        fence = lifecycle.claim(job.pk, worker="w")
        assert fence is not None
        work(job.pk, fence)
    job.refresh_from_db()
    assert job.status == Job.Status.DEAD
    assert "No space left on device" in " ".join(job.events.values_list("message", flat=True))
    assert not default_storage.exists("samples/a.png")
    monkeypatch.undo()
    services.retry(job=job)
    fence = lifecycle.claim(job.pk, worker="w")
    assert fence is not None
    work(job.pk, fence)
    job.refresh_from_db()
    assert job.status == Job.Status.SUCCEEDED


@pytest.mark.django_db
def test_an_upload_on_a_full_disk_leaves_no_row_and_no_file(monkeypatch):
    product = ProductFactory()

    def full(content, chunk_size=None):
        yield content.read(40)
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(ContentFile, "chunks", full)
    with pytest.raises(OSError, match="No space"):
        add_picture(product=product, upload=picture_bytes())
    assert not product.images.exists()
    monkeypatch.undo()
    image = add_picture(product=product, upload=picture_bytes())
    with default_storage.open(str(image.file.name)) as stored:
        assert stored.read(3) == b"\xff\xd8\xff"  # re-encoded by the door, and whole to its end
        assert stored.read()[-2:] == b"\xff\xd9"


@pytest.mark.django_db
def test_pages_and_looks_bear_pictures_that_are_gone(client):
    product = ProductFactory()
    image = add_picture(product=product, upload=picture_bytes())
    default_storage.delete(str(image.file.name))
    page = client.get(f"/s/{product.merchant.slug}/p/{product.pk}/")
    assert page.status_code == 200
    assert client.get(f"/media/{image.file.name}").status_code == 404
    assert len(looks_of([str(image.file.name)])) == 0


@pytest.mark.django_db
def test_a_job_that_is_gone_is_nothing_to_do():
    assert lifecycle.claim(uuid.uuid4(), worker="w") is None
