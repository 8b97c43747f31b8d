"""Experiments over the API: the whole life, and whose they are."""

from __future__ import annotations

import pytest
from django.core.cache import cache

from catalog.models import Merchant
from recommend.experiments.models import Experiment
from tests.recommend.experiments import draft
from tests.recommend.shops import Api, open_shop

pytestmark = pytest.mark.django_db
ASKED = {
    "name": "Personal or popular?",
    "subject": "strategy",
    "variants": [{"value": "popular", "share": 0.5}, {"value": "personal", "share": 0.5}],
    "uplift": 0.2,
    "guardrails": {"bought": 0.1},
}


@pytest.fixture
def shop():
    cache.clear()
    return open_shop(products=2)


def test_a_program_runs_an_experiment_from_draft_to_decision_and_back(shop):
    api = Api(shop, scope="write")
    made = api.send("POST", "experiments/", ASKED)
    assert made.status_code == 201
    here, (control, challenger) = f"experiments/{made.json()['id']}/", made.json()["variants"]
    assert (control["value"], challenger["name"]) == ("popular", "Personal")

    assert api.send("POST", f"{here}start/").json()["status"] == "running"
    report = api.get(f"{here}report/").json()
    assert (report["conclusion"], report["comparisons"][0]["verdict"]) == ("continue", "too early")
    assert report["comparisons"][0]["low"] is None
    assert api.send("POST", f"{here}stop/").json()["status"] == "stopped"
    decided = api.send("POST", f"{here}roll-out/", {"variant": control["id"]}).json()
    assert (decided["status"], decided["variants"][0]["is_rolled_out"]) == ("decided", True)
    shop.merchant.refresh_from_db()
    assert shop.merchant.serving == {"usual": {"strategy": "popular"}}
    assert api.send("POST", f"{here}undo/").json()["status"] == "stopped"
    assert [row["id"] for row in api.get("experiments/", status="stopped").json()["results"]] == [made.json()["id"]]


def test_rolling_out_of_a_running_experiment_stops_it_too(shop):
    api = Api(shop, scope="write")
    made = api.send("POST", "experiments/", ASKED).json()
    here, (control, _challenger) = f"experiments/{made['id']}/", made["variants"]
    api.send("POST", f"{here}start/")
    decided = api.send("POST", f"{here}roll-out/", {"variant": control["id"]}).json()

    assert decided["status"] == "decided"
    assert decided["stopped_at"]


def test_what_does_not_follow_is_a_conflict_and_what_is_wrong_a_clear_400(shop):
    api = Api(shop, scope="write")
    here = f"experiments/{draft(shop).pk}/"
    assert api.send("POST", f"{here}stop/").status_code == 409
    alike = {**ASKED, "variants": [ASKED["variants"][0]] * 2}
    refused = api.send("POST", "experiments/", alike)
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "variants-alike")
    assert api.send("POST", f"{here}roll-out/", {"variant": 999_999}).status_code == 404
    assert api.send("DELETE", here).status_code == 204
    assert not Experiment.objects.exists()


def test_a_reading_token_reads_and_another_shops_experiments_do_not_exist(shop):
    experiment = draft(shop)
    reader, stranger = Api(shop, scope="read"), Api(open_shop(products=2), scope="write")

    assert reader.get(f"experiments/{experiment.pk}/report/").status_code == 200
    assert reader.send("POST", f"experiments/{experiment.pk}/start/").status_code == 403
    assert stranger.get(f"experiments/{experiment.pk}/").status_code == 404
    assert stranger.send("POST", f"experiments/{experiment.pk}/start/").status_code == 404
    assert Api(shop, scope="events").get("experiments/").status_code == 403


@pytest.mark.parametrize(("metric", "buyers"), [("clicked", 9), ("clicked", 10), ("revenue", 9), ("revenue", 10)])
def test_money_of_fewer_than_ten_buyers_is_not_told(shop, metric, buyers):
    experiment = draft(shop, metric=metric)
    counts = {
        "shoppers": [500], "clicked": [60], "bought": [buyers], "purchases": [buyers], "unpriced": [0],
        "revenue": [20.0 * buyers], "revenue_squares": [400.0 * buyers],
    }  # fmt: skip
    experiment.result = {
        "days": ["2026-11-20"], "variants": {str(variant.pk): counts for variant in experiment.variants.all()},
    }  # fmt: skip
    experiment.save()
    report = Api(shop, scope="read").get(f"experiments/{experiment.pk}/report/").json()

    arm = report["arms"][0]
    assert arm["revenue"] == (0.4 if buyers == 10 else None)
    assert arm["rate"] == (0.12 if metric == "clicked" else arm["revenue"])
    assert (report["comparisons"][0]["difference"] is None) == (metric == "revenue" and buyers == 9)
    assert report["spend"] == {"currency": shop.merchant.currency, "cap": 110.0, "mixed": False}


def test_a_variant_of_fewer_than_ten_shoppers_has_no_figures(shop):
    experiment = draft(shop)
    control, challenger = experiment.variants.all()
    few, many = {"shoppers": [9], experiment.metric: [4]}, {"shoppers": [10], experiment.metric: [4]}
    experiment.result = {"days": ["2026-11-20"], "variants": {str(control.pk): many, str(challenger.pk): few}}
    experiment.save()
    report = Api(shop, scope="read").get(f"experiments/{experiment.pk}/report/").json()
    assert [(arm["shoppers"], arm["hits"], arm["rate"]) for arm in report["arms"]] == [(10, 4, 0.4), (None, None, None)]
    assert {report["comparisons"][0][name] for name in ("difference", "low", "high", "p_value")} == {None}
    # With ten on the other side, the test of the split would say that there are nine on this one.
    assert report["sample_ratio_p_value"] is None

    experiment.result["variants"][str(challenger.pk)] = many
    experiment.save()
    report = Api(shop, scope="read").get(f"experiments/{experiment.pk}/report/").json()
    assert (report["arms"][1]["shoppers"], report["sample_ratio_p_value"]) == (10, 1.0)


def test_a_program_is_told_that_the_money_is_of_two_currencies(shop):
    api = Api(shop, scope="write")
    made = api.send("POST", "experiments/", {**ASKED, "metric": "revenue"}).json()
    here = f"experiments/{made['id']}/"
    api.send("POST", f"{here}start/")
    assert api.get(f"{here}report/").json()["spend"]["mixed"] is False
    Merchant.objects.update(currency="JPY")
    running = api.get(f"{here}report/").json()
    api.send("POST", f"{here}stop/")
    stopped = api.get(f"{here}report/").json()

    assert [(told["spend"]["mixed"], told["conclusion"]) for told in (running, stopped)] == [(True, "distrust")] * 2
