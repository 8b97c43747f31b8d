"""Fitting a shop's recommender: from its rows to an artifact, and whether the new version may take over."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np
from django.conf import settings
from django.db import transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _
from numpy.typing import NDArray

from catalog import audit
from catalog.access import require_role
from catalog.models import Membership, Merchant, Product, ProductImage
from jobs.context import JobContext
from jobs.errors import Conflict, UserError
from jobs.services import enqueue
from recommend import serving
from recommend.engine.errors import EngineError
from recommend.engine.interactions import Interactions
from recommend.engine.recommender import FittedRecommender, RecommenderSettings, fit
from recommend.experiments.trials import versions_on_trial
from recommend.models import Interaction, Recommender, RecommenderFit, Shopper
from recommend.services import policies
from recommend.services.history import history_of
from recommend.services.picture_vectors import looks_of

KIND = "recommend.fit"
#: Versions whose files stay, for a way back.
KEPT_VERSIONS = 6
#: A scheduled fit waits for so many new events, and runs at least so often while there are any.
ENOUGH_NEW_EVENTS = 200
LONGEST_WAIT = timedelta(days=1)


def start_fit(*, merchant: Merchant, by: Any = None, key: str | None = None) -> RecommenderFit:
    """Ask for a new version on the events that are there. ``key`` makes a repeated request the same request."""
    if by is not None:
        require_role(by, merchant, Membership.Role.EDITOR)
    if not Product.objects.filter(merchant=merchant).exists():
        raise UserError("no-products", _("The shop has no products yet."), _("Import some, then fit."))
    return enqueue(
        RecommenderFit(
            kind=KIND,
            queue="default",
            merchant=merchant,
            merchant_key=merchant.pk,
            created_by=by,
            idempotency_key=key,
            settings=RecommenderSettings().as_dict(),
        )
    )


def start_due_fit(*, merchant: Merchant) -> bool:
    """Ask for a new version if enough has happened since the last one; whether it was asked for.

    A shop's first fit is a person's decision; after it, the schedule keeps the shop fresh.
    """
    if not Recommender.objects.filter(merchant=merchant).exists():
        return False
    if RecommenderFit.objects.filter(merchant=merchant, status__in=["queued", "running"]).exists():
        return False
    fresh = freshness(merchant=merchant)
    is_due = fresh.new_events >= ENOUGH_NEW_EVENTS or (fresh.new_events > 0 and fresh.age > LONGEST_WAIT)
    if is_due:
        start_fit(merchant=merchant)
    return is_due


@dataclass(frozen=True)
class Freshness:
    """How old the newest version is, and what has happened since."""

    age: timedelta
    new_events: int


def freshness(*, merchant: Merchant, version: Recommender | None = None) -> Freshness:
    """How far the version (the newest) lies behind the events; with none, everything is new."""
    newest = version or Recommender.objects.filter(merchant=merchant).order_by("-version").first()
    since = newest.created_at if newest else merchant.created_at
    events = Interaction.objects.filter(merchant=merchant).exclude(kind=Interaction.Kind.IMPRESSION)
    return Freshness(
        age=timezone.now() - since,
        new_events=events.filter(received_at__gt=since).count() if newest else events.count(),
    )


def run_fit(context: JobContext) -> dict[str, Any]:
    """What a worker does for a ``RecommenderFit``."""
    run = RecommenderFit.objects.select_related("merchant").get(pk=context.job_id)
    merchant = run.merchant
    products = list(Product.objects.filter(merchant=merchant).order_by("pk").values_list("pk", flat=True))
    items = [str(pk) for pk in products]
    style = _looks(merchant, products, context)
    try:
        fitted = fit(
            read_interactions(merchant),
            items=items,
            style_vectors=style,
            content_vectors=style,
            settings=RecommenderSettings.from_dict(run.settings),
            now=timezone.now().timestamp(),
            on_progress=lambda done, total, message: context.report(done=done, total=total, message=message),
            should_stop=context.should_stop,
        )
    except EngineError as error:
        if error.code == "stopped":
            context.raise_if_stopped()
        raise UserError(error.code, error.message) from error
    return _record(run, fitted, context)


def read_interactions(merchant: Merchant) -> Interactions:
    """The shop's events as the engine reads them; shoppers who switched personalisation off do not teach it."""
    rows = (
        Interaction.objects.filter(merchant=merchant, shopper__personalisation_enabled=True)
        .exclude(kind=Interaction.Kind.IMPRESSION)
        .order_by("pk")
        .values_list("shopper_id", "product_id", "kind", "value", "occurred_at")
    )
    columns = list(zip(*rows.iterator(chunk_size=20_000), strict=True)) or [(), (), (), (), ()]
    return Interactions.from_columns(
        users=[str(value) for value in columns[0]],
        items=[str(value) for value in columns[1]],
        events=list(columns[2]),
        values=list(columns[3]),
        timestamps=[moment.timestamp() for moment in columns[4]],
    )


