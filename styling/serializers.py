"""What styling shows and takes over the API. Related rows are looked up in the request's shop alone."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from catalog.api import OwnCategory
from catalog.models import Product, ProductImage
from catalog.permissions import merchant_of
from jobs.models import Job
from styling.cyclegan.presets import PRESETS
from styling.models import Style, StyledImage, StyleModel, StyleReference, StylizationRun, TrainingRun, TrainingSample

#: The most pictures or renderings that one request may name.
MOST_AT_ONCE = 500


@extend_schema_field(OpenApiTypes.STR)
class OwnStyle(serializers.SlugRelatedField[Style]):
    """A style of the request's shop, by its address; another shop's does not exist."""

    def get_queryset(self) -> Any:
        request = self.context.get("request")
        return Style.objects.filter(merchant=merchant_of(request)) if request else Style.objects.none()


class RowId(serializers.IntegerField):
    """A row's key; numbers that no database takes are refused here."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"min_value": 1, "max_value": 2**62, **kwargs})


class OwnRow(serializers.PrimaryKeyRelatedField[Any]):
    """A row of the request's shop, by its id. ``merchant_path`` leads from the row to its shop."""

    def __init__(self, *, merchant_path: str = "merchant", **kwargs: Any) -> None:
        self.merchant_path = merchant_path
        super().__init__(**kwargs)

    def get_queryset(self) -> Any:
        rows: Any = super().get_queryset()
        request = self.context.get("request")
        return rows.filter(**{self.merchant_path: merchant_of(request)}) if request else rows.none()


class StyleSerializer(serializers.ModelSerializer[Style]):
    reference_count = serializers.IntegerField(read_only=True)
    slug = serializers.CharField(read_only=True)  # made from the name, so it may be Chinese
    deployed_version = serializers.IntegerField(read_only=True, allow_null=True, help_text="Of the model in use.")

    class Meta:
        model = Style
        fields = [
            "id",
            "slug",
            "name",
            "name_zh",
            "description",
            "description_zh",
            "reference_count",
            "deployed_version",
            "created_at",
        ]
        read_only_fields = ["id", "slug", "created_at"]


class ReferenceSerializer(serializers.ModelSerializer[StyleReference]):
    class Meta:
        model = StyleReference
        fields = ["id", "file", "width", "height", "created_at"]
        read_only_fields = fields


class ReferenceUploadSerializer(serializers.Serializer[Any]):
    files = serializers.ListField(child=serializers.FileField(), min_length=1, max_length=100)


class ReferenceOutcomeSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    outcome = serializers.ChoiceField(choices=["added", "duplicate", "rejected"])
    code = serializers.CharField()
    reason = serializers.CharField()
    reference = ReferenceSerializer(allow_null=True)


#: What adding references answers with: a list of outcomes, where drf-spectacular would describe a page of pictures.
REFERENCE_OUTCOMES: dict[str, Any] = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["name", "outcome", "code", "reason", "reference"],
        "properties": {
            "name": {"type": "string"},
            "outcome": {"type": "string", "enum": ["added", "duplicate", "rejected"]},
            "code": {"type": "string"},
            "reason": {"type": "string"},
            "reference": {"nullable": True, "allOf": [{"$ref": "#/components/schemas/Reference"}]},
        },
    },
}


class FindingSerializer(serializers.Serializer[Any]):
    code = serializers.CharField()
    message = serializers.CharField()
    hint = serializers.CharField()
    refuses = serializers.BooleanField(help_text="Training would be refused.")


class JobErrorSerializer(serializers.Serializer[Any]):
    code = serializers.CharField()
    message = serializers.CharField()
    hint = serializers.CharField()


JOB_FIELDS = [
    "id",
    "status",
    "fraction",
    "progress_message",
    "eta_seconds",
    "error",
    "result",
    "created_at",
    "started_at",
    "finished_at",
]


class JobPart(serializers.Serializer[Any]):
    """The columns that every job has."""

    fraction = serializers.FloatField(read_only=True, help_text="Progress from 0 to 1.")
    error = serializers.SerializerMethodField()

    @extend_schema_field(JobErrorSerializer(allow_null=True))
    def get_error(self, job: Job) -> dict[str, str] | None:
        if not job.error_code:
            return None
        return {"code": job.error_code, "message": job.error_message, "hint": job.error_hint}


class SampleSerializer(serializers.ModelSerializer[TrainingSample]):
    class Meta:
        model = TrainingSample
        fields = ["step", "file"]
        read_only_fields = fields


class TrainingRunSerializer(JobPart, serializers.ModelSerializer[TrainingRun]):
    style = serializers.SlugRelatedField[Style](slug_field="slug", read_only=True)  # type: ignore[assignment]
    source_category = serializers.SlugRelatedField[Any](slug_field="slug", read_only=True)
    start_from = serializers.PrimaryKeyRelatedField[StyleModel](
        read_only=True, help_text="The version that it goes on from."
    )
    samples = SampleSerializer(many=True, read_only=True)

    class Meta:
        model = TrainingRun
        fields = [*JOB_FIELDS, "style", "source_category", "start_from", "preset", "settings", "scores", "samples"]
        read_only_fields = fields


class TrainingRunDetailSerializer(TrainingRunSerializer):
    class Meta(TrainingRunSerializer.Meta):
        fields = [*TrainingRunSerializer.Meta.fields, "losses", "score_history"]
        read_only_fields = fields


