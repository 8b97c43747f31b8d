"""Tracked links: they lead to the product, count people once and robots apart, and keep nothing about anybody."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.urls import reverse
from django.utils import timezone

from catalog.models import Membership, Product
from jobs.errors import NotAllowed, NotFound, UserError
from recommend.creatives.models import DailyClicks, DailyImpressions, TrackedLink
from recommend.creatives.services import clicks, figures, sets
from recommend.creatives.services.clicks import Outcome, Visit, note_visit
from recommend.creatives.services.figures import ReportedDay, figures_of, report_impressions, wilson
from recommend.creatives.services.links import ALPHABET, make_links
from recommend.models import Interaction
from recommend.services import shoppers
from tests.recommend.creatives import draw, make_set, shop_with
from tests.recommend.shops import Api, Shop
from tests.styling.factories import StyleFactory

pytestmark = pytest.mark.django_db
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Safari/604.1"
LAPTOP = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


@pytest.fixture(autouse=True)
def _empty_cache():
    cache.clear()


@pytest.fixture
def made():
    merchant, user = shop_with()
    return make_set(merchant, user)


def counted(link: TrackedLink) -> tuple[int, int, int]:
    days = list(DailyClicks.objects.filter(link=link).values_list("clicks", "repeats", "robots"))
    return tuple(map(sum, zip(*days, strict=True))) if days else (0, 0, 0)  # type: ignore[return-value]


def follow(client, link: TrackedLink, agent: str = PHONE, **headers):
    return client.get(link.get_absolute_url(), headers={"User-Agent": agent, **headers})


class TestFollowing:
    def test_it_leads_to_the_product_with_its_attribution(self, client, made):
        link = made.creatives.get().link
        answer = follow(client, link)
        assert answer.status_code == 302
        target = answer.headers["Location"]
        assert target.startswith(f"/s/{made.merchant.slug}/p/{link.product_id}/?")
        assert f"slate={link.attribution}" in target
        assert f"utm_content={link.code}" in target
        assert answer.headers["Cache-Control"] == "no-store"
        assert not answer.cookies
        assert client.get(target).status_code == 200

    def test_it_asks_for_the_style_that_the_creative_shows(self, client):
        merchant, user = shop_with()
        style = StyleFactory(merchant=merchant)
        link = make_set(merchant, user, style=style).creatives.get().link
        assert f"style={style.slug}" in follow(client, link).headers["Location"]

    def test_it_outlives_creative_and_product(self, client, made):
        link = made.creatives.get().link
        user = made.created_by
        sets.delete_set(creative_set=made, by=user)
        assert f"/p/{link.product_id}/" in follow(client, link).headers["Location"]
        Product.objects.all().delete()
        assert follow(client, link).headers["Location"].startswith(f"/s/{link.merchant.slug}/?utm_source")

    def test_a_product_that_is_not_on_sale_leads_to_the_shop(self, client, made):
        Product.objects.update(status="archived")
        assert f"/s/{made.merchant.slug}/?" in follow(client, made.creatives.get().link).headers["Location"]

    def test_unknown_codes_and_closed_shops_are_not_found(self, client, made):
        link = made.creatives.get().link
        assert client.get("/c/nothing1").status_code == 404
        assert client.get("/c/%00").status_code == 404
        assert client.post(link.get_absolute_url()).status_code == 405
        type(made.merchant).objects.update(is_active=False)
        assert follow(client, link).status_code == 404

    def test_codes_are_short_unlike_and_free_of_lookalikes(self, made):
        product = Product.objects.get()
        links = make_links(merchant=made.merchant, products=[product] * 300, style=None, campaign="")
        codes = {link.code for link in links}
        assert len(codes) == 300
        assert all(len(code) == 8 and set(code) <= set(ALPHABET) for code in codes)
        assert not set("0O1lIi") & set(ALPHABET)


class TestCounting:
    def test_a_double_click_is_one_and_another_browser_is_another(self, client, made):
        link = made.creatives.get().link
        for agent in (PHONE, PHONE, PHONE, LAPTOP):
            follow(client, link, agent)
        assert counted(link) == (2, 2, 0)

    def test_after_half_an_hour_the_same_browser_counts_again(self, client, made, monkeypatch):
        link = made.creatives.get().link
        monkeypatch.setattr(clicks, "SAME_CLICK_SECONDS", 0)  # such an entry is gone at once
        follow(client, link)
        follow(client, link)
        assert counted(link) == (2, 0, 0)

    @pytest.mark.parametrize(
        "agent",
        [
            "",
            "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
            "facebookexternalhit/1.1",
            "curl/8.9.1",
            "python-requests/2.32",
            "Mozilla/5.0 (X11) HeadlessChrome/140.0",
            "WhatsApp/2.23",
        ],
    )
    def test_robots_are_counted_apart_and_led_on(self, client, made, agent):
        link = made.creatives.get().link
        assert follow(client, link, agent).status_code == 302
        assert counted(link) == (0, 0, 1)

    def test_prefetching_and_head_are_no_clicks(self, client, made):
        link = made.creatives.get().link
        follow(client, link, **{"Sec-Purpose": "prefetch;prerender"})
        client.head(link.get_absolute_url(), headers={"User-Agent": PHONE})
        assert counted(link) == (0, 0, 1)

    def test_whoever_clicks_everything_is_a_robot(self, made):
        links = make_links(
            merchant=made.merchant, products=[Product.objects.get()] * (clicks.MOST_CLICKS + 5), style=None, campaign=""
        )
        outcomes = [note_visit(link=link, visit=Visit("203.0.113.9", LAPTOP)) for link in links]
        assert outcomes.count(Outcome.CLICK) == clicks.MOST_CLICKS
        assert outcomes[-1] == Outcome.ROBOT

    def test_without_a_cache_visitors_are_led_on_and_nothing_is_invented(self, client, made, monkeypatch):
        def away(*_arguments, **_options):
            raise ConnectionError

        link = made.creatives.get().link
        monkeypatch.setattr(cache, "add", away)
        assert follow(client, link).status_code == 302
        assert counted(link) == (0, 0, 0)

    def test_behind_our_proxy_the_address_is_what_the_proxy_saw(self, client, made, settings):
        settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
        link = made.creatives.get().link
        for address in ("198.51.100.1", "198.51.100.2", "6.6.6.6, 198.51.100.2"):
            follow(client, link, **{"X-Forwarded-For": address})
        assert counted(link) == (2, 1, 0)

    def test_nothing_about_the_visitor_is_kept(self, client, made):
        follow(client, made.creatives.get().link, LAPTOP)
        (row,) = DailyClicks.objects.values()
        assert set(row) == {"id", "link_id", "day", "clicks", "repeats", "robots"}
        assert not Interaction.objects.exists()
        keys = [key.decode() for key in cache._cache.get_client().scan_iter("*creatives:*")]
        assert keys
        assert not any("127.0.0.1" in key or "Firefox" in key for key in keys)


class TestFigures:
    def test_click_through_is_over_the_days_that_are_known(self, made):
        link = made.creatives.get().link
        today = timezone.now().date()
        for back, count in ((0, 4), (1, 6), (2, 50)):
            DailyClicks.objects.create(link=link, day=today - timedelta(days=back), clicks=count)
        report_impressions(
            merchant=made.merchant,
            by=made.created_by,
            days=[ReportedDay(link.code, today, 150), ReportedDay(link.code, today - timedelta(days=1), 350)],
        )
        (row,) = figures_of(made.creatives.select_related("link"))
        assert (row.clicks, row.impressions, row.matched_clicks) == (60, 500, 10)
        assert row.ctr == pytest.approx(0.02)
        assert row.interval == pytest.approx(wilson(10, 500))

    def test_wilsons_interval_is_the_published_one(self):
        # Newcombe (1998), table I: 15 of 148.
        assert wilson(15, 148) == pytest.approx((0.0624, 0.1605), abs=5e-5)

    def test_reporting_a_day_again_replaces_it(self, made):
        link = made.creatives.get().link
        today = timezone.now().date()
        for count in (100, 120):
            report_impressions(merchant=made.merchant, by=made.created_by, days=[ReportedDay(link.code, today, count)])
        assert DailyImpressions.objects.get().impressions == 120

    def test_foreign_codes_bad_figures_and_viewers_are_refused(self, made):
        link = made.creatives.get().link
        today = timezone.now().date()
        other, stranger = shop_with()
        with pytest.raises(NotFound):
            report_impressions(merchant=other, by=stranger, days=[ReportedDay(link.code, today, 1)])
        with pytest.raises(UserError):
            report_impressions(merchant=made.merchant, by=made.created_by, days=[ReportedDay(link.code, today, -1)])
        far = today + timedelta(days=3)
        with pytest.raises(UserError):
            report_impressions(merchant=made.merchant, by=made.created_by, days=[ReportedDay(link.code, far, 1)])
        _shop, viewer = shop_with(role=Membership.Role.VIEWER)
        Membership.objects.create(merchant=made.merchant, user=viewer, role=Membership.Role.VIEWER)
        with pytest.raises(NotAllowed):
            report_impressions(merchant=made.merchant, by=viewer, days=[ReportedDay(link.code, today, 1)])
        assert not DailyImpressions.objects.exists()

    def test_an_order_after_a_consented_click_is_the_last_creatives(self, client, settings):
        settings.STATISTICS_MINIMUM_GROUP = 1
        merchant, user = shop_with()
        made = make_set(merchant, user, formats=["square", "banner"])
        first, second = (creative.link for creative in made.creatives.select_related("link"))
        client.post(f"/s/{merchant.slug}/consent/", {"answer": "yes"})
        client.get(follow(client, first).headers["Location"])
        client.get(follow(client, second).headers["Location"])
        clicks_kept = Interaction.objects.filter(kind="click")
        assert set(clicks_kept.values_list("slate_id", flat=True)) == {first.attribution, second.attribution}
        product = Product.objects.get()
        client.post(f"/s/{merchant.slug}/bag/{product.pk}/")
        client.post(f"/s/{merchant.slug}/order/")
        orders = {row.creative.format: row.orders for row in figures_of(made.creatives.select_related("link"))}
        assert orders == {"square": 0, "banner": 1}
        settings.STATISTICS_MINIMUM_GROUP = 2
        assert [row.orders for row in figures_of(made.creatives.select_related("link"))] == [0, None]
        client.force_login(user)
        assert client.get(reverse("creatives:figures", args=[made.pk])).context["total"]["orders"] is None
        shoppers.erase(shopper=clicks_kept.first().shopper)
        assert sum(row.orders for row in figures_of(made.creatives.select_related("link"))) == 0

    def test_who_refused_leaves_a_count_and_nothing_else(self, client, made):
        link = made.creatives.get().link
        client.post(f"/s/{made.merchant.slug}/consent/", {"answer": "no"})
        client.get(follow(client, link).headers["Location"])
        assert counted(link) == (1, 0, 0)
        assert not Interaction.objects.exists()

    def test_the_page_shows_and_stores_figures_in_constant_queries(self, client, made, django_assert_max_num_queries):
        client.force_login(made.created_by)
        link = made.creatives.get().link
        DailyClicks.objects.create(link=link, day=timezone.now().date(), clicks=3)
        address = reverse("creatives:figures", args=[made.pk])
        client.post(address, {"day": timezone.now().date().isoformat(), f"n-{link.code}": "200"})
        with django_assert_max_num_queries(14):
            shown = client.get(address).content.decode()
        assert "1.50 %" in shown
        assert f"/c/{link.code}" in shown

    def test_orders_too_late_are_nobodys(self, made):
        link = made.creatives.get().link
        shopper = shoppers.grant_consent(merchant=made.merchant, visitor_id="late")
        now = timezone.now()
        common = {"merchant": made.merchant, "shopper": shopper, "product": Product.objects.get()}
        clicked = now - figures.ATTRIBUTED_WITHIN - timedelta(hours=1)
        Interaction.objects.create(**common, kind="click", slate_id=link.attribution, occurred_at=clicked)
        Interaction.objects.create(**common, kind="purchase", occurred_at=now)
        (row,) = figures_of(made.creatives.select_related("link"))
        assert row.orders == 0


class TestApi:
    @pytest.fixture
    def api(self):
        merchant, _user = shop_with(products=2)
        return merchant, Api(Shop(merchant, [], []), scope="write")

    def test_ask_watch_draw_read_report(self, api):
        merchant, client = api
        skus = sorted(merchant.products.values_list("sku", flat=True))
        answer = client.send(
            "POST", "creative-sets/", {"products": skus, "brief": {"headline": "新品", "formats": ["square"]}}
        )
        assert answer.status_code == 202
        made = merchant.creative_sets.get()
        assert answer.json()["status"] == "queued"
        assert answer.headers["Location"] == f"/api/v1/jobs/{answer.json()['job']}/"
        draw(made)
        listed = client.get("creatives/", creative_set=made.pk).json()["results"]
        assert sorted(row["sku"] for row in listed) == skus
        assert {(row["width"], row["height"], row["problem"]) for row in listed} == {(1080, 1080, "")}
        code = listed[0]["code"]
        assert listed[0]["link"].endswith(f"/c/{code}")
        today = timezone.now().date().isoformat()
        stored = client.send(
            "POST", "creatives/impressions/", {"days": [{"code": code, "day": today, "impressions": 40}]}
        )
        assert stored.json() == {"stored": 1}
        rows = client.get(f"creative-sets/{made.pk}/figures/").json()
        assert [row["impressions"] for row in rows if row["code"] == code] == [40]
        assert client.send("POST", f"creative-sets/{made.pk}/again/", {}).status_code == 202
        assert client.send("POST", f"creative-sets/{made.pk}/again/", {}).status_code == 409
        assert client.send("DELETE", f"creatives/{listed[0]['id']}/").status_code == 204
        assert client.send("DELETE", f"creative-sets/{made.pk}/").status_code == 204
        assert not merchant.creative_sets.exists()

    def test_bad_requests_say_what_is_wrong(self, api):
        _merchant, client = api
        for body in (
            {"products": []},
            {"products": ["no-such-sku"]},
            {"products": "x"},
            {"products": [], "brief": {"headline": "a\x00"}},
            {"products": [], "brief": {"accent": "red"}},
        ):
            answer = client.send("POST", "creative-sets/", body)
            assert answer.status_code == 400, json.dumps(body)
            assert answer.json()["error"]["code"] in {"invalid", "nothing-chosen"}

    def test_strangers_and_readers_get_nothing_done(self, api):
        merchant, _client = api
        made = make_set(merchant, merchant.memberships.first().user)
        other, _user = shop_with()
        stranger = Api(Shop(other, [], []), scope="write")
        assert stranger.get(f"creative-sets/{made.pk}/").status_code == 404
        assert stranger.get("creatives/").json()["results"] == []
        assert stranger.send("DELETE", f"creative-sets/{made.pk}/").status_code == 404
        reader = Api(Shop(merchant, [], []), scope="read")
        assert reader.get(f"creative-sets/{made.pk}/").status_code == 200
        assert reader.send("DELETE", f"creative-sets/{made.pk}/").status_code == 403