def _looks(merchant: Merchant, products: list[int], context: JobContext) -> Any:
    """One row per product: the look of its first picture, as it deviates from the shop's mean."""
    first: dict[int, tuple[str, str]] = {}
    pictures = ProductImage.objects.filter(product__merchant=merchant).order_by("product_id", "position", "id")
    for product_id, sha256, name in pictures.values_list("product_id", "sha256", "file"):
        first.setdefault(product_id, (sha256, name))
    return looks_of(
        [first.get(pk) for pk in products],
        on_progress=lambda done, total: context.report(
            done=0, total=1, message=_("Looking at pictures: %(done)d of %(total)d") % {"done": done, "total": total}
        ),
    )


def _record(run: RecommenderFit, fitted: FittedRecommender, context: JobContext) -> dict[str, Any]:
    directory = f"recommenders/{run.merchant_id}/{run.pk}-{context.fence}"
    serving.save(fitted, settings.ARTIFACTS_ROOT / directory, typical_queries=_typical_queries(run.merchant, fitted))
    with context.fenced():
        last = Recommender.objects.filter(merchant=run.merchant).aggregate(last=Max("version"))["last"] or 0
        recommender = Recommender.objects.create(
            merchant=run.merchant,
            fit=run,
            version=last + 1,
            directory=directory,
            metrics=dict(fitted.metrics),
        )
        recommender.held = reason_to_hold(recommender)
        if recommender.held:
            recommender.save(update_fields=["held"])
        else:
            deploy(recommender=recommender)
        result = {"version": recommender.version, "deployed": not recommender.held, "held": recommender.held}
        context.complete(result)
    policies.learn(merchant=run.merchant)
    prune(merchant=run.merchant)
    return result


def _typical_queries(merchant: Merchant, fitted: FittedRecommender) -> NDArray[np.floating]:
    """A hundred shoppers as the search will meet them (only where an index is made)."""
    if len(fitted.item_ids) < serving.INDEX_FROM:
        return np.zeros((0, fitted.item_matrix.shape[1]), dtype=np.float32)
    now = timezone.now().timestamp()
    shoppers = Shopper.objects.filter(merchant=merchant, personalisation_enabled=True).order_by("-last_seen_at")[:100]
    return np.array([fitted.query(history_of(shopper).events, now).vector for shopper in shoppers])


def prune(*, merchant: Merchant) -> int:
    """Delete the files of versions that are neither in use, nor tried out, nor among the newest; how many went.

    Under the shop's lock, as is whatever begins to serve a version: none is deleted between its check and its first page.
    """
    gone = 0
    with transaction.atomic():
        Merchant.objects.select_for_update().get(pk=merchant.pk)
        tried = versions_on_trial(merchant)
        rows = Recommender.objects.filter(merchant=merchant).order_by("-version")
        for recommender in rows[KEPT_VERSIONS:]:
            directory = settings.ARTIFACTS_ROOT / recommender.directory
            in_use = recommender.status == Recommender.Status.DEPLOYED or str(recommender.pk) in tried
            if not in_use and directory.is_dir():
                serving.discard(directory)
                gone += 1
    return gone


def reason_to_hold(recommender: Recommender) -> dict[str, Any]:
    """Why the new version must not take over by itself; empty where it may.

    It must not be worse than the one in use beyond the interval of its own score.
    """
    running = Recommender.objects.filter(merchant=recommender.merchant, status=Recommender.Status.DEPLOYED).first()
    new, old = _ndcg(recommender), _ndcg(running) if running else None
    if running is None or old is None or new is None:
        return {}
    margin = (new["ci"][1] - new["ci"][0]) / 2
    if new["ndcg@10"] + margin >= old["ndcg@10"]:
        return {}
    return {"new": new["ndcg@10"], "old": old["ndcg@10"], "version": running.version}


def _ndcg(recommender: Recommender) -> dict[str, Any] | None:
    scores = recommender.metrics.get("scores")
    return scores if isinstance(scores, dict) and "ndcg@10" in scores and "ci" in scores else None


def deploy(*, recommender: Recommender, by: Any = None) -> Recommender:
    """Serve with this version from the next request on; the one in use so far retires. Rolling back is the same."""
    merchant = recommender.merchant
    if by is not None:
        require_role(by, merchant, Membership.Role.EDITOR)
    with transaction.atomic():
        Merchant.objects.select_for_update().get(pk=merchant.pk)
        if not (settings.ARTIFACTS_ROOT / recommender.directory).is_dir():
            raise Conflict("artifact-missing", _("The files of this version are gone."), _("Fit a new one."))
        previous = Recommender.objects.filter(merchant=merchant, status=Recommender.Status.DEPLOYED)
        before = {"version": row.version} if (row := previous.first()) else {}
        previous.update(status=Recommender.Status.RETIRED)
        ready = Recommender.before(Recommender.Status.DEPLOYED)
        if not Recommender.objects.filter(pk=recommender.pk, status__in=ready).update(
            status=Recommender.Status.DEPLOYED, deployed_at=timezone.now(), held={}
        ):
            raise Conflict("already-deployed", _("This version is in use already."))
        audit.record(
            merchant=merchant,
            actor=by,
            action="recommender-deployed",
            target=recommender,
            before=before,
            after={"version": recommender.version},
        )
    recommender.refresh_from_db()
    return recommender
