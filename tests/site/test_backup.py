"""What was backed up comes back, and a broken backup changes nothing."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
from contextlib import AbstractContextManager
from uuid import uuid4

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from catalog.models import Merchant
from jobs.errors import Conflict, UserError
from recommend.services import shoppers
from stylerec_site import backup as archive
from stylerec_site import database_copy
from stylerec_site.backup import backup, restore
from tests.catalog.factories import MerchantFactory

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def site(settings):
    MerchantFactory(name="Kiln & Glass", slug="kiln")
    name = default_storage.save("pictures/a.jpg", ContentFile(b"the picture"))
    settings.ARTIFACTS_ROOT.mkdir(parents=True)
    (settings.ARTIFACTS_ROOT / "weights").write_bytes(b"the weights")
    return name


def test_a_round_trip_brings_everything_back(site, settings, tmp_path):
    name = site
    backup(tmp_path / "site.tar")
    Merchant.objects.all().delete()
    default_storage.delete(name)
    (settings.ARTIFACTS_ROOT / "weights").write_bytes(b"spoiled")

    restore(tmp_path / "site.tar", overwrite=True)

    assert Merchant.objects.get(slug="kiln").name == "Kiln & Glass"
    with default_storage.open(name) as file:
        assert file.read() == b"the picture"
    assert (settings.ARTIFACTS_ROOT / "weights").read_bytes() == b"the weights"


def test_a_file_that_goes_while_the_backup_is_made_is_left_out(site, tmp_path, monkeypatch):
    files = archive._files

    def one_more():
        yield from files()
        yield "media/pictures/gone.jpg", tmp_path / "gone.jpg"

    monkeypatch.setattr(archive, "_files", one_more)
    names = backup(tmp_path / "site.tar")["files"]
    assert "media/pictures/gone.jpg" not in names
    assert f"media/{site}" in names
    monkeypatch.undo()
    restore(tmp_path / "site.tar", overwrite=True)
    assert default_storage.exists(site)


@pytest.mark.parametrize("goes", ["first/deep", "second/deep"])
@pytest.mark.parametrize("listing", [1, 2])
def test_a_folder_that_goes_while_the_backup_looks_for_files_ends_no_backup(settings, monkeypatch, goes, listing):
    """As a sweep of artifacts does, which may come at any moment."""
    for name in ("first/deep/weights", "second/deep/weights"):
        file = settings.ARTIFACTS_ROOT / name
        file.parent.mkdir(parents=True)
        file.write_bytes(b"x")
    scandir, seen = os.scandir, []

    class Listing(AbstractContextManager):
        """What was there when it was listed."""

        def __init__(self, path):
            with scandir(path) as found:
                self._entries = iter(list(found))

        def __iter__(self):
            return self

        def __next__(self):
            entry = next(self._entries)
            if entry.name == "deep":
                seen.append(entry.path)
                if len(seen) == listing:
                    shutil.rmtree(settings.ARTIFACTS_ROOT / goes)
            return entry

        def __exit__(self, *_error):
            return None

    monkeypatch.setattr(os, "scandir", Listing)
    kept = {"first/deep": "second", "second/deep": "first"}[goes]
    assert f"artifacts/{kept}/deep/weights" in [name for name, _path in archive._files()]
    assert not (settings.ARTIFACTS_ROOT / goes).exists()


def test_half_a_backup_does_not_stay_on_a_disk_that_is_full(site, tmp_path, monkeypatch):
    def full(*arguments):
        raise OSError(errno.ENOSPC, "No space left on device")

    backup(tmp_path / "site.tar")
    before = (tmp_path / "site.tar").read_bytes()
    monkeypatch.setattr(archive, "_sha256", full)
    with pytest.raises(OSError, match="No space"):
        backup(tmp_path / "site.tar")
    assert [path.name for path in tmp_path.glob("site*")] == ["site.tar"]
    assert (tmp_path / "site.tar").read_bytes() == before, "the one before is still whole"


def test_a_backup_of_before_a_migration_replaces_the_tables_that_came_with_it(site, tmp_path):
    executor = MigrationExecutor(connection)
    executor.migrate([("experiments", None), ("recommend", "0007_told_history")])
    backup(tmp_path / "site.tar")
    executor = MigrationExecutor(connection)
    executor.migrate(executor.loader.graph.leaf_nodes())
    Merchant.objects.all().delete()

    restore(tmp_path / "site.tar", overwrite=True)

    assert Merchant.objects.get().experiments.count() == 0
    assert not MigrationExecutor(connection).migration_plan(executor.loader.graph.leaf_nodes())


@pytest.mark.postgres
def test_a_database_that_the_first_version_dumped_is_read(site, tmp_path):
    options = ("--format=custom", "--no-owner", f"--file={tmp_path / 'database'}")
    subprocess.run([shutil.which("pg_dump"), *options], env=database_copy._environment(), check=True)
    Merchant.objects.all().delete()
    database_copy.load(tmp_path / "database")
    assert Merchant.objects.get().slug == "kiln"


@pytest.mark.postgres
@pytest.mark.parametrize("schema", ["elsewhere", "Else where.2"])
def test_shoppers_of_any_schema_are_sealed_and_nobody_in_it_stays_logged_in(site, tmp_path, schema):
    shoppers.grant_consent(merchant=Merchant.objects.get(), visitor_id="somebody")
    key = uuid4()
    with connection.cursor() as cursor:
        cursor.execute(f'CREATE SCHEMA "{schema}"')
        for table in ("recommend_shopper", "django_session"):
            cursor.execute(f'CREATE TABLE "{schema}".{table} (LIKE public.{table})')
        cursor.execute(
            f'INSERT INTO "{schema}".recommend_shopper SELECT (jsonb_populate_record('
            f'NULL::"{schema}".recommend_shopper, to_jsonb(one) || %s)).* FROM recommend_shopper one LIMIT 1',
            [json.dumps({"key_id": str(key), "pseudonym": "2026-11:a-pseudonym-in-another-schema"})],
        )
        assert cursor.rowcount == 1
        cursor.execute(
            f'INSERT INTO "{schema}".django_session VALUES (%s, %s, now())', ["a-session-key", "a-session-in-another"]
        )
    try:
        database_copy.dump(tmp_path / "database")
        text = (tmp_path / "database").read_text()
        assert str(key) in text
        assert "a-pseudonym-in-another-schema" not in text
        assert "a-session-in-another" not in text
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f'DROP SCHEMA "{schema}" CASCADE')


def test_a_dump_without_shoppers_is_refused_instead_of_kept_unsealed():
    lines = ["COPY public.catalog_product (id, name) FROM stdin;\n", "1\tVase\n", "\\.\n"]
    with pytest.raises(UserError) as refused:
        list(database_copy.rewritten(lines, lambda key, pseudonym: "sealed"))
    assert refused.value.code == "shoppers-missing"


def test_an_existing_site_is_not_replaced_unasked(site, tmp_path):
    backup(tmp_path / "site.tar")
    with pytest.raises(Conflict):
        restore(tmp_path / "site.tar")


@pytest.mark.parametrize("cut", [0.5, 0.0])
def test_a_truncated_backup_is_refused_and_changes_nothing(site, tmp_path, cut):
    target = tmp_path / "site.tar"
    backup(target)
    content = target.read_bytes()
    target.write_bytes(content[: int(len(content) * cut)])
    with pytest.raises(UserError) as refused:
        restore(target, overwrite=True)
    assert refused.value.code == "backup-broken"
    assert Merchant.objects.filter(slug="kiln").exists()


def test_a_changed_file_is_noticed(site, tmp_path):
    target = tmp_path / "site.tar"
    backup(target)
    target.write_bytes(target.read_bytes().replace(b"the weights", b"THE weights"))
    with pytest.raises(UserError):
        restore(target, overwrite=True)