class TrainingRequestSerializer(serializers.Serializer[Any]):
    style = OwnStyle(slug_field="slug")  # type: ignore[assignment]
    preset = serializers.ChoiceField(choices=sorted(PRESETS), default="draft")
    settings = serializers.DictField(required=False, help_text="Settings that replace the preset's, by name.")
    source_category = OwnCategory(slug_field="slug", required=False, allow_null=True)


class FurtherTrainingSerializer(serializers.Serializer[Any]):
    minutes = serializers.FloatField(required=False, min_value=0.1, max_value=60 * 24)
    steps = serializers.IntegerField(required=False, min_value=1)


class StyleModelSerializer(serializers.ModelSerializer[StyleModel]):
    style = serializers.SlugRelatedField[Style](slug_field="slug", read_only=True)  # type: ignore[assignment]

    class Meta:
        model = StyleModel
        fields = [
            "id",
            "style",
            "version",
            "status",
            "metrics",
            "samples",
            "notice",
            "never_auto_publish",
            "training_run",
            "created_at",
            "deployed_at",
        ]
        read_only_fields = fields


class OptionsSerializer(serializers.Serializer[Any]):
    strength = serializers.FloatField(min_value=0, max_value=1, required=False)
    keep_product = serializers.BooleanField(required=False, help_text="Restyle the background alone.")
    keep_background = serializers.BooleanField(required=False, help_text="Restyle the product alone.")
    keep_color = serializers.FloatField(min_value=0, max_value=1, required=False)


class RenderRequestSerializer(OptionsSerializer):
    file = serializers.FileField()


class StylisationSerializer(JobPart, serializers.ModelSerializer[StylizationRun]):
    style = serializers.SlugRelatedField[Style](slug_field="slug", source="style_model.style", read_only=True)  # type: ignore[assignment]

    class Meta:
        model = StylizationRun
        fields = [*JOB_FIELDS, "style", "style_model", "options"]
        read_only_fields = fields


class StylisationRequestSerializer(serializers.Serializer[Any]):
    style = OwnStyle(slug_field="slug")  # type: ignore[assignment]
    products = serializers.ListField(child=RowId(), required=False, default=list, max_length=MOST_AT_ONCE)
    images = serializers.ListField(child=RowId(), required=False, default=list, max_length=MOST_AT_ONCE)
    every_picture = serializers.BooleanField(default=False, help_text="All pictures of each product, not its first.")
    style_model = OwnRow(queryset=StyleModel.objects.all(), required=False, allow_null=True)
    options = OptionsSerializer(required=False)

    def validate_products(self, ids: list[int]) -> list[Product]:
        return _all_of(Product.objects.filter(merchant=merchant_of(self.context["request"])), ids)

    def validate_images(self, ids: list[int]) -> list[ProductImage]:
        return _all_of(ProductImage.objects.filter(product__merchant=merchant_of(self.context["request"])), ids)


def _all_of(rows: Any, ids: list[int]) -> list[Any]:
    """The rows of these ids, found in one query; another shop's ids do not exist."""
    found = rows.in_bulk(ids)
    missing = [pk for pk in ids if pk not in found]
    if missing:
        raise serializers.ValidationError([f"{pk} does not exist." for pk in missing[:10]])
    return list(found.values())


class StyledImageSerializer(serializers.ModelSerializer[StyledImage]):
    style = serializers.SlugRelatedField[Style](slug_field="slug", read_only=True)  # type: ignore[assignment]
    product = serializers.IntegerField(source="product_image.product_id", read_only=True)

    class Meta:
        model = StyledImage
        fields = [
            "id",
            "product",
            "product_image",
            "style",
            "style_model",
            "run",
            "status",
            "file",
            "width",
            "height",
            "renditions",
            "options",
            "truth",
            "breaches",
            "is_flagged",
            "reject_reason",
            "reviewed_at",
            "published_at",
            "created_at",
        ]
        read_only_fields = fields


class RejectionSerializer(serializers.Serializer[Any]):
    reason = serializers.CharField(required=False, allow_blank=True, max_length=300, default="")


class PublicationSerializer(serializers.Serializer[Any]):
    accept_flagged = serializers.BooleanField(default=False, help_text="Publish although it is beyond the limits.")


class ReviewRequestSerializer(RejectionSerializer, PublicationSerializer):
    action = serializers.ChoiceField(choices=["approve", "reject", "publish", "approve_and_publish", "unpublish"])
    ids = serializers.ListField(child=RowId(), min_length=1, max_length=MOST_AT_ONCE)


class RefusalSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField(source="image_id")
    code = serializers.CharField()
    message = serializers.CharField()
    hint = serializers.CharField()


class OutcomeSerializer(serializers.Serializer[Any]):
    batch = serializers.UUIDField(help_text="Give it to `undo`.")
    moved = serializers.DictField(child=serializers.CharField(), help_text="The status that each rendering has now.")
    replaced = serializers.ListField(child=RowId())
    refused = RefusalSerializer(many=True)


class UndoSerializer(serializers.Serializer[Any]):
    batch = serializers.UUIDField()


class RegenerationSerializer(OptionsSerializer):
    style_model = OwnRow(queryset=StyleModel.objects.all(), required=False, allow_null=True)
