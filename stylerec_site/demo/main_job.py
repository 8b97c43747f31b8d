"""The main job, step by step, through the same verbs, worker, web server and API that a shop uses.

Every step checks that it really happened. A run that was cut off goes on where it was; a shop that is complete is
opened as its merchant left it.
"""

from __future__ import annotations

import re
from http.cookiejar import CookieJar
from typing import Any
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, OpenerDirector, Request, build_opener

from django.contrib.auth import get_user_model
from django.core.management import call_command

from catalog.models import ApiToken, Merchant, ProductImage
from catalog.tokens import create_token, revoke_token
from jobs.presence import workers_seen
from recommend.models import Interaction, Recommender
from recommend.services.fitting import start_fit
from stylerec_site.demo import crowd, looks, shop
from stylerec_site.demo.steps import require, say, show, step, wait_for, wait_for_jobs
from stylerec_site.processes import Processes
from styling.models import Style, StyledImage, StyleModel
from styling.services.review import approve, publish
from styling.services.stylising import stylise
from styling.services.versions import deploy_model

#: Links of product cards, in the order of a page, each with the picture that it shows.
_CARD = re.compile(r'href="(/s/[^"]+/p/(\d+)/[^"]*)">\s*(?:<picture><source[^>]*>)?<img src="([^"]+)"')


def prepare_database() -> None:
    """Migrations, before any other process looks at the database."""
    call_command("migrate", verbosity=0)


def run(*, address: str, processes: Processes) -> bool:
    """From pictures to a storefront that is personal; False where that was done before, and the shop is only opened."""
    with step("Workers listen") as came_of_it:
        wait_for(lambda: workers_seen("gpu") and workers_seen("default"), processes=processes, seconds=60)
        came_of_it(", ".join(worker.name for worker in workers_seen()))
    if reopen():
        return False
    merchant, owner, reviewer = _open_shop()
    styles = _train(merchant, owner, processes)
    _stylise(styles, owner, processes)
    _review_and_publish(merchant, owner, reviewer)
    api = _let_people_shop(merchant, owner, styles, address, processes)
    _fit(merchant, owner, processes)
    _compare_two_shoppers(merchant, styles, address, api)
    return True


def reopen() -> bool:
    """Whether the main job has run here before: what the merchant changed since then stays as it is."""
    merchant = shop.demo_shop()
    fitted = Recommender.objects.filter(merchant=merchant).order_by("-version").first() if merchant else None
    if merchant is None or fitted is None:
        return False
    with step("Open the shop from last time, without training") as came_of_it:
        published = StyledImage.objects.filter(merchant=merchant).published().count()
        came_of_it(
            f"{merchant.products.count()} products, {published} renderings published, recommender version {fitted.version}"
        )
    return True


def _open_shop() -> tuple[Merchant, Any, Any]:
    with step("Open the shop and fill its shelves (48 drawn products in 6 categories)") as came_of_it:
        merchant = shop.open_demo_shop()
        for done, total in shop.fill_shelves(merchant):
            show(f"{done} of {total} products drawn")
        products, pictures = merchant.products.count(), ProductImage.objects.filter(product__merchant=merchant).count()
        require(products >= 48 and pictures >= products, "Some products have no picture.")
        came_of_it(f"{products} products, {merchant.categories.count()} categories")
    people = get_user_model().objects
    return merchant, people.get(username="mei"), people.get(username="tom")


def _train(merchant: Merchant, owner: Any, processes: Processes) -> list[Style]:
    with step("Give the styles their reference pictures") as came_of_it:
        styles = [looks.set_up_style(merchant, slug, by=owner) for slug in looks.LOOKS]
        came_of_it(", ".join(f"{style.name}: {style.references.count()}" for style in styles))
    trained = [style for style in styles if style.name in {looks.LOOKS[slug].name for slug in looks.TRAINED}]
    with step(f"Train a CycleGAN for {' and '.join(style.name for style in trained)}") as came_of_it:
        runs = [run for style in trained if (run := looks.training_of(style, by=owner)) is not None]
        wait_for_jobs(*runs, processes=processes, minutes=15)
        for style in trained:
            model = StyleModel.objects.filter(style=style).order_by("-version").first()
            require(model is not None, f"The training of {style.name} brought no version.")
            assert model is not None
            if model.status == StyleModel.Status.CANDIDATE:
                model = deploy_model(model=model, by=owner)
            scores = model.metrics
            came_of_it(f"{model}: style {scores['style_score']:.2f}, content {scores['content_score']:.2f}")
    return trained


