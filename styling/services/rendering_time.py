"""How long a stylisation will take on this machine, from the stylisations that it has done."""

from __future__ import annotations

from dataclasses import dataclass

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


def rendering_rate(*, model: StyleModel | None = None) -> RenderingRate:
    """The rate of the last run of ``model`` that was long enough to tell; else of any model's; else an assumption."""
    results = (
        StylizationRun.objects.filter(status=StylizationRun.Status.SUCCEEDED, progress_total__gte=_TELLING_PICTURES)
        .order_by("-finished_at")
        .values_list("style_model_id", "result")[:_LOOKED_AT]
    )
    told = [(model_id, rate) for model_id, result in results if (rate := (result or {}).get("pictures_per_second"))]
    own = [rate for model_id, rate in told if model and model_id == model.pk]
    rates = own or [rate for _model_id, rate in told]
    return RenderingRate(float(rates[0]), True) if rates else RenderingRate(DEFAULT_RATE, False)


def jobs_ahead() -> int:
    """Jobs that the same workers have yet to finish."""
    return Job.objects.unfinished().filter(queue=QUEUE).count()
