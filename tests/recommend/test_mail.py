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
    "href", ["javascript:alert(1)//{sku}", "https://shop.example/p/", "/p/{sku}", "https://x/{sku}" + "a" * 500]
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
