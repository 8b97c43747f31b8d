"""The storefront as shoppers meet it: personal with consent, the same for everybody without, cheap at any size."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from catalog.models import Product, ProductImage
from recommend.models import Interaction, MerchandisingRule, Slate
from recommend.services import catalogue
from recommend.storefront import listing, sitemaps
from tests.recommend.shops import add_crowd, open_fitted_shop, open_shop, shown, visitor, walk

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop():
    return open_fitted_shop()


def test_two_shoppers_get_different_products_in_different_looks(shop):
    first, second = visitor(shop), visitor(shop)
    walk(first, shop, shelf=0, style=0, steps=12)
    walk(second, shop, shelf=1, style=1, steps=12)

    pages = [shown(client, shop) for client in (first, second)]

    assert [card[0] for card in pages[0]] != [card[0] for card in pages[1]]
    for client, page, shelf, style in ((first, pages[0], 0, 0), (second, pages[1], 1, 1)):
        liked = {product.pk for product in shop.products(shelf)}
        assert page[0][0] in liked, "what stands first is of the shelf that the shopper walked along"
        styles = [card[1] for card in page + shown(client, shop, slot="style") + shown(client, shop, slot="new")]
        assert styles.count(shop.styles[style].pk) > len(styles) / 2


def test_a_look_changes_the_next_page(shop):
    client = visitor(shop)
    walk(client, shop, shelf=0, style=0, steps=2)
    before = shown(client, shop)
    walk(client, shop, shelf=1, style=1, steps=4)

    assert shown(client, shop) != before


def test_strangers_get_the_same_page_whatever_they_look_at(shop):
    one, other = Client(), visitor(shop, agrees=False)
    before = shown(one, shop)
    walk(one, shop, shelf=0, style=0)
    walk(other, shop, shelf=1, style=1)

    assert shown(one, shop) == shown(other, shop) == before
    assert all(style == 0 for _product, style in before), "a stranger sees the photos"


def test_every_recommended_product_says_why(shop):
    client = visitor(shop)
    walk(client, shop, shelf=0, style=0)
    page = client.get(shop.home)
    items = page.context["slates"]["home"].items

    assert items
    assert all(item.reason for item in items)
    assert items[0].reason in page.content.decode()
    card = items[0]
    slate = page.context["slates"]["home"].id
    assert card.reason in client.get(f"{shop.home}p/{card.product.pk}/?slate={slate}&slot=home").content.decode()


def test_a_click_on_a_card_is_stored_with_its_slate(shop):
    client = visitor(shop)
    walk(client, shop, shelf=0, style=0)
    link = re.search(r'href="(/s/[^"]+slate=[^"]+)"', client.get(shop.home).content.decode())[1].replace("&amp;", "&")
    client.get(link)

    newest = Interaction.objects.exclude(slate_id=None).get()
    assert newest.kind == Interaction.Kind.CLICK
    assert Slate.objects.get(pk=newest.slate_id).slot == newest.slot == "home"


def test_no_product_stands_twice_on_the_home_page(shop):
    client = visitor(shop)
    walk(client, shop, shelf=0, style=0)
    slates = client.get(shop.home).context["slates"]

    ids = [item.product.pk for slate in slates.values() for item in slate.items]
    assert len(ids) == len(set(ids)) > 12


def test_what_the_shop_pins_stands_first_and_what_it_hides_is_gone(shop):
    pinned, hidden = shop.products()[5], shop.products()[6]
    for product, effect in ((pinned, "pin"), (hidden, "hide")):
        MerchandisingRule.objects.create(merchant=shop.merchant, product=product, effect=effect)
    catalogue.forget()
    page = shown(Client(), shop)

    assert page[0][0] == pinned.pk
    assert hidden.pk not in {product for product, _style in page}


def test_a_product_that_left_the_shop_is_not_shown_although_the_snapshot_still_knows_it(shop):
    before = shown(Client(), shop)
    Product.objects.filter(pk=before[0][0]).update(status=Product.Status.ARCHIVED)

    assert before[0][0] not in {product for product, _style in shown(Client(), shop)}


def test_a_new_shop_has_shelves_without_a_recommender():
    shop = open_shop(products=12)

    assert len(shown(Client(), shop)) == 8
    empty = open_shop(products=0)
    assert "empty" in Client().get(empty.home).content.decode()


PAGES = {"home": "", "product": "p/{product}/", "category": "c/{category}/", "search": "search/?q=vase", "bag": "bag/"}


@pytest.mark.parametrize("name", PAGES)
def test_pages_ask_the_database_less_than_ten_times_however_large_the_shop_is(name):
    counts = {}
    for size in (10, 300):
        shop = open_fitted_shop(products=size)
        client = visitor(shop)
        walk(client, shop, shelf=0, style=0, steps=3)
        path = shop.home + PAGES[name].format(product=shop.products()[0].pk, category=shop.shelves[0].slug)
        client.get(path)
        with CaptureQueriesContext(connection) as queries:
            assert client.get(path).status_code == 200
        counts[size] = len([q for q in queries if "SAVEPOINT" not in q["sql"]])

    assert counts[10] == counts[300] < 10, [q["sql"][:120] for q in queries]


def test_a_category_begins_with_what_suits_the_shopper_and_shows_every_product_once(shop):
    client = visitor(shop)
    walk(client, shop, shelf=0, style=0)
    path = f"{shop.home}c/{shop.shelves[0].slug}/"
    page = client.get(path)

    ids = [item.product.pk for item in page.context["items"]]
    assert sorted(ids) == [product.pk for product in shop.products(0)]
    assert page.context["slate"].id is not None


def test_pages_of_a_category_follow_one_another_without_gap_or_repetition():
    shop = open_fitted_shop(products=110)
    client, ids = Client(), []
    for number in (1, 2, 3):
        page = client.get(f"{shop.home}c/{shop.shelves[0].slug}/", {"page": number})
        ids += [item.product.pk for item in page.context["items"]]

    assert sorted(ids) == [product.pk for product in shop.products(0)]


def test_sorting_and_filters(shop):
    path = f"{shop.home}c/{shop.shelves[0].slug}/"
    dear = Client().get(path, {"sort": "-price", "from": "14", "to": "20,50"}).context["items"]

    assert [float(item.product.price) for item in dear] == [20, 18, 16, 14]
    part = Client().get(path, {"sort": "price"}, headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in part
    assert "Vase" in part


def test_search_finds_both_languages(shop):
    for query in ("vase 7", "花瓶"):
        assert Client().get(f"{shop.home}search/", {"q": query}).context["count"] > 0
    nothing = Client().get(f"{shop.home}search/", {"q": "teapot"})
    assert nothing.context["count"] == 0
    assert len(nothing.context["slate"].items) == 4, "an empty result still offers something"


def test_results_too_many_to_read_whole_are_the_same_page_by_page(shop, monkeypatch):
    monkeypatch.setattr(listing, "PER_PAGE", 3)

    def pages() -> list[tuple[int, list[int]]]:
        found = [Client().get(f"{shop.home}search/", {"q": "vase", "sort": "-price", "page": n}) for n in (1, 2, 3)]
        return [(page.context["count"], [item.product.pk for item in page.context["items"]]) for page in found]

    whole = pages()
    assert whole[0][0] > 9
    assert len({pk for _count, ids in whole for pk in ids}) == 9
    monkeypatch.setattr(listing, "READ_WHOLE", 2)
    assert pages() == whole


@pytest.mark.parametrize(
    "path",
    [
        "?lang=xx&lang=%00",
        "c/%00/",
        "c/nothing/",
        "c/{category}/?page=99999999999&sort=evil&from=1e400&to=NaN&stock=%00",
        "c/{category}/?page=-1",
        "search/?q=%00%ED%A0%80" + "x" * 3000,
        "p/999999999999999999999999/",
        "p/{product}/?style=%00&slate=zzz&slot=%00",
        "p/{product}/?style=" + "s" * 500,
        "your-data/download/",
        "ordered/",
    ],
)
def test_no_address_breaks_a_page(shop, path):
    path = path.format(category=shop.shelves[0].slug, product=shop.products()[0].pk)
    for client in (Client(), visitor(shop)):
        assert client.get(shop.home + path).status_code in {200, 404}


def test_bag_and_order(shop):
    client = visitor(shop)
    product = shop.products()[0]
    client.post(f"{shop.home}bag/{product.pk}/")
    client.post(f"{shop.home}bag/{product.pk}/", {"amount": "3"})
    client.post(f"{shop.home}order/")

    product.refresh_from_db()
    assert product.stock == 2
    assert Interaction.objects.get(product=product, kind="purchase").value == 3 * product.price
    assert "Vase 0" in client.get(f"{shop.home}ordered/").content.decode()
    assert client.post(f"{shop.home}bag/{product.pk}/", {"amount": "9" * 400}).status_code == 302


def test_a_product_whose_pieces_are_not_counted_is_always_for_sale(shop):
    client = visitor(shop)
    product = shop.products()[0]
    Product.objects.filter(pk=product.pk).update(stock=None)
    client.post(f"{shop.home}bag/{product.pk}/")
    client.post(f"{shop.home}bag/{product.pk}/", {"amount": "3"})
    client.post(f"{shop.home}order/")

    product.refresh_from_db()
    assert product.stock is None
    assert Interaction.objects.filter(product=product, kind="purchase").exists()


def test_the_script_tells_what_was_seen_once(shop):
    client = visitor(shop)
    walk(client, shop, shelf=0, style=0)
    slate = client.get(shop.home).context["slates"]["home"]
    for _ in range(2):
        body = {"slate": str(slate.id), "positions": "0,1,999,evil,-3"}
        assert client.post(f"{shop.home}seen/", body).status_code == 204

    seen = Interaction.objects.filter(kind="impression", slate_id=slate.id).order_by("position")
    assert [row.product_id for row in seen] == [item.product.pk for item in slate.items[:2]]
    stranger = visitor(shop)
    stranger.post(f"{shop.home}seen/", {"slate": str(slate.id), "positions": "3"})
    assert seen.count() == 2, "nobody speaks for another's slate"


def test_search_engines_get_one_address_per_language(shop):
    page = Client().get(f"{shop.home}?lang=zh-hans")
    text = page.content.decode()

    links = dict(re.findall(r'hreflang="([^"]+)" href="(http[^"]+)"', text))
    assert links == {
        "en": f"http://testserver{shop.home}?lang=en",
        "zh-hans": f"http://testserver{shop.home}?lang=zh-hans",
        "x-default": f"http://testserver{shop.home}",
    }
    assert '<html lang="zh-hans">' in text
    assert page["Content-Language"] == "zh-hans"
    assert f'rel="canonical" href="{links["zh-hans"]}"' in text
    assert '<html lang="en">' in Client().get(links["en"]).content.decode()


def test_a_product_describes_itself_to_machines(shop):
    product = shop.products()[0]
    Product.objects.filter(pk=product.pk).update(name='Vase </script><b>"&')
    text = Client().get(f"{shop.home}p/{product.pk}/").content.decode()

    facts = json.loads(re.search(r"<script type=.application/ld\+json.[^>]*>(.*?)</script>", text)[1])
    assert facts["name"] == 'Vase </script><b>"&'
    assert facts["offers"]["price"] == "10.00"
    assert re.search(r'property="og:image" content="http://testserver/media/pictures/', text)


def test_the_demos_reading_of_cards_still_fits(shop):
    source = Path("stylerec_site/demo/two_shoppers.py").read_text()
    pattern = re.compile(re.search(r"_CARD = re.compile\(r'(.*)'\)", source)[1])
    client = visitor(shop)
    walk(client, shop, shelf=0, style=0)

    assert len(pattern.findall(client.get(shop.home).content.decode())) >= 12


def test_a_shop_that_does_not_personalise_is_the_same_for_everybody(shop):
    shop.merchant.personalisation_enabled = False
    shop.merchant.save()
    client = visitor(shop)
    walk(client, shop, shelf=1, style=1)

    assert shown(client, shop) == shown(Client(), shop)


def test_bought_products_leave_the_shelves(shop):
    client = visitor(shop)
    walk(client, shop, shelf=0, style=0)
    bought = shown(client, shop)[0][0]
    client.post(f"{shop.home}bag/{bought}/")
    client.post(f"{shop.home}order/")

    assert bought not in {product for product, _style in shown(client, shop)}


def test_the_crowd_of_one_shop_says_nothing_about_another():
    shop, other = open_fitted_shop(), open_shop()
    add_crowd(other)
    client = visitor(shop)
    walk(client, shop, shelf=0, style=0)

    theirs = {product.pk for product in other.products()}
    assert not theirs & {product for product, _style in shown(client, shop)}
    assert client.get(f"{shop.home}p/{min(theirs)}/").status_code == 404
    assert "stylerec_visitor" in client.cookies
    assert client.cookies["stylerec_visitor"]["path"] == shop.home


def test_nothing_that_a_card_shows_is_read_as_markup(shop):
    evil = "<b>\"'&"
    Product.objects.filter(merchant=shop.merchant).update(name=evil, name_zh="")
    shop.styles[0].name = shop.styles[1].name = evil
    for style in shop.styles:
        style.save()
    client = visitor(shop)
    walk(client, shop, shelf=0, style=0)
    for path in (shop.home, f"{shop.home}c/{shop.shelves[0].slug}/", f"{shop.home}p/{shop.products()[0].pk}/"):
        text = client.get(path).content.decode()
        assert "<b>" not in text
        assert "&lt;b&gt;&quot;&#x27;&amp;" in text


def test_smaller_copies_are_offered_by_format(shop):
    copies = [{"width": 320, "format": "webp", "path": "renditions/a.webp", "avif": "renditions/a.avif"}]
    ProductImage.objects.update(renditions=copies)
    text = Client().get(shop.home).content.decode()

    assert '<source type="image/avif" srcset="/media/renditions/a.avif 320w"' in text
    assert 'srcset="/media/renditions/a.webp 320w"' in text
    assert "avif 320w, " not in text


def test_search_engines_find_every_page_in_every_language(shop, monkeypatch):
    monkeypatch.setattr(sitemaps, "PER_FILE", 20)
    hidden = shop.products()[3]
    Product.objects.filter(pk=hidden.pk).update(status=Product.Status.DRAFT)
    robots = Client().get("/robots.txt").content.decode()
    index = Client().get(re.search(r"Sitemap: http://testserver(\S+)", robots)[1])
    assert index["Content-Type"] == "application/xml"
    files = re.findall(r"<loc>http://testserver(/s/[^<]+)</loc>", index.content.decode())
    assert len(files) == 2
    pages = [Client().get(path).content.decode() for path in files]
    addresses = [address for page in pages for address in re.findall(r"<loc>http://testserver([^<]+)</loc>", page)]

    assert len(addresses) == len(set(addresses)) == 3 * (1 + 2 + 23)
    assert f"{shop.home}p/{hidden.pk}/" not in addresses
    for address in addresses[:9]:
        assert Client().get(address).status_code == 200
    assert pages[0].count("hreflang=") == 3 * pages[0].count("<url>")
    assert Client().get(f"{shop.home}sitemap-9.xml").status_code == 404
    assert Client().get("/s/nothing/sitemap-1.xml").status_code == 404
