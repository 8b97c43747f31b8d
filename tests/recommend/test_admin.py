"""The recommender's admin: what it shows and does, for whom, and at what cost."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from catalog.models import AuditEntry, Membership
from jobs.models import WorkerPresence
from recommend import pseudonyms
from recommend.admin_views.codes import code_of
from recommend.models import Interaction, MerchandisingRule, Recommender, RecommenderFit, Shopper
from tests.catalog.factories import CategoryFactory, MerchantFactory, ProductFactory
from tests.styling.factories import person

pytestmark = pytest.mark.django_db
SCORES = {
    "scores": {
        "ndcg@10": 0.31,
        "hit_rate@10": 0.6,
        "recall@10": 0.4,
        "coverage": 0.8,
        "ci": [0.25, 0.36],
        "people": 40,
        "over_popularity": [0.02, 0.09],
        "lost_without": {"svd": 0.04, "style": -0.002},
    },
    "weights": {"svd": 0.5, "style": 0.2, "recent": 0.6},
    "users": 80,
    "items": 48,
    "events": 900,
    "items_without_events": 2,
}


@pytest.fixture
def merchant():
    return MerchantFactory(slug="kiln")


@pytest.fixture
def log_in(client, merchant):
    """Log a member of the shop in; the owner unless said otherwise."""

    def as_role(role=Membership.Role.OWNER):
        client.force_login(person(merchant, role))
        return client

    return as_role


def version_of(merchant, version, **fields):
    directory = f"recommenders/{merchant.pk}/{version}"
    return Recommender.objects.create(
        merchant=merchant, version=version, directory=directory, **{"metrics": SCORES, **fields}
    )


def with_files(row, settings):
    (settings.ARTIFACTS_ROOT / row.directory).mkdir(parents=True)
    return row


def shopper_of(merchant, name="anna"):
    today = timezone.now().date()
    epoch = pseudonyms.epoch_of(today)
    return Shopper.objects.create(
        merchant=merchant, pseudonym=pseudonyms.pseudonym(merchant_id=merchant.pk, visitor_id=name, epoch=epoch)
    )


def fit_of(merchant, **fields):
    return RecommenderFit.objects.create(kind="recommend.fit", merchant=merchant, merchant_key=merchant.pk, **fields)


def test_the_screen_says_what_a_version_is_made_of_and_why_one_was_held_back(log_in, merchant):
    version_of(merchant, 1, status="deployed")
    version_of(merchant, 2, held={"new": 0.2, "old": 0.31, "version": 1})
    page = log_in(Membership.Role.VIEWER).get(reverse("recommending:versions"), {"version": 2}).content.decode()
    assert "Version 1 chooses what shoppers see" in page
    assert "NDCG@10 0.200 is below 0.310 of version 1" in page
    assert "Better than showing the most popular: by 0.020 to 0.090." in page
    assert "0.310" in page
    assert "60%" in page
    assert "Surprise SVD" in page
    assert "Fit now" not in page  # a viewer looks


def test_an_empty_shop_is_told_what_a_fit_is_for(log_in, merchant):
    page = log_in().get(reverse("recommending:versions")).content.decode()
    assert "No version is in use yet" in page
    assert "Fit now" in page


def test_fit_now_asks_for_one_job_however_often_it_is_pressed(log_in, merchant, django_capture_on_commit_callbacks):
    ProductFactory(merchant=merchant)
    client = log_in(Membership.Role.EDITOR)
    for _press in range(2):
        answer = client.post(reverse("recommending:fit", args=[merchant.pk]), follow=True)
        assert answer.status_code == 200
    assert RecommenderFit.objects.filter(merchant=merchant).count() == 1
    assert b"under way already" in answer.content


def test_a_fit_without_products_is_refused_with_what_to_do(log_in, merchant):
    answer = log_in().post(reverse("recommending:fit", args=[merchant.pk]), follow=True)
    assert b"Import some, then fit." in answer.content
    assert not RecommenderFit.objects.exists()


def test_the_live_part_says_how_far_the_fit_is_and_whether_anybody_works_on_it(log_in, merchant):
    waiting = fit_of(merchant)
    client = log_in()
    state = client.get(reverse("recommending:fit_state", args=[waiting.pk])).json()
    assert state["notice"].startswith("No worker has been seen")
    assert state["can_cancel"]
    WorkerPresence.objects.create(name="w", queues=["default"], seen_at=timezone.now())
    RecommenderFit.objects.update(status="running", progress_done=3, progress_total=11, progress_message="blend")
    state = client.get(reverse("recommending:fit_state", args=[waiting.pk])).json()
    assert (state["percent"], state["message"], state["notice"]) == (27, "Learning how much each part counts", "")


def test_a_fit_is_cancelled_and_tried_again(log_in, merchant):
    waiting = fit_of(merchant)
    client = log_in(Membership.Role.EDITOR)
    client.post(reverse("recommending:cancel_fit", args=[waiting.pk]))
    waiting.refresh_from_db()
    assert waiting.status == "cancelled"
    client.post(reverse("recommending:retry_fit", args=[waiting.pk]))
    waiting.refresh_from_db()
    assert waiting.status == "queued"


def test_deploying_and_rolling_back_swap_the_version_in_use(log_in, merchant, settings):
    old = with_files(version_of(merchant, 1, status="deployed", deployed_at=timezone.now()), settings)
    new = with_files(version_of(merchant, 2), settings)
    client = log_in(Membership.Role.EDITOR)
    client.post(reverse("recommending:deploy", args=[new.pk]))
    assert Recommender.objects.get(status="deployed") == new
    assert "Roll back to version 1" in client.get(reverse("recommending:versions")).content.decode()
    client.post(reverse("recommending:deploy", args=[old.pk]))
    assert Recommender.objects.get(status="deployed") == old


def test_a_version_whose_files_are_gone_is_not_deployed(log_in, merchant):
    row = version_of(merchant, 1)
    answer = log_in().post(reverse("recommending:deploy", args=[row.pk]), follow=True)
    assert b"The files of this version are gone." in answer.content
    assert not Recommender.objects.filter(status="deployed").exists()


@pytest.mark.parametrize("role", [Membership.Role.VIEWER, Membership.Role.REVIEWER])
def test_whoever_may_only_look_changes_nothing(log_in, merchant, settings, role):
    ProductFactory(merchant=merchant)
    row = with_files(version_of(merchant, 1), settings)
    fit = fit_of(merchant)
    client = log_in(role)
    client.post(reverse("recommending:fit", args=[merchant.pk]))
    client.post(reverse("recommending:deploy", args=[row.pk]))
    client.post(reverse("recommending:cancel_fit", args=[fit.pk]))
    assert client.get(reverse("admin:recommend_merchandisingrule_add")).status_code == 403
    row.refresh_from_db()
    fit.refresh_from_db()
    assert (row.status, fit.status, RecommenderFit.objects.count()) == ("candidate", "queued", 1)


def test_another_shops_rows_do_not_exist(client, merchant, settings):
    row = with_files(version_of(merchant, 1), settings)
    fit = fit_of(merchant)
    client.force_login(person(MerchantFactory()))
    posts = [
        reverse("recommending:fit", args=[merchant.pk]),
        reverse("recommending:deploy", args=[row.pk]),
        reverse("recommending:cancel_fit", args=[fit.pk]),
        reverse("recommending:retry_fit", args=[fit.pk]),
    ]
    for address in posts:
        assert client.post(address).status_code == 404, address
    assert client.get(reverse("recommending:fit_state", args=[fit.pk])).status_code == 404
    page = client.get(reverse("recommending:versions"), {"shop": merchant.slug}).content.decode()
    assert reverse("recommending:deploy", args=[row.pk]) not in page
    assert Recommender.objects.get().status == "candidate"


def rule_form(**fields):
    empty = {"effect": "boost", "product": "", "category": "", "slot": ""}
    dates = {f"{name}_{part}": "" for name in ("starts_at", "ends_at") for part in (0, 1)}
    return {**empty, **dates, **fields}


def test_a_rule_is_made_for_the_editors_own_shop_and_remembered_in_the_audit_trail(log_in, merchant):
    product = ProductFactory(merchant=merchant)
    answer = log_in(Membership.Role.EDITOR).post(
        reverse("admin:recommend_merchandisingrule_add"), rule_form(effect="pin", product=product.pk, slot="home")
    )
    assert answer.status_code == 302, answer.context["adminform"].form.errors
    rule = MerchandisingRule.objects.get()
    assert (rule.merchant, rule.product, rule.slot) == (merchant, product, "home")
    assert AuditEntry.objects.filter(merchant=merchant, action="rule-made").exists()


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({}, "A rule is about one product or one category."),
        ({"product": True, "category": True}, "A rule is about one product or one category."),
        ({"effect": "pin", "category": True}, "Only a product can be pinned."),
        (
            {
                "product": True,
                "starts_at_0": "2026-02-02",
                "starts_at_1": "10:00",
                "ends_at_0": "2026-02-01",
                "ends_at_1": "10:00",
            },
            "The rule ends before it begins.",
        ),
    ],
)
def test_a_rule_that_contradicts_itself_is_refused(log_in, merchant, fields, message):
    chosen = {"product": ProductFactory(merchant=merchant).pk, "category": CategoryFactory(merchant=merchant).pk}
    given = {name: chosen[name] if value is True else value for name, value in fields.items()}
    answer = log_in().post(reverse("admin:recommend_merchandisingrule_add"), rule_form(**given))
    assert message in answer.content.decode()
    assert not MerchandisingRule.objects.exists()


def test_a_rule_about_another_shops_product_is_refused(log_in, merchant):
    foreign = ProductFactory()
    log_in().post(reverse("admin:recommend_merchandisingrule_add"), rule_form(product=foreign.pk))
    assert not MerchandisingRule.objects.exists()


def test_a_rule_is_changed_and_taken_away(log_in, merchant):
    rule = MerchandisingRule.objects.create(
        merchant=merchant, effect="boost", product=ProductFactory(merchant=merchant)
    )
    client = log_in()
    change = reverse("admin:recommend_merchandisingrule_change", args=[rule.pk])
    client.post(change, rule_form(effect="bury", product=rule.product_id))
    rule.refresh_from_db()
    assert rule.effect == "bury"
    client.post(reverse("admin:recommend_merchandisingrule_delete", args=[rule.pk]), {"post": "yes"})
    assert not MerchandisingRule.objects.exists()
    assert list(AuditEntry.objects.order_by("id").values_list("action", flat=True)) == ["rule-changed", "rule-deleted"]


def test_what_shoppers_do_shows_no_id_of_a_person_and_nothing_of_another_shop(log_in, merchant):
    shopper = shopper_of(merchant)
    event = Interaction.objects.create(
        merchant=merchant, shopper=shopper, product=ProductFactory(merchant=merchant, name="Own vase"), kind="click"
    )
    other = MerchantFactory()
    Interaction.objects.create(
        merchant=other,
        shopper=shopper_of(other),
        product=ProductFactory(merchant=other, name="Foreign vase"),
        kind="view",
    )
    client = log_in(Membership.Role.EDITOR)
    for name in ("interaction", "shopper"):
        page = client.get(reverse(f"admin:recommend_{name}_changelist")).content.decode()
        assert code_of(shopper) in page
        assert shopper.pseudonym not in page
        assert str(event.event_id) not in page
        assert "Foreign vase" not in page
        assert code_of(shopper_of(MerchantFactory(), "bob")) not in page
    found = client.get(reverse("admin:recommend_shopper_changelist"), {"q": code_of(shopper)}).context["cl"]
    assert list(found.queryset) == [shopper]
    assert not client.get(reverse("admin:recommend_shopper_changelist"), {"q": "2026q4:"}).context["cl"].queryset


def queries_of(client, address):
    """How many queries a page costs once the process is warm."""
    client.get(address)
    with CaptureQueriesContext(connection) as queries:
        assert client.get(address).status_code == 200
    return len(queries)


def test_pages_cost_the_same_whatever_there_is(log_in, merchant):
    client = log_in()
    pages = [
        reverse("recommending:versions"),
        *(
            reverse(f"admin:recommend_{name}_changelist")
            for name in ("recommender", "interaction", "merchandisingrule", "shopper")
        ),
    ]
    costs = []
    for start, end in ((0, 1), (1, 15)):
        for number in range(start, end):
            product = ProductFactory(merchant=merchant)
            shopper = shopper_of(merchant, f"person {number}")
            Interaction.objects.create(merchant=merchant, shopper=shopper, product=product, kind="view")
            MerchandisingRule.objects.create(merchant=merchant, effect="boost", product=product)
            version_of(merchant, number + 1, fit=fit_of(merchant, status="succeeded"))
        costs.append([queries_of(client, address) for address in pages])
    assert costs[0] == costs[1]
    assert max(costs[1]) < 25


def test_a_version_in_the_list_leads_to_the_screen(log_in, merchant):
    row = version_of(merchant, 3)
    answer = log_in().get(reverse("admin:recommend_recommender_change", args=[row.pk]))
    assert answer["Location"] == f"{reverse('recommending:versions')}?shop=kiln&version=3"
