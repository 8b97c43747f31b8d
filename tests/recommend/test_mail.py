"""The block for e-mails: who gets what, what mail programs read, and what is not learned from it."""

from __future__ import annotations

import io
from datetime import timedelta
from html.parser import HTMLParser

import pytest
from django.core.files.storage import default_storage
from django.utils import timezone
from PIL import Image

from catalog.models import Product, ProductImage
from catalog.services.renditions import MAIL_WIDTH, mail_copy, make_renditions
from recommend.models import Interaction, Slate
from recommend.services import policies, shoppers
from recommend.services.replay_log import choices_of
from styling.models import StyledImage
from tests.recommend.shops import Api, open_fitted_shop

pytestmark = pytest.mark.django_db


class _Read(HTMLParser):
    """What stands in a block: addresses of links and pictures, and all tags."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.pictures: list[str] = []
        self.tags: set[str] = set()
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        found = dict(attrs)
        if tag == "a":
            self.links.append(found["href"])
        if tag == "img":
            self.pictures.append(found["src"])
            assert found["alt"]
            assert found["width"]


@pytest.fixture
def shop():
    return open_fitted_shop(products=24)


@pytest.fixture
def shopper(shop):
    return shoppers.grant_consent(merchant=shop.merchant, visitor_id="customer-81")


def mail(shop, **query):
    answer = Api(shop).get("recommendations/email/", **query)
    assert answer.status_code == 200, answer.content
    return answer.json()


def mailed(block) -> list[int]:
    return [item["product"] for item in Slate.objects.get(pk=block["slate"]).items]


def test_a_mail_speaks_to_its_shopper_and_leaves_out_what_they_own_and_what_is_sold_out(shop, shopper):
    bought, gone = shop.products()[:2]
    Interaction.objects.create(
        merchant=shop.merchant, shopper=shopper, product=bought, kind="purchase", occurred_at=timezone.now()
    )
    Product.objects.filter(pk=gone.pk).update(stock=0)

    block = mail(shop, shopper="customer-81", n=12)

    assert block["personal"]
    assert len(mailed(block)) == 12
    assert not {bought.pk, gone.pk} & set(mailed(block))


def test_the_next_mail_shows_other_products_until_there_are_none(shop, shopper):
    first, second, third = (mailed(mail(shop, shopper="customer-81", n=12)) for _ in range(3))

    assert len(first) == len(second) == len(third) == 12
    assert not set(first) & set(second)
    assert set(third) <= set(first) | set(second)  # all 24 were mailed: repeating is better than an empty mail
    assert len(set(third)) == 12
    Slate.objects.update(created_at=timezone.now() - timedelta(days=29))
    assert mailed(mail(shop, shopper="customer-81", n=12)) == first


def test_a_short_shelf_is_filled_with_what_was_mailed_and_never_with_what_is_sold_out_or_owned(shop, shopper):
    left, owned = shop.products()[:4], shop.products()[4:7]
    Product.objects.exclude(pk__in=[product.pk for product in [*left, *owned]]).update(stock=0)
    for product in owned:
        Interaction.objects.create(
            merchant=shop.merchant, shopper=shopper, product=product, kind="purchase", occurred_at=timezone.now()
        )

    for _mail in range(3):
        assert set(mailed(mail(shop, shopper="customer-81", n=4))) == {product.pk for product in left}


def test_what_has_sold_out_since_the_shelf_was_counted_is_left_out(shop, shopper):
    counted = mailed(mail(shop, shopper="customer-81", n=4))
    Slate.objects.all().delete()
    Product.objects.filter(pk__in=counted).update(stock=0)  # no signal: the counted stock is some seconds old

    assert not set(counted) & set(mailed(mail(shop, shopper="customer-81", n=4)))


def test_a_preview_does_not_count_as_mailed(shop, shopper):
    looked_at = [mail(shop, shopper="customer-81", n=4, preview=said) for said in ("true", "True", "1")]

    assert looked_at[0] == looked_at[1] == looked_at[2]
    assert looked_at[0]["slate"] is None
    assert not Slate.objects.exists()


def test_pictures_in_a_storage_that_signs_addresses_come_by_an_address_that_holds(shop, shopper, monkeypatch, client):
    signed = "https://bucket.example/{}?Signature=abc&Expires=1"
    monkeypatch.setattr(default_storage, "url", lambda name: signed.format(name))

    pictures = _Read(mail(shop, shopper="customer-81", n=12)["html"]).pictures

    assert len(pictures) == 12
    for address in pictures:
        assert address.startswith(f"http://testserver/s/{shop.merchant.slug}/p/")
        answer = client.get(address.removeprefix("http://testserver"))
        assert (answer.status_code, answer["Location"].split("/")[2]) == (302, "bucket.example")
    StyledImage.objects.update(status=StyledImage.Status.APPROVED)
    Product.objects.filter(pk=shop.products()[0].pk).update(status=Product.Status.DRAFT)
    base = f"/s/{shop.merchant.slug}/p"
    rendering = StyledImage.objects.first()
    assert client.get(f"{base}/{rendering.product_image.product_id}/picture/{rendering.pk}/").status_code == 404
    assert client.get(f"{base}/{shop.products()[0].pk}/picture/").status_code == 404
    assert client.get(f"{base}/{shop.products()[1].pk}/picture/").status_code == 302


def test_what_mail_programs_read(shop, shopper):
    Product.objects.update(name="Cup <b>&</b> “saucer”")

    block = mail(shop, shopper="customer-81", n=3)

    read = _Read(block["html"])
    assert read.tags == {"table", "tr", "td", "a", "img", "span"}
    assert len(read.links) == 3
    assert all(link.startswith(f"http://testserver/s/{shop.merchant.slug}/p") for link in read.links)
    assert all(link.endswith(f"?slate={block['slate']}&slot=email") for link in read.links)
    assert all(picture.startswith("http://testserver/media/") for picture in read.pictures)
    assert "<b>" not in block["html"]
    assert block["text"].count("Cup <b>&</b> “saucer” · ") == 3
    assert all(link in block["text"] for link in read.links)


def test_links_lead_to_the_shops_own_pages_where_it_says_so(shop, shopper):
    Product.objects.filter(pk=shop.products()[0].pk).update(sku="A/B 1")
    href = "https://shop.example/p/{sku}?from={slate}"

    links = _Read(mail(shop, n=12, shopper="customer-81", href=href)["html"]).links
    links += _Read(mail(shop, n=12, shopper="customer-81", href=href)["html"]).links

    assert all(link.startswith("https://shop.example/p/") and "{" not in link for link in links)
    assert any(link.startswith("https://shop.example/p/A%2FB%201?from=") for link in links)


@pytest.mark.parametrize(
    "href",
    [
        "javascript:alert(1)//{sku}",
        "https://shop.example/p/",
        "/p/{sku}",
        "https://x/{sku}" + "a" * 500,
        "https://[x/{sku}",
        "https://shop.example/ {sku}",
        "https://shop.example/{sku}\r\nBcc: x",
    ],
)
def test_an_address_that_leads_nowhere_is_refused(shop, href):
    answer = Api(shop).get("recommendations/email/", href=href)

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "href-malformed")


def test_strangers_get_what_everybody_likes_and_nothing_is_kept(shop):
    block = mail(shop, n=2)

    assert (block["slate"], block["personal"]) == (None, False)
    assert len(_Read(block["html"]).links) == 2
    assert not Slate.objects.exists()


def test_an_empty_shop_makes_an_empty_block(shop):
    Product.objects.update(stock=0)

    assert mail(shop, n=2)["html"] == ""


def test_neither_looks_nor_logs_learn_from_mails(shop, shopper):
    mail(shop, shopper="customer-81", n=12)
    Api(shop).get("recommendations/", shopper="customer-81")
    Slate.objects.update(created_at=timezone.now() - timedelta(days=2))
    on_page = Slate.objects.get(slot="home")

    assert policies.learn(merchant=shop.merchant) == sum(policies.was_a_choice(item) for item in on_page.items) > 0
    assert len(list(choices_of(shop.merchant))) == sum(policies.was_a_choice(item) for item in on_page.items)


def test_new_pictures_have_a_copy_that_every_mail_program_reads(shop, shopper):
    content = io.BytesIO()
    Image.new("RGB", (900, 600), "teal").save(content, "PNG")
    renditions = make_renditions(content.getvalue(), sha256="0" * 64, owner=shop.merchant.pk)
    ProductImage.objects.update(renditions=renditions)
    StyledImage.objects.update(renditions=renditions)

    with default_storage.open(mail_copy(renditions)) as file, Image.open(file) as copy:
        assert (copy.format, copy.width) == ("JPEG", MAIL_WIDTH)
    pictures = _Read(mail(shop, shopper="customer-81", n=2)["html"]).pictures
    assert pictures == [f"http://testserver{default_storage.url(mail_copy(renditions))}"] * 2
