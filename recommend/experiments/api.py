"""Experiments over the API: what runs, a new one, its start and end, and how it reads now."""

from __future__ import annotations

import math
from typing import Any

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
from recommend.experiments.metrics import GOALS, METRICS
from recommend.experiments.models import Experiment, Variant
from recommend.experiments.services import drafts, lifecycle
from recommend.experiments.services.drafts import Asked
from recommend.experiments.services.reading import Arms, Comparison, Report, report_of
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


def _told(experiment: Experiment, report: Report) -> dict[str, Any]:
    spend = experiment.spend
    enough = _spend_tells_of_nobody if METRICS[experiment.metric].in_money else _tells_of_nobody
    arms = [report.control, *(one.challenger for one in report.comparisons)]
    return {
        "conclusion": report.conclusion,
        "arms": [
            {
                "variant": arm.variant.pk,
                "shoppers": arm.shoppers if _tells_of_nobody(arm) else None,
                "hits": arm.hits if _tells_of_nobody(arm) else None,
                "rate": arm.rate if enough(arm) else None,
                "revenue": arm.revenue.mean if spend and _spend_tells_of_nobody(arm) else None,
            }
            for arm in arms
        ],
        "sample_ratio_p_value": report.ratio.p_value if all(map(_tells_of_nobody, arms)) else None,
        "sample_ratio_mismatch": report.ratio.mismatch,
        "spend": {"currency": spend["currency"], "cap": spend["cap"]} if spend else None,
        "comparisons": [
            {
                "variant": one.challenger.variant.pk,
                **_difference(one, told=enough(report.control) and enough(one.challenger)),
                "verdict": one.goal.verdict,
                "revenue": _revenue(one) if spend and all(map(_spend_tells_of_nobody, arms)) else None,
                "guardrails": [{"metric": rail.guardrail.name, "state": rail.state} for rail in one.guardrails],
                "conclusion": one.conclusion,
            }
            for one in report.comparisons
        ],
    }


def _difference(one: Comparison, *, told: bool) -> dict[str, float | None]:
    goal = one.goal
    return {
        "difference": goal.difference if told else None,
        "low": goal.low if told and math.isfinite(goal.low) else None,
        "high": goal.high if told and math.isfinite(goal.high) else None,
        "p_value": goal.p_value if told else None,
    }


def _revenue(one: Comparison) -> dict[str, Any] | None:
    reading = one.revenue
    if reading is None or reading.verdict == "too early":
        return None
    fields = ("difference", "low", "high", "p_value", "verdict")
    return {name: getattr(reading, name) for name in fields}


def _spend_tells_of_nobody(arm: Arms) -> bool:
    """Whether the money is of enough buyers, too: of three it is nearly known what each paid."""
    return _tells_of_nobody(arm) and not 0 < arm.buyers < settings.STATISTICS_MINIMUM_GROUP


def _tells_of_nobody(arm: Arms) -> bool:
    """Whether figures of this variant are of enough shoppers to leave the house; of none they are, too."""
    return not 0 < arm.shoppers < settings.STATISTICS_MINIMUM_GROUP


ROUTES = [("experiments", ExperimentViewSet, "experiment")]
