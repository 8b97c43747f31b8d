"""What was backed up comes back, and a broken backup changes nothing."""

from __future__ import annotations

import shutil
import subprocess

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from catalog.models import Merchant
from jobs.errors import Conflict, UserError
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
