"""Files that no row names go in time; those of an upload under way, of any shop, in any table, never."""

from __future__ import annotations

import io
import os
import threading
import time
import uuid
from datetime import timedelta
from pathlib import Path

import pytest
from django.apps import apps
from django.core.cache import cache
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.db.models import JSONField
from django.test import override_settings

from catalog.models import ImportDraft, ProductImage
from catalog.services import import_runs, leftovers, renditions, sweeping
from catalog.services.leftovers import TooManyLeftovers, delete_leftovers, find_leftovers
from catalog.services.pictures import add_picture, remove_picture
from catalog.services.rendition_jobs import make_missing
from catalog.services.sweeping import is_refused, sweep
from catalog.tasks import sweep_files
from jobs.errors import UserError
from styling.models import Style
from tests.catalog.factories import ProductFactory, picture_bytes
from tests.styling.factories import StyledImageFactory, person

pytestmark = pytest.mark.django_db
DAYS = 24 * 3600


@pytest.fixture(autouse=True)
def _nothing_is_refused_yet():
    cache.delete(sweeping._REFUSED)
    yield
    cache.delete(sweeping._REFUSED)


def stored() -> set[str]:
    root = Path(default_storage.path(""))
    return {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()}


def age(*names: str, days: float = 2) -> None:
    """As if nobody had touched these files for so long."""
    for name in names or stored():
        then = time.time() - days * DAYS
        os.utime(default_storage.path(name), (then, then))


def keep(name: str, content: bytes = b"x" * 100) -> str:
    return default_storage.save(name, ContentFile(content))


def swept() -> set[str]:
    return {leftover.name for leftover in sweep().files.leftovers}


@pytest.fixture
def picture():
    image = add_picture(product=ProductFactory(), upload=picture_bytes(size=(700, 500)))  # wide enough for every copy
    make_missing(merchant=image.product.merchant)
    image.refresh_from_db()
    return image


def test_what_a_row_names_stays_and_what_none_names_goes(picture):
    rendering = StyledImageFactory(file=keep("renderings/ab/one.jpg"), product_image=picture)
    draft = ImportDraft.objects.create(merchant=picture.product.merchant, source=keep("imports/a.csv"), source_name="a")
    named = stored()
    assert {picture.file.name, picture.original.name, *renditions.files_of(picture.renditions)} <= named
    litter = {keep("renderings/ab/lost.jpg"), keep("imports/b.csv"), keep("parts/dead.part"), keep("samples/x.png")}
    litter.add(keep("renditions/ab/lost.avif"))
    age()
    assert swept() == litter
    assert stored() == named
    assert {path.rsplit(".")[-1] for path in named if path.startswith("renditions/")} >= {"webp", "avif", "jpg"}
    rendering.delete()
    draft.delete()
    assert swept() == {"renderings/ab/one.jpg", "imports/a.csv"}


def test_renderings_of_a_style_that_is_deleted_go(picture):
    style = StyledImageFactory(file=keep("renderings/ab/one.jpg"), product_image=picture).style
    age()
    assert swept() == set()
    Style.objects.get(pk=style.pk).delete()
    assert swept() == {"renderings/ab/one.jpg"}


def test_another_shops_row_keeps_a_file_as_well_as_the_own_shops(picture):
    """Shops do not share names, and a sweep that looked at one shop's rows alone would still be wrong."""
    other = StyledImageFactory(file=keep("renderings/ab/one.jpg"))
    assert other.merchant_id != picture.product.merchant_id
    age()
    assert swept() == set()


def test_a_file_of_an_upload_under_way_stays(picture):
    keep("pictures/ab/just-written.jpg")
    old = keep("pictures/ab/old.jpg")
    age(old)
    assert swept() == {old}
    age("pictures/ab/just-written.jpg", days=0.9)
    assert swept() == set()


def test_a_row_that_is_committed_later_finds_its_file(picture):
    """The file is stored, the sweeper comes by, then the row is committed: with a file that is new, and with one that
    has lain there unnamed for days and that the upload takes up again.
    """
    place = {"folder": "renderings", "sha256": "0" * 64, "owner": picture.product.merchant_id, "extension": "jpg"}
    abandoned = renditions.store(b"drawn", **place)
    fresh = renditions.store(b"drawn too", **{**place, "sha256": "1" * 64})
    age(abandoned)
    assert [leftover.name for leftover in find_leftovers().leftovers] == [abandoned]
    with transaction.atomic():
        assert renditions.store(b"drawn", **place) == abandoned
        assert swept() == set()
        for name in (abandoned, fresh):
            StyledImageFactory(file=name, product_image=picture)
    age()
    assert swept() == set()
    with default_storage.open(abandoned) as file:
        assert file.read() == b"drawn"


