"""Slates: shelves turned into what is shown (product, picture, style, reason), and kept so that clicks can be told apart.

However many shelves a page has, its products are read once, with their pictures and renderings.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils import timezone

from catalog.models import Merchant
from catalog.prepared import insert
from recommend.engine.bandit import ThompsonPolicy
from recommend.experiments.treatment import USUAL, Treatment, note_exposures
from recommend.models import Shopper, Slate
from recommend.reasons import reason_text
from recommend.services import shoppers
from recommend.services.cards import Card, Picture, Rendering, picture_on_card, read_cards
from recommend.services.catalogue import facts
from recommend.services.history import LIKES, History
from recommend.services.renderings import PublishedRendering, RenderingChooser, Shown
from recommend.services.shelves import Pick, Shelves


@dataclass(frozen=True)
class ShownProduct:
    """A product on a page, in the style chosen for this shopper."""

    product: Card
    #: In the language of the page.
    name: str
    picture: Picture | None
    shown: Shown = field(default_factory=lambda: Shown(None))
    score: float = 0.0
    parts: Mapping[str, float] = field(default_factory=dict)
    reason_code: str = ""
    reason: str = ""
    reason_product: int | None = None
    trace: tuple[str, ...] = ()
    position: int = 0

    @property
    def rendering(self) -> PublishedRendering | None:
        return self.shown.rendering


@dataclass(frozen=True)
class ShownSlate:
    """A shelf as a page shows it. ``id`` is None where nothing is kept, for strangers."""

    slot: str
    items: Sequence[ShownProduct]
    id: uuid.UUID | None = None


class Presenter:
    """Turns picks into shown products for one visitor."""

    def __init__(self, page: Shelves) -> None:
        self.page = page
        self.chooser = chooser_for(page.merchant, page.shopper, page.history, page.treatment)
        self._known: dict[int, Card] = {}
        self._shown: dict[int, tuple[str, Picture | None, Shown]] = {}

    def slates(
        self, shelves: Mapping[str, Sequence[Pick]], *, also: Sequence[int] = (), keep: bool = True
    ) -> dict[str, ShownSlate]:
        """Every shelf of a page as it is shown; kept as ``Slate`` rows for a shopper with a profile.

        ``also``: ids of products that ``plain`` will show on the same page, read along.
        """
        picks = [pick for shelf in shelves.values() for pick in shelf]
        wanted = {pick.product_id for pick in picks} | {pick.reason_product for pick in picks if pick.reason_product}
        products = self.products(wanted | set(also))
        shown = {
            slot: [
                self._show(pick, products, position)
                for position, pick in enumerate(shelf)
                if pick.product_id in products
            ]
            for slot, shelf in shelves.items()
        }
        ids = self._keep(shown) if keep and self.page.shopper is not None else {}
        if seen := ids.keys() - {Slate.MAIL}:
            note_exposures(self.page.treatment, self.page.shopper, slots=seen)
        return {slot: ShownSlate(slot, items, ids.get(slot)) for slot, items in shown.items()}

    def plain(self, product_ids: Sequence[int]) -> list[ShownProduct]:
        """Products in a given order, in the shopper's style, without a recommendation behind them."""
        products = self.products(set(product_ids))
        return [
            self._present(products[pk], position=position) for position, pk in enumerate(product_ids) if pk in products
        ]

    def products(self, ids: set[int]) -> dict[int, Card]:
        """Products on sale by id; each is read, and its rendering chosen, once for a page."""
        missing = ids - self._known.keys()
        if missing:
            cards = read_cards(merchant=self.page.merchant, product_ids=missing)
            self._known.update(cards)
            for pk, card in cards.items():
                shown, photo, name = self.choose(card), card.photo, card.display_name
                one = shown.rendering if isinstance(shown.rendering, Rendering) else photo
                alt = (photo.alt_text if photo else "") or name
                self._shown[pk] = (name, picture_on_card(one, alt) if one else None, shown)
        return {pk: self._known[pk] for pk in ids if pk in self._known}

    def _show(self, pick: Pick, products: Mapping[int, Card], position: int) -> ShownProduct:
        behind = pick.reason_product or 0
        return self._present(
            products[pick.product_id],
            position=position,
            score=pick.score,
            parts=pick.parts,
            reason_code=pick.reason_code,
            reason=reason_text(pick.reason_code, self._shown[behind][0] if behind in products else ""),
            reason_product=pick.reason_product,
            trace=pick.trace,
        )

    def _present(self, product: Card, **fields: Any) -> ShownProduct:
        return ShownProduct(product, *self._shown[product.pk], **fields)

    def choose(self, card: Card) -> Shown:
        """The rendering of a product's picture for this visitor."""
        return self.chooser.choose(card.photo.pk, card.published) if card.photo else Shown(None)

    def _keep(self, shown: Mapping[str, Sequence[ShownProduct]]) -> dict[str, uuid.UUID]:
        rows = [
            Slate(
                merchant=self.page.merchant,
                shopper=self.page.shopper,
                recommender_id=self.page.recommender_id,
                slot=slot,
                items=[_record(item) for item in items],
            )
            for slot, items in shown.items()
            if items
        ]
        insert(rows)
        return {row.slot: row.pk for row in rows}


def _record(item: ShownProduct) -> dict[str, Any]:
    return {
        "product": item.product.pk,
        "style": item.rendering.style_id if item.rendering else None,
        "rendering": item.rendering.pk if item.rendering else None,
        "score": round(item.score, 5),
        "reason": item.reason_code,
        "source": item.reason_product,
        "propensity": round(item.shown.propensity, 5),
        "known": round(item.shown.known, 3),
        "share": round(item.shown.share, 5),
        "among": item.shown.among,
    }


def chooser_for(
    merchant: Merchant, shopper: Shopper | None, history: History, treatment: Treatment = USUAL
) -> RenderingChooser:
    """How renderings are chosen for this visitor; the same chooser as last time while nothing that it rests on changes."""
    if shopper is None or not treatment.shows_renderings:
        return RenderingChooser.for_stranger()
    hidden = frozenset(shoppers.hidden_tags(shopper))
    policy = facts(merchant).policy if treatment.learns(merchant.bandit_enabled) else None
    week = timezone.now().isocalendar()[:2]
    key = ("chooser", hidden, week)
    known: tuple[ThompsonPolicy | None, RenderingChooser] | None = history.worked_out.get(key)
    if known is None or known[0] is not policy:
        likes = sum(event.event in LIKES for event in history.events)
        seed = f"{shopper.pk}|{likes}|{week[0]}-{week[1]:02}"
        chooser = RenderingChooser(
            shares=history.style_shares(hidden), likes=likes, seed=seed, policy=policy, hidden=hidden
        )
        known = history.worked_out[key] = (policy, chooser)
    return known[1]
