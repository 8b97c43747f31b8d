"""Styles, references, readiness, training requests and versions, on the test database."""

from __future__ import annotations

import pytest
from django.core.files.storage import default_storage

from catalog.models import AuditEntry, Membership
from catalog.services import rendition_jobs
from catalog.services.pictures import remove_picture
from catalog.services.renditions import files_of
from catalog.views.doors import thumbnail
from jobs.errors import Conflict, NotAllowed, NotFound, UserError
from jobs.models import Job
from jobs.tasks import run
from styling.curves import MOST_POINTS, LossCurve
from styling.cyclegan.presets import PRESETS
from styling.cyclegan.settings import TrainingSettings
from styling.models import StyleModel, StyleReference, TrainingRun
from styling.services import estimates, readiness, references, styles, training, versions
from styling.services.likeness import near_copies
from tests.catalog.factories import CategoryFactory, MerchantFactory, ProductFactory
from tests.styling.factories import StyleFactory, StyleModelFactory, noise_picture, person, product_picture

pytestmark = pytest.mark.django_db

BLUE = (40, 70, 190)
DRAFT = PRESETS["draft"]


@pytest.fixture
def merchant():
    return MerchantFactory()


@pytest.fixture
def editor(merchant):
    return person(merchant, Membership.Role.EDITOR)


@pytest.fixture
def style(merchant):
    return StyleFactory(merchant=merchant)


def bare_references(style, count, *, size=512, copies=0):
    """Rows without files: what readiness knows of pictures is in their rows."""
    hashes = [f"{(n * 0x9E3779B97F4A7C15) % 2**64:016x}" for n in range(1, count - copies + 1)]
    for n, text in enumerate(hashes + hashes[:1] * copies):
        StyleReference.objects.create(
            style=style, file=f"references/{n}.jpg", width=size, height=size, sha256=f"{n:064d}", perceptual_hash=text
        )


def codes(findings):
    return [finding.code for finding in findings]


def test_a_style_gets_an_address_of_its_own_and_an_audit_entry(merchant, editor):
    first = styles.create_style(merchant=merchant, by=editor, name="Ink drawing", name_zh="水墨")
    second = styles.create_style(merchant=merchant, by=editor, name="Ink drawing")
    assert (first.slug, second.slug) == ("ink-drawing", "ink-drawing-2")
    assert (first.position, second.position) == (0, 1)
    assert AuditEntry.objects.filter(merchant=merchant, action="style-created").count() == 2


def test_a_reviewer_cannot_create_a_style_and_a_stranger_even_less(merchant):
    for user in (person(merchant, Membership.Role.REVIEWER), person(MerchantFactory())):
        with pytest.raises(NotAllowed):
            styles.create_style(merchant=merchant, by=user, name="Ink")


def test_each_file_of_an_upload_has_its_own_outcome_and_a_bad_one_stops_nobody(style, editor):
    files = [noise_picture(1), b"no picture at all", noise_picture(1), noise_picture(2)]
    outcomes = references.add_references(style=style, files=files, by=editor)
    assert [outcome.outcome for outcome in outcomes] == ["added", "rejected", "duplicate", "added"]
    assert outcomes[2].reference == outcomes[0].reference
    assert outcomes[1].code
    assert outcomes[1].reason
    assert style.references.count() == 2
    assert all(default_storage.exists(reference.file.name) for reference in style.references.all())


def test_a_removed_reference_takes_its_file_along_unless_another_style_needs_it(
    style, editor, django_capture_on_commit_callbacks
):
    other = StyleFactory(merchant=style.merchant)
    for owner in (style, other):
        references.add_references(style=owner, files=[noise_picture(1)], by=editor)
    name = style.references.get().file.name
    with django_capture_on_commit_callbacks(execute=True):
        references.remove_reference(reference=style.references.get(), by=editor)
    assert default_storage.exists(name)
    with django_capture_on_commit_callbacks(execute=True):
        references.remove_reference(reference=other.references.get(), by=editor)
    assert not default_storage.exists(name)


def test_the_upload_of_references_makes_no_smaller_copies_itself_but_asks_a_worker(
    style, editor, monkeypatch, django_capture_on_commit_callbacks
):
    """Web processes decode nothing but in the sandbox of the door."""
    monkeypatch.setattr(rendition_jobs, "make_renditions", lambda *_, **__: pytest.fail("made at upload"))
    with django_capture_on_commit_callbacks(execute=True):
        references.add_references(style=style, files=[noise_picture(1), noise_picture(2)], by=editor)
    monkeypatch.undo()
    assert [reference.renditions for reference in style.references.all()] == [[], []]
    first = style.references.first()
    assert thumbnail(first) == first.file.url, "shown as it is until then"
    job = Job.objects.get(kind=references.RENDITIONS_KIND)
    run(str(job.pk))
    job.refresh_from_db()
    assert (job.status, job.result) == ("succeeded", {"made": 2, "lost": 0})
    copies = files_of(style.references.first().renditions)
    assert copies
    assert thumbnail(style.references.first()).endswith(copies[0])
    with django_capture_on_commit_callbacks(execute=True):
        references.remove_reference(reference=style.references.first(), by=editor)
    assert not any(default_storage.exists(name) for name in copies)


