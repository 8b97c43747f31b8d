"""What one web process keeps in memory is right whatever the other one changes: both answer the same, at once."""

from __future__ import annotations

import json
import urllib.request
from typing import Any

import pytest
from django.conf import settings

from catalog.models import Product
from recommend.consent import CONSENT_COOKIE, GRANTED
from recommend.models import Interaction, Slate
from recommend.services import shoppers
from stylerec_site.processes import free_port
from styling.models import StyledImage
from tests.recommend.shops import Api, deploy_fit, open_fitted_shop

CUSTOMER = "customer-of-two-processes"


class Two:
    """This process and a real second one (gunicorn) over the same shop."""

    def __init__(self, processes: Any) -> None:
        self.shop = open_fitted_shop()
        self.api = Api(self.shop)
        self.shopper = shoppers.grant_consent(merchant=self.shop.merchant, visitor_id=CUSTOMER)
        port = free_port(6950)
        processes.start_web(port=port, workers=1)
        self._there = f"http://127.0.0.1:{port}"

    def answers(self) -> dict[str, Any]:
        """The recommendations, which must be the same in both; without the slate's own id."""
        here = self.api.get("recommendations/", shopper=CUSTOMER, n=6).json()
        asked = f"/api/v1/recommendations/?shopper={CUSTOMER}&n=6"
        there = json.loads(self.page(asked, Authorization=f"Token {self.api.secret}"))
        slates = [answer.pop("slate") for answer in (here, there)]
        assert here == there
        versions = {slate.recommender_id for slate in Slate.objects.filter(pk__in=filter(None, slates))}
        assert len(versions) <= 1
        return {**here, "version": versions}

    def page(self, path: str, **headers: str) -> str:
        """A page of the other process, as the customer's browser gets it."""
        cookies = f"{CONSENT_COOKIE}={GRANTED}:{settings.CONSENT_TEXT_VERSION}; {settings.SHOPPER_COOKIE}={CUSTOMER}"
        request = urllib.request.Request(self._there + path, headers={"Cookie": cookies, **headers})
        with urllib.request.urlopen(request, timeout=30) as response:
            return response.read().decode()


@pytest.mark.worker
def test_each_process_sees_at_once_what_the_other_changed(processes):
    two = Two(processes)
    shopper = two.shopper
    one = two.shop.products(0)[0]

    def view_there() -> None:
        for product in two.shop.products(1)[:5]:
            two.page(f"{two.shop.home}p/{product.pk}/")

    def view_here() -> None:
        Interaction.objects.bulk_create(
            Interaction(merchant=two.shop.merchant, shopper=shopper, product=one, kind="view") for _ in range(12)
        )

    def shown() -> Product:
        return Product.objects.get(sku=two.answers()["items"][0]["sku"])

    seen = [two.answers()]
    for change in (
        view_there,
        view_here,
        lambda: shoppers.remove_interactions(shopper=shopper, product_id=one.pk),
        lambda: Product.objects.filter(pk=shown().pk).update(price="777.00"),
        lambda: Product.objects.filter(pk=shown().pk).update(status=Product.Status.DRAFT),
        lambda: StyledImage.objects.update(status=StyledImage.Status.APPROVED),
        lambda: deploy_fit(two.shop),
        lambda: shoppers.erase(shopper=shopper),
    ):
        assert two.answers() == seen[-1], "nothing changed meanwhile"
        change()
        seen.append(two.answers())
        assert seen[-1] != seen[-2]
    assert not seen[-1]["personal"]
