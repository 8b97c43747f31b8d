"""Which rendering for whom: logged with its probability, learned from clicks once, and chosen by what was learned."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from recommend.models import Interaction, RenderingPolicy, Slate
from recommend.services import catalogue, policies, shoppers
from recommend.services.renderings import LEAST_OBSERVATIONS, RenderingChooser
from tests.recommend.shops import open_fitted_shop, open_shop, shown, visitor, walk

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop():
    return open_fitted_shop()


def test_a_slate_says_what_was_shown_why_and_how_likely_that_was(shop):
    client = visitor(shop)
    walk(client, shop, shelf=0, style=0)
    page = client.get(shop.home)
    slate = Slate.objects.get(pk=page.context["slates"]["home"].id)

    assert [item["product"] for item in slate.items] == [i.product.pk for i in page.context["slates"]["home"].items]
    for item in slate.items:
        assert 0 < item["propensity"] < 1, "three pictures to choose from: never certain, never impossible"
        assert item["reason"]
        assert (item["rendering"] is None) == (item["style"] is None)


def test_a_picture_keeps_its_look_while_the_shopper_only_reloads(shop):
    client = visitor(shop)
    walk(client, shop, shelf=0, style=0)

    assert shown(client, shop) == shown(client, shop)


def test_the_probability_that_is_logged_is_the_one_that_was_drawn_with(shop):
    image = shop.products()[0].images.get()
    published = list(image.styled_images.select_related("style"))
    shares = {shop.styles[0].pk: 0.7, shop.styles[1].pk: 0.3}
    drawn = [RenderingChooser(shares=shares, likes=4, seed=str(n)).choose(image.pk, published) for n in range(3000)]

    for style in (shop.styles[0].pk, shop.styles[1].pk, None):
        of_style = [s for s in drawn if (s.rendering.style_id if s.rendering else None) == style]
        assert len({shown.propensity for shown in of_style}) == 1
        assert len(of_style) / len(drawn) == pytest.approx(of_style[0].propensity, abs=0.05)


def old_slates(shop, *, count: int, styled: bool) -> list[Slate]:
    """Slates of yesterday, each with one product that was shown in a look, or as its photo."""
    shopper = shoppers.grant_consent(merchant=shop.merchant, visitor_id="yesterday")
    product = shop.products()[0]
    rendering = product.images.get().styled_images.first()
    item = {
        "product": product.pk,
        "rendering": rendering.pk if styled else None,
        "style": rendering.style_id if styled else None,
        "propensity": 0.5,
        "known": 1.0,
        "share": 0.5 if styled else 0.0,
    }
    rows = Slate.objects.bulk_create(
        Slate(merchant=shop.merchant, shopper=shopper, slot="home", items=[item]) for _ in range(count)
    )
    Slate.objects.filter(pk__in=[row.pk for row in rows]).update(created_at=timezone.now() - timedelta(days=1))
    return rows


def click(shop, slates) -> None:
    Interaction.objects.bulk_create(
        Interaction(
            merchant=shop.merchant,
            shopper=slate.shopper,
            product_id=slate.items[0]["product"],
            kind=Interaction.Kind.CLICK,
            slate_id=slate.pk,
        )
        for slate in slates
    )


def test_the_policy_learns_which_kind_of_rendering_is_clicked_and_then_chooses_it(shop):
    half = LEAST_OBSERVATIONS
    click(shop, old_slates(shop, count=half, styled=True)[: half // 2])
    old_slates(shop, count=half, styled=False)
    assert policies.learn(merchant=shop.merchant) == 2 * half
    catalogue.forget()
    policy = catalogue.facts(shop.merchant).policy
    assert policy.observations == 2 * half

    image = shop.products()[0].images.get()
    published = list(image.styled_images.select_related("style"))
    shares = {style.pk: 0.5 for style in shop.styles}
    picks = [
        RenderingChooser(shares=shares, likes=10, seed=str(n), policy=policy).choose(image.pk, published)
        for n in range(60)
    ]
    photos = [pick for pick in picks if pick.rendering is None]
    assert len(photos) < 12, "photos were never clicked"
    assert all(pick.propensity > 0 for pick in picks)


def test_learning_twice_is_learning_once_and_goes_on_where_it_stopped(shop):
    old_slates(shop, count=7, styled=True)
    assert policies.learn(merchant=shop.merchant) == 7
    assert policies.learn(merchant=shop.merchant) == 0
    old_slates(shop, count=2, styled=True)
    assert policies.learn(merchant=shop.merchant) == 2
    assert RenderingPolicy.objects.get().merchant == shop.merchant


def test_a_slate_is_not_judged_before_its_shopper_could_respond(shop):
    client = visitor(shop)
    walk(client, shop, shelf=0, style=0)
    client.get(shop.home)

    assert policies.learn(merchant=shop.merchant) == 0


def test_a_policy_of_another_version_begins_anew(shop):
    RenderingPolicy.objects.create(merchant=shop.merchant, state={"version": -1, "nonsense": []})
    old_slates(shop, count=3, styled=True)

    assert catalogue.facts(shop.merchant).policy is None
    assert policies.learn(merchant=shop.merchant) == 3


def test_a_hidden_look_is_never_shown(shop):
    image = shop.products()[0].images.get()
    published = list(image.styled_images.select_related("style"))
    hidden = shop.styles[0].pk
    chooser = RenderingChooser(shares={hidden: 1.0}, likes=9, seed="s", hidden=frozenset({hidden}))

    assert {chooser.choose(n, published).rendering for n in range(80)} <= {None, *published} - {
        image for image in published if image.style_id == hidden
    }


def test_products_without_renderings_or_pictures_are_shown_as_they_are():
    shop = open_shop(products=4)
    first, second, *_ = shop.products()
    first.images.all().delete()
    second.images.get().styled_images.all().delete()
    client = visitor(shop)
    walk(client, shop, shelf=0, style=0)

    cards = dict(shown(client, shop))
    assert cards[first.pk] == cards[second.pk] == 0
