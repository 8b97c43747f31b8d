"""Styling's admin pages: what they show and do, for whom, and at what cost."""

from __future__ import annotations

import json
import uuid
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from catalog.models import Membership, Product
from jobs.models import WorkerPresence
from styling.models import Style, StyledImage, StyleModel, StylizationRun, TrainingRun
from tests.catalog.factories import CategoryFactory, MerchantFactory, ProductFactory
from tests.styling.factories import (
    StyledImageFactory,
    StyleFactory,
    StyleModelFactory,
    noise_picture,
    person,
    product_picture,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def merchant():
    return MerchantFactory()


@pytest.fixture
def style(merchant):
    return StyleFactory(merchant=merchant)


@pytest.fixture
def log_in(client, merchant):
    """Log a member of the shop in; the owner unless said otherwise."""

    def as_role(role=Membership.Role.OWNER):
        client.force_login(person(merchant, role))
        return client

    return as_role


@pytest.fixture
def worker():
    return WorkerPresence.objects.create(name="w", queues=["gpu"], seen_at=timezone.now())


def send(client, address, body):
    return client.post(address, json.dumps(body), content_type="application/json")


def training_run(style, **fields):
    return TrainingRun.objects.create(
        kind="styling.train",
        queue="gpu",
        merchant=style.merchant,
        merchant_key=style.merchant_id,
        style=style,
        **fields,
    )


def addresses_of(style, model, image, run, stylisation):
    """Every page of this room that names a row."""
    merchant = style.merchant_id
    pages = [
        reverse("admin:styling_style_change", args=[style.pk]),
        reverse("admin:styling_stylemodel_change", args=[model.pk]),
        reverse("admin:styling_trainingrun_change", args=[run.pk]),
        reverse("admin:styling_stylizationrun_change", args=[stylisation.pk]),
        reverse("admin:styling_styledimage_change", args=[image.pk]),
        reverse("styling:train", args=[style.pk]),
        reverse("styling:check", args=[style.pk]),
        reverse("styling:versions", args=[style.pk]),
        reverse("styling:run", args=[run.pk]),
        reverse("styling:run_state", args=[run.pk]),
        reverse("styling:stylisation", args=[stylisation.pk]),
        reverse("styling:stylisation_state", args=[stylisation.pk]),
        reverse("styling:limits", args=[merchant]),
        reverse("styling:review_items", args=[merchant]),
    ]
    posts = [
        reverse("styling:references", args=[style.pk]),
        reverse("styling:train", args=[style.pk]),
        reverse("styling:fill_versions", args=[style.pk]),
        reverse("styling:roll_back", args=[style.pk]),
        reverse("styling:deploy", args=[model.pk]),
        reverse("styling:retire", args=[model.pk]),
        *(reverse(f"styling:{name}", args=[run.pk]) for name in ("cancel_run", "resume_run", "run_again")),
        reverse("styling:review_act", args=[merchant]),
        reverse("styling:review_undo", args=[merchant]),
        reverse("styling:regenerate", args=[image.pk]),
    ]
    return pages, posts


@pytest.fixture
def everything(merchant, style):
    model = StyleModelFactory(style=style, status="deployed")
    image = StyledImageFactory(style_model=model)
    stylisation = StylizationRun.objects.create(kind="styling.stylise", merchant=merchant, style_model=model)
    return style, model, image, training_run(style, losses=[{"step": 1, "cycle": 0.5}]), stylisation


def test_every_page_opens_for_a_member_without_a_row_of_another_shop(log_in, everything):
    pages, _posts = addresses_of(*everything)
    client = log_in(Membership.Role.VIEWER)
    foreign = StyledImageFactory(style_model__style__name="Foreign look")
    lists = [
        reverse(f"admin:styling_{name}_changelist")
        for name in ("style", "trainingrun", "stylemodel", "stylizationrun", "styledimage")
    ]
    for address in [*pages, *lists, reverse("styling:review"), reverse("styling:stylise")]:
        answer = client.get(address, follow=True)
        assert answer.status_code == 200, address
        assert foreign.style.name not in answer.content.decode(), address


def test_another_shops_rows_do_not_exist_on_any_page(log_in, everything):
    pages, posts = addresses_of(*everything)
    before = list(StyledImage.objects.values("status")), list(StyleModel.objects.values("status"))
    client = log_in()
    stranger = person(MerchantFactory())
    client.force_login(stranger)
    for address in pages:
        answer = client.get(address)
        # Django's own change pages send a stranger home with a message, ours answer 404.
        assert answer.status_code == 404 or answer["Location"] == reverse("admin:index"), address
    for address in posts:
        assert send(client, address, {"verb": "approve", "ids": [1], "batch": str(uuid.uuid4())}).status_code == 404, (
            address
        )
    assert before == (list(StyledImage.objects.values("status")), list(StyleModel.objects.values("status")))


def test_a_visitor_without_a_log_in_is_sent_to_it(client, everything):
    for address in (*addresses_of(*everything)[0], reverse("styling:review")):
        assert reverse("admin:login") in client.get(address)["Location"]


def test_a_style_is_made_for_the_editors_own_shop_and_leads_to_its_references(log_in, merchant):
    answer = log_in(Membership.Role.EDITOR).post(
        reverse("admin:styling_style_add"),
        {"name": "Ink drawing", "name_zh": "", "description": "", "description_zh": ""},
    )
    style = Style.objects.get()
    assert (style.merchant, style.slug) == (merchant, "ink-drawing")
    assert answer["Location"] == reverse("admin:styling_style_change", args=[style.pk])


def test_a_reviewer_sees_styles_but_adds_none(log_in, style):
    client = log_in(Membership.Role.REVIEWER)
    assert client.get(reverse("admin:styling_style_add")).status_code == 403
    page = client.get(reverse("admin:styling_style_change", args=[style.pk])).content.decode()
    assert 'id="drop"' not in page


def test_dropped_files_are_answered_one_by_one_and_can_be_removed(log_in, style):
    client = log_in()
    address = reverse("styling:references", args=[style.pk])
    good = client.post(address, {"files": SimpleUploadedFile("a.png", noise_picture(1))}).json()
    bad = client.post(address, {"files": SimpleUploadedFile("b.png", b"text")}).json()
    assert (good["outcomes"][0]["outcome"], good["count"]) == ("added", 1)
    assert (bad["outcomes"][0]["outcome"], bool(bad["outcomes"][0]["reason"])) == ("rejected", True)
    assert client.post(address, {}).json()["error"]["code"] == "nothing-chosen"
    removed = client.post(reverse("styling:remove_reference", args=[style.pk, good["outcomes"][0]["id"]]))
    assert removed.json() == {"count": 0}


def test_the_training_page_warns_starts_and_says_when_no_worker_is_there(log_in, style, merchant):
    client = log_in()
    address = reverse("styling:train", args=[style.pk])
    assert "No worker has been seen" in client.get(address).content.decode()
    found = client.get(reverse("styling:check", args=[style.pk]), {"preset": "draft"}).content.decode()
    assert 'data-code="too-few-references"' in found
    for seed in range(8):
        product_picture(merchant, seed=seed)
        style.references.create(file=f"{seed}.png", width=256, height=256, sha256=f"{seed:064d}")
    answer = client.post(address, {"preset": "draft", "minutes": "2"})
    run = TrainingRun.objects.get()
    assert answer["Location"] == reverse("styling:run", args=[run.pk])
    assert (run.settings["minutes"], run.settings["steps"]) == (2.0, None)
    state = client.get(reverse("styling:run_state", args=[run.pk])).json()
    assert (state["status"], state["can"]["cancel"], bool(state["notice"])) == ("queued", True, True)
    client.post(reverse("styling:cancel_run", args=[run.pk]))
    state = client.get(reverse("styling:run_state", args=[run.pk])).json()
    assert (state["status"], state["can"]) == ("cancelled", {"cancel": False, "resume": True, "again": True})


def test_a_running_worker_is_not_complained_about(log_in, style, worker):
    assert "No worker" not in log_in().get(reverse("styling:train", args=[style.pk])).content.decode()


def test_a_known_failure_is_told_in_the_readers_language(log_in, style):
    run = training_run(style, status="failed", error_code="collapsed", error_message="as the worker wrote it")
    error = log_in().get(reverse("styling:run_state", args=[run.pk])).json()["error"]
    assert error["message"] == "The style took over: products were no longer recognisable."


def test_the_live_page_says_why_nothing_moves(log_in, style, worker):
    address = reverse("styling:run_state", args=[training_run(style, status="running").pk])
    client, run = log_in(), TrainingRun.objects.get()
    assert "gets ready" in client.get(address).json()["notice"]
    TrainingRun.objects.update(progress_done=1, progress_total=10)
    assert client.get(address).json()["notice"] == ""
    TrainingRun.objects.update(lease_expires_at=timezone.now() - timedelta(seconds=5))
    assert "gone silent" in client.get(address).json()["notice"]
    TrainingRun.objects.update(status="queued", attempt=1)
    assert "goes on from its last saved step" in client.get(address).json()["notice"]
    TrainingRun.objects.update(attempt=0)
    assert client.get(address).json()["notice"] == "A worker takes it up in a moment."
    earlier = training_run(style, status="running")
    TrainingRun.objects.filter(pk=earlier.pk).update(created_at=run.created_at - timedelta(minutes=1))
    assert "1 job goes before it" in client.get(address).json()["notice"]


def test_a_training_ends_with_the_next_step(log_in, style):
    model = StyleModelFactory(style=style, status="candidate")
    run = training_run(style, status="succeeded", result={"version": 1, "style_model": model.pk})
    address, client = reverse("styling:run_state", args=[run.pk]), log_in()
    assert [step["text"] for step in client.get(address).json()["next"]] == ["Compare versions"]
    StyleModel.objects.filter(pk=model.pk).update(status="deployed")
    assert client.get(address).json()["outcome"] == "Version 1 is in use."
    first, _compare = client.get(address).json()["next"]
    assert first["text"] == "Stylise your products"
    assert client.get(first["address"]).status_code == 200
    assert [step["text"] for step in log_in(Membership.Role.VIEWER).get(address).json()["next"]] == ["Compare versions"]


def test_versions_are_compared_filled_deployed_and_rolled_back(log_in, style, merchant):
    first, second = StyleModelFactory(style=style, status="deployed"), StyleModelFactory(style=style)
    picture = product_picture(merchant, seed=1)
    StyledImageFactory(style_model=first, product_image=picture)
    client = log_in()
    assert "not rendered" in client.get(reverse("styling:versions", args=[style.pk])).content.decode()
    client.post(reverse("styling:fill_versions", args=[style.pk]))
    assert StylizationRun.objects.get().style_model == second
    StyleModel.objects.filter(pk=first.pk).update(deployed_at=timezone.now())
    client.post(reverse("styling:deploy", args=[second.pk]))
    assert StyleModel.objects.get(style=style, status="deployed") == second
    client.post(reverse("styling:roll_back", args=[style.pk]))
    assert StyleModel.objects.get(style=style, status="deployed") == first
    reviewer = log_in(Membership.Role.REVIEWER)
    reviewer.post(reverse("styling:deploy", args=[second.pk]))
    assert StyleModel.objects.get(style=style, status="deployed") == first


def test_stylising_from_the_product_list(log_in, style, merchant):
    StyleModelFactory(style=style, status="deployed")
    picture, foreign = product_picture(merchant, seed=1), ProductFactory()
    client = log_in()
    address = f"{reverse('styling:stylise')}?products={picture.product_id},{foreign.pk}"
    assert (
        "1 product chosen" in client.get(f"{reverse('styling:stylise')}?products={picture.product_id}").content.decode()
    )
    # Another shop's product in the address is as if it were not there.
    client.post(address, {"style": style.pk, "strength": "0.8", "keep_color": "0"})
    run = StylizationRun.objects.get()
    assert list(run.product_images.all()) == [picture]
    state = client.get(reverse("styling:stylisation_state", args=[run.pk])).json()
    assert (state["status"], state["total"], state["thumbnails"]) == ("queued", 1, [])


def test_stylising_begins_with_what_is_missing_or_with_tiles_to_tick(log_in, style, merchant):
    client, address = log_in(), reverse("styling:stylise")
    assert "No product has a picture yet" in client.get(address).content.decode()
    first, second = product_picture(merchant, seed=1), product_picture(merchant, seed=2)
    assert "No style has been trained yet" in client.get(address).content.decode()
    model = StyleModelFactory(style=style, status="deployed")
    StyledImageFactory(style_model=model, product_image=first)
    page = client.get(address).content.decode()
    assert "Stylise the 1 product without it" in page
    ticked = client.get(address, {"products": [first.product_id, second.product_id]}).content.decode()
    assert "2 products chosen" in ticked
    missing = f"{address}?missing={style.pk}"
    assert "1 product: all that the list shows" in client.get(missing).content.decode()
    client.post(missing, {"style": style.pk, "strength": "1", "keep_color": "0", "confirm": "on", "seen_count": "1"})
    assert list(StylizationRun.objects.get().product_images.all()) == [second]


def test_a_style_without_a_model_says_so_on_the_stylise_page(log_in, style, merchant):
    picture = product_picture(merchant, seed=1)
    answer = log_in().post(
        f"{reverse('styling:stylise')}?products={picture.product_id}",
        {"style": style.pk, "strength": "1", "keep_color": "0"},
    )
    assert "has no model in use yet" in answer.content.decode()


def test_the_review_queue_is_filtered_and_moved_and_taken_back(log_in, style, merchant):
    model = StyleModelFactory(style=style)
    plain, flagged = StyledImageFactory(style_model=model), StyledImageFactory(style_model=model, is_flagged=True)
    client = log_in()
    queue, act, undo = (
        reverse(f"styling:{name}", args=[merchant.pk]) for name in ("review_items", "review_act", "review_undo")
    )
    shown = client.get(queue, {"status": "generated"}).json()
    assert ([item["id"] for item in shown["items"]], shown["total"], shown["more"]) == (
        [plain.pk, flagged.pk],
        2,
        False,
    )
    assert [item["id"] for item in client.get(queue, {"flagged": "1"}).json()["items"]] == [flagged.pk]
    assert client.get(queue, {"run": "nonsense"}).json()["items"] == []
    body = {"verb": "approve_and_publish", "ids": [plain.pk, flagged.pk]}
    outcome = send(client, act, body).json()
    assert outcome["moved"] == {str(plain.pk): {"status": "published", "label": "Published"}}
    assert outcome["refused"][0]["code"] == "flagged"
    assert send(client, undo, {"batch": outcome["batch"]}).status_code == 200
    assert StyledImage.objects.get(pk=plain.pk).status == "generated"
    assert send(client, act, {"verb": "explode", "ids": [1]}).status_code == 400
    assert send(client, undo, {"batch": "x"}).status_code == 400
    assert send(client, reverse("styling:regenerate", args=[plain.pk]), {"strength": 0.5}).status_code == 202
    history = client.get(queue, {"status": "generated"}).json()["items"][0]["history"]
    assert [step["undone"] for step in history] == [True, True]


def test_a_reviewer_may_not_publish_from_the_screen(log_in, style, merchant):
    image = StyledImageFactory(style_model=StyleModelFactory(style=style), status="approved")
    client = log_in(Membership.Role.REVIEWER)
    answer = send(client, reverse("styling:review_act", args=[merchant.pk]), {"verb": "publish", "ids": [image.pk]})
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "role-too-low")
    assert 'data-do="publish"' not in client.get(reverse("styling:review")).content.decode()


