"""Experiments over the API: what runs, a new one, its start and end, and how it reads now."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Self

from django.conf import settings
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins, serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from catalog.api import OwnViewSet
from catalog.permissions import merchant_of
from jobs.errors import NotFound
from recommend.engine.sequential import Reading
from recommend.experiments.metrics import GOALS, METRICS
from recommend.experiments.models import Experiment, Variant
from recommend.experiments.services import drafts, lifecycle
from recommend.experiments.services.drafts import Asked
from recommend.experiments.services.reading import Comparison, Report, VariantOutcome, report_of
from recommend.experiments.subjects import SUBJECTS


class VariantSerializer(serializers.ModelSerializer[Variant]):
    class Meta:
        model = Variant
        fields = ["id", "name", "value", "share", "is_rolled_out"]
        read_only_fields = fields


class ExperimentSerializer(serializers.ModelSerializer[Experiment]):
    variants = VariantSerializer(many=True, read_only=True)

    class Meta:
        model = Experiment
        fields = [
            "id", "name", "hypothesis", "subject", "layer", "status", "metric", "uplift", "base_rate", "needed",
            "guardrails", "variants", "created_at", "started_at", "stopped_at", "decided_at",
        ]  # fmt: skip
        read_only_fields = fields


class AskedVariantSerializer(serializers.Serializer[Any]):
    value = serializers.CharField(max_length=20, help_text="A setting of the subject; for versions the version's id.")
    share = serializers.FloatField(min_value=0.01, max_value=1, help_text="Of the shoppers who agreed.")
    name = serializers.CharField(max_length=80, required=False, default="")


class AskedExperimentSerializer(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=120)
    hypothesis = serializers.CharField(max_length=500, required=False, allow_blank=True, default="")
    subject = serializers.ChoiceField(choices=list(SUBJECTS))
    variants = AskedVariantSerializer(many=True, help_text="Two to four; the first one is the control.")
    metric = serializers.ChoiceField(choices=list(GOALS), default="clicked")
    uplift = serializers.FloatField(
        min_value=drafts.LEAST_UPLIFT, max_value=drafts.MOST_UPLIFT, default=0.1, help_text="Relative."
    )
    base_rate = serializers.FloatField(
        min_value=0.0001,
        max_value=drafts.MOST_REVENUE,
        required=False,
        help_text="The goal's rate so far (of revenue the mean per shopper); empty: as measured.",
    )
    guardrails = serializers.DictField(
        child=serializers.FloatField(min_value=0.001, max_value=1),
        required=False,
        default=dict,
        help_text="Metric → the relative harm that is accepted.",
    )


class RollOutSerializer(serializers.Serializer[Any]):
    variant = serializers.IntegerField(min_value=1, max_value=2**62)


class ArmSerializer(serializers.Serializer[Any]):
    variant = serializers.IntegerField()
    shoppers = serializers.IntegerField(allow_null=True, help_text="This and the rest are null below ten shoppers.")
    hits = serializers.IntegerField(allow_null=True)
    rate = serializers.FloatField(allow_null=True, help_text="Of revenue the mean per shopper.")
    revenue = serializers.FloatField(
        allow_null=True,
        help_text="Spend per shopper, each up to the cap; also null below ten buyers, or where it is not read.",
    )


class RevenueSerializer(serializers.Serializer[Any]):
    difference = serializers.FloatField(help_text="Challenger minus control, per shopper.")
    low = serializers.FloatField(help_text="Always-valid.")
    high = serializers.FloatField()
    p_value = serializers.FloatField()
    verdict = serializers.ChoiceField(choices=["undecided", "better", "worse"])


class SpendSerializer(serializers.Serializer[Any]):
    currency = serializers.CharField()
    cap = serializers.FloatField(help_text="Each shopper's spend counts up to this; fixed before the start.")
    mixed = serializers.BooleanField(
        help_text="The shop's currency was changed while it ran: amounts of two were added up, so money says nothing."
    )


class RailSerializer(serializers.Serializer[Any]):
    metric = serializers.ChoiceField(choices=list(METRICS))
    state = serializers.ChoiceField(choices=["safe", "harmed", "unclear"])


class ComparisonSerializer(serializers.Serializer[Any]):
    variant = serializers.IntegerField()
    difference = serializers.FloatField(allow_null=True, help_text="Null where either variant has below ten shoppers.")
    low = serializers.FloatField(allow_null=True, help_text="Always-valid; null while it is too early.")
    high = serializers.FloatField(allow_null=True)
    p_value = serializers.FloatField(allow_null=True)
    verdict = serializers.ChoiceField(choices=["too early", "undecided", "better", "worse"])
    guardrails = RailSerializer(many=True)
    revenue = RevenueSerializer(allow_null=True, help_text="Null while it is too early, or where revenue is not read.")
    conclusion = serializers.ChoiceField(choices=["distrust", "stop", "ship", "continue"])


class ReportSerializer(serializers.Serializer[Any]):
    conclusion = serializers.ChoiceField(choices=["distrust", "stop", "ship", "continue"])
    arms = ArmSerializer(many=True)
    sample_ratio_p_value = serializers.FloatField(
        allow_null=True, help_text="Null where a variant has below ten shoppers: it would tell how many."
    )
    sample_ratio_mismatch = serializers.BooleanField()
    spend = SpendSerializer(allow_null=True, help_text="How revenue is read; null where it is not.")
    comparisons = ComparisonSerializer(many=True)


@extend_schema_view(list=extend_schema(summary="Experiments"), retrieve=extend_schema(summary="One experiment"))
class ExperimentViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, OwnViewSet):
    """A/B experiments."""

    queryset = Experiment.objects.select_related("merchant").prefetch_related("variants")
    serializer_class = ExperimentSerializer
    filterset_fields = ["status", "layer", "subject"]

    @extend_schema(summary="Make a draft", request=AskedExperimentSerializer, responses={201: ExperimentSerializer})
    def create(self, request: Request) -> Response:
        asked = AskedExperimentSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        fields = dict(asked.validated_data)
        variants = [Asked(**variant) for variant in fields.pop("variants")]
        made = drafts.create_experiment(merchant=merchant_of(request), by=request.user, variants=variants, **fields)
        return Response(self.get_serializer(made).data, status=status.HTTP_201_CREATED)

    @extend_schema(summary="Throw a draft away")
    def destroy(self, request: Request, pk: str | None = None) -> Response:
        lifecycle.delete_draft(experiment=self.get_object(), by=request.user)
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(summary="Start: shoppers are divided from the next page on", request=None)
    @action(detail=True, methods=["post"])
    def start(self, request: Request, pk: str | None = None) -> Response:
        return self._answer(lifecycle.start(experiment=self.get_object(), by=request.user))

    @extend_schema(summary="Stop: everybody gets the usual pages again", request=None)
    @action(detail=True, methods=["post"])
    def stop(self, request: Request, pk: str | None = None) -> Response:
        return self._answer(lifecycle.stop(experiment=self.get_object(), by=request.user))

    @extend_schema(
        summary="Give everybody a variant; an experiment that runs is stopped with it", request=RollOutSerializer,
        responses=ExperimentSerializer,
    )  # fmt: skip
    @action(detail=True, methods=["post"], url_path="roll-out")
    def roll_out(self, request: Request, pk: str | None = None) -> Response:
        asked = RollOutSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        experiment = self.get_object()
        variant = experiment.variants.filter(pk=asked.validated_data["variant"]).first()
        if variant is None:
            raise NotFound(
                "variant-unknown", _("The experiment has no such variant."), _("Read the experiment for its variants.")
            )
        return self._answer(lifecycle.roll_out(experiment=experiment, variant=variant, by=request.user))

    @extend_schema(summary="Take a roll-out back", request=None)
    @action(detail=True, methods=["post"])
    def undo(self, request: Request, pk: str | None = None) -> Response:
        return self._answer(lifecycle.undo(experiment=self.get_object(), by=request.user))

    @extend_schema(summary="How it reads now; safe to ask at any time", responses=ReportSerializer)
    @action(detail=True, pagination_class=None, filterset_fields=[])
    def report(self, request: Request, pk: str | None = None) -> Response:
        experiment = self.get_object()
        return Response(_told(experiment, report_of(experiment)))

    def _answer(self, experiment: Experiment) -> Response:
        return Response(self.get_serializer(self.get_queryset().get(pk=experiment.pk)).data)


@dataclass(frozen=True)
class MayTell:
    """Which figures of a variant, or of two compared, are of enough shoppers to leave the house; of none they are, too."""

    counts: bool
    #: Money is of few where the buyers are: of three it is nearly known what each paid.
    money: bool
    goal: bool

    @classmethod
    def of(cls, goal: str, *outcomes: VariantOutcome) -> Self:
        """For a report by this goal."""
        counts = not any(0 < one.shoppers < settings.STATISTICS_MINIMUM_GROUP for one in outcomes)
        money = counts and not any(0 < one.buyers < settings.STATISTICS_MINIMUM_GROUP for one in outcomes)
        return cls(counts, money, money if METRICS[goal].in_money else counts)


def _told(experiment: Experiment, report: Report) -> dict[str, Any]:
    spend, goal, every = experiment.spend, experiment.metric, report.outcomes
    return {
        "conclusion": report.conclusion,
        "arms": [_arm(one, MayTell.of(goal, one), is_spend_read=bool(spend)) for one in every],
        "sample_ratio_p_value": report.ratio.p_value if MayTell.of(goal, *every).counts else None,
        "sample_ratio_mismatch": report.ratio.mismatch,
        "spend": {"currency": spend["currency"], "cap": spend["cap"], "mixed": report.is_mixed} if spend else None,
        "comparisons": [_compared(one, MayTell.of(goal, report.control, one.challenger)) for one in report.comparisons],
    }


def _arm(outcome: VariantOutcome, may: MayTell, *, is_spend_read: bool) -> dict[str, Any]:
    return {
        "variant": outcome.variant.pk,
        "shoppers": outcome.shoppers if may.counts else None,
        "hits": outcome.hits if may.counts else None,
        "rate": outcome.rate if may.goal else None,
        "revenue": outcome.revenue.mean if is_spend_read and may.money else None,
    }


def _compared(one: Comparison, may: MayTell) -> dict[str, Any]:
    return {
        "variant": one.challenger.variant.pk,
        "difference": one.goal.difference if may.goal else None,
        "low": one.goal.low if may.goal and math.isfinite(one.goal.low) else None,
        "high": one.goal.high if may.goal and math.isfinite(one.goal.high) else None,
        "p_value": one.goal.p_value if may.goal else None,
        "verdict": one.goal.verdict,
        "revenue": _revenue(one.revenue) if may.money else None,
        "guardrails": [{"metric": rail.guardrail.name, "state": rail.state} for rail in one.guardrails],
        "conclusion": one.conclusion,
    }


def _revenue(reading: Reading | None) -> dict[str, Any] | None:
    if reading is None or reading.verdict == "too early":
        return None
    fields = ("difference", "low", "high", "p_value", "verdict")
    return {name: getattr(reading, name) for name in fields}


ROUTES = [("experiments", ExperimentViewSet, "experiment")]