def test_a_file_that_is_asked_for_between_the_look_and_the_deletion_stays(picture, monkeypatch):
    place = {"folder": "renderings", "sha256": "0" * 64, "owner": 1, "extension": "jpg"}
    name = renditions.store(b"drawn", **place)
    age(name)
    found = find_leftovers()
    monkeypatch.setattr(sweeping, "find_leftovers", lambda **_options: found)
    renditions.store(b"drawn", **place)
    assert swept() == set()
    assert default_storage.exists(name)


@pytest.mark.parametrize("moment", ["before it is moved away", "after it is moved away"])
def test_a_file_that_is_asked_for_at_the_very_moment_of_its_deletion_is_there(monkeypatch, moment):
    place = {"folder": "renderings", "sha256": "0" * 64, "owner": 1, "extension": "jpg"}
    name = renditions.store(b"drawn", **place)
    age(name)
    rename, asked = Path.rename, []

    def asked_for(path, target):
        if moment.startswith("before"):
            asked.append(renditions.store(b"drawn", **place))
        moved = rename(path, target)
        if moment.startswith("after"):
            asked.append(renditions.store(b"drawn", **place))
        return moved

    monkeypatch.setattr(Path, "rename", asked_for)
    sweep()
    assert asked == [name]
    assert stored() == {name}
    with default_storage.open(name) as file:
        assert file.read() == b"drawn"


def test_a_file_that_goes_between_the_look_and_the_renewal_is_stored_anew(picture, monkeypatch):
    place = {"folder": "renderings", "sha256": "0" * 64, "owner": 1, "extension": "jpg"}
    name = renditions.store(b"drawn", **place)
    default_storage.delete(name)
    answers = iter([True])  # it was there when it was looked for
    exists = default_storage.exists
    monkeypatch.setattr(default_storage._wrapped, "exists", lambda name: next(answers, None) or exists(name))
    assert renditions.store(b"drawn", **place) == name
    monkeypatch.undo()
    assert default_storage.exists(name)


def test_a_name_that_moves_to_another_table_meanwhile_is_not_missed(picture, monkeypatch):
    """An import is confirmed between the reads of the two tables: neither read sees the name, the second look does."""
    merchant = picture.product.merchant
    table = ContentFile(b"sku,name,price\nA,Vase,1\n", name="products.csv")
    draft = import_runs.prepare_import(merchant=merchant, table=table, by=person(merchant))
    age()
    fields = leftovers._fields
    moved = []

    def confirmed_between():
        for model, field in sorted(fields(), key=lambda pair: pair[0] is ImportDraft):
            if model is ImportDraft and not moved:
                moved.append(import_runs.confirm_import(draft=draft, by=person(merchant)))
            yield model, field

    monkeypatch.setattr(leftovers, "_fields", confirmed_between)
    find = find_leftovers()
    assert moved
    assert find.leftovers == []


def test_a_storage_that_seems_to_be_another_sites_is_left_alone(picture, settings, monkeypatch, caplog):
    monkeypatch.setattr(leftovers, "SUSPICIOUS", 5)
    assert not is_refused()
    for number in range(40):
        keep(f"pictures/ab/{number}.jpg")
    age()
    before = stored()
    with pytest.raises(TooManyLeftovers, match="Nothing was deleted"):
        sweep()
    assert sweep_files() == {"files": 0, "folders": 0, "bytes": 0}
    assert "files.not_swept" in caplog.text
    assert stored() == before
    assert is_refused()
    assert len(sweep(however_many=True).files.leftovers) == 40
    assert not is_refused()


@pytest.mark.parametrize("by", ["the command", "the beat"])
def test_where_too_many_folders_would_go_no_file_goes_either(settings, by):
    lost = keep("renderings/ab/lost.jpg")
    folders = [settings.ARTIFACTS_ROOT / "styles" / f"{uuid.uuid4()}-1" for _ in range(25)]
    for folder in folders:
        folder.mkdir(parents=True)
        os.utime(folder, (0, 0))
    age()
    if by == "the beat":
        assert sweep_files() == {"files": 0, "folders": 0, "bytes": 0}
    else:
        with pytest.raises(CommandError, match=r"25 of the 25 folders\. Nothing was deleted"):
            call_command("sweep_files")
    assert stored() == {lost}
    assert all(folder.is_dir() for folder in folders)


