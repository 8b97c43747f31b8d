"""Folders of deleted versions and jobs go in time; of those that are there, and of work under way, never."""

from __future__ import annotations

import io
import os
import time
import uuid
from datetime import timedelta
from pathlib import Path

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db.models import CharField

from catalog.services.sweeping import sweep
from jobs import leftovers
from jobs.errors import Conflict
from jobs.leftovers import find_folders
from jobs.models import Job
from recommend.models import Recommender
from tests.catalog.factories import MerchantFactory
from tests.styling.factories import StyleModelFactory

pytestmark = pytest.mark.django_db
A_DAY = timedelta(days=1)


@pytest.fixture
def made(settings):
    """Makes a folder with a file of so many bytes in it, as if nobody had touched it for so many days."""

    def make(name: str, *, days: float = 2, size: int = 1000) -> Path:
        folder = settings.DATA_ROOT / name
        folder.mkdir(parents=True)
        (folder / "weights").write_bytes(b"x" * size)
        then = time.time() - days * 86400
        for path in (folder / "weights", folder):
            os.utime(path, (then, then))
        return folder

    return make


def a_name(job: Job | None = None, fence: int = 1) -> str:
    return f"{job.pk if job else uuid.uuid4()}-{fence}"


def swept() -> set[Path]:
    return {folder.path for folder in sweep(older_than=A_DAY).folders}


def test_artifacts_of_versions_stay_and_those_of_deleted_ones_go(made):
    translator = StyleModelFactory(directory=f"styles/{a_name()}")
    merchant = MerchantFactory()
    recommender = Recommender.objects.create(
        merchant=merchant, version=1, directory=f"recommenders/{merchant.pk}/{a_name()}"
    )
    kept = [made(f"artifacts/{version.directory}") for version in (translator, recommender)]
    lost = made(f"artifacts/styles/.{a_name()}.tmp")
    assert swept() == {lost}
    assert [path.is_dir() for path in kept] == [True, True]
    translator.delete()
    assert swept() == {kept[0]}
    recommender.delete()
    assert swept() == {kept[1]}
    assert not any(path.exists() for path in (*kept, lost))


def test_what_is_young_or_of_an_unfinished_job_stays(made):
    """An artifact is put in its place before the row that names it is committed."""
    young = made(f"artifacts/styles/{a_name()}", days=0.9)
    frozen = made(f"artifacts/styles/{a_name(Job.objects.create(kind='test', status='running'))}")
    earlier_attempt = made(f"artifacts/styles/{a_name(Job.objects.create(kind='test', status='succeeded'))}")
    assert swept() == {earlier_attempt}
    assert young.is_dir()
    assert frozen.is_dir()
    old_outside = made(f"artifacts/styles/{a_name()}")
    (old_outside / "weights").write_bytes(b"written just now")
    assert swept() == set(), "as young as the youngest thing in it"


def test_checkpoints_stay_as_long_as_their_job_can_be_resumed(made):
    cancelled = Job.objects.create(kind="test", status="cancelled")
    checkpoints, gone = made(f"jobs/{cancelled.pk}"), made(f"jobs/{uuid.uuid4()}")
    assert swept() == {gone}
    cancelled.delete()
    assert swept() == {checkpoints}


def test_what_is_not_named_for_a_job_is_nobodys_business(made):
    folders = [made(name) for name in ("artifacts/by-hand", "jobs/notes", "elsewhere/" + a_name())]
    assert swept() == set()
    assert all(folder.is_dir() for folder in folders)


def test_data_that_seem_to_be_another_sites_are_left_alone(made, monkeypatch):
    monkeypatch.setattr(leftovers, "SUSPICIOUS", 2)
    folders = [made(f"artifacts/styles/{a_name()}") for _ in range(3)]
    with pytest.raises(Conflict, match="Nothing was deleted"):
        swept()
    assert all(folder.is_dir() for folder in folders)
    assert len(sweep(older_than=A_DAY, however_many=True).folders) == 3


def test_the_command_lists_them_with_their_bytes(made):
    lost = made(f"artifacts/styles/{a_name()}", size=4321)
    assert find_folders(older_than=A_DAY)[0] == 1
    for arguments, said, is_there in ((["--dry-run"], "would be deleted", True), ([], "deleted", False)):
        out = io.StringIO()
        call_command("sweep_files", *arguments, stdout=out)
        assert f"{lost}/" in out.getvalue()
        assert f"0 of 0 files and 1 folders, 4321 bytes, {said}." in out.getvalue()
        assert lost.is_dir() is is_there


#: Columns that are wide enough for a path, and name no folder.
NO_FOLDERS = {
    "jobs.Job": {"idempotency_key", "worker", "progress_message"},
    "jobs.WorkerPresence": {"name"},
    "catalog.Merchant": {"name", "name_zh", "tagline", "tagline_zh"},
    "catalog.Category": {"name", "name_zh"},
    "catalog.Product": {"name", "name_zh"},
    "catalog.ProductImage": {"alt_text"},
    "catalog.ImportRun": {"source_name"},
    "catalog.ImportDraft": {"source_name"},
    "catalog.AuditEntry": {"actor", "target"},
    "developers.IdempotencyRecord": {"owner", "key"},
    "developers.WebhookEndpoint": {"url", "description"},
    "styling.Style": {"name", "name_zh"},
    "styling.StyleModel": {"notice"},
    "styling.StyledImage": {"reject_reason"},
    "styling.ReviewStep": {"reason"},
    "recommend.Shopper": {"pseudonym"},
    "creatives.CreativeSet": {"name"},
    "creatives.TrackedLink": {"campaign"},
    "creatives.Creative": {"product_name"},
    "experiments.Experiment": {"name", "hypothesis"},
}


def test_every_column_that_may_name_a_folder_is_known_to_name_none_or_has_the_name_that_is_looked_for():
    """An artifact in a column of another name would be swept. Whoever adds a column decides here which it is."""
    ours = {label.partition(".")[0] for label in NO_FOLDERS}
    found = {
        (model._meta.label, field.name)
        for model in apps.get_models()
        if model._meta.app_label in ours
        for field in model._meta.local_concrete_fields
        if type(field) is CharField and not field.choices and (field.max_length or 1000) >= 100
    }
    judged = {(label, name) for label, names in NO_FOLDERS.items() for name in names}
    assert found - judged == {("styling.StyleModel", leftovers.COLUMN), ("recommend.Recommender", leftovers.COLUMN)}
    assert judged <= found, "a column of the list is no more"
