"""Files in S3 instead of a folder: the same doors, against a real HTTP server that speaks S3."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from html import unescape
from urllib.request import Request, urlopen

import boto3
import pytest
from django.core.files.storage import default_storage
from moto.core.utils import utcnow
from moto.server import ThreadedMotoServer
from PIL import Image

from catalog.services import renditions
from catalog.services.pictures import add_picture, remove_picture
from catalog.services.sweeping import sweep
from tests.catalog.factories import MembershipFactory, ProductFactory, picture_bytes

BUCKET = "shop"


@pytest.fixture
def bucket(settings, monkeypatch) -> Iterator:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    server = ThreadedMotoServer(port=0)
    server.start()
    host, port = server.get_host_and_port()
    endpoint = f"http://{host}:{port}"
    client = boto3.client("s3", endpoint_url=endpoint)
    client.create_bucket(Bucket=BUCKET)
    options = {"bucket_name": BUCKET, "endpoint_url": endpoint, "file_overwrite": False, "querystring_auth": True}
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": options},
    }
    yield client
    # One memory serves all servers of a process.
    urlopen(Request(f"{endpoint}/moto-api/reset", method="POST"))
    server.stop()


def names(client) -> set[str]:
    return {row["Key"] for row in client.list_objects_v2(Bucket=BUCKET).get("Contents", [])}


@pytest.mark.django_db
def test_a_picture_lives_in_the_bucket_and_reaches_the_shopper_from_there(bucket, client):
    product = ProductFactory()
    picture = add_picture(product=product, upload=picture_bytes(size=(640, 480)))
    assert {picture.file.name, picture.original.name} <= names(bucket)
    assert {row["path"] for row in picture.renditions} <= names(bucket)

    page = client.get(f"/s/{product.merchant.slug}/p/{product.pk}/").content.decode()
    address = unescape(re.search(r'<img src="([^"]+)"', page).group(1))
    with urlopen(address) as answer:
        assert Image.open(io.BytesIO(answer.read())).size[0] <= 640
    assert "originals/" not in page


@pytest.mark.django_db
def test_what_is_removed_is_gone_from_the_bucket(bucket, django_capture_on_commit_callbacks):
    product = ProductFactory()
    owner = MembershipFactory(merchant=product.merchant).user
    picture = add_picture(product=product, upload=picture_bytes(size=(320, 240)))
    with django_capture_on_commit_callbacks(execute=True):
        remove_picture(image=picture, by=owner)
    assert names(bucket) == set()


def test_a_lost_file_is_an_ordinary_error(bucket):
    with pytest.raises(FileNotFoundError):
        default_storage.open("pictures/lost.webp", "rb").read()


def test_pages_may_load_pictures_from_the_bucket():
    program = "from django.conf import settings; print(settings.CONTENT_SECURITY_POLICY['DIRECTIVES']['img-src'])"
    for environment, origin in (
        ({"STYLEREC_S3_BUCKET": "shop"}, "https://shop.s3.amazonaws.com"),
        ({"STYLEREC_S3_BUCKET": "shop", "STYLEREC_S3_ENDPOINT": "https://s3.example"}, "https://s3.example"),
        ({"STYLEREC_S3_BUCKET": "shop", "STYLEREC_MEDIA_ORIGINS": "https://cdn.example"}, "https://cdn.example"),
    ):
        answer = subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "DJANGO_SETTINGS_MODULE": "stylerec_site.settings", **environment},
            capture_output=True,
            text=True,
            check=True,
        )
        assert origin in answer.stdout


@pytest.mark.django_db
def test_what_is_asked_for_again_is_young_again_and_what_nobody_names_goes(bucket, monkeypatch):
    """The sweeper on a bucket: ages are the objects' own."""
    add_picture(product=ProductFactory(), upload=picture_bytes())
    named = names(bucket)
    place = {"folder": "renderings", "sha256": "0" * 64, "owner": 1, "extension": "jpg"}
    again = renditions.store(b"drawn", **place)
    bucket.put_object(Bucket=BUCKET, Key="renderings/ab/lost.jpg", Body=b"lost")
    before = bucket.head_object(Bucket=BUCKET, Key=again)["LastModified"]
    later = timedelta(hours=30)
    with monkeypatch.context() as the_next_day:
        the_next_day.setattr("moto.s3.models.utcnow", lambda: utcnow() + later)
        assert renditions.store(b"drawn", **place) == again
    assert bucket.head_object(Bucket=BUCKET, Key=again)["LastModified"] > before
    assert bucket.get_object(Bucket=BUCKET, Key=again)["Body"].read() == b"drawn"
    monkeypatch.setattr("catalog.services.leftovers.timezone.now", lambda: before + later)
    assert [leftover.name for leftover in sweep().files.leftovers] == ["renderings/ab/lost.jpg"]
    assert names(bucket) == {*named, again}
