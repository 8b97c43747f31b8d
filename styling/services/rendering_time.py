"""How long a stylisation will take on this machine, from the stylisations that it has done."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import QuerySet

from catalog.models import Merchant
from jobs.models import Job
from styling.models import StyleModel, StylizationRun
from styling.services.stylising import QUEUE

#: Pictures a second of a small model on two CPU cores, before this machine has rendered anything itself.
DEFAULT_RATE = 4.0
#: Shorter runs say more about start-up than about pictures.
_TELLING_PICTURES = 8
#: The newest runs that are looked through for one that is long enough.
_LOOKED_AT = 50


@dataclass(frozen=True, slots=True)
class RenderingRate:
    """Pictures a second, and whether this machine has shown it or it is only assumed."""

    pictures_per_second: float
    is_measured: bool

    def minutes(self, pictures: int) -> float:
        """Minutes that so many pictures take."""
        return pictures / self.pictures_per_second / 60


def rendering_rate(*, merchant: Merchant, model: StyleModel | None = None) -> RenderingRate:
    """The rate of the last run that was long enough to tell: of ``model``; else of the shop, whose pictures are of its
    own size; else of any shop, on the same machine; else an assumption.
    """
    telling = StylizationRun.objects.filter(
        status=StylizationRun.Status.SUCCEEDED, progress_total__gte=_TELLING_PICTURES
    )
    own = _told(telling.filter(merchant=merchant))
    of_model = [rate for model_id, rate in own if model and model_id == model.pk]
    rates = of_model or [rate for _model_id, rate in own or _told(telling)]
    return RenderingRate(rates[0], True) if rates else RenderingRate(DEFAULT_RATE, False)


def _told(runs: QuerySet[StylizationRun]) -> list[tuple[int, float]]:
    """The model and the rate of each of the newest runs that say one, newest first."""
    results = runs.order_by("-finished_at").values_list("style_model_id", "result")[:_LOOKED_AT]
    return [
        (model_id, float(rate)) for model_id, result in results if (rate := (result or {}).get("pictures_per_second"))
    ]


def jobs_ahead() -> int:
    """Jobs that the same workers have yet to finish."""
    return Job.objects.unfinished().filter(queue=QUEUE).count()