def test_what_lies_elsewhere_is_nobodys_business(picture):
    name = keep("of-the-operator/notes.txt")
    age()
    assert swept() == set()
    assert default_storage.exists(name)


def test_the_command_lists_first_and_deletes_then(picture):
    name = keep("renderings/ab/lost.jpg", b"x" * 1234)
    age()

    def said(*arguments: str) -> str:
        out = io.StringIO()
        call_command("sweep_files", *arguments, stdout=out)
        return out.getvalue()

    total = len(stored())
    dry = said("--dry-run")
    assert name in dry
    assert f"1 of {total} files and 0 folders, 1234 bytes, would be deleted." in dry
    assert default_storage.exists(name)
    assert f"1 of {total} files and 0 folders, 1234 bytes, deleted." in said()
    assert not default_storage.exists(name)
    age()
    assert sweep_files() == {"files": 0, "folders": 0, "bytes": 0}
    with pytest.raises(CommandError, match="at least an hour"):
        said("--older-than", "0.5")


@pytest.mark.parametrize("hours", ["nan", "inf", "1e18", "1e8", "soon"])
def test_an_age_that_is_none_is_refused_in_words(hours):
    with pytest.raises(CommandError, match="--older-than"):
        call_command("sweep_files", "--dry-run", "--older-than", hours)


def test_an_age_that_is_not_safe_is_refused():
    with pytest.raises(UserError) as refused:
        find_leftovers(older_than=timedelta(minutes=59))
    assert refused.value.code == "not-safe"


