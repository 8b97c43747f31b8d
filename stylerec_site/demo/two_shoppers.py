"""The demo's last step: two browsers agree, look around, and come home to different pages."""

from __future__ import annotations

import re
from http.cookiejar import CookieJar
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, OpenerDirector, Request, build_opener

from catalog.models import Merchant
from catalog.tokens import revoke_token
from recommend.models import Interaction
from stylerec_site.demo.crowd import Api
from stylerec_site.demo.steps import require, step
from styling.models import Style

#: Links of product cards, in the order of a page, each with the picture that it shows.
_CARD = re.compile(r'href="(/s/[^"]+/p/(\d+)/[^"]*)">\s*(?:<picture><source[^>]*>)?<img src="([^"]+)"')


def compare_two_shoppers(merchant: Merchant, styles: list[Style], address: str, api: Api) -> None:
    """Two browsers: each agrees, looks at a few products in one category and one style, and comes home."""
    with step("Two new shoppers look around and come home") as came_of_it:
        before = Interaction.objects.filter(merchant=merchant).count()
        shelves = list(merchant.categories.order_by("position"))
        stranger = Browser(address, merchant)
        first_stranger_page = stranger.cards()
        require(len(first_stranger_page) >= 8, "A new visitor finds an empty shop.")
        pages = []
        for category, style in ((shelves[0], styles[0]), (shelves[-1], styles[-1])):
            browser = Browser(address, merchant)
            browser.agree()
            for product in category.products.on_sale().order_by("pk")[:6]:
                browser.get(f"/s/{merchant.slug}/p/{product.pk}/?style={style.slug}")
            pages.append(browser.cards())
        first, second = pages
        require([card[0] for card in first] != [card[0] for card in second], "Both shoppers get the same products.")
        shared = {product: picture for product, picture in first if product in dict(second)}
        require(
            any(dict(second)[product] != picture for product, picture in shared.items())
            or {picture for _, picture in first} != {picture for _, picture in second},
            "Both shoppers see every product in the same rendering.",
        )
        require(stranger.cards() == first_stranger_page, "The page of somebody who has not agreed has changed.")
        require(Interaction.objects.filter(merchant=merchant).count() >= before + 12, "Their clicks did not flow back.")
        same = len({product for product, _ in first} & {product for product, _ in second})
        came_of_it(
            f"{len(first)} and {len(second)} products, {same} on both pages; "
            f"{Interaction.objects.filter(merchant=merchant).count() - before} events flowed back"
        )
    if api.token is not None:
        revoke_token(token=api.token, by=api.token.user)


class Browser:
    """As much of a browser as a shopper needs: cookies and forms."""

    def __init__(self, address: str, merchant: Merchant) -> None:
        self._address, self._home = address, f"/s/{merchant.slug}/"
        self._jar = CookieJar()
        self._opener: OpenerDirector = build_opener(HTTPCookieProcessor(self._jar))

    def get(self, path: str) -> str:
        """A page's text."""
        with self._opener.open(self._address + path, timeout=30) as response:
            text: str = response.read().decode()
            return text

    def agree(self) -> None:
        """Press “Yes, choose for me”."""
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', self.get(self._home))
        assert token is not None
        body = urlencode({"csrfmiddlewaretoken": token[1], "answer": "yes", "next": self._home}).encode()
        request = Request(f"{self._address}{self._home}consent/", data=body, headers={"Referer": self._address})  # noqa: S310
        self._opener.open(request, timeout=30).close()

    def cards(self) -> list[tuple[int, str]]:
        """(product, picture) of every card on the home page, in order."""
        return [(int(product), picture) for _link, product, picture in _CARD.findall(self.get(self._home))]
