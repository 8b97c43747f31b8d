"""How creatives look over the API."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from catalog.models import Product
from catalog.permissions import merchant_of
from recommend.creatives.brief import LONGEST_HEADLINE, SIGNS, Brief
from recommend.creatives.drawing.formats import FORMATS
from recommend.creatives.drawing.layouts import LAYOUTS
from recommend.creatives.models import Creative, CreativeSet
from recommend.creatives.services.sets import drawing_of
from recommend.creatives.texts import PROBLEMS
from styling.models import Style


@extend_schema_field(OpenApiTypes.STR)
class OwnStyle(serializers.SlugRelatedField[Style]):
    """A style of the request's shop, by its address."""

    def get_queryset(self) -> Any:
        request = self.context.get("request")
        return Style.objects.filter(merchant=merchant_of(request)) if request else Style.objects.none()


@extend_schema_field(OpenApiTypes.STR)
class OwnProduct(serializers.SlugRelatedField[Product]):
    """A product of the request's shop, by its SKU."""

    def get_queryset(self) -> Any:
        request = self.context.get("request")
        return Product.objects.filter(merchant=merchant_of(request)) if request else Product.objects.none()


class BriefSerializer(serializers.Serializer[Any]):
    """What a set looks like."""

    language = serializers.ChoiceField(choices=settings.LANGUAGES, default=Brief().language)
    headline = serializers.CharField(
        max_length=LONGEST_HEADLINE, allow_blank=True, default="", help_text="Empty: each product's name."
    )
    layout = serializers.ChoiceField(choices=LAYOUTS, default=Brief().layout)
    formats = serializers.ListField(child=serializers.ChoiceField(choices=list(FORMATS)), default=list(FORMATS))
    show_price = serializers.BooleanField(default=True)
    show_name = serializers.BooleanField(default=True)
    sign = serializers.ChoiceField(choices=SIGNS, default=Brief().sign, help_text="What stands for the shop.")
    background = serializers.RegexField(r"^#[0-9a-fA-F]{6}$", default=Brief().background)
    ink = serializers.RegexField(r"^#[0-9a-fA-F]{6}$", default=Brief().ink)
    accent = serializers.RegexField(r"^#[0-9a-fA-F]{6}$", default=Brief().accent)


class SetRequestSerializer(serializers.Serializer[Any]):
    """Products by SKU, and how they are to look."""

    products = OwnProduct(slug_field="sku", many=True)
    style: Any = OwnStyle(slug_field="slug", required=False, allow_null=True)
    name = serializers.CharField(max_length=120, required=False, allow_blank=True)
    brief = BriefSerializer(required=False)


class AgainSerializer(serializers.Serializer[Any]):
    """Which creatives to draw again; all of the set without a list."""

    creatives = serializers.ListField(child=serializers.IntegerField(min_value=1, max_value=2**62), required=False)


class CreativeSerializer(serializers.ModelSerializer[Creative]):
    """One advertising picture with its link."""

    set = serializers.IntegerField(source="creative_set_id", read_only=True)
    code = serializers.CharField(source="link.code", read_only=True)
    link = serializers.SerializerMethodField()
    problem_text = serializers.SerializerMethodField()
    width = serializers.SerializerMethodField()
    height = serializers.SerializerMethodField()

    class Meta:
        model = Creative
        fields = [
            "id",
            "set",
            "sku",
            "product_name",
            "format",
            "width",
            "height",
            "file",
            "code",
            "link",
            "problem",
            "problem_text",
            "report",
            "drawn_at",
        ]
        read_only_fields = fields

    @extend_schema_field(serializers.URLField())
    def get_link(self, creative: Creative) -> str:
        return self.context["request"].build_absolute_uri(creative.link.get_absolute_url())

    def get_problem_text(self, creative: Creative) -> str:
        return str(PROBLEMS.get(creative.problem, ""))

    def get_width(self, creative: Creative) -> int:
        return FORMATS[creative.format].width

    def get_height(self, creative: Creative) -> int:
        return FORMATS[creative.format].height


class CreativeSetSerializer(serializers.ModelSerializer[CreativeSet]):
    """A set, and how far its drawing is."""

    style: Any = serializers.SlugRelatedField(slug_field="slug", read_only=True)
    brief = BriefSerializer(read_only=True)
    job = serializers.SerializerMethodField()
    status = serializers.SerializerMethodField()

    class Meta:
        model = CreativeSet
        fields = ["id", "name", "style", "brief", "job", "status", "created_at"]
        read_only_fields = fields

    @extend_schema_field(serializers.UUIDField(allow_null=True))
    def get_job(self, creative_set: CreativeSet) -> str | None:
        run = drawing_of(creative_set)
        return str(run.pk) if run else None

    @extend_schema_field(serializers.CharField())
    def get_status(self, creative_set: CreativeSet) -> str:
        run = drawing_of(creative_set)
        return run.status if run else ""


class FiguresSerializer(serializers.Serializer[Any]):
    """What came back of one creative."""

    creative = serializers.IntegerField(source="creative.pk")
    code = serializers.CharField(source="creative.link.code")
    sku = serializers.CharField(source="creative.sku")
    format = serializers.CharField(source="creative.format")
    impressions = serializers.IntegerField(help_text="As reported; 0 where none were.")
    clicks = serializers.IntegerField(help_text="Counted: robots and the same browser within half an hour left out.")
    repeats = serializers.IntegerField()
    robots = serializers.IntegerField()
    orders = serializers.IntegerField(
        allow_null=True,
        help_text="Of consented shoppers, within 7 days of their click; null while they are of fewer than 10 shoppers.",
    )
    ctr = serializers.FloatField(allow_null=True, help_text="Over the days whose impressions are known.")
    interval = serializers.ListField(
        child=serializers.FloatField(), allow_null=True, help_text="95 % Wilson interval of the rate."
    )


class ReportedDaySerializer(serializers.Serializer[Any]):
    """Impressions of one creative on one day."""

    code = serializers.CharField(max_length=12)
    day = serializers.DateField()
    impressions = serializers.IntegerField(min_value=0, max_value=2_000_000_000)


class ImpressionsSerializer(serializers.Serializer[Any]):
    """What an advertising place reports."""

    days = ReportedDaySerializer(many=True)
