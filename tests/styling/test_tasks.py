"""The workers' side: a tiny real training and real renderings, through the jobs room, on the test database."""

from __future__ import annotations

import pytest
from django.conf import settings as django_settings
from django.core.files.storage import default_storage

from catalog.models import Membership
from jobs import lifecycle
from jobs.models import Job
from jobs.tasks import work
from styling import tasks  # noqa: F401 - registers the handlers, as a worker does
from styling.cyclegan import artifact
from styling.models import StyleModel, TrainingRun
from styling.services import references, training
from tests.catalog.factories import MerchantFactory
from tests.styling.factories import StyleFactory, noise_picture, person, product_picture

pytestmark = pytest.mark.django_db(transaction=True)

#: Six steps of the smallest network on 32-pixel pictures: enough to run every line, not to learn anything.
TINY = {
    "steps": 6,
    "width": 4,
    "blocks": 1,
    "discriminator_width": 4,
    "discriminator_layers": 1,
    "image_size": 32,
    "crop_size": 32,
    "batch_size": 2,
    "previews": 2,
    "evaluations": 2,
    "checkpoint_every": 2,
    "min_content": 0.0,
    "precision": "float32",
    "compile": "never",
}


@pytest.fixture
def merchant():
    return MerchantFactory()


@pytest.fixture
def editor(merchant):
    return person(merchant, Membership.Role.EDITOR)


@pytest.fixture
def style(merchant, editor):
    style = StyleFactory(merchant=merchant)
    for seed in range(8):
        product_picture(merchant, seed=seed, size=40)
    files = [noise_picture(100 + seed, size=40, tint=(40, 70, 190)) for seed in range(8)]
    references.add_references(style=style, files=files, by=editor)
    return style


def do(job: Job) -> Job:
    """Claim the job and do it, as a worker does."""
    fence = lifecycle.claim(job.pk, worker="test")
    assert fence is not None
    work(job.pk, fence)
    job.refresh_from_db()
    return job


def test_a_training_becomes_a_version_with_its_curve_scores_samples_and_artifact(style, editor):
    run = do(training.start_training(style=style, by=editor, overrides=TINY))
    assert (run.status, run.error_message) == ("succeeded", "")
    model = StyleModel.objects.get(style=style)
    directory = django_settings.ARTIFACTS_ROOT / model.directory
    assert artifact.verify(directory)["training"]["steps"] == 6
    assert [point["step"] for point in run.losses] == [1, 2, 3, 4, 5, 6]
    assert {"cycle", "discriminator"} <= set(run.losses[0])
    assert [row["step"] for row in run.score_history] == [3, 6]
    assert list(run.samples.values_list("step", flat=True)) == [3, 6]
    assert all(default_storage.exists(sample.file.name) for sample in run.samples.all())
    assert (run.result["style_model"], run.result["version"]) == (model.pk, 1)
    assert run.result["deployed"] is (model.status == "deployed")
    assert model.metrics["steps"] == 6
    assert not (django_settings.DATA_ROOT / "jobs" / str(run.pk)).exists()


def test_a_cancelled_training_keeps_its_checkpoint_and_resumes_there(style, editor, monkeypatch):
    from styling import training_job

    run = training.start_training(style=style, by=editor, overrides={**TINY, "steps": 8})
    fence = lifecycle.claim(run.pk, worker="test")
    seen = []
    note = training_job._Progress.note

    def cancel_after_three(self, report):
        note(self, report)
        seen.append(report.step)
        if report.step == 3:
            training.cancel_training(run=run, by=editor)
            self._context.look()

    monkeypatch.setattr(training_job._Progress, "note", cancel_after_three)
    work(run.pk, fence)
    run.refresh_from_db()
    assert (run.status, seen) == ("cancelled", [1, 2, 3])
    training.resume_training(run=run, by=editor)
    do(run)
    assert (run.status, seen) == ("succeeded", [1, 2, 3, 4, 5, 6, 7, 8])
    assert TrainingRun.objects.get(pk=run.pk).losses[-1]["step"] == 8


def test_a_training_whose_pictures_are_lost_fails_with_words_for_a_merchant(style, editor):
    run = training.start_training(style=style, by=editor, overrides=TINY)
    for reference in style.references.all()[2:]:
        default_storage.delete(reference.file.name)
    do(run)
    assert (run.status, run.error_code) == ("failed", "too-few-target")
    assert "references" in run.error_message
    assert not StyleModel.objects.exists()


def test_a_worker_that_lost_its_lease_records_nothing(style, editor, monkeypatch):
    from styling import training_job

    run = training.start_training(style=style, by=editor, overrides=TINY)
    record = training_job._record

    def overtaken(*arguments):
        Job.objects.filter(pk=run.pk).update(fence=99)
        return record(*arguments)

    monkeypatch.setattr(training_job, "_record", overtaken)
    work(run.pk, lifecycle.claim(run.pk, worker="frozen"))
    assert Job.objects.get(pk=run.pk).status == "running"
    assert not StyleModel.objects.exists()
    assert not list((django_settings.ARTIFACTS_ROOT / "styles").iterdir())
