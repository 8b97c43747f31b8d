"""The catalogue over the API: categories, products and their pictures, imports."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import (
    OpenApiExample,
    extend_schema,
    extend_schema_field,
    extend_schema_view,
    inline_serializer,
)
from rest_framework import mixins, serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from catalog.bulk import BulkOutcomeSerializer, counts, save_products
from catalog.models import Category, ImportRun, Product, ProductImage
from catalog.permissions import merchant_of
from catalog.preconditions import IF_MATCH, ConditionalWrites
from catalog.search import matches
from catalog.services.import_runs import start_import
from catalog.services.pictures import upload_picture
from catalog.services.products import LONGEST_DESCRIPTION, save_product


@extend_schema_field(OpenApiTypes.STR)
class OwnCategory(serializers.SlugRelatedField[Category]):
    """A category of the request's shop, by its address; another shop's does not exist."""

    def get_queryset(self) -> Any:
        request = self.context.get("request")
        if request is None:
            return Category.objects.none()
        return Category.objects.filter(merchant=merchant_of(request))


class CategorySerializer(serializers.ModelSerializer[Category]):
    slug = serializers.SlugField(max_length=120, allow_unicode=True)  # imports make it from the name: 青瓷

    class Meta:
        model = Category
        fields = ["id", "slug", "name", "name_zh", "position"]
        read_only_fields = ["id"]


class ProductImageSerializer(serializers.ModelSerializer[ProductImage]):
    class Meta:
        model = ProductImage
        fields = ["id", "file", "alt_text", "position", "width", "height"]
        read_only_fields = fields


class ProductSerializer(serializers.ModelSerializer[Product]):
    category = OwnCategory(slug_field="slug", required=False, allow_null=True)
    images = ProductImageSerializer(many=True, read_only=True)

    class Meta:
        model = Product
        fields = [
            "id",
            "sku",
            "name",
            "name_zh",
            "description",
            "description_zh",
            "price",
            "stock",
            "status",
            "category",
            "images",
            "created_at",
            "updated_at",
        ]
        read_only_fields = ["id", "images", "created_at", "updated_at"]
        extra_kwargs = {name: {"max_length": LONGEST_DESCRIPTION} for name in ("description", "description_zh")}


class PictureUploadSerializer(serializers.Serializer[Any]):
    file = serializers.FileField(help_text="JPEG, PNG, WebP, AVIF, GIF or TIFF, at most 15 MB.")
    alt_text = serializers.CharField(required=False, allow_blank=True, max_length=200)


class ImportRunSerializer(serializers.ModelSerializer[ImportRun]):
    class Meta:
        model = ImportRun
        fields = ["id", "status", "source_name", "rows_total", "rows_new", "rows_changed", "rows_bad", "problems"]
        read_only_fields = fields


class OwnViewSet(viewsets.GenericViewSet[Any]):
    """Rows of the request's shop alone."""

    queryset: Any = None

    def get_queryset(self) -> Any:
        assert self.queryset is not None
        if getattr(self, "swagger_fake_view", False):
            return self.queryset.none()
        return self.queryset.filter(merchant=merchant_of(self.request))


@extend_schema_view(list=extend_schema(summary="Categories"), create=extend_schema(summary="Add a category"))
class CategoryViewSet(
    mixins.ListModelMixin, mixins.RetrieveModelMixin, mixins.CreateModelMixin, mixins.UpdateModelMixin, OwnViewSet
):
    """The shelves of the shop."""

    queryset = Category.objects.all()
    serializer_class = CategorySerializer
    http_method_names = ["get", "post", "patch", "head", "options"]

    def perform_create(self, serializer: Any) -> None:
        merchant = merchant_of(self.request)
        if Category.objects.filter(merchant=merchant, slug=serializer.validated_data["slug"]).exists():
            raise serializers.ValidationError({"slug": ["A category with this address exists."]})
        serializer.save(merchant=merchant)


