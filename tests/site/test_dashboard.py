"""The front page and the side bar: what they say, to whom, and at what cost."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from PIL import Image
from redis.exceptions import RedisError

from catalog import audit
from catalog.demo import assortment
from catalog.models import Membership, Merchant, Product
from catalog.services import sweeping
from jobs.context import JobContext
from jobs.models import Job, WorkerPresence
from recommend.models import Interaction, Recommender, Shopper
from stylerec_site.dashboard import coverage, demo_data, performance
from stylerec_site.demo import looks, shop
from styling.models import Style, StyleReference, TrainingRun
from tests.catalog.factories import CategoryFactory, MerchantFactory, ProductFactory, UserFactory
from tests.styling.factories import StyledImageFactory, StyleFactory, StyleModelFactory, person, product_picture

pytestmark = pytest.mark.django_db
HOME = "/admin/"


@pytest.fixture
def merchant():
    return MerchantFactory(name="Kiln", slug="kiln")


@pytest.fixture
def log_in(client, merchant):
    """Log a member of the shop in; the owner unless said otherwise."""

    def as_role(role=Membership.Role.OWNER):
        client.force_login(person(merchant, role))
        return client

    return as_role


def failed_job(merchant, **fields):
    return Job.objects.create(
        kind="catalog.import",
        merchant_key=merchant.pk,
        status="failed",
        finished_at=timezone.now(),
        error_message="The table has no column “sku”.",
        error_hint="Add it and import again.",
        **fields,
    )


def links_of(client):
    return {
        str(item["title"]): item for group in client.get(HOME).context["sidebar_navigation"] for item in group["items"]
    }


# --- The side bar ---


def test_the_side_bar_shows_what_a_role_may_do_and_no_route_that_does_not_exist(log_in, settings):
    viewer = links_of(log_in(Membership.Role.VIEWER))
    client = log_in()
    owner = links_of(client)
    assert {"Today", "Products", "Styles", "Review", "Recommender", "Jobs", "See your shop"} <= set(viewer)
    assert "Stylise" not in viewer
    assert "Stylise" in owner
    assert "Users" not in owner
    for item in owner.values():
        assert client.get(item["link"]).status_code == 200, item["title"]


def test_counts_stand_beside_what_waits(log_in, merchant):
    StyledImageFactory(style_model__style__merchant=merchant)
    StyledImageFactory()  # another shop's
    failed_job(merchant)
    links = links_of(log_in())
    assert (links["Review"]["badge"], links["Jobs"]["badge"]) == ("1", "1")
    assert "badge" not in links["Styles"]


def test_a_member_of_staff_without_a_shop_sees_no_shops_links(client):
    client.force_login(UserFactory())
    assert set(links_of(client)) == {"Today"}


# --- The first run ---


def steps_of(client):
    return {step.title: step for step in client.get(HOME).context["steps"]}


def test_an_empty_database_begins_with_opening_a_shop(client):
    user = UserFactory()
    client.force_login(user)
    assert "Open your shop" in client.get(HOME).content.decode()
    client.post(reverse("today:open_shop"), {"name": "Kiln & Light", "name_zh": "窑与光", "currency": "cny"})
    merchant = Merchant.objects.get()
    assert (merchant.slug, merchant.currency) == ("kiln-light", "CNY")
    assert merchant.memberships.get().role == Membership.Role.OWNER
    steps = steps_of(client)
    assert steps["Open your shop"].done
    assert not steps["Bring in your products"].done


@pytest.mark.parametrize("form", [{"name": "", "currency": "EUR"}, {"name": "Kiln", "currency": "EU1"}])
def test_a_shop_without_a_name_or_a_currency_is_not_opened(client, form):
    client.force_login(UserFactory())
    answer = client.post(reverse("today:open_shop"), form, follow=True)
    assert len(list(answer.context["messages"])) == 1
    assert not Merchant.objects.exists()


def test_a_member_cannot_open_another_shop(log_in):
    answer = log_in().post(reverse("today:open_shop"), {"name": "Second", "currency": "EUR"}, follow=True)
    assert "You work for a shop already." in answer.content.decode()
    assert Merchant.objects.count() == 1


def test_the_checklist_follows_what_is_really_there(log_in, merchant):
    client = log_in()
    assert [step.title for step in steps_of(client).values() if step.done] == ["Open your shop"]
    picture = product_picture(merchant, seed=1)
    style = StyleFactory(merchant=merchant)
    StyleReference.objects.bulk_create(
        StyleReference(style=style, file="r.png", width=9, height=9, sha256=f"{n:064x}") for n in range(8)
    )
    model = StyleModelFactory(style=style)
    StyledImageFactory(style_model=model, product_image=picture, status="published")
    StyledImageFactory(style_model=model, product_image=picture)
    TrainingRun.objects.create(merchant=merchant, style=style, kind="styling.train", status="running")
    steps = steps_of(client)
    assert steps["Review"].progress == "1 of 2 decided"
    assert steps["Review"].fraction == 0.5
    assert steps["Train it"].running
    assert [title for title, step in steps.items() if not step.done] == ["Fit the recommender", "Look at your shop"]

    Recommender.objects.create(merchant=merchant, version=1, directory="r")
    shopper = Shopper.objects.create(merchant=merchant, pseudonym="2026q4:ab")
    Interaction.objects.create(merchant=merchant, shopper=shopper, product=picture.product, kind="view")
    page = client.get(HOME)
    assert not page.context["first_run"]
    assert "From photos to a shop" not in page.content.decode()


# --- Demo data ---


def test_demo_data_is_a_job_that_only_an_empty_shop_gets(log_in, merchant):
    client = log_in()
    assert "Fill with demo data" in client.get(HOME).content.decode()
    for _press in range(2):
        client.post(reverse("today:start_demo", args=[merchant.pk]))
    job = Job.objects.get()
    assert (job.kind, job.merchant_key) == ("site.demo-data", merchant.pk)
    state = client.get(reverse("today:job_state", args=[job.pk])).json()
    assert state["notice"] == "It waits: no worker is running."
    Job.objects.all().delete()
    ProductFactory(merchant=merchant)
    answer = client.post(reverse("today:start_demo", args=[merchant.pk]), follow=True)
    assert "The shop has products already." in answer.content.decode()
    assert not Job.objects.exists()


def test_demo_data_fills_the_shop_and_a_second_time_changes_nothing(merchant, monkeypatch):
    few = assortment(seed=shop.SEED)[::8]  # one of each category
    monkeypatch.setattr(shop, "assortment", lambda seed: few)
    monkeypatch.setattr(
        type(few[0]), "draw", lambda product: Image.new("RGB", (64, 64), (len(product.sku) * 9, 90, 60))
    )
    monkeypatch.setattr(looks, "REFERENCES", 2)
    monkeypatch.setattr(demo_data.crowd, "PEOPLE", 4)
    owner = person(merchant)
    job = Job.objects.create(
        kind=demo_data.KIND,
        merchant_key=merchant.pk,
        created_by=owner,
        parameters={"merchant": merchant.pk},
        status="running",
        fence=1,
        lease_expires_at=timezone.now() + timezone.timedelta(minutes=5),
    )
    counts = []
    for _time in range(2):
        demo_data.run(JobContext(job=job, fence=1))
        counts.append([model.objects.count() for model in (Product, Style, StyleReference, Shopper, Interaction)])
    assert counts[0] == counts[1]
    assert counts[0][:4] == [6, 3, 6, 4]
    assert counts[0][4] > 40


# --- What needs me now ---


def test_a_failed_job_says_why_and_is_tried_again_with_one_click(log_in, merchant):
    ProductFactory(merchant=merchant)
    job = failed_job(merchant)
    client = log_in(Membership.Role.EDITOR)
    page = client.get(HOME).content.decode()
    assert "The table has no column" in page
    client.post(reverse("today:retry", args=[job.pk]))
    job.refresh_from_db()
    assert job.status == "queued"
    assert "The table has no column" not in client.get(HOME).content.decode()


def test_a_viewer_sees_the_failure_and_no_button_and_cannot_retry(log_in, merchant):
    ProductFactory(merchant=merchant)
    job = failed_job(merchant)
    client = log_in(Membership.Role.VIEWER)
    assert "Try again" not in client.get(HOME).content.decode()
    client.post(reverse("today:retry", args=[job.pk]))
    job.refresh_from_db()
    assert job.status == "failed"


def test_what_waits_is_named_and_leads_to_its_screen(log_in, merchant):
    style = StyleFactory(merchant=merchant)
    ProductFactory(merchant=merchant)  # without a picture
    StyledImageFactory(style_model=StyleModelFactory(style=style, status="deployed", version=1))
    StyleModelFactory(style=style, version=2)
    Recommender.objects.create(merchant=merchant, version=3, directory="r", held={"new": 0.1, "old": 0.2, "version": 2})
    client = log_in()
    items = {item.text: item for item in client.get(HOME).context["attention"]}
    assert f"{style} v2 is trained and waits for your decision" in items
    assert "1 rendering waits for review" in items
    assert "1 product has no picture" in items
    held = items["Version 3 of the recommender was held back"]
    assert "below 0.200 of version 2" in held.detail
    for item in items.values():
        assert client.get(item.link).status_code == 200


@pytest.mark.parametrize("has_shop", [True, False])
def test_operators_are_told_that_files_are_no_longer_swept(client, has_shop, monkeypatch):
    if has_shop:
        ProductFactory()
    client.force_login(UserFactory(is_staff=True, is_superuser=True))
    assert "--however-many" not in client.get(HOME).content.decode()
    monkeypatch.setattr(sweeping, "cache", {sweeping._REFUSED: True})
    assert "manage.py sweep_files --however-many”." in client.get(HOME).content.decode()


def test_a_merchant_is_told_nothing_of_the_operators_matters_nor_anybody_without_a_broker(
    log_in, merchant, monkeypatch
):
    ProductFactory(merchant=merchant)
    monkeypatch.setattr(sweeping, "cache", {sweeping._REFUSED: True})
    client = log_in()
    assert "--however-many" not in client.get(HOME).content.decode()

    def away(key):
        raise RedisError("away")

    monkeypatch.setattr(sweeping, "cache", SimpleNamespace(get=away))
    client.force_login(UserFactory(is_staff=True, is_superuser=True))
    assert client.get(HOME).status_code == 200


def test_another_shops_matters_are_nobodys_business(log_in, merchant):
    other = MerchantFactory(name="Other", slug="other")
    ProductFactory(merchant=other, name="Foreign vase")
    job = failed_job(other)
    client = log_in()
    assert client.get(HOME, {"shop": "other"}).context["shop"] == merchant
    posts = [
        reverse("today:retry", args=[job.pk]),
        reverse("today:start_demo", args=[other.pk]),
    ]
    for address in posts:
        assert client.post(address).status_code == 404, address
    for address in (reverse("today:performance", args=[other.pk]), reverse("today:job_state", args=[job.pk])):
        assert client.get(address).status_code == 404, address
    job.refresh_from_db()
    assert job.status == "failed"


# --- Coverage, rates, health ---


def test_each_product_counts_once_by_its_best_rendering(merchant):
    model = StyleModelFactory(style=StyleFactory(merchant=merchant))
    pictures = [product_picture(merchant, seed=number) for number in range(4)]
    for picture, statuses in zip(
        pictures, [["published", "rejected"], ["approved", "generated"], ["generated"]], strict=False
    ):
        for status in statuses:
            StyledImageFactory(style_model=model, product_image=picture, status=status)
    (row,) = coverage.of_shop(merchant)
    assert (row.published, row.approved, row.waiting, row.missing, row.percent) == (1, 1, 1, 1, 25)


def test_the_interval_is_wilsons():
    # 10 of 100: (0.0552, 0.1744) by Newcombe (1998), method 3, to four digits for 81/263: (0.2553, 0.3662)
    rate = performance.wilson(81, 263)
    assert (round(rate.low, 4), round(rate.high, 4)) == (0.2553, 0.3662)
    assert performance.wilson(0, 0) is None
    assert performance.wilson(0, 10).low == 0
    assert performance.wilson(12, 10).value == 1  # clicks whose impression was not told


@pytest.fixture
def busy(merchant):
    """12 shoppers: each saw a vase twice in a style, 6 clicked, 3 bought; and 2 saw it as a photo."""
    style = StyleFactory(merchant=merchant, name="Ink")
    vase = ProductFactory(merchant=merchant, category=CategoryFactory(merchant=merchant, name="Vases"))
    rows = []
    for number in range(12):
        shopper = Shopper.objects.create(merchant=merchant, pseudonym=f"2026q4:{number:08x}")
        kinds = ["impression"] * 2 + ["click"] * (number < 6) + ["purchase"] * (number < 3)
        common = {"merchant": merchant, "shopper": shopper, "product": vase, "slot": "home"}
        rows += [Interaction(kind=kind, style=style, **common) for kind in kinds]
        rows += [Interaction(kind="impression", **common)] * (number < 2)
    for row in rows:
        row.pk = None
        row.event_id = Interaction._meta.get_field("event_id").get_default()
        row.save(force_insert=True)
    return style


def test_rates_are_told_by_style_category_and_place(merchant, busy):
    tables = performance.tables(merchant, 28)
    ink, photo = tables["style"]
    assert (ink.name, ink.impressions, ink.click_through.hits, ink.click_through.trials) == ("Ink", 24, 6, 24)
    assert ink.conversion is None  # six lookers are too few to speak of
    assert (photo.name, photo.impressions, photo.click_through) == ("Original photo", 2, None)
    (vases,) = tables["category"]
    assert (vases.name, vases.impressions, vases.purchases) == ("Vases", 26, 3)
    (home,) = tables["slot"]
    assert home.name == "For you"


def test_a_conversion_is_of_shoppers_not_of_clicks(merchant, busy, settings):
    settings.STATISTICS_MINIMUM_GROUP = 5
    ink = performance.tables(merchant, 28)["style"][0]
    assert (ink.conversion.hits, ink.conversion.trials) == (3, 6)


def test_the_part_with_the_rates_has_its_span(log_in, merchant, busy):
    client = log_in(Membership.Role.VIEWER)
    page = client.get(reverse("today:performance", args=[merchant.pk]), {"days": "7"})
    assert page.context["days"] == 7
    assert "By style" in page.content.decode()
    assert client.get(reverse("today:performance", args=[merchant.pk]), {"days": "x"}).context["days"] == 28
    assert performance.activity(merchant, 7).totals == {"impressions": 26, "looks": 6, "bags": 0, "purchases": 3}


def test_a_queue_with_jobs_and_no_worker_says_how_to_start_one(log_in, merchant):
    ProductFactory(merchant=merchant)
    WorkerPresence.objects.create(name="w", queues=["default"], seen_at=timezone.now())
    Job.objects.create(kind="styling.train", queue="gpu", merchant_key=merchant.pk)
    page = log_in().get(HOME)
    queues = {queue.name: queue for queue in page.context["health"].queues}
    assert queues["gpu"].stuck
    assert not queues["default"].stuck
    assert "worker -Q gpu" in page.content.decode()


def test_the_front_page_costs_the_same_whatever_there_is(log_in, merchant):
    client = log_in()
    pages = [HOME, reverse("today:performance", args=[merchant.pk])]
    costs = []
    for start, end in ((0, 1), (1, 12)):
        for number in range(start, end):
            style = StyleFactory(merchant=merchant)
            StyledImageFactory(style_model=StyleModelFactory(style=style))
            TrainingRun.objects.create(merchant=merchant, style=style, kind="styling.train", status="running")
            failed_job(merchant)
            product = ProductFactory(merchant=merchant, category=CategoryFactory(merchant=merchant))
            Job.objects.create(kind="styling.train", queue=f"q{number}", merchant_key=merchant.pk)
            shopper = Shopper.objects.create(merchant=merchant, pseudonym=f"2026q4:{number:08x}")
            Interaction.objects.create(merchant=merchant, shopper=shopper, product=product, kind="view", style=style)
        costs.append([queries_of(client, address) for address in pages])
    assert costs[0] == costs[1]
    assert max(costs[1]) < 25


def queries_of(client, address):
    """How many queries a page costs once the process is warm."""
    client.get(address)
    with CaptureQueriesContext(connection) as queries:
        assert client.get(address).status_code == 200
    return len(queries)


def test_jobs_and_what_was_done_stand_in_words(log_in, merchant):
    Job.objects.create(kind="styling.train", merchant_key=merchant.pk)
    Job.objects.create(kind="styling.stylise", merchant_key=merchant.pk)
    client = log_in()
    jobs = client.get(reverse("admin:jobs_job_changelist")).content.decode()
    assert ">Training<" in jobs
    assert "styling.train " not in jobs
    assert reverse("styling:run", args=[Job.objects.get(kind="styling.train").pk]) in jobs
    address = reverse("admin:jobs_job_changelist")
    for status in (Job.Status.SUCCEEDED, Job.Status.FAILED):
        Job.objects.create(kind="catalog.renditions", merchant_key=merchant.pk, status=status)

    def small(**query):
        return sum(job.kind == "catalog.renditions" for job in client.get(address, query).context["cl"].result_list)

    assert (small(), small(small="shown"), small(kind="catalog.renditions")) == (1, 2, 2)
    audit.record(merchant=merchant, actor=None, action="rule-changed", target=merchant)
    audit.record(merchant=merchant, actor=None, action="something-else", target=merchant)
    trail = client.get(reverse("admin:catalog_auditentry_changelist")).content.decode()
    for text in ("Changed a rule", "Something else", "the site itself", merchant.name):
        assert text in trail
