"""The fit on Spark, for logs that outgrow one machine: ALS there, the same artifact here.

Only the product factors come from Spark (``pyspark.ml.recommendation.ALS``, implicit preferences). Everything a
shopper needs, fold-in, reasons, style, popularity, works on them as on Surprise's. ``pyspark`` is optional.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from recommend.engine.errors import EngineError
from recommend.engine.interactions import EventLog
from recommend.engine.svd import ItemFactors

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession


@dataclass(frozen=True)
class SparkAlsSettings:
    """How Spark's ALS is run."""

    factors: int = 64  #: length of a product's vector
    iterations: int = 15  #: alternations
    regularisation: float = 0.1  #: weight decay, scaled by Spark with the number of events
    alpha: float = 1.0  #: how much more a liked product weighs than an unseen one
    partitions: int = 8  #: blocks of users and of products
    master: str = "local[2]"  #: the cluster's address
    seed: int = 0


def spark_session(settings: SparkAlsSettings) -> SparkSession:
    """A session on ``settings.master``. Raises ``not-installed`` without pyspark or Java."""
    try:
        from pyspark.sql import SparkSession
    except ImportError as error:
        raise EngineError("not-installed", "Install pyspark and Java 17 or later to fit on Spark.") from error
    try:
        return (
            SparkSession.builder.master(settings.master)
            .appName("stylerec-recommender")
            .config("spark.ui.enabled", "false")
            .config("spark.sql.shuffle.partitions", str(settings.partitions))
            .getOrCreate()
        )
    except Exception as error:  # py4j and pyspark raise their own families where Java is missing or too old
        raise EngineError("not-installed", f"Spark does not start: {error}") from error


def fit_spark_als(log: EventLog, settings: SparkAlsSettings, session: Any | None = None) -> ItemFactors:
    """Fit ALS on a log's liked pairs: N×k product factors, with zero biases (ALS has none).

    Give it to ``recommender.fit`` as ``fit_factors``. A session that was passed in stays open. For logs that do not
    fit this process see ``fit_spark_files``.
    """
    users, items = log.positive_pairs()
    if not len(users):
        return ItemFactors(np.zeros((log.n_items, settings.factors), np.float32), np.zeros(log.n_items, np.float32))
    own = session is None
    spark = spark_session(settings) if session is None else session
    try:
        rows = np.column_stack([users, items]).tolist()
        frame = spark.createDataFrame(rows, "user int, item int").selectExpr("user", "item", "1.0f as liked")
        return factors_from_frame(frame, log.n_items, settings)
    finally:
        if own:
            spark.stop()


def fit_spark_files(path: Path | str, n_items: int, settings: SparkAlsSettings, session: Any) -> ItemFactors:
    """Fit ALS on Parquet files of integer columns ``user`` and ``item`` that never pass through this process."""
    frame = session.read.parquet(str(path)).select("user", "item").distinct()
    return factors_from_frame(frame.selectExpr("user", "item", "1.0f as liked"), n_items, settings)


def factors_from_frame(frame: DataFrame, n_items: int, settings: SparkAlsSettings) -> ItemFactors:
    """ALS on a frame of ``user int, item int, liked float``; products without a row get zeros."""
    from pyspark.ml.recommendation import ALS

    als = ALS(
        rank=settings.factors,
        maxIter=settings.iterations,
        regParam=settings.regularisation,
        alpha=settings.alpha,
        implicitPrefs=True,
        userCol="user",
        itemCol="item",
        ratingCol="liked",
        numUserBlocks=settings.partitions,
        numItemBlocks=settings.partitions,
        seed=settings.seed,
    )
    vectors = np.zeros((n_items, settings.factors), dtype=np.float32)
    for row in als.fit(frame).itemFactors.toLocalIterator():
        vectors[row["id"]] = row["features"]
    return ItemFactors(vectors, np.zeros(n_items, dtype=np.float32))
