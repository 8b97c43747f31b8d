"""What an experiment can be judged by: a yes or no, or an amount, per shopper, from what follows their first exposure.

Everything is per shopper, since the clicks of one shopper are not independent of one another.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from django.utils.translation import gettext_lazy as _

from jobs.errors import Text
from recommend.models import Interaction

_KINDS = Interaction.Kind
REVENUE = "revenue"
#: Everything that a shopper does of their own accord.
ACTIONS: tuple[str, ...] = (_KINDS.VIEW, _KINDS.CLICK, _KINDS.ADD_TO_CART, _KINDS.PURCHASE, _KINDS.LIKE)


@dataclass(frozen=True)
class Metric:
    """The share of shoppers with at least one event of ``kinds``, ``after`` so long from their first exposure.

    With ``in_money`` the mean over all shoppers of what these events' amounts sum to, each shopper's up to a cap.
    """

    code: str
    name: Text
    what: Text
    kinds: tuple[str, ...]
    #: The two ways side by side, for a goal: “Of 100 shoppers with … 26 clicked, with … 19.”
    in_numbers: Text = ""
    after: timedelta = timedelta()
    more_is_better: bool = True
    in_money: bool = False


METRICS: Mapping[str, Metric] = {
    metric.code: metric
    for metric in (
        Metric(
            "clicked",
            _("Click rate"),
            _("shoppers who clicked something on a shelf"),
            (_KINDS.CLICK,),
            _("Of 100 shoppers with “%(challenger)s” %(theirs)s clicked something, with “%(control)s” %(ours)s."),
        ),
        Metric(
            "bagged",
            _("Bag rate"),
            _("shoppers who put something into the bag"),
            (_KINDS.ADD_TO_CART,),
            _(
                "Of 100 shoppers with “%(challenger)s” %(theirs)s put something into the bag, with “%(control)s” %(ours)s."
            ),
        ),
        Metric(
            "bought",
            _("Purchase rate"),
            _("shoppers who bought something"),
            (_KINDS.PURCHASE,),
            _("Of 100 shoppers with “%(challenger)s” %(theirs)s bought something, with “%(control)s” %(ours)s."),
        ),
        Metric(
            REVENUE,
            _("Revenue per shopper"),
            _("what a shopper spent, on average over all, buyers or not"),
            (_KINDS.PURCHASE,),
            _("With “%(challenger)s” a shopper spent %(theirs)s on average, with “%(control)s” %(ours)s."),
            in_money=True,
        ),
        Metric(
            "returned",
            _("Return rate"),
            _("shoppers who were still active a day or more later"),
            ACTIONS,
            _("Of 100 shoppers with “%(challenger)s” %(theirs)s came back, with “%(control)s” %(ours)s."),
            after=timedelta(days=1),
        ),
        Metric(
            "disliked",
            _("Dislike rate"),
            _("shoppers who disliked something"),
            (_KINDS.DISLIKE,),
            more_is_better=False,
        ),
    )
}
#: What one may hope to raise.
GOALS: tuple[str, ...] = ("clicked", "bagged", "bought", REVENUE, "returned")
