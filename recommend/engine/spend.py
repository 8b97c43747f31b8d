"""What shoppers spend, in a form that an any-time reading can be trusted with.

Spend has a heavy tail: one order of a hundred pieces outweighs a thousand shoppers, and the variance that normal theory
needs may not even exist. Each shopper's spend therefore counts up to a cap (Kohavi, Deng, Longbotham & Xu, *Seven Rules
of Thumb for Web Site Experimenters*, KDD 2014, rule 7). A bounded outcome has every moment, so the confidence sequence of
`recommend.engine.sequential` applies to the mean of capped spend (Waudby-Smith et al., *Time-uniform central limit theory
and asymptotic confidence sequences*, Annals of Statistics 2024). The cap must be fixed before the first shopper: one that
follows the data would make the outcome depend on the look.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

#: The share of buyers whose spend counts in full.
UNCAPPED_SHARE = 0.99
#: Below this many buyers a quantile that far out is one person's order.
FEWEST_BUYERS = 100


def cap_of(spends: Sequence[float], *, usual_price: float) -> float:
    """The cap for a shop whose buyers spent ``spends`` of late: 99 of 100 are within it.

    With few buyers, or where they paid nothing, it is ten usual prices. Rounded up to two digits: it is shown, and should
    not tell what anybody paid. Nor does the quantile lean towards the largest order, as one that interpolates would.
    """
    found = 0.0
    if len(spends) >= FEWEST_BUYERS:
        found = float(np.quantile(spends, UNCAPPED_SHARE, method="inverted_cdf"))
    if found <= 0:
        found = 10 * usual_price
    step = 10.0 ** (math.floor(math.log10(found)) - 1) if found > 0 else 0.0
    return round(math.ceil(found / step - 1e-9) * step, 10) if step else 0.0


class CappedSpend:
    """What shoppers have spent so far, each up to ``cap``, purchase by purchase in the order of time."""

    def __init__(self, cap: float) -> None:
        self._cap = cap
        self._spent: dict[int, float] = {}

    def add(self, shopper: int, amount: float) -> tuple[float, float]:
        """What the purchase adds to the capped sum, and to that of squares.

        Summed up to any moment, these are Σ min(spend, cap) and Σ min(spend, cap)² over shoppers, as of that moment.
        """
        spent = self._spent.get(shopper, 0.0)
        self._spent[shopper] = spent + amount
        before, after = min(spent, self._cap), min(spent + amount, self._cap)
        return after - before, after**2 - before**2
