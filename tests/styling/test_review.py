"""Review: who may move which rendering where, in bulk, and back again."""

from __future__ import annotations

import uuid

import pytest

from catalog.models import AuditEntry, Membership
from jobs.errors import Conflict, NotAllowed, NotFound, UserError
from styling.models import ReviewStep, StyledImage
from styling.services import review
from tests.styling.factories import StyledImageFactory, StyleModelFactory, person

pytestmark = pytest.mark.django_db


@pytest.fixture
def model():
    return StyleModelFactory(status="deployed")


@pytest.fixture
def editor(model):
    return person(model.merchant, Membership.Role.EDITOR)


@pytest.fixture
def reviewer(model):
    return person(model.merchant, Membership.Role.REVIEWER)


def status_of(image):
    return StyledImage.objects.values_list("status", flat=True).get(pk=image.pk)


def test_a_reviewer_approves_and_rejects_with_a_reason_but_cannot_publish(model, reviewer):
    good, bad = StyledImageFactory.create_batch(2, style_model=model)
    review.approve(images=[good], by=reviewer).require_all()
    review.reject(images=[bad], by=reviewer, reason="  the handle is gone ")
    bad.refresh_from_db()
    assert (status_of(good), bad.status, bad.reject_reason) == ("approved", "rejected", "the handle is gone")
    assert (bad.reviewed_by, bool(bad.reviewed_at)) == (reviewer, True)
    with pytest.raises(NotAllowed):
        review.publish(images=[good], by=reviewer)
    assert status_of(good) == "approved"


def test_publishing_replaces_the_earlier_rendering_of_the_same_picture_and_style(model, editor):
    earlier = StyledImageFactory(style_model=model, status="published")
    other_style = StyledImageFactory(
        style_model=StyleModelFactory(style__merchant=model.merchant),
        product_image=earlier.product_image,
        status="published",
    )
    newer = StyledImageFactory(style_model=model, product_image=earlier.product_image, status="approved")
    outcome = review.publish(images=[newer], by=editor)
    assert (outcome.moved, outcome.replaced) == ({newer.pk: "published"}, [earlier.pk])
    assert [status_of(image) for image in (earlier, newer, other_style)] == ["approved", "published", "published"]
    review.undo(batch=outcome.batch, merchant=model.merchant, by=editor)
    assert [status_of(image) for image in (earlier, newer)] == ["published", "approved"]


def test_a_rendering_must_be_approved_before_it_is_published(model, editor):
    image = StyledImageFactory(style_model=model)
    with pytest.raises(Conflict, match="Approve it first"):
        review.publish(images=[image], by=editor).require_all()
    assert status_of(image) == "generated"


def test_approving_never_takes_a_rendering_off_the_storefront(model, editor):
    image = StyledImageFactory(style_model=model, status="published")
    assert review.approve(images=[image], by=editor).refused[0].code == "wrong-status"
    assert status_of(image) == "published"


def test_a_flagged_rendering_is_published_only_when_somebody_accepts_it(model, editor):
    flagged, sound = (
        StyledImageFactory(style_model=model, status="approved", is_flagged=True),
        StyledImageFactory(style_model=model, status="approved"),
    )
    outcome = review.publish(images=[flagged, sound], by=editor)
    assert (outcome.moved, [r.code for r in outcome.refused]) == ({sound.pk: "published"}, ["flagged"])
    review.publish(images=[flagged], by=editor, accept_flagged=True).require_all()
    assert status_of(flagged) == "published"
    assert AuditEntry.objects.filter(after__accept_flagged=True, after__renderings=[flagged.pk]).exists()


def test_renderings_that_need_a_person_are_not_published_in_one_go(editor, model):
    medical = StyledImageFactory(style_model=StyleModelFactory(style__merchant=model.merchant, never_auto_publish=True))
    assert review.approve_and_publish(images=[medical], by=editor).refused[0].code == "one-by-one"
    assert status_of(medical) == "generated"
    review.approve(images=[medical], by=editor)
    review.publish(images=[medical], by=editor).require_all()
    assert status_of(medical) == "published"


def test_of_two_renderings_of_one_picture_only_the_newer_is_published(model, editor):
    older = StyledImageFactory(style_model=model)
    newer = StyledImageFactory(style_model=model, product_image=older.product_image)
    outcome = review.approve_and_publish(images=[newer, older], by=editor)
    assert (outcome.moved, outcome.refused[0].image_id) == ({newer.pk: "published"}, older.pk)
    assert status_of(older) == "generated"


def test_a_bulk_is_undone_in_one_go_whatever_it_did(model, editor):
    images = StyledImageFactory.create_batch(3, style_model=model)
    review.approve(images=images[:1], by=editor)
    outcome = review.approve_and_publish(images=images, by=editor)
    assert [status_of(image) for image in images] == ["published"] * 3
    review.undo(batch=outcome.batch, merchant=model.merchant, by=editor)
    assert [status_of(image) for image in images] == ["approved", "generated", "generated"]
    assert not StyledImage.objects.exclude(published_at=None).exists()
    with pytest.raises(NotFound):
        review.undo(batch=outcome.batch, merchant=model.merchant, by=editor)


def test_undo_leaves_alone_what_was_moved_since(model, editor):
    first, second = StyledImageFactory.create_batch(2, style_model=model)
    outcome = review.approve(images=[first, second], by=editor)
    review.reject(images=[first], by=editor)
    undone = review.undo(batch=outcome.batch, merchant=model.merchant, by=editor)
    assert ([r.code for r in undone.refused], undone.moved) == (["moved-on"], {second.pk: "generated"})
    assert status_of(first) == "rejected"


def test_rejecting_a_published_rendering_takes_it_down_and_undo_puts_it_back(model, editor):
    image = StyledImageFactory(style_model=model, status="published")
    outcome = review.reject(images=[image], by=editor, reason="wrong colour")
    steps = ReviewStep.objects.filter(batch=outcome.batch).order_by("id").values_list("before", "after")
    assert list(steps) == [("published", "approved"), ("approved", "rejected")]
    review.undo(batch=outcome.batch, merchant=model.merchant, by=editor)
    image.refresh_from_db()
    assert (image.status, image.reject_reason) == ("published", "")
    assert image.published_at


def test_a_reviewer_cannot_undo_a_publishing(model, editor, reviewer):
    image = StyledImageFactory(style_model=model)
    outcome = review.approve_and_publish(images=[image], by=editor)
    with pytest.raises(NotAllowed):
        review.undo(batch=outcome.batch, merchant=model.merchant, by=reviewer)
    assert status_of(image) == "published"


def test_a_stranger_moves_nothing_and_shops_are_not_mixed(model, editor):
    image, foreign = StyledImageFactory(style_model=model), StyledImageFactory()
    with pytest.raises(NotAllowed):
        review.approve(images=[foreign], by=editor)
    with pytest.raises(UserError, match="several shops"):
        review.approve(images=[image, foreign], by=editor)
    with pytest.raises(NotFound):
        review.undo(batch=uuid.uuid4(), merchant=model.merchant, by=editor)


def test_a_bulk_costs_the_same_number_of_queries_whatever_its_size(model, editor, django_assert_max_num_queries):
    images = StyledImageFactory.create_batch(30, style_model=model)
    with django_assert_max_num_queries(24):
        assert len(review.approve_and_publish(images=images, by=editor).moved) == 30