@pytest.mark.parametrize("first", ["picture", "reference"])
def test_the_copies_that_a_product_and_a_style_share_stay_until_both_are_gone(
    style, editor, django_capture_on_commit_callbacks, first
):
    picture = product_picture(style.merchant, seed=1)
    references.add_references(style=style, files=[noise_picture(1)], by=editor)
    rendition_jobs.make_missing(merchant=style.merchant)
    references.make_missing_renditions(merchant=style.merchant, on_progress=lambda *_: None, should_stop=lambda: False)
    picture.refresh_from_db()
    reference = style.references.get()
    copies = files_of(reference.renditions)
    assert copies == files_of(picture.renditions)
    steps = [
        lambda: remove_picture(image=picture, by=editor),
        lambda: references.remove_reference(reference=reference, by=editor),
    ]
    for step, is_left in zip(steps if first == "picture" else reversed(steps), (True, False), strict=True):
        with django_capture_on_commit_callbacks(execute=True):
            step()
        assert [default_storage.exists(name) for name in copies] == [is_left] * len(copies)


def test_training_is_refused_below_eight_references_and_warned_of_below_thirty(style, merchant):
    for seed in range(8):
        product_picture(merchant, seed=seed)
    bare_references(style, 7)
    found = readiness.check_training(style=style, settings=DRAFT)
    assert [(finding.code, finding.refuses) for finding in found if "references" in finding.code] == [
        ("too-few-references", True)
    ]
    style.references.all().delete()
    bare_references(style, 29)
    assert "few-references" in codes(readiness.check_training(style=style, settings=DRAFT))
    style.references.all().delete()
    bare_references(style, 30)
    found = readiness.check_training(style=style, settings=DRAFT)
    assert "few-references" not in codes(found)
    assert not any(finding.refuses for finding in found)


def test_near_copies_and_small_references_are_warned_of(style, merchant):
    bare_references(style, 30, copies=10, size=100)
    found = codes(readiness.check_training(style=style, settings=DRAFT))
    assert {"references-alike", "references-small"} <= set(found)
    assert near_copies(["ffff000000000000", "ffff000000000001", "0000ffff00000000", ""]) == 1


@pytest.mark.parametrize(("tint", "warned"), [((150, 110, 70), True), (BLUE, False)])
def test_a_style_that_looks_like_the_products_is_warned_of(style, merchant, editor, tint, warned):
    for seed in range(24):
        product_picture(merchant, seed=seed)
    files = [noise_picture(100 + seed, tint=tint) for seed in range(24)]
    references.add_references(style=style, files=files, by=editor)
    found = readiness.check_training(style=style, settings=DRAFT)
    assert ("style-like-source" in codes(found)) is warned


def test_a_category_without_pictures_or_of_another_shop_is_refused(style, merchant):
    empty = CategoryFactory(merchant=merchant)
    ProductFactory(merchant=merchant, category=empty)
    with pytest.raises(UserError, match="has no product pictures") as caught:
        readiness.check_training(style=style, settings=DRAFT, source_category=empty)
    assert caught.value.code == "empty-category"
    with pytest.raises(NotFound):
        readiness.check_training(style=style, settings=DRAFT, source_category=CategoryFactory())


@pytest.fixture
def ready_style(style, merchant):
    for seed in range(8):
        product_picture(merchant, seed=seed)
    bare_references(style, 8)
    return style


def test_a_training_is_asked_for_once_and_keeps_all_its_settings(ready_style, editor):
    run = training.start_training(style=ready_style, by=editor, preset_name="draft", overrides={"steps": 40})
    assert (run.status, run.queue, run.merchant_key) == ("queued", "gpu", ready_style.merchant_id)
    assert run.settings == {**DRAFT.to_dict(), "steps": 40}
    with pytest.raises(Conflict, match="already"):
        training.start_training(style=ready_style, by=editor)
    assert TrainingRun.objects.count() == 1


def test_a_cancelled_training_is_resumed_or_done_again_with_the_same_settings(ready_style, editor):
    run = training.start_training(style=ready_style, by=editor, overrides={"seed": 7})
    training.cancel_training(run=run, by=editor)
    assert run.status == "cancelled"
    again = training.train_again(run=run, by=editor)
    assert (again.settings, again.pk) != (run.settings, run.pk)
    assert again.settings == run.settings
    with pytest.raises(Conflict, match="under way"):
        training.resume_training(run=run, by=editor)
    training.cancel_training(run=again, by=editor)
    training.resume_training(run=run, by=editor)
    assert TrainingRun.objects.get(pk=run.pk).status == "queued"