def _stylise(styles: list[Style], owner: Any, processes: Processes) -> None:
    with step("Stylise every product in both styles") as came_of_it:
        runs = []
        for style in styles:
            done = StyledImage.objects.filter(style=style).values("product_image__product")
            missing = list(style.merchant.products.exclude(pk__in=done))
            if missing:
                runs.append(stylise(style=style, by=owner, products=missing))
        wait_for_jobs(*runs, processes=processes, minutes=10)
        for style in styles:
            count = StyledImage.objects.filter(style=style).count()
            require(count >= style.merchant.products.count(), f"{style.name}: only {count} renderings.")
            came_of_it(f"{style.name}: {count} renderings")


def _review_and_publish(merchant: Merchant, owner: Any, reviewer: Any) -> None:
    with step("Review and publish") as came_of_it:
        if waiting := list(StyledImage.objects.filter(merchant=merchant).awaiting_review()):
            approve(images=waiting, by=reviewer)
        if approved := list(StyledImage.objects.filter(merchant=merchant, status=StyledImage.Status.APPROVED)):
            # The demo's owner has looked at the flagged ones, too: a drawn look changes colours on purpose.
            publish(images=approved, by=owner, accept_flagged=True)
        published = StyledImage.objects.filter(merchant=merchant).published()
        require(published.count() >= merchant.products.count(), "Too few renderings are published.")
        came_of_it(
            f"{published.count()} published, {published.filter(is_flagged=True).count()} of them flagged and accepted"
        )


def _let_people_shop(
    merchant: Merchant, owner: Any, styles: list[Style], address: str, processes: Processes
) -> crowd.Api:
    token, secret = create_token(merchant=merchant, user=owner, name="demo", scope=ApiToken.Scope.WRITE)
    api = crowd.Api(address, secret)
    with step("Let shoppers look around (events through the API)") as came_of_it:
        people = crowd.crowd(merchant, [style.pk for style in styles])
        if not Interaction.objects.filter(merchant=merchant).exists():
            for number, person in enumerate(people, start=1):
                api.call("PUT", f"shoppers/{person.name}/", {})
                show(f"{number} of {len(people)} people agreed")
            events = crowd.events_of(people, merchant)
            for start in range(0, len(events), 500):
                answer = api.call("POST", "events/", {"events": events[start : start + 500]})
                require(not answer["refused"], f"The API refused events: {answer['refused'][:3]}")
            stored = Interaction.objects.filter(merchant=merchant)
            wait_for(lambda: stored.count() >= len(events), processes=processes, seconds=60)
        came_of_it(f"{len(people)} people, {Interaction.objects.filter(merchant=merchant).count()} events stored")
    api.token = token
    return api


def _fit(merchant: Merchant, owner: Any, processes: Processes) -> None:
    with step("Fit the recommender (Surprise SVD + style)") as came_of_it:
        if not Recommender.objects.filter(merchant=merchant).exists():
            wait_for_jobs(start_fit(merchant=merchant, by=owner), processes=processes, minutes=5)
        deployed = Recommender.objects.filter(merchant=merchant, status=Recommender.Status.DEPLOYED).first()
        require(deployed is not None, "No recommender is in use.")
        assert deployed is not None
        scores = deployed.metrics.get("scores") or {}
        came_of_it(
            f"version {deployed.version}: NDCG@10 {scores['ndcg@10']:.3f} on events it had not seen"
            if scores
            else f"version {deployed.version}"
        )


def _compare_two_shoppers(merchant: Merchant, styles: list[Style], address: str, api: crowd.Api) -> None:
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


def print_welcome(address: str) -> None:
    """Where to look, and as whom."""
    say(f"\n  The shop       {address}/s/{shop.SLUG}/")
    say(f"  The workbench  {address}/admin/")
    for name, (_, what) in shop.PEOPLE.items():
        say(f"                 {name} / {shop.PASSWORD}   ({what})")
    say(f"  The API        {address}/api/v1/docs/")
    say("\n  Ctrl-C closes the shop; the next `make demo` opens it again without training.")
