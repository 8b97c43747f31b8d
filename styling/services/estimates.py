"""How long a training will take on this machine, from the trainings that it has done."""

from __future__ import annotations

from styling.cyclegan.settings import TrainingSettings
from styling.models import TrainingRun

#: Seconds per picture and step with default settings on two CPU cores, before this machine has trained anything itself.
DEFAULT_SECONDS_PER_PICTURE = 0.05
#: Shorter runs say more about start-up than about steps.
_TELLING_SECONDS = 30
#: Share of a run beyond its steps: reading pictures, scoring, samples.
_OVERHEAD = 1.1


def relative_cost(settings: TrainingSettings) -> float:
    """Work per picture and step, in no particular unit: pixels × channels² × depth, generator and discriminator."""
    two_sided = 1.0 if settings.algorithm == "cyclegan" else 0.55
    generator = settings.width**2 * (settings.blocks + 3)
    return settings.crop_size**2 * (generator + 1.5 * settings.discriminator_width**2) * two_sided


def seconds_per_cost() -> float:
    """Seconds per unit of ``relative_cost``: of the last run that was long enough to tell, else the default's."""
    last = (
        TrainingRun.objects.filter(status=TrainingRun.Status.SUCCEEDED, result__seconds__gte=_TELLING_SECONDS)
        .order_by("-finished_at")
        .values_list("settings", "result")
        .first()
    )
    if last:
        settings, result = TrainingSettings.from_dict(last[0]), last[1]
        pictures = result.get("steps", 0) * result.get("batch_size", settings.batch_size)
        if pictures:
            return float(result["seconds"]) / (pictures * relative_cost(settings))
    return DEFAULT_SECONDS_PER_PICTURE / relative_cost(TrainingSettings())


def estimated_minutes(settings: TrainingSettings, *, per_cost: float | None = None) -> float:
    """Minutes that a run with ``settings`` will take here; its own budget where that is in minutes."""
    per_cost = seconds_per_cost() if per_cost is None else per_cost
    by_steps = None
    if settings.steps is not None:
        seconds = settings.steps * settings.batch_size * relative_cost(settings) * per_cost
        by_steps = seconds * _OVERHEAD / 60
    budgets = [budget for budget in (by_steps, settings.minutes) if budget is not None]
    return min(budgets)
