"""The page that a shopper would get, with everything that it was chosen by. Looking at it leaves no trace.

The same shelves, rules and renderings as the storefront's, without a slate being kept. A shopper can also be invented:
whoever clicks these products, in these looks, would see this.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from django.utils import timezone

from catalog.models import Merchant
from recommend.engine.query import HistoryEvent
from recommend.models import Interaction, Shopper
from recommend.services.cards import Card
from recommend.services.catalogue import facts
from recommend.services.history import LIKES, History, history_of
from recommend.services.renderings import LEAST_OBSERVATIONS, ORIGINAL, RenderingChooser
from recommend.services.shelves import Pick, Shelves
from recommend.services.slates import Presenter, ShownSlate
from styling.models import Style

#: Seconds between two invented clicks.
APART = 60.0
#: Products of the shopper's own that are named.
NAMED = 8


@dataclass(frozen=True)
class Click:
    """An invented click: the product, and the style that it was shown in (None is the photo)."""

    product_id: int
    style_id: int | None = None


@dataclass(frozen=True)
class StyleShare:
    """How much of what the shopper responded to was in this style; None is the original photo."""

    style: Style | None
    share: float


@dataclass(frozen=True)
class WhatIf:
    """A page and what it was chosen by."""

    slates: Mapping[str, ShownSlate]
    #: The shopper's products, newest first.
    recent: Sequence[Card]
    styles: Sequence[StyleShare]
    likes: int
    is_personal: bool
    has_recommender: bool
    #: Renderings are chosen by what the shop's clicks have taught, not yet by the shopper's shares alone.
    policy_chooses: bool

    @property
    def largest_part(self) -> float:
        """The largest contribution on the page: the scale of every bar."""
        shown = [item for slate in self.slates.values() for item in slate.items]
        return max([abs(value) for item in shown for value in item.parts.values()] + [0.01])


def page_of(*, merchant: Merchant, shopper: Shopper | None) -> WhatIf:
    """The home page of a shopper (of a stranger, where there is none, or where personalisation is off)."""
    if shopper is not None and not (shopper.personalisation_enabled and merchant.personalisation_enabled):
        shopper = None
    history = history_of(shopper)
    shelves = Shelves(merchant, shopper, history=history)
    return _page(shelves, Presenter(shelves))


def invented_page(*, merchant: Merchant, clicks: Sequence[Click]) -> WhatIf:
    """The home page of somebody who clicked these products, the last one last."""
    now = timezone.now().timestamp()
    history = History(
        tuple(
            HistoryEvent(
                str(click.product_id),
                Interaction.Kind.CLICK,
                now - age * APART,
                str(click.style_id) if click.style_id else None,
            )
            for age, click in enumerate(reversed(clicks))
        )
    )
    shelves = Shelves(merchant, None, history=history)
    presenter = Presenter(shelves)
    if clicks:
        presenter.chooser = RenderingChooser(
            shares=history.style_shares(frozenset()),
            likes=len(clicks),
            seed=f"invented|{clicks}",
            policy=facts(merchant).policy if merchant.bandit_enabled else None,
        )
    return _page(shelves, presenter)


def _page(shelves: Shelves, presenter: Presenter) -> WhatIf:
    chosen: dict[str, list[Pick]] = {"home": shelves.shelf("home", 8, explain=True)}
    if shelves.is_personal:
        chosen["style"] = shelves.shelf("style", 4, explain=True)
    chosen["new"] = shelves.shelf("new", 4, explain=True)
    seen = shelves.history.recently_seen(NAMED)
    slates = presenter.slates(chosen, also=seen, keep=False)
    if "style" in slates:
        slates["style"] = _by_style_alone(slates["style"])
    known = presenter.products(set(seen))
    policy = facts(shelves.merchant).policy if shelves.merchant.bandit_enabled else None
    return WhatIf(
        slates=slates,
        recent=[known[pk] for pk in seen if pk in known],
        styles=_styles(shelves),
        likes=sum(event.event in LIKES for event in shelves.history.events),
        is_personal=shelves.is_personal,
        has_recommender=shelves.fitted is not None,
        policy_chooses=policy is not None and policy.observations >= LEAST_OBSERVATIONS,
    )


def _by_style_alone(slate: ShownSlate) -> ShownSlate:
    """The shelf “in your style” is ordered by the style part: the others add nothing to its scores."""
    items = [
        replace(item, parts={name: value for name, value in item.parts.items() if name == "style"})
        for item in slate.items
    ]
    return replace(slate, items=items)


def _styles(shelves: Shelves) -> list[StyleShare]:
    shares = shelves.history.style_shares(frozenset())
    names = {style.pk: style for style in Style.objects.filter(merchant=shelves.merchant)}
    found = [StyleShare(names.get(key), share) for key, share in shares.items() if key == ORIGINAL or key in names]
    return sorted(found, key=lambda item: -item.share)
