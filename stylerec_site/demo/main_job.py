"""The main job, step by step, through the same verbs, worker, web server and API that a shop uses.

Every step checks that it really happened. A run that was cut off goes on where it was; a shop that is complete is
opened as its merchant left it.
"""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.utils import timezone

from catalog.models import ApiToken, Merchant, ProductImage
from catalog.tokens import create_token
from jobs.presence import workers_seen
from recommend.creatives.brief import Brief
from recommend.creatives.models import Creative, CreativeSet
from recommend.creatives.services.sets import create_set, drawing_of
from recommend.models import Interaction, Recommender, Slate
from recommend.services import policies
from recommend.services.fitting import start_fit
from stylerec_site.demo import crowd, looks, shop, visits
from stylerec_site.demo.steps import require, say, show, step, wait_for, wait_for_jobs
from stylerec_site.demo.two_shoppers import compare_two_shoppers
from stylerec_site.processes import Processes
from styling.models import Style, StyledImage, StyleModel
from styling.services.review import approve, publish
from styling.services.stylising import stylise
from styling.services.versions import deploy_model


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
    _draw_creatives(merchant, owner, styles[0], processes)
    api, visitors, later = _let_people_shop(merchant, owner, styles, address, processes)
    _fit(merchant, owner, processes, version=1)
    page = _let_people_come_home(merchant, visitors, later, api, processes)
    _fit(merchant, owner, processes, version=2)
    _let_people_come_back(merchant, page, visitors, api, processes)
    compare_two_shoppers(merchant, styles, address, api)
    return True


def reopen() -> bool:
    """Whether the main job has run here before: what the merchant changed since then stays as it is."""
    merchant = shop.demo_shop()
    fitted = Recommender.objects.filter(merchant=merchant).order_by("-version").first() if merchant else None
    if merchant is None or fitted is None or not Slate.objects.filter(merchant=merchant).exists():
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


def _draw_creatives(merchant: Merchant, owner: Any, style: Style, processes: Processes) -> None:
    with step("Draw ad creatives of two products") as came_of_it:
        if not CreativeSet.objects.filter(merchant=merchant).exists():
            brief = Brief(headline="For quiet rooms", formats=("square", "story", "landscape"))
            chosen = [
                shelf.products.on_sale().order_by("pk")[0] for shelf in merchant.categories.order_by("position")[:2]
            ]
            made = create_set(
                merchant=merchant, by=owner, products=chosen, brief=brief, style=style, name="Quiet rooms"
            )
            drawing = drawing_of(made)
            require(drawing is not None, "Nobody was asked to draw the creatives.")
            assert drawing is not None
            wait_for_jobs(drawing, processes=processes, minutes=5)
        drawn = Creative.objects.filter(merchant=merchant).exclude(file="").count()
        require(drawn, "No creative was drawn.")
        came_of_it(f"{drawn} creatives")


def _let_people_shop(
    merchant: Merchant, owner: Any, styles: list[Style], address: str, processes: Processes
) -> tuple[crowd.Api, list[visits.Visitor], visits.Past]:
    token, secret = create_token(merchant=merchant, user=owner, name="demo", scope=ApiToken.Scope.WRITE)
    api = crowd.Api(address, secret)
    with step("Let shoppers look around (events through the API)") as came_of_it:
        people = crowd.crowd(merchant, [style.pk for style in styles])
        past = visits.Past.of(crowd.events_of(people, merchant))
        if not Interaction.objects.filter(merchant=merchant).exists():
            for number, person in enumerate(people, start=1):
                api.call("PUT", f"shoppers/{person.name}/", {})
                show(f"{number} of {len(people)} people agreed")
            _send(merchant, past.early, api, processes)
        came_of_it(f"{len(people)} people, {Interaction.objects.filter(merchant=merchant).count()} events stored")
    api.token = token
    return api, visits.visitors_of(merchant, people), past


def _send(merchant: Merchant, events: list[visits.Event], api: crowd.Api, processes: Processes) -> None:
    """Events through the API, until they are stored."""
    stored = Interaction.objects.filter(merchant=merchant)
    before = stored.count()
    for start in range(0, len(events), 500):
        answer = api.call("POST", "events/", {"events": events[start : start + 500]})
        require(not answer["refused"], f"The API refused events: {answer['refused'][:3]}")
    wait_for(lambda: stored.count() >= before + len(events), processes=processes, seconds=60)


def _fit(merchant: Merchant, owner: Any, processes: Processes, *, version: int) -> None:
    title = "Fit the recommender (Surprise SVD + style)" if version == 1 else "Fit it again on what came back"
    with step(title) as came_of_it:
        if not Recommender.objects.filter(merchant=merchant, version__gte=version).exists():
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


def _let_people_come_home(
    merchant: Merchant, visitors: list[visits.Visitor], past: visits.Past, api: crowd.Api, processes: Processes
) -> visits.HomePage:
    """Three weeks of the home page: what it showed, in which style, how likely, and what came of it."""
    page = visits.HomePage(merchant)
    with step("Let them see the home page (impressions and clicks flow back)") as came_of_it:
        seen = Interaction.objects.filter(merchant=merchant, kind=Interaction.Kind.IMPRESSION)
        if not seen.exists():
            _send(merchant, page.weeks(visitors, past), api, processes)
        clicks = Interaction.objects.filter(merchant=merchant, kind=Interaction.Kind.CLICK).count()
        require(seen.exists() and clicks, "Nobody clicked on anything that the home page showed.")
        learned = policies.learn(merchant=merchant)
        came_of_it(f"{seen.count()} impressions, {clicks} clicks; {learned} choices of a rendering learned from")
    return page


def _let_people_come_back(
    merchant: Merchant, page: visits.HomePage, visitors: list[visits.Visitor], api: crowd.Api, processes: Processes
) -> None:
    with step("They come back today, to the new version") as came_of_it:
        now = timezone.now()
        told = [event for visitor in visitors for event in page.visit(visitor, now)]
        _send(merchant, told, api, processes)
        clicks = sum(event["kind"] == Interaction.Kind.CLICK for event in told)
        came_of_it(f"{len(visitors)} people, {clicks} clicks")


def print_welcome(address: str) -> None:
    """Where to look, and as whom."""
    say(f"\n  The shop       {address}/s/{shop.SLUG}/")
    say(f"  The workbench  {address}/admin/")
    for name, (_, what) in shop.PEOPLE.items():
        say(f"                 {name} / {shop.PASSWORD}   ({what})")
    say(f"  The API        {address}/api/v1/docs/")
    say("\n  Ctrl-C closes the shop; the next `make demo` opens it again without training.")