def test_a_training_that_ended_early_says_why_in_the_readers_words(log_in, style):
    run = training_run(style, status="succeeded", result={"version": 1, "ended": "collapsed", "warning": "…"})
    outcome = log_in().get(reverse("styling:run_state", args=[run.pk])).json()["outcome"]
    assert "Version 1" in outcome
    assert "no longer recognisable" in outcome


LIMITS = {"least_edges_kept": "0.9", "most_color_shift": "10", "least_text_legibility": "0.5"}


def test_owners_change_the_limits_and_editors_do_not(log_in, merchant):
    address = reverse("styling:limits", args=[merchant.pk])
    log_in(Membership.Role.EDITOR).post(address, LIMITS)
    merchant.refresh_from_db()
    assert merchant.truth_limits == {}
    log_in().post(address, LIMITS)
    merchant.refresh_from_db()
    assert merchant.truth_limits == {"least_edges_kept": 0.9, "most_color_shift": 10.0, "least_text_legibility": 0.5}


@pytest.mark.parametrize("name", ["style", "trainingrun", "stylemodel", "stylizationrun", "styledimage"])
def test_lists_cost_the_same_number_of_queries_for_any_number_of_rows(
    log_in, merchant, name, django_assert_max_num_queries
):
    for _ in range(8):
        model = StyleModelFactory(style__merchant=merchant)
        StyledImageFactory(style_model=model)
        model.style.references.create(file="r.png", width=9, height=9, sha256="0")
        training_run(model.style)
        StylizationRun.objects.create(kind="styling.stylise", merchant=merchant, style_model=model)
    client = log_in()
    with django_assert_max_num_queries(14):
        assert client.get(reverse(f"admin:styling_{name}_changelist")).status_code == 200


