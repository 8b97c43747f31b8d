"""One known answer for every model: two crowds buy from two shelves; the withheld product of one's own comes back."""

import numpy as np
import pytest

from recommend.engine.blending import Blend, blended_scores
from recommend.engine.errors import EngineError
from recommend.engine.heldout import held_out
from recommend.engine.interactions import Interactions, clean
from recommend.engine.parts import fit_parts
from recommend.engine.peers import PEERS
from recommend.engine.settings import RecommenderSettings
from recommend.engine.splits import split

SHELF = 8
PERSONAL = ("item_knn", "ease", "als", "bpr")


@pytest.fixture(scope="module")
def crowds() -> tuple:
    """40 people; each buys all of their crowd's shelf but one product, and that one last."""
    rows = []
    for person in range(40):
        shelf = np.arange(SHELF) + SHELF * (person % 2)
        order = np.roll(shelf, person // 2)
        rows += [(f"p{person}", f"i{item:02}", float(day)) for day, item in enumerate(order)]
    users, items, times = zip(*rows, strict=True)
    parts = split(clean(Interactions.from_columns(users, items, times)), "leave-one-out")
    return parts, held_out(parts.known, parts.test)


@pytest.mark.parametrize("peer", PEERS, ids=lambda peer: peer.name)
def test_the_withheld_product_comes_back(peer, crowds: tuple) -> None:
    parts, people = crowds
    try:
        scorer = peer.fit(parts.known, parts.test_now, peer.grid[0], 0)
    except EngineError as error:
        if error.code != "not-installed":
            raise
        pytest.skip(error.message)

    scores = people.evaluate(scorer)

    assert scorer(people.users, people.histories).shape == (40, 2 * SHELF)
    if peer.name in PERSONAL:
        assert scores.ndcg.mean() > 0.95
    else:
        assert scores.hit.mean() == pytest.approx(1.0)  # 9 products are left: ten places hold them all


@pytest.mark.parametrize("part", ["svd", "item_item"])
def test_our_personal_parts_bring_it_back_too(part: str, crowds: tuple) -> None:
    parts, people = crowds
    fitted = fit_parts(
        parts.known,
        style=None,
        content=None,
        settings=RecommenderSettings(factors=8, ease_regularisation=5),
        now=parts.test_now,
    )

    scores = people.evaluate(lambda users, histories: blended_scores(fitted, histories, Blend({part: 1.0}, 0.0)))

    assert scores.ndcg.mean() > 0.95
