"""Does style help with products that nobody has bought yet? Measured on a simulated shop whose wishes are known."""

from __future__ import annotations

from typing import Any

import numpy as np

from recommend.engine.blending import Blend, blended_scores
from recommend.engine.heldout import Scorer, held_out
from recommend.engine.interactions import clean
from recommend.engine.metrics import paired_bootstrap
from recommend.engine.parts import fit_parts
from recommend.engine.settings import RecommenderSettings
from recommend.engine.simulator import Simulation
from recommend.engine.splits import split


def cold_start_ablation(simulation: Simulation, settings: RecommenderSettings, *, share: float = 0.2) -> dict[str, Any]:
    """Hide a random ``share`` of the products from the fit, then rank *only them* for the people who picked them later.

    Three ways: ``random`` (what any model without content can do), ``content_factors`` (SVD vectors placed by the
    ridge), ``with_style`` (those and the style part). Entries: NDCG@10 and the paired 95 % interval over ``random``.
    """
    log = clean(simulation.interactions, items=simulation.item_ids)
    parts = split(log, "temporal")
    rng = np.random.default_rng(settings.seed)
    hidden = rng.random(log.n_items) < share
    known, later = parts.known, parts.test
    known = known.where(~hidden[known.items])
    later = later.where(hidden[later.items])
    people = held_out(known, later)
    fitted = fit_parts(known, style=simulation.style_vectors, content=None, settings=settings, now=parts.test_now)
    noise = rng.random((log.n_users, log.n_items))
    closed = np.where(hidden, 0.0, -np.inf)

    def blended(**weights: float) -> Scorer:
        return lambda users, histories: blended_scores(fitted, histories, Blend(weights, 0.0)) + closed

    scores = {
        "random": people.evaluate(lambda users, histories: noise[users] + closed),
        "content_factors": people.evaluate(blended(svd=1.0)),
        "with_style": people.evaluate(blended(svd=1.0, style=1.0)),
    }
    return {
        name: {
            "ndcg@10": round(float(result.ndcg.mean()), 5),
            "over_random": [round(edge, 5) for edge in paired_bootstrap(result.ndcg, scores["random"].ndcg)],
        }
        for name, result in scores.items()
    } | {"people": len(people), "hidden_items": int(hidden.sum())}