def test_the_review_queue_costs_the_same_number_of_queries_for_any_number_of_rows(
    log_in, style, merchant, django_assert_max_num_queries
):
    StyledImageFactory.create_batch(12, style_model=StyleModelFactory(style=style))
    client = log_in()
    with django_assert_max_num_queries(9):
        assert len(client.get(reverse("styling:review_items", args=[merchant.pk])).json()["items"]) == 12


def test_everything_that_a_filtered_list_shows_is_stylised_once_somebody_says_so(log_in, style, merchant):
    StyleModelFactory(style=style, status="deployed")
    pictures = [product_picture(merchant, seed=seed) for seed in (1, 2, 3)]
    Product.objects.filter(pk=pictures[2].product_id).update(status="draft")
    ProductFactory(merchant=merchant)  # has no picture
    ProductFactory()  # another shop's
    client = log_in()
    body = {"action": "stylise", "select_across": "1", "_selected_action": [pictures[0].product_id]}
    address = client.post("/admin/catalog/product/?status__exact=published", body).url
    page = client.get(address)
    assert page.context["counts"] == {"chosen": 3, "first_pictures": 2, "every_picture": 2, "without_picture": 1}
    choice = {"style": style.pk, "strength": "1", "keep_color": "0"}
    assert "Tick this first" in client.post(address, choice).content.decode()
    answer = client.post(address, {**choice, "confirm": "on", "seen_count": "2"})
    assert "The list has changed meanwhile" in answer.content.decode()
    assert not StylizationRun.objects.exists()
    client.post(address, {**choice, "confirm": "on", "seen_count": "3"})
    assert list(StylizationRun.objects.get().product_images.order_by("pk")) == pictures[:2]


