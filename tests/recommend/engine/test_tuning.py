"""Settings are left as given unless others are better beyond chance."""

import numpy as np
import pytest

from recommend.engine.blending import Blend
from recommend.engine.heldout import held_out
from recommend.engine.interactions import Interactions, clean
from recommend.engine.parts import fit_parts
from recommend.engine.settings import RecommenderSettings
from recommend.engine.splits import split
from recommend.engine.tuning import GRID, Features, Period, Tuned, tune

SETTINGS = RecommenderSettings(factors=4, epochs=4)


def tuned(ndcg: list[float]) -> Tuned:
    parts = fit_parts(
        clean(Interactions.from_columns(["a"], ["x"], [1.0])), style=None, content=None, settings=SETTINGS, now=2.0
    )
    return Tuned(SETTINGS, parts, Blend({}, 1.0), np.array(ndcg))


@pytest.mark.parametrize(
    ("other", "beaten"),
    [
        ([0.3, 0.4, 0.5, 0.3], True),  # better for everybody alike
        ([0.9, 0.0, 0.4, 0.2], False),  # better for one, worse for another: chance
        ([0.2, 0.3, 0.4, 0.2], False),
    ],
)
def test_a_lead_counts_when_it_is_larger_than_its_standard_error(other: list[float], *, beaten: bool) -> None:
    assert tuned([0.2, 0.3, 0.4, 0.2]).beaten_by(tuned(other)) is beaten


def browsing(turn: int) -> Interactions:
    """120 people in one of 12 rows of ten products each; every ``turn`` steps they move to another row for good."""
    rng = np.random.default_rng(3)
    users, items, times = [], [], []
    for user in range(120):
        row = int(rng.integers(12))
        for step in range(20):
            if step and step % turn == 0:
                row = (row + 5) % 12
            users.append(f"user{user}")
            items.append(f"row{row}-{int(rng.integers(10))}")
            times.append(1000.0 * step + user)
    return Interactions.from_columns(users, items, times)


def test_a_shop_in_which_people_move_on_forgets_quickly_and_another_stays_as_given() -> None:
    chosen = {}
    for name, turn in (("moving on", 6), ("settled", 1000)):
        parts = split(clean(browsing(turn)), "temporal")
        period = Period(parts.train, parts.validation_now, held_out(parts.train, parts.validation))
        chosen[name] = tune(period, SETTINGS, Features()).settings

    assert chosen["moving on"].profile_tau == GRID[1]["profile_tau"]
    assert chosen["settled"] == SETTINGS
