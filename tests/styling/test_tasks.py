"""The workers' side: a tiny real training and real renderings, through the jobs room, on the test database."""

from __future__ import annotations

import itertools

import pytest
from django.conf import settings as django_settings
from django.core.files.storage import default_storage

from catalog.models import Membership, ProductImage
from jobs import lifecycle, services
from jobs.context import JobContext
from jobs.errors import UserError
from jobs.models import Job
from jobs.tasks import work
from styling import tasks  # noqa: F401 - registers the handlers, as a worker does
from styling.cyclegan import artifact
from styling.cyclegan.losses import CycleObjective
from styling.cyclegan.truth import TruthLimits
from styling.models import StyledImage, StyleModel, TrainingRun
from styling.services import limits, references, stylising, training, versions
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


def test_a_version_is_trained_further_and_stays_as_it_is(style, editor):
    first = do(training.start_training(style=style, by=editor, overrides=TINY))
    model = first.style_model
    weights = artifact.sha256_of(django_settings.ARTIFACTS_ROOT / model.directory / artifact.WEIGHTS)
    # The version's last model is the one that was kept, or nothing could go on from it.
    assert model.metrics["chosen_step"] == model.metrics["steps"]
    further = do(training.train_further(model=model, by=editor, overrides={"steps": 2}))
    assert (further.status, further.error_message) == ("succeeded", "")
    assert (further.start_from, further.settings["width"], further.progress_total) == (model, TINY["width"], 2)
    assert further.style_model.version == 2
    assert artifact.sha256_of(django_settings.ARTIFACTS_ROOT / model.directory / artifact.WEIGHTS) == weights


def test_a_run_whose_first_version_is_deleted_does_not_begin_with_nothing(style, editor, monkeypatch):
    """One that has learned something goes on from its checkpoint; one that has not says why it cannot."""
    model = do(training.start_training(style=style, by=editor, overrides=TINY)).style_model
    run = training.train_further(model=model, by=editor, overrides={"steps": 4})
    report = JobContext.report

    def cancel_after_two(context, **progress):
        report(context, **progress)
        if progress["done"] == 2:
            services.request_cancel(job=context.job)
            context.look()

    with monkeypatch.context() as patched:
        patched.setattr(JobContext, "report", cancel_after_two)
        assert do(run).status == "cancelled"
    model.delete()
    training.resume_training(run=run, by=editor)
    run = do(TrainingRun.objects.get(pk=run.pk))
    assert (run.start_from, run.status, run.error_message) == (None, "succeeded", "")

    waiting = training.train_further(model=run.style_model, by=editor)
    run.style_model.delete()
    refused = do(TrainingRun.objects.get(pk=waiting.pk))
    assert (refused.status, refused.error_code) == ("failed", "start-gone")
    assert "has been deleted" in refused.error_message
    assert not StyleModel.objects.filter(style=style).exists()
    with pytest.raises(UserError, match="has been deleted"):
        training.train_again(run=refused, by=editor)


def test_a_version_whose_networks_are_lost_is_not_trained_further(style, editor):
    model = do(training.start_training(style=style, by=editor, overrides=TINY)).style_model
    (django_settings.ARTIFACTS_ROOT / model.directory / artifact.NETWORKS).unlink()
    with pytest.raises(UserError, match="only the translator was kept") as caught:
        training.train_further(model=model, by=editor)
    assert caught.value.code == "start-missing"
    assert TrainingRun.objects.filter(style=style).count() == 1


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


@pytest.fixture
def trained(style, editor):
    """A version of the style with a real artifact, in use whatever its scores."""
    run = do(training.start_training(style=style, by=editor, overrides=TINY))
    model = StyleModel.objects.get(training_run=run)
    if model.status != "deployed":
        versions.deploy_model(model=model, by=editor)
    return model


def poison(monkeypatch, *, from_step: int) -> None:
    """Let the generators' loss be no number from this step on."""
    steps, original = itertools.count(1), CycleObjective.forward

    def forward(self, *arguments):
        total, parts, fakes = original(self, *arguments)
        factor = float("nan") if next(steps) >= from_step else 1.0
        return total * factor, parts * factor, fakes

    monkeypatch.setattr(CycleObjective, "forward", forward)


def test_a_training_that_diverges_keeps_its_best_version_and_says_so(style, editor, monkeypatch):
    poison(monkeypatch, from_step=4)
    run = do(training.start_training(style=style, by=editor, overrides=TINY | {"steps": 9, "evaluations": 3}))
    assert (run.status, run.result["ended"]) == ("succeeded", "diverged")
    assert "the best version so far was kept" in run.result["warning"]
    model = StyleModel.objects.get(style=style)
    assert model.metrics["chosen_step"] == 3
    assert artifact.verify(django_settings.ARTIFACTS_ROOT / model.directory)


def test_a_training_that_diverges_at_once_fails_with_what_to_do(style, editor, monkeypatch):
    poison(monkeypatch, from_step=1)
    run = do(training.start_training(style=style, by=editor, overrides=TINY))
    assert (run.status, run.error_code) == ("failed", "diverged")
    assert "learning rate" in run.error_hint
    assert not StyleModel.objects.exists()


def test_pictures_are_rendered_at_their_size_with_a_report_and_only_once(trained, style, editor):
    pictures = list(ProductImage.objects.order_by("pk")[:3])
    default_storage.delete(pictures[1].file.name)
    options = stylising.StyliseOptions(strength=0.5)
    run = do(stylising.stylise(style=style, by=editor, images=pictures, options=options))
    assert (run.status, run.result["rendered"], run.result["problem_count"]) == ("succeeded", 2, 1)
    rendered = StyledImage.objects.filter(run=run).order_by("pk")
    assert [image.product_image for image in rendered] == [pictures[0], pictures[2]]
    first = rendered[0]
    assert (first.width, first.height, first.status) == (pictures[0].width, pictures[0].height, "generated")
    assert first.options == options.to_dict()
    assert {"edges_kept", "color_shift_median"} <= set(first.truth)
    assert first.is_flagged is bool(first.breaches)
    assert default_storage.exists(first.file.name)
    assert first.renditions
    Job.objects.filter(pk=run.pk).update(status="queued", not_before=None)
    do(run)
    assert StyledImage.objects.filter(run=run).count() == 2


def test_a_rendering_beyond_the_shops_limits_is_flagged(trained, style, merchant, editor):
    owner = person(merchant, Membership.Role.OWNER)
    limits.set_limits(merchant=merchant, limits=TruthLimits(least_edges_kept=1.0, most_color_shift=0.0), by=owner)
    run = do(stylising.stylise(style=style, by=editor, images=ProductImage.objects.order_by("pk")[:1]))
    image = StyledImage.objects.get(run=run)
    assert image.is_flagged
    assert "color_shift_median" in {breach["code"] for breach in image.breaches}


def test_a_tampered_model_fails_the_run_and_renders_nothing(trained, style, editor):
    weights = django_settings.ARTIFACTS_ROOT / trained.directory / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:-4] + b"\0\1\2\3")
    run = do(stylising.stylise(style=style, by=editor, images=ProductImage.objects.order_by("pk")[:1]))
    assert (run.status, run.error_code) == ("failed", "artifact-tampered")
    assert not StyledImage.objects.exists()