@extend_schema_view(list=extend_schema(summary="Products; `search` knows Chinese and English"))
class ProductViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ConditionalWrites, OwnViewSet):
    """What the shop sells. POST creates or changes the product with the given SKU, so that it can be repeated."""

    queryset = Product.objects.select_related("category").prefetch_related("images")
    serializer_class = ProductSerializer
    filterset_fields = ["status", "category__slug", "sku"]

    def get_queryset(self) -> Any:
        query = self.request.query_params.get("search", "") if self.request else ""
        return super().get_queryset().filter(matches(query))

    @extend_schema(summary="Create a product, or change the one with this SKU", responses=ProductSerializer)
    def create(self, request: Request) -> Response:
        serializer = self._by_sku(request.data)
        serializer.is_valid(raise_exception=True)
        product, is_new = save_product(merchant=merchant_of(request), actor=request.user, **serializer.validated_data)
        return Response(
            self.get_serializer(product).data, status=status.HTTP_201_CREATED if is_new else status.HTTP_200_OK
        )

    def _by_sku(self, data: Any) -> Any:
        serializer: Any = self.get_serializer(data=data)
        # Two products cannot share an SKU: the same one again is a change, not an error.
        serializer.fields["sku"].validators = []
        serializer.validators = []
        return serializer

    @extend_schema(
        summary="Create or change many products, each with its own outcome",
        request=inline_serializer("BulkProducts", {"products": ProductSerializer(many=True)}),
        responses=BulkOutcomeSerializer,
        examples=[
            OpenApiExample(
                "One new price, one new product",
                value={
                    "products": [
                        {"sku": "VA-001", "name": "Tall vase", "price": "45.00"},
                        {"sku": "MU-004", "name": "Grey mug", "name_zh": "灰色马克杯", "price": "18.50", "stock": 12},
                    ]
                },
                request_only=True,
            )
        ],
    )
    @action(detail=False, methods=["post"], filterset_fields=[])
    def bulk(self, request: Request) -> Response:
        items = request.data.get("products") if isinstance(request.data, dict) else None
        results = save_products(
            merchant=merchant_of(request), items=items, actor=request.user, serializer_of=self._by_sku
        )
        return Response(BulkOutcomeSerializer(counts(results)).data)

    @extend_schema(summary="Change some fields", responses=ProductSerializer, parameters=[IF_MATCH])
    def partial_update(self, request: Request, pk: str | None = None) -> Response:
        with self.unchanged() as product:
            serializer = self.get_serializer(product, data=request.data, partial=True)
            serializer.is_valid(raise_exception=True)
            fields = {key: value for key, value in serializer.validated_data.items() if key != "sku"}
            save_product(merchant=product.merchant, sku=product.sku, actor=request.user, **fields)
            return self.tagged(Response(self.get_serializer(self.get_object()).data))

    @extend_schema(summary="Add a picture", request=PictureUploadSerializer, responses={201: ProductImageSerializer})
    @action(detail=True, methods=["post"], parser_classes=[MultiPartParser], filterset_fields=[])
    def images(self, request: Request, pk: str | None = None) -> Response:
        upload = PictureUploadSerializer(data=request.data)
        upload.is_valid(raise_exception=True)
        image, _is_new = upload_picture(
            product=self.get_object(),
            upload=upload.validated_data["file"],
            by=request.user,
            alt_text=upload.validated_data.get("alt_text", ""),
        )
        serializer = ProductImageSerializer(image, context=self.get_serializer_context())
        return Response(serializer.data, status=status.HTTP_201_CREATED)


@extend_schema_view(
    list=extend_schema(summary="Imports"), retrieve=extend_schema(summary="One import and its bad rows")
)
class ImportRunViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, OwnViewSet):
    """Tables (and ZIPs with pictures) read into the catalogue in the background."""

    queryset = ImportRun.objects.all()
    serializer_class = ImportRunSerializer
    parser_classes = [MultiPartParser]

    @extend_schema(
        summary="Import a CSV, XLSX or ZIP", request=PictureUploadSerializer, responses={202: ImportRunSerializer}
    )
    def create(self, request: Request) -> Response:
        upload = PictureUploadSerializer(data=request.data)
        upload.is_valid(raise_exception=True)
        run = start_import(merchant=merchant_of(request), upload=upload.validated_data["file"], actor=request.user)
        return Response(
            self.get_serializer(run).data,
            status=status.HTTP_202_ACCEPTED,
            headers={"Location": f"/api/v1/jobs/{run.pk}/"},
        )


ROUTES = [
    ("categories", CategoryViewSet, "category"),
    ("products", ProductViewSet, "product"),
    ("imports", ImportRunViewSet, "import"),
]
