"""How long a stylisation will take: this machine's own rate, and of which run."""

from __future__ import annotations

import pytest
from django.utils import timezone

from styling.services import rendering_time
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


def test_the_models_own_last_run_tells_then_the_shops_then_any_then_an_assumption():
    model, elsewhere = StyleModelFactory(), StyleModelFactory()
    other = StyleModelFactory(style__merchant=model.merchant)

    def rate(of=model):
        return rendering_rate(merchant=model.merchant, model=of)

    assert (rate().pictures_per_second, rate().is_measured) == (DEFAULT_RATE, False)
    finished(elsewhere, rate=5.0)
    assert (rate().pictures_per_second, rate().is_measured) == (5.0, True), "the same machine, at least"
    finished(other, rate=7.0)
    finished(elsewhere, rate=6.0)
    assert rate().pictures_per_second == 7.0, "another shop's pictures are of another size"
    finished(model, rate=10.0)
    finished(other, rate=8.0)
    finished(model, rate=0.1, pictures=1)  # says more about start-up
    assert rate().minutes(6000) == pytest.approx(10)
    assert rate(of=None).pictures_per_second == 8.0


def test_other_shops_newer_runs_do_not_crowd_the_shops_own_out(monkeypatch):
    monkeypatch.setattr(rendering_time, "_LOOKED_AT", 2)
    model, elsewhere = StyleModelFactory(), StyleModelFactory()
    finished(model, rate=10.0)
    for _ in range(3):
        finished(elsewhere, rate=1.0)
    assert rendering_rate(merchant=model.merchant, model=model).pictures_per_second == 10.0


def test_jobs_that_are_not_finished_go_before():
    model = StyleModelFactory()
    stylisation(model)
    finished(model, rate=1.0)
    assert jobs_ahead() == 1
