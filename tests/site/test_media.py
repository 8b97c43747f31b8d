"""Only public pictures leave through the media address."""

from __future__ import annotations

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from tests.catalog.factories import picture_bytes


@pytest.fixture
def stored():
    for name in ("pictures/a.jpg", "originals/a.jpg", "imports/a.jpg", "pictures/a.html", "secret.txt"):
        default_storage.save(name, ContentFile(picture_bytes(kind="JPEG")))


def test_a_public_picture_is_served_and_cacheable_for_ever(client, stored):
    response = client.get("/media/pictures/a.jpg")
    assert response.status_code == 200
    assert response["Content-Type"] == "image/jpeg"
    assert "immutable" in response["Cache-Control"]
    assert b"".join(response.streaming_content) == picture_bytes(kind="JPEG")


@pytest.mark.parametrize(
    "path",
    [
        "originals/a.jpg",
        "imports/a.jpg",
        "pictures/../originals/a.jpg",
        "pictures//../originals/a.jpg",
        "pictures/a.html",
        "secret.txt",
        "../var/stylerec.sqlite3",
        "pictures/missing.jpg",
        "pictures/\x00.jpg",
        "pictures",
    ],
)
def test_nothing_else_is(client, stored, path):
    assert client.get(f"/media/{path}").status_code == 404