@override_settings(
    STORAGES={
        "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
)
def test_any_storage_will_do(monkeypatch):
    """One without paths: what is asked for again is written again, in its place."""
    place = {"folder": "renderings", "sha256": "0" * 64, "owner": 1, "extension": "jpg"}
    name, lost = renditions.store(b"drawn", **place), keep("renderings/ab/lost.jpg")
    now = leftovers.timezone.now()
    monkeypatch.setattr(leftovers.timezone, "now", lambda: now + timedelta(days=2))
    assert {leftover.name for leftover in find_leftovers().leftovers} == {name, lost}
    monkeypatch.setattr("django.core.files.storage.memory.now", lambda: now + timedelta(days=2))
    found = find_leftovers()
    assert renditions.store(b"drawn", **place) == name  # between the look and the deletion
    assert [leftover.name for leftover in delete_leftovers(found).leftovers] == [lost]
    assert swept() == set()
    assert default_storage.exists(name)


#: Columns of JSON in which no file is named.
NO_FILES = {
    "jobs.Job": {"parameters", "result"},
    "jobs.JobEvent": {"data"},
    "jobs.WorkerPresence": {"queues"},
    "catalog.Merchant": {"truth_limits", "brand", "serving"},
    "catalog.ImportRun": {"problems"},
    "catalog.AuditEntry": {"before", "after"},
    "developers.IdempotencyRecord": {"headers"},
    "developers.PublishableKey": {"origins"},
    "developers.WebhookEndpoint": {"events"},
    "developers.WebhookDelivery": {"log"},
    "styling.TrainingRun": {"settings", "losses", "scores", "score_history"},
    "styling.StyleModel": {"metrics"},
    "styling.StylizationRun": {"options"},
    "styling.StyledImage": {"options", "truth", "breaches"},
    "recommend.RecommenderFit": {"settings"},
    "recommend.Recommender": {"metrics", "held"},
    "recommend.Slate": {"items"},
    "recommend.RenderingPolicy": {"state"},
    "creatives.CreativeSet": {"brief"},
    "creatives.Creative": {"report"},
    "experiments.Experiment": {"spend", "guardrails", "result", "before"},
}


def test_every_column_that_may_list_files_is_known_to_list_none_or_has_the_name_that_is_looked_for():
    """Files in a column of another name would be swept. Whoever adds a column of JSON decides here which it is."""
    found = {
        (model._meta.label, field.name)
        for model in apps.get_models()
        for field in model._meta.local_concrete_fields
        if isinstance(field, JSONField)
    }
    judged = {(label, name) for label, names in NO_FILES.items() for name in names}
    looked_at = {
        (model._meta.label, field.name) for model, field in leftovers._fields() if isinstance(field, JSONField)
    }
    assert found - judged == looked_at
    assert judged <= found, "a column of the list is no more"


class TestRaces:
    """What used to leave files behind."""

    def test_a_picture_that_is_deleted_while_its_copies_are_made(self, monkeypatch, django_capture_on_commit_callbacks):
        image = add_picture(product=ProductFactory(), upload=picture_bytes())
        make = renditions.make_renditions

        def deleted_meanwhile(content, **place):
            made = make(content, **place)
            with django_capture_on_commit_callbacks(execute=True):
                remove_picture(image=image, by=person(image.product.merchant))
            return made

        monkeypatch.setattr("catalog.services.rendition_jobs.make_renditions", deleted_meanwhile)
        make_missing(merchant=image.product.merchant)
        assert stored() == set()

    def test_copies_that_were_made_since_the_picture_was_read(self, picture, django_capture_on_commit_callbacks):
        as_read_before = ProductImage.objects.get(pk=picture.pk)
        as_read_before.renditions = []
        with django_capture_on_commit_callbacks(execute=True):
            remove_picture(image=as_read_before, by=person(picture.product.merchant))
        assert stored() == set()

    @pytest.mark.parametrize("shared", ["original", "file"])
    def test_what_two_products_share_stays_until_both_are_gone(self, shared, django_capture_on_commit_callbacks):
        """Equal originals are two pictures where the door was another version's in between, and the other way round."""
        products = [ProductFactory(), ProductFactory()]
        first, second = [
            ProductImage.objects.create(
                product=product,
                original=f"originals/ab/{'both' if shared == 'original' else number}.bin",
                file=f"pictures/ab/{'both' if shared == 'file' else number}.jpg",
                width=9,
                height=9,
                sha256=f"{number}" * 64,
            )
            for number, product in enumerate(products)
        ]
        files = {str(name) for image in (first, second) for name in (image.original.name, image.file.name)}
        assert len(files) == 3
        for name in files:
            keep(name)
        for image, left in ((first, {str(second.original.name), str(second.file.name)}), (second, set())):
            with django_capture_on_commit_callbacks(execute=True):
                remove_picture(image=image, by=person(image.product.merchant))
            assert stored() == left

    def test_a_picture_that_is_gone_already_is_said(self, picture):
        again = ProductImage.objects.get(pk=picture.pk)
        owner = person(picture.product.merchant)
        remove_picture(image=picture, by=owner)
        with pytest.raises(UserError) as refused:
            remove_picture(image=again, by=owner)
        assert refused.value.status_code == 404


@pytest.mark.django_db(transaction=True)
@pytest.mark.postgres
def test_the_same_picture_comes_to_one_product_while_it_leaves_another(monkeypatch, wait_until):
    """The upload has found the file there and has not committed its row: whoever deletes the other one must wait."""
    leaving = add_picture(product=ProductFactory(), upload=picture_bytes())
    owner = person(leaving.product.merchant)
    coming_to = ProductFactory(merchant=leaving.product.merchant)
    found_it, may_commit = threading.Event(), threading.Event()
    create = ProductImage.objects.create

    def create_late(**fields):
        found_it.set()
        may_commit.wait(20)
        return create(**fields)

    monkeypatch.setattr(ProductImage.objects, "create", create_late)
    threads = [
        threading.Thread(
            target=_connected, args=(add_picture,), kwargs={"product": coming_to, "upload": picture_bytes()}
        ),
        threading.Thread(target=_connected, args=(remove_picture,), kwargs={"image": leaving, "by": owner}),
    ]
    threads[0].start()
    assert found_it.wait(20)
    threads[1].start()
    wait_until(lambda: _waits_for_a_lock() or not threads[1].is_alive(), what="the deletion, or its waiting")
    may_commit.set()
    for thread in threads:
        thread.join(20)
    image = coming_to.images.get()
    assert default_storage.exists(image.file.name)
    assert default_storage.exists(image.original.name)


def _connected(verb, **fields):
    try:
        verb(**fields)
    finally:
        connection.close()


def _waits_for_a_lock() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT 1 FROM pg_locks WHERE NOT granted)")
        return cursor.fetchone()[0]
