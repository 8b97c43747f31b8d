"""The fit on a real local Spark, where pyspark is installed."""

import numpy as np
import pytest

from recommend.engine.errors import EngineError
from recommend.engine.recommender import RecommenderSettings, fit
from recommend.engine.simulator import SimulatorSettings, simulate
from recommend.engine.spark_als import SparkAlsSettings, fit_spark_als, spark_session

SETTINGS = SparkAlsSettings(factors=8, iterations=5, partitions=2)


pytestmark = pytest.mark.optional


def test_without_pyspark_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pyspark.sql", None)
    with pytest.raises(EngineError, match="pyspark") as caught:
        spark_session(SETTINGS)
    assert caught.value.code == "not-installed"


@pytest.mark.filterwarnings("default")
def test_spark_factors_make_a_recommender_that_beats_popularity() -> None:
    pytest.importorskip("pyspark")
    shop = simulate(SimulatorSettings(users=150, items=80))
    session = spark_session(SETTINGS)
    try:
        fitted = fit(
            shop.interactions,
            items=shop.item_ids,
            settings=RecommenderSettings(factors=8),
            now=shop.end,
            fit_factors=lambda log: fit_spark_als(log, SETTINGS, session),
        )
    finally:
        session.stop()

    assert np.isfinite(fitted.parts.factors.vectors).all()
    assert fitted.metrics["scores"]["over_popularity"][0] > 0
    assert fitted.blend.weights["svd"] > 0
