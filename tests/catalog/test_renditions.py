"""Smaller copies: made by the worker, asked for once, in both formats."""

from __future__ import annotations

import io

import pytest
from django.core.files.storage import default_storage
from PIL import Image

from catalog.models import ProductImage
from catalog.services.pictures import add_picture
from catalog.services.rendition_jobs import KIND, make_missing
from catalog.services.renditions import mail_copy, make_renditions, srcset_of
from catalog.views.doors import thumbnail
from jobs.models import Job
from jobs.tasks import run
from tests.catalog.factories import ProductFactory, picture_bytes

pytestmark = pytest.mark.django_db


def test_copies_are_made_in_both_formats_narrow_first():
    rows = make_renditions(picture_bytes(size=(600, 300)), sha256="a", owner=1)
    assert [(row["width"], row["height"]) for row in rows] == [(128, 64), (240, 120), (480, 240), (600, 300)]
    for row in rows:
        for key, kind in (("path", "WEBP"), ("avif", "AVIF")):
            with default_storage.open(row[key]) as file, Image.open(io.BytesIO(file.read())) as picture:
                assert (picture.format, picture.size) == (kind, (row["width"], row["height"]))


def test_a_srcset_names_one_kind_and_is_empty_without_it():
    rows = [{"width": 240, "path": "a.webp", "avif": "a.avif"}, {"width": 480, "path": "b.webp"}]
    assert srcset_of(rows) == "/media/a.webp 240w, /media/b.webp 480w"
    assert srcset_of(rows, kind="avif") == "/media/a.avif 240w"
    assert srcset_of([], kind="avif") == ""


def test_an_upload_makes_none_itself_and_asks_the_worker_once(django_capture_on_commit_callbacks):
    product = ProductFactory()
    with django_capture_on_commit_callbacks(execute=True):
        for color in ((1, 2, 3), (250, 2, 3)):
            assert add_picture(product=product, upload=picture_bytes(color=color)).renditions == []
    job = Job.objects.get(kind=KIND)
    run(str(job.pk))
    job.refresh_from_db()
    assert (job.status, job.result) == ("succeeded", {"made": 2, "lost": 0})
    assert all(image.renditions for image in ProductImage.objects.all())


def test_pictures_of_earlier_versions_get_their_avif():
    image = add_picture(product=ProductFactory(), upload=picture_bytes())
    ProductImage.objects.update(renditions=[{"width": 64, "height": 48, "format": "webp", "path": "old.webp"}])
    assert make_missing(merchant=image.product.merchant) == {"made": 1, "lost": 0}
    assert make_missing(merchant=image.product.merchant) == {"made": 0, "lost": 0}


def test_a_copy_nearly_as_wide_as_the_picture_is_left_out():
    rows = make_renditions(picture_bytes(size=(1000, 10)), sha256="a", owner=1)
    assert [row["width"] for row in rows] == [128, 240, 480, 1000]


def test_a_picture_whose_file_is_gone_leaves_no_other_without():
    product = ProductFactory()
    lost, kept = (add_picture(product=product, upload=picture_bytes(color=(n, 2, 3))) for n in (1, 250))
    default_storage.delete(lost.file.name)
    assert make_missing(merchant=product.merchant) == {"made": 1, "lost": 1}
    kept.refresh_from_db()
    assert [row["width"] for row in kept.renditions] == [64]
    assert make_missing(merchant=product.merchant) == {"made": 0, "lost": 1}


def test_a_thumbnail_is_the_smallest_copy_that_is_wide_enough():
    image = add_picture(product=ProductFactory(), upload=picture_bytes(size=(600, 300)))
    assert thumbnail(image) == image.file.url
    image.renditions = [{"width": width, "path": f"{width}.webp"} for width in (128, 240, 600)]
    assert [thumbnail(image), thumbnail(image, width=88), thumbnail(image, width=900)] == [
        "/media/240.webp",
        "/media/128.webp",
        "/media/600.webp",
    ]


@pytest.mark.parametrize(("width", "has_one"), [(1000, True), (480, True), (400, False)])
def test_pictures_of_earlier_versions_get_their_copy_for_mails_where_they_are_wide_enough(width, has_one):
    image = add_picture(product=ProductFactory(), upload=picture_bytes(size=(width, 300)))
    make_missing(merchant=image.product.merchant)
    image.refresh_from_db()
    made = image.renditions
    assert bool(mail_copy(made)) is has_one
    ProductImage.objects.filter(pk=image.pk).update(
        renditions=[{key: value for key, value in row.items() if key != "jpg"} for row in made]
    )
    assert make_missing(merchant=image.product.merchant) == {"made": int(has_one), "lost": 0}
    image.refresh_from_db()
    assert image.renditions == made
    assert make_missing(merchant=image.product.merchant) == {"made": 0, "lost": 0}
