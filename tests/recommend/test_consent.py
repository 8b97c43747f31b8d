"""A shopper's rights: no consent, no profile; switch off, see, correct, take along, erase; nothing readable stays."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone

from recommend import consent, pseudonyms
from recommend.models import Interaction, Shopper, Slate
from recommend.services import event_stream, shoppers
from recommend.services.events import parse_batch
from recommend.services.fitting import read_interactions
from tests.recommend.shops import Api, event, open_fitted_shop, open_shop, shown, visitor, walk

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop():
    return open_fitted_shop()


def others(shop):
    """How many rows there are about people."""
    return Shopper.objects.count(), Interaction.objects.count(), Slate.objects.count()


def test_unknown_and_refused_leave_no_trace(shop):
    before = others(shop)
    for client in (Client(), visitor(shop, agrees=False)):
        walk(client, shop, shelf=0, style=0)
        client.get(shop.home)
        client.post(f"{shop.home}bag/{shop.products()[0].pk}/")
        assert settings.SHOPPER_COOKIE not in client.cookies or not client.cookies[settings.SHOPPER_COOKIE].value

    assert others(shop) == before


def test_refusing_is_remembered_and_as_easy_as_agreeing(shop):
    page = Client().get(shop.home).content.decode()
    assert page.count('name="answer"') == 2
    assert 'name="answer"' not in visitor(shop, agrees=False).get(shop.home).content.decode()


def test_a_new_text_is_asked_anew(shop, settings):
    client = visitor(shop)
    settings.CONSENT_TEXT_VERSION = "2031-01"
    assert 'name="answer"' in client.get(shop.home).content.decode()
    client.post(f"{shop.home}consent/", {"answer": "yes"})
    assert Shopper.objects.filter(consent_version="2031-01").count() == 1


def test_shops_do_not_share_a_visitor(shop):
    other = open_shop()
    client = visitor(shop)
    client.post(f"{other.home}consent/", {"answer": "yes"})

    here, there = (Shopper.objects.filter(merchant=s.merchant).latest("pk") for s in (shop, other))
    assert here.pseudonym != there.pseudonym
    assert {morsel["path"] for name, morsel in client.cookies.items() if name == consent.CONSENT_COOKIE} == {other.home}


def test_switching_off_makes_pages_the_same_for_everybody_at_once_and_keeps_the_history(shop):
    client = visitor(shop)
    walk(client, shop, shelf=0, style=0)
    assert shown(client, shop) != shown(Client(), shop)
    client.post(f"{shop.home}your-data/change/", {"verb": "switch"})

    assert shown(client, shop) == shown(Client(), shop)
    assert "Vase" in client.get(f"{shop.home}your-data/").content.decode()
    mine = Shopper.objects.latest("pk")
    assert str(mine.pk) not in set(read_interactions(shop.merchant).users.tolist())


def test_switched_off_nothing_new_is_remembered(shop):
    client = visitor(shop)
    walk(client, shop, shelf=0, style=0, steps=2)
    client.post(f"{shop.home}your-data/change/", {"verb": "switch"})
    before = Interaction.objects.count(), Slate.objects.count()
    product = shop.products(1)[0]
    client.get(f"{shop.home}p/{product.pk}/")
    client.post(f"{shop.home}bag/{product.pk}/")
    client.post(f"{shop.home}order/")
    shoppers.grant_consent(merchant=shop.merchant, visitor_id="anna")
    api = Api(shop)
    api.send("PUT", "shoppers/anna/", {"personalisation": False})
    batch = parse_batch({"events": [event(product, shopper="anna")]})[0]
    event_stream.store(merchant=shop.merchant, events=batch)
    assert (Interaction.objects.count(), Slate.objects.count()) == before
    api.send("PUT", "shoppers/anna/", {"personalisation": True})
    event_stream.store(merchant=shop.merchant, events=batch)
    assert Interaction.objects.count() == before[0] + 1


def test_a_style_that_was_taken_out_can_be_taken_back(shop):
    client = visitor(shop)
    walk(client, shop, shelf=0, style=0)
    style = shop.styles[0]
    client.post(f"{shop.home}your-data/change/", {"verb": "hide-tag", "id": style.pk})
    page = client.get(f"{shop.home}your-data/")
    assert (page.context["tags"], page.context["taken_out"]) == ([], [style])
    client.post(f"{shop.home}your-data/change/", {"verb": "show-tag", "id": style.pk})
    page = client.get(f"{shop.home}your-data/")
    assert (page.context["tags"], page.context["taken_out"]) == ([(style, 100)], [])


def test_the_page_says_what_was_done_with_each_product(shop):
    client = visitor(shop)
    walk(client, shop, shelf=0, style=0, steps=1)
    product = shop.products(0)[0]
    client.post(f"{shop.home}bag/{product.pk}/")
    client.post(f"{shop.home}order/")
    ((item, deeds, _moment),) = client.get(f"{shop.home}your-data/").context["seen"]
    assert (item.product.pk, deeds) == (product.pk, "looked at · put into the bag · bought")


def test_seeing_and_correcting(shop):
    client = visitor(shop)
    walk(client, shop, shelf=0, style=0)
    page = client.get(f"{shop.home}your-data/").content.decode()
    assert shop.styles[0].name in page

    client.post(f"{shop.home}your-data/change/", {"verb": "hide-tag", "id": shop.styles[0].pk})
    client.post(f"{shop.home}your-data/change/", {"verb": "forget-product", "id": shop.products(0)[0].pk})
    page = client.get(f"{shop.home}your-data/")
    assert page.context["tags"] == []
    assert shop.products(0)[0].pk not in {item.product.pk for item, _deeds, _moment in page.context["seen"]}
    assert all(style != shop.styles[0].pk for _product, style in shown(client, shop)), "a hidden style is never shown"
    for nonsense in ("", "evil", "9" * 50, "²"):
        assert client.post(f"{shop.home}your-data/change/", {"verb": "hide-tag", "id": nonsense}).status_code == 302
    assert client.post(f"{shop.home}your-data/change/", {"verb": "evil"}).status_code == 404


def test_a_forgotten_product_is_no_reason_any_more_either(shop):
    client = visitor(shop)
    walk(client, shop, shelf=0, style=0, steps=3)
    client.get(shop.home)
    me = Shopper.objects.latest("pk")

    def sources() -> set[int]:
        slates = Slate.objects.filter(shopper=me).values_list("items", flat=True)
        return {item["source"] for items in slates for item in items if item.get("source")}

    product = next(product for product in shop.products(0) if product.pk in sources())
    before = Slate.objects.exclude(shopper=me).count()
    client.post(f"{shop.home}your-data/change/", {"verb": "forget-product", "id": product.pk})
    assert product.pk not in sources()
    assert product.sku not in json.dumps(
        json.loads(client.get(f"{shop.home}your-data/download/").content)["interactions"]
    )
    assert Slate.objects.exclude(shopper=me).count() == before


def test_taking_along_is_complete_and_erasing_leaves_nothing(shop):
    before = others(shop)
    client = visitor(shop)
    walk(client, shop, shelf=0, style=0, steps=3)
    client.get(shop.home)
    mine = json.loads(client.get(f"{shop.home}your-data/download/").content)
    assert [row["product__sku"] for row in mine["interactions"]] == [p.sku for p in shop.products(0)[:3]]
    assert len(mine["slates"]) >= 3

    client.post(f"{shop.home}your-data/change/", {"verb": "erase"})

    assert others(shop) == before
    assert client.cookies[settings.SHOPPER_COOKIE].value == ""
    assert "withdrawn" in client.cookies[consent.CONSENT_COOKIE].value
    walk(client, shop, shelf=0, style=0)
    assert others(shop) == before
    assert client.get(f"{shop.home}your-data/download/").status_code == 404


def test_a_cookie_of_an_erased_shopper_counts_for_nothing(shop):
    client = visitor(shop)
    shoppers.erase(shopper=Shopper.objects.latest("pk"))

    assert client.get(shop.home).context["visitor"].consent == consent.UNKNOWN
    client.cookies[settings.SHOPPER_COOKIE] = "x" * 4000
    assert client.get(shop.home).status_code == 200
    assert client.post(f"{shop.home}consent/", {"answer": "yes"}).status_code == 302


def test_a_returning_visitor_is_known_in_the_next_quarter_and_unlinkable_after_two(shop, monkeypatch):
    shopper = shoppers.grant_consent(merchant=shop.merchant, visitor_id="returning")
    quarter = timezone.now() + timedelta(days=92)
    monkeypatch.setattr(shoppers.timezone, "now", lambda: quarter)
    moved = shoppers.find(merchant=shop.merchant, visitor_id="returning")

    assert moved.pk == shopper.pk
    assert moved.pseudonym != shopper.pseudonym
    monkeypatch.setattr(shoppers.timezone, "now", lambda: quarter + timedelta(days=200))
    assert shoppers.find(merchant=shop.merchant, visitor_id="returning") is None


def test_what_is_sealed_cannot_be_read_once_its_key_is_gone():
    key = pseudonyms.new_wrapped_key()
    sealed = pseudonyms.seal({"hidden_styles": [4]}, wrapped_key=key)

    assert pseudonyms.unseal(sealed, wrapped_key=key) == {"hidden_styles": [4]}
    assert pseudonyms.unseal(sealed, wrapped_key=b"") is None
    assert pseudonyms.unseal(sealed, wrapped_key=pseudonyms.new_wrapped_key()) is None
    assert pseudonyms.unseal(sealed[:-1] + b"x", wrapped_key=key) is None


def test_old_rows_are_purged_and_young_ones_stay(shop):
    client = visitor(shop)
    walk(client, shop, shelf=0, style=0, steps=2)
    old = timezone.now() - timedelta(days=settings.INTERACTION_RETENTION_DAYS + 1)
    row = Interaction.objects.latest("pk")
    Interaction.objects.filter(pk=row.pk).update(occurred_at=old)
    idle = shoppers.grant_consent(merchant=shop.merchant, visitor_id="idle")
    Shopper.objects.filter(pk=idle.pk).update(last_seen_at=old)

    assert shoppers.purge() == {"interactions": 1, "slates": 0, "shoppers": 1}
    assert shoppers.purge() == {"interactions": 0, "slates": 0, "shoppers": 0}
    assert not Interaction.objects.filter(pk=row.pk).exists()


def test_consent_over_the_api(shop):
    api = Api(shop)
    assert api.get("shoppers/anna/").status_code == 404
    assert api.send("PUT", "shoppers/anna/", {"personalisation": False}).json() == {
        "consent": "granted",
        "personalisation": False,
    }
    assert api.get("shoppers/anna/").json()["shopper"]["personalisation"] is False
    assert "anna" not in json.dumps(api.get("shoppers/anna/").json()), "the id that the shop gave is kept nowhere"
    assert api.send("DELETE", "shoppers/anna/").status_code == 204
    assert api.get("shoppers/anna/").status_code == 404
    for nonsense in ([1], "x", None, {"personalisation": "maybe"}):
        assert api.send("PUT", "shoppers/anna/", nonsense).status_code == 200
    assert api.send("PUT", f"shoppers/{'a' * 201}/").json()["error"]["code"] == "shopper-missing"
