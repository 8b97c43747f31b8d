"""Styling over the API: requests, answers, roles, and nothing of another shop."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from rest_framework.test import APIClient

from catalog.models import Membership
from styling.models import StyledImage, StyleModel, StylizationRun, TrainingRun
from tests.catalog.factories import MerchantFactory, ProductFactory
from tests.styling.factories import (
    StyledImageFactory,
    StyleFactory,
    StyleModelFactory,
    noise_picture,
    person,
    product_picture,
)

pytestmark = pytest.mark.django_db
API = "/api/v1"


@pytest.fixture
def merchant():
    return MerchantFactory()


def client_of(merchant, role=Membership.Role.EDITOR):
    client = APIClient()
    client.force_authenticate(person(merchant, role))
    return client


@pytest.fixture
def client(merchant):
    return client_of(merchant)


@pytest.fixture
def style(merchant):
    return StyleFactory(merchant=merchant)


def test_a_style_is_made_changed_and_deleted(client):
    made = client.post(f"{API}/styles/", {"name": "Ink drawing", "name_zh": "水墨"}, format="json")
    assert (made.status_code, made.data["slug"], made.data["reference_count"]) == (201, "ink-drawing", 0)
    address = f"{API}/styles/{made.data['id']}/"
    assert client.patch(address, {"name": "Ink"}, format="json").data["name"] == "Ink"
    assert client.delete(address).status_code == 204
    assert client.get(address).status_code == 404


def test_each_uploaded_reference_is_answered_for(client, style):
    address = f"{API}/styles/{style.pk}/references/"
    files = [SimpleUploadedFile("good.png", noise_picture(1)), SimpleUploadedFile("bad.png", b"not a picture")]
    answer = client.post(address, {"files": files}, format="multipart")
    assert [(row["name"], row["outcome"]) for row in answer.data] == [("good.png", "added"), ("bad.png", "rejected")]
    assert answer.data[1]["reason"]
    listed = client.get(address).data["results"]
    assert [row["id"] for row in listed] == [answer.data[0]["reference"]["id"]]
    assert client.delete(f"{address}{listed[0]['id']}/").status_code == 204
    assert not style.references.exists()


def test_training_is_accepted_watched_cancelled_and_refused_with_a_reason(client, style, merchant):
    refused = client.post(f"{API}/training-runs/", {"style": style.slug}, format="json")
    assert (refused.status_code, refused.data["error"]["code"]) == (400, "too-few-references")
    findings = client.get(f"{API}/styles/{style.pk}/readiness/").data
    assert {row["code"] for row in findings if row["refuses"]} == {"too-few-references", "too-few-products"}
    for seed in range(8):
        product_picture(merchant, seed=seed)
        style.references.create(file="r.png", width=256, height=256, sha256=f"{seed:064d}")
    body = {"style": style.slug, "preset": "draft", "settings": {"steps": 10}}
    accepted = client.post(f"{API}/training-runs/", body, format="json")
    assert accepted.status_code == 202
    run = TrainingRun.objects.get()
    assert accepted["Location"] == f"{API}/training-runs/{run.pk}/"
    shown = client.get(accepted["Location"]).data
    assert (shown["status"], shown["settings"]["steps"], shown["losses"], shown["error"]) == ("queued", 10, [], None)
    assert client.post(f"{API}/training-runs/", body, format="json").status_code == 409
    assert client.post(f"{accepted['Location']}cancel/").data["status"] == "cancelled"
    assert client.post(f"{accepted['Location']}resume/").data["status"] == "queued"


def test_a_wrong_setting_is_a_400_that_names_it(client, style):
    body = {"style": style.slug, "settings": {"feature_weights": "/etc/passwd"}}
    answer = client.post(f"{API}/training-runs/", body, format="json")
    assert (answer.status_code, answer.data["error"]["code"]) == (400, "bad-settings")


def test_versions_are_deployed_and_rolled_back_by_editors_only(client, merchant, style):
    first, second = StyleModelFactory.create_batch(2, style=style)
    for model in (first, second):
        assert client.post(f"{API}/style-models/{model.pk}/deploy/").data["status"] == "deployed"
    assert client.post(f"{API}/styles/{style.pk}/roll_back/").data["id"] == first.pk
    reviewer = client_of(merchant, Membership.Role.REVIEWER)
    assert reviewer.post(f"{API}/style-models/{second.pk}/deploy/").status_code == 403
    assert StyleModel.objects.get(style=style, status="deployed") == first


def test_stylising_renders_the_first_picture_of_each_product(client, merchant, style):
    picture = product_picture(merchant, seed=1)
    bare = ProductFactory(merchant=merchant)
    body = {"style": style.slug, "products": [picture.product_id, bare.pk], "options": {"strength": 0.5}}
    without_model = client.post(f"{API}/stylisations/", body, format="json")
    assert (without_model.status_code, without_model.data["error"]["code"]) == (409, "no-deployed-model")
    StyleModelFactory(style=style, status="deployed")
    accepted = client.post(f"{API}/stylisations/", body, format="json")
    assert accepted.status_code == 202
    run = StylizationRun.objects.get()
    assert list(run.product_images.all()) == [picture]
    assert run.parameters == {"pictures": 1, "without_picture": 1}
    assert run.options == {"strength": 0.5, "keep_product": False, "keep_background": False, "keep_color": 0.0}
    both = {**body, "options": {"keep_product": True, "keep_background": True}}
    refused = client.post(f"{API}/stylisations/", both, format="json")
    assert (refused.status_code, refused.data["error"]["code"]) == (400, "bad-options")


def test_renderings_are_reviewed_one_by_one_and_in_bulk_and_taken_back(client, merchant, style):
    model = StyleModelFactory(style=style)
    one, two = StyledImageFactory.create_batch(2, style_model=model)
    address = f"{API}/styled-images/{one.pk}"
    assert client.post(f"{address}/publish/").status_code == 409
    assert client.post(f"{address}/approve/").data["status"] == "approved"
    assert client.post(f"{address}/publish/").data["status"] == "published"
    assert client.post(f"{address}/unpublish/").data["status"] == "approved"
    rejected = client.post(f"{address}/reject/", {"reason": "blurred"}, format="json")
    assert (rejected.data["status"], rejected.data["reject_reason"]) == ("rejected", "blurred")
    body = {"action": "approve_and_publish", "ids": [one.pk, two.pk]}
    outcome = client.post(f"{API}/styled-images/review/", body, format="json").data
    assert outcome["moved"] == {str(two.pk): "published"}
    assert [(row["id"], row["code"]) for row in outcome["refused"]] == [(one.pk, "wrong-status")]
    undone = client.post(f"{API}/styled-images/undo/", {"batch": outcome["batch"]}, format="json")
    assert undone.status_code == 200
    assert StyledImage.objects.get(pk=two.pk).status == "generated"


def test_a_flagged_rendering_needs_an_explicit_word(client, style):
    image = StyledImageFactory(style_model=StyleModelFactory(style=style), status="approved", is_flagged=True)
    address = f"{API}/styled-images/{image.pk}/publish/"
    refused = client.post(address)
    assert (refused.status_code, refused.data["error"]["code"]) == (409, "flagged")
    assert client.post(address, {"accept_flagged": True}, format="json").data["status"] == "published"


def test_a_reviewer_regenerates_but_does_not_publish_and_a_viewer_only_looks(merchant, style):
    image = StyledImageFactory(style_model=StyleModelFactory(style=style), status="approved")
    reviewer, viewer = client_of(merchant, Membership.Role.REVIEWER), client_of(merchant, Membership.Role.VIEWER)
    address = f"{API}/styled-images/{image.pk}"
    assert reviewer.post(f"{address}/regenerate/", {"strength": 0.4}, format="json").status_code == 202
    assert StylizationRun.objects.get().options["strength"] == 0.4
    assert reviewer.post(f"{address}/publish/").status_code == 403
    assert viewer.get(f"{address}/").status_code == 200
    assert viewer.post(f"{address}/reject/").status_code == 403


def test_another_shops_rows_do_not_exist(client, merchant, style):
    foreign = StyledImageFactory()
    model = foreign.style_model
    run = TrainingRun.objects.create(kind="styling.train", merchant=foreign.merchant, style=foreign.style)
    stylisation = StylizationRun.objects.create(kind="styling.stylise", merchant=foreign.merchant, style_model=model)
    rows = {
        "styles": foreign.style.pk,
        "training-runs": run.pk,
        "style-models": model.pk,
        "stylisations": stylisation.pk,
        "styled-images": foreign.pk,
    }
    for name, pk in rows.items():
        assert client.get(f"{API}/{name}/").data["results"] == (
            [] if name != "styles" else client.get(f"{API}/styles/", {"slug": style.slug}).data["results"]
        )
        assert client.get(f"{API}/{name}/{pk}/").status_code == 404
    StyleModelFactory(style=style, status="deployed")
    for body in (
        {"style": foreign.style.slug, "products": [1]},
        {"style": style.slug, "products": [foreign.product_image.product_id]},
        {"style": style.slug, "images": [foreign.product_image_id]},
        {"style": style.slug, "images": [product_picture(merchant, seed=3).pk], "style_model": model.pk},
    ):
        assert client.post(f"{API}/stylisations/", body, format="json").status_code == 400
    body = {"action": "approve", "ids": [foreign.pk]}
    assert client.post(f"{API}/styled-images/review/", body, format="json").status_code == 404
    assert client.post(f"{API}/training-runs/", {"style": foreign.style.slug}, format="json").status_code == 400


@pytest.mark.parametrize("path", ["styles", "styled-images", "style-models", "training-runs", "stylisations"])
def test_lists_cost_the_same_number_of_queries_for_any_number_of_rows(
    client, merchant, style, path, django_assert_max_num_queries
):
    for _ in range(6):
        model = StyleModelFactory(style__merchant=merchant)
        StyledImageFactory(style_model=model)
        TrainingRun.objects.create(kind="styling.train", merchant=merchant, style=model.style)
        StylizationRun.objects.create(kind="styling.stylise", merchant=merchant, style_model=model)
    with django_assert_max_num_queries(6):
        assert len(client.get(f"{API}/{path}/").data["results"]) >= 6
