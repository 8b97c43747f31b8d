"""How long a stylisation will take: this machine's own rate, and of which run."""

from __future__ import annotations

import pytest
from django.utils import timezone

from styling.services.rendering_time import DEFAULT_RATE, jobs_ahead, rendering_rate
from tests.styling.factories import StyleModelFactory, stylisation

pytestmark = pytest.mark.django_db


def finished(model, *, rate, pictures=100):
    return stylisation(
        model,
        status="succeeded",
        progress_total=pictures,
        finished_at=timezone.now(),
        result={"pictures_per_second": rate},
    )


def test_the_models_own_last_run_tells_then_any_then_an_assumption():
    model, other = StyleModelFactory(), StyleModelFactory()
    assert (rendering_rate(model=model).pictures_per_second, rendering_rate().is_measured) == (DEFAULT_RATE, False)
    finished(other, rate=5.0)
    assert rendering_rate(model=model).pictures_per_second == 5.0
    finished(model, rate=10.0)
    finished(other, rate=6.0)
    finished(model, rate=0.1, pictures=1)  # says more about start-up
    assert rendering_rate(model=model).minutes(6000) == pytest.approx(10)
    assert rendering_rate().pictures_per_second == 6.0


def test_jobs_that_are_not_finished_go_before():
    model = StyleModelFactory()
    stylisation(model)
    finished(model, rate=1.0)
    assert jobs_ahead() == 1