def test_ticked_products_offer_the_whole_list_and_a_list_that_cannot_be_read_is_empty(log_in, style, merchant):
    ticked, _other = product_picture(merchant, seed=1), product_picture(merchant, seed=2)
    client = log_in()
    query = {"products": ticked.product_id, "list": "status__exact=published&p=7"}
    page = client.get(reverse("styling:stylise"), query)
    address = f"{reverse('styling:stylise')}?list=status__exact%3Dpublished%26p%3D7"
    assert page.context["whole_list"] == {"address": address, "count": 2}
    CategoryFactory(merchant=merchant)
    unreadable = client.get(reverse("styling:stylise"), {"list": "category__id__exact=none"})
    assert "No products are chosen" in unreadable.content.decode()


def test_a_products_page_and_the_review_tell_what_a_rendering_did_to_it(log_in, style, merchant):
    breach = {"code": "edges_kept", "value": 0.2, "limit": 0.4}
    truth = {"edges_kept": 0.2, "color_shift_median": 1.0}
    model = StyleModelFactory(style=style)
    image = StyledImageFactory(style_model=model, truth=truth, breaches=[breach], is_flagged=True)
    client = log_in(Membership.Role.VIEWER)
    product = reverse("admin:catalog_product_change", args=[image.product_image.product_id])
    (item,) = client.get(reverse("styling:review_items", args=[merchant.pk])).json()["items"]
    listed = client.get(reverse("admin:styling_styledimage_changelist")).content.decode()
    assert "Contours: Most lost" in listed
    for told in (client.get(product).content.decode(), item["truth"]):
        assert "Most lost" in told
        assert "Beyond the shop's limit: at least 40%" in told
        assert f'popovertarget="tg-{image.pk}-color_shift_median"' in told


def test_the_whole_queue_can_be_chosen(log_in, style, merchant):
    model = StyleModelFactory(style=style)
    first, second = StyledImageFactory(style_model=model), StyledImageFactory(style_model=model)
    StyledImageFactory(style_model=model, status="approved")
    StyledImageFactory()  # another shop's
    address = reverse("styling:review_items", args=[merchant.pk])
    answer = log_in().get(address, {"status": "generated", "keys": "1"})
    assert answer.json() == {"keys": [first.pk, second.pk]}