@pytest.mark.parametrize(
    "overrides", [{"feature_weights": "/etc/passwd"}, {"batch_size": 0}, {"no_such": 1}, {"width": "wide"}]
)
def test_a_wrong_setting_is_named_and_nothing_starts(ready_style, editor, overrides):
    with pytest.raises(UserError) as caught:
        training.start_training(style=ready_style, by=editor, overrides=overrides)
    assert caught.value.code == "bad-settings"
    assert not TrainingRun.objects.exists()


def test_minutes_replace_the_presets_steps():
    assert training.settings_for(preset_name="draft", overrides={"minutes": 2}).steps is None


def test_a_reviewer_can_neither_train_nor_deploy(ready_style):
    reviewer = person(ready_style.merchant, Membership.Role.REVIEWER)
    with pytest.raises(NotAllowed):
        training.start_training(style=ready_style, by=reviewer)
    with pytest.raises(NotAllowed):
        versions.deploy_model(model=StyleModelFactory(style=ready_style), by=reviewer)


def test_estimates_follow_what_this_machine_has_done(ready_style, editor):
    default = TrainingSettings(steps=900)
    assert estimates.estimated_minutes(default) == pytest.approx(900 * 4 * 0.05 * 1.1 / 60)
    run = training.start_training(style=ready_style, by=editor)
    result = {"seconds": 720.0, "steps": DRAFT.steps, "batch_size": DRAFT.batch_size}
    TrainingRun.objects.filter(pk=run.pk).update(status="succeeded", result=result)
    assert estimates.estimated_minutes(DRAFT) == pytest.approx(720 * 1.1 / 60)
    assert estimates.estimated_minutes(training.settings_for(preset_name="draft", overrides={"minutes": 2})) == 2


def finished_run(style):
    return TrainingRun.objects.create(
        kind="styling.train", merchant=style.merchant, style=style, settings=DRAFT.to_dict(), status="running"
    )


def test_the_first_sound_version_is_deployed_at_once_and_later_ones_wait(style, editor):
    good = {"style_score": 0.4, "content_score": 0.8}
    first = versions.record_model(run=finished_run(style), directory="a", metrics=good)
    second = versions.record_model(run=finished_run(style), directory="b", metrics=good)
    assert [(model.version, model.status) for model in (first, second)] == [(1, "deployed"), (2, "candidate")]
    assert versions.record_model(run=second.training_run, directory="c", metrics=good) == second
    versions.deploy_model(model=second, by=editor)
    first.refresh_from_db()
    assert (first.status, second.status) == ("retired", "deployed")
    with pytest.raises(Conflict, match="already"):
        versions.deploy_model(model=second, by=editor)
    assert versions.roll_back(style=style, by=editor) == first
    assert StyleModel.objects.get(style=style, status="deployed") == first


def test_a_first_version_that_learned_nothing_waits_and_carries_its_domains_rules(style, editor):
    domain = {"name": "medical", "never_auto_publish": True, "notice": "Not for diagnosis."}
    poor = {"style_score": 0.02, "content_score": 0.9}
    model = versions.record_model(run=finished_run(style), directory="a", metrics=poor, domain=domain)
    assert (model.status, model.never_auto_publish, model.notice) == ("candidate", True, "Not for diagnosis.")
    with pytest.raises(Conflict, match="No other version"):
        versions.roll_back(style=style, by=editor)


def test_a_loss_curve_stays_short_keeps_its_mean_and_goes_on_where_it_was():
    curve = LossCurve()
    for step in range(1, 1001):
        curve.add(step, {"cycle": float(step)})
    assert MOST_POINTS / 2 <= len(curve.points) < MOST_POINTS
    assert curve.points[0] == {"step": 8, "cycle": 4.5}
    resumed = LossCurve(curve.points)
    for step in range(993, 1001):
        resumed.add(step, {"cycle": 0.0})
    assert [point["step"] for point in resumed.points] == [point["step"] for point in curve.points]
    assert resumed.points[-1]["cycle"] == 0.0


def test_a_file_that_two_styles_show_stays_until_both_are_without_it(style, editor, django_capture_on_commit_callbacks):
    """Also where the two rows were made of different contents, as by two versions of the door."""
    other = StyleFactory(merchant=style.merchant)
    for one in (style, other):
        references.add_references(style=one, files=[noise_picture(1)], by=editor)
    first, second = style.references.get(), other.references.get()
    assert first.file.name == second.file.name
    StyleReference.objects.filter(pk=second.pk).update(sha256="0" * 64)
    for reference, is_left in ((first, True), (second, False)):
        with django_capture_on_commit_callbacks(execute=True):
            references.remove_reference(reference=reference, by=editor)
        assert default_storage.exists(first.file.name) is is_left
