"""Styles, trainings, versions and renderings in the admin; the pages proper are in ``styling.views``."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import Count, OuterRef, Prefetch, Q, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display

from catalog.admin_access import LookOnlyAdmin, OwnFilter, TenantAdmin, editable_shops
from catalog.views.doors import IN_A_ROW, thumbnail
from jobs.admin import STATUS_COLORS
from jobs.errors import UserError
from styling.models import Style, StyledImage, StyleModel, StyleReference, StylizationRun, TrainingRun, TrainingSample
from styling.presets import TEXTS as PRESET_TEXTS
from styling.services import review
from styling.services.limits import limits_of
from styling.services.styles import create_style, delete_style
from styling.truth_texts import in_short

#: Thumbnails that a style shows of itself in the list.
COVERS = 3


def pictures(urls: list[str]) -> SafeString:
    """A strip of small pictures."""
    return format_html(
        '<span class="st-strip">{}</span>',
        format_html_join("", '<img src="{}" alt="" loading="lazy" width="44" height="44">', ((url,) for url in urls)),
    )


def upload_labels() -> dict[str, str]:
    """What the upload's script says, in the user's language."""
    return {
        "waiting": gettext("waiting"),
        "added": gettext("added"),
        "remove": gettext("Remove"),
        "confirm": gettext("Remove this reference picture from the style?"),
        "failed": gettext("That did not work. Reload the page and try again."),
        "offline": gettext("The connection was lost. Drop this file again."),
        "summary": gettext("{done} of {asked} done: {added} added, {duplicate} there already, {rejected} not usable"),
    }


class StyleForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = Style
        fields = ["merchant", "name", "name_zh", "description", "description_zh", "position"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in {"description", "description_zh"} & set(self.fields):  # none for whoever may only look
            self.fields[name].widget.attrs["rows"] = 3


@admin.register(Style)
class StyleAdmin(TenantAdmin):
    what_for = _(
        "A style is a look, shown by 30 or more pictures in it. Train it, and your products can be shown that way."
    )
    form = StyleForm
    list_display = [
        "covers",
        "results",
        "name_shown",
        "references_shown",
        "model_shown",
        "waiting_shown",
        "steps_shown",
    ]
    list_display_links = ["name_shown"]
    list_filter = [("merchant", OwnFilter)]
    ordering = ["position", "name"]  # counting drops the model's own, and an autocomplete pages through the rows
    search_fields = ["name", "name_zh", "description"]
    fields = ["merchant", "name", "name_zh", "description", "description_zh", "position"]
    change_form_template = "admin/styling/style/change_form.html"
    list_per_page = 50

    class Media:
        css = {"all": ["styling/studio.css"]}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Style]:
        waiting = Q(styled_images__status=StyledImage.Status.GENERATED)
        return (
            super()
            .get_queryset(request)
            .select_related("merchant")
            .annotate(
                reference_count=Count("references", distinct=True),
                waiting_count=Count("styled_images", filter=waiting, distinct=True),
            )
            .prefetch_related(
                Prefetch("references", StyleReference.objects.order_by("pk")[:COVERS], to_attr="covers_shown"),
                Prefetch("models", StyleModel.objects.filter(status="deployed"), to_attr="models_in_use"),
                Prefetch(
                    "styled_images",
                    StyledImage.objects.filter(style_model__status="deployed")
                    .exclude(status=StyledImage.Status.REJECTED)
                    .order_by("-pk")[:COVERS],
                    to_attr="results_shown",
                ),
            )
        )

    def get_exclude(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """A style never moves to another shop, and whoever has one shop need not say which."""
        return ["merchant"] if obj or len(editable_shops(request)) == 1 else []

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        hidden = self.get_exclude(request, obj)
        return [name for name in self.fields or [] if name not in hidden and (obj or name != "position")]

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "merchant":
            allowed = [shop.pk for shop in editable_shops(request)]
            kwargs["queryset"] = db_field.related_model.objects.filter(pk__in=allowed)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def save_model(self, request: HttpRequest, obj: Style, form: Any, change: bool) -> None:
        if change:
            obj.save()
            return
        fields = {name: form.cleaned_data.get(name) or "" for name in ("name_zh", "description", "description_zh")}
        merchant = form.cleaned_data.get("merchant") or editable_shops(request)[0]
        made = create_style(merchant=merchant, by=request.user, name=form.cleaned_data["name"], **fields)
        obj.__dict__.update(made.__dict__)

    def response_add(self, request: HttpRequest, obj: Style, post_url_continue: str | None = None) -> HttpResponse:
        """On to the references: a style without pictures is of no use yet."""
        if "_popup" in request.POST or "_addanother" in request.POST:
            return super().response_add(request, obj, post_url_continue)
        self.message_user(request, _("“%(style)s” is there. Drop its reference pictures below.") % {"style": obj})
        return redirect("admin:styling_style_change", obj.pk)

    def delete_model(self, request: HttpRequest, obj: Style) -> None:
        delete_style(style=obj, by=request.user)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Style]) -> None:
        for style in queryset:
            self.delete_model(request, style)

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        try:
            return super().delete_view(request, object_id, extra_context)
        except UserError as error:
            self.message_user(request, str(error), messages.ERROR)
            return redirect("admin:styling_style_change", object_id)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        style = self.get_object(request, object_id)
        context = dict(extra_context or {})
        if style is not None:
            context |= {
                "style": style,
                "references": style.references.all(),
                "models_in_use": style.models_in_use,
                "last_run": style.training_runs.order_by("-created_at").first(),
                "can_edit": self.has_change_permission(request, style),
                "upload_labels": upload_labels(),
                "show_history": False,
            }
        return super().change_view(request, object_id, form_url, context)

    @display(description=_("Look"))
    def covers(self, style: Any) -> SafeString:
        return pictures([thumbnail(reference, width=IN_A_ROW) for reference in style.covers_shown])

    @display(description=_("Your products in it"))
    def results(self, style: Any) -> str | SafeString:
        if not style.results_shown:
            return "–"
        return pictures([thumbnail(image, width=IN_A_ROW) for image in style.results_shown])

    @display(description=_("Style"), ordering="name")
    def name_shown(self, style: Style) -> str:
        return style.display_name

    @display(description=_("References"), ordering="reference_count")
    def references_shown(self, style: Any) -> int:
        return style.reference_count

    @display(description=_("In use"))
    def model_shown(self, style: Any) -> str:
        model = next(iter(style.models_in_use), None)
        if model is None:
            return str(_("not trained yet"))
        score = model.metrics.get("style_score")
        return f"v{model.version}" + (f" · {score:.0%}" if isinstance(score, int | float) else "")

    @display(description=_("To review"), ordering="waiting_count")
    def waiting_shown(self, style: Any) -> str | SafeString:
        if not style.waiting_count:
            return "–"
        address = f"{reverse('styling:review')}?style={style.pk}"
        return format_html('<a class="st-link" href="{}">{}</a>', address, style.waiting_count)

    @display(description="")
    def steps_shown(self, style: Style) -> SafeString:
        links = [
            (reverse("styling:train", args=[style.pk]), _("Train")),
            (reverse("styling:versions", args=[style.pk]), _("Versions")),
        ]
        return format_html_join(" · ", '<a class="st-link" style="white-space: nowrap" href="{}">{}</a>', links)


@admin.register(TrainingRun)
class TrainingRunAdmin(LookOnlyAdmin):
    what_for = _("A training teaches a style to your products. Open a style and press “Train”.")
    first_step = ("admin:styling_style_changelist", _("Styles"))
    list_display = [
        "sample",
        "style",
        "status_shown",
        "progress",
        "preset_shown",
        "score_shown",
        "created_by",
        "created_at",
    ]
    list_display_links = ["sample", "style"]
    list_filter = ["status", "preset", ("style", OwnFilter)]
    list_select_related = ["style", "created_by"]
    date_hierarchy = "created_at"

    class Media:
        css = {"all": ["styling/studio.css"]}

    def get_queryset(self, request: HttpRequest) -> QuerySet[TrainingRun]:
        newest = TrainingSample.objects.filter(run=OuterRef("pk")).order_by("-step").values("file")[:1]
        return super().get_queryset(request).annotate(newest_sample=Subquery(newest))

    def page_of(self, row: TrainingRun) -> str:
        return reverse("styling:run", args=[row.pk])

    @display(description=_("Newest sample"))
    def sample(self, run: Any) -> str | SafeString:
        if not run.newest_sample:
            return "–"
        address = TrainingSample(file=run.newest_sample).file.url
        return format_html('<img class="st-peek" src="{}" alt="{}" loading="lazy">', address, _("Newest sample"))

    @display(description=_("Preset"), ordering="preset")
    def preset_shown(self, run: TrainingRun) -> str:
        return str(PRESET_TEXTS.get(run.preset, (run.preset, ""))[0])

    @display(description=_("Status"), label=STATUS_COLORS, ordering="status")
    def status_shown(self, run: TrainingRun) -> tuple[str, Any]:
        return run.status, run.get_status_display()

    @display(description=_("Progress"))
    def progress(self, run: TrainingRun) -> str:
        return f"{run.fraction:.0%}"

    @display(description=_("Style / products"))
    def score_shown(self, run: TrainingRun) -> str:
        if "style_score" not in run.scores:
            return "–"
        return f"{run.scores['style_score']:.0%} / {run.scores.get('content_score', 0):.0%}"


@admin.register(StyleModel)
class StyleModelAdmin(LookOnlyAdmin):
    list_display = ["name_shown", "status_shown", "score_shown", "created_at", "deployed_at"]
    list_filter = ["status", ("style", OwnFilter)]
    list_select_related = ["style"]
    COLORS = {"deployed": "success", "candidate": "info", "retired": ""}

    def page_of(self, row: StyleModel) -> str:
        return reverse("styling:versions", args=[row.style_id])

    @display(description=_("Version"))
    def name_shown(self, model: StyleModel) -> str:
        return str(model)

    @display(description=_("Status"), label=COLORS, ordering="status")
    def status_shown(self, model: StyleModel) -> tuple[str, Any]:
        return model.status, model.get_status_display()

    @display(description=_("Style / products"))
    def score_shown(self, model: StyleModel) -> str:
        return f"{model.metrics.get('style_score', 0):.0%} / {model.metrics.get('content_score', 0):.0%}"


@admin.register(StylizationRun)
class StylizationRunAdmin(LookOnlyAdmin):
    list_display = ["style_model", "status_shown", "progress", "created_by", "created_at"]
    list_filter = ["status"]
    list_select_related = ["style_model__style", "created_by"]
    date_hierarchy = "created_at"

    def page_of(self, row: StylizationRun) -> str:
        return reverse("styling:stylisation", args=[row.pk])

    @display(description=_("Status"), label=STATUS_COLORS, ordering="status")
    def status_shown(self, run: StylizationRun) -> tuple[str, Any]:
        return run.status, run.get_status_display()

    @display(description=_("Progress"))
    def progress(self, run: StylizationRun) -> str:
        return f"{run.progress_done} / {run.progress_total}"


@admin.register(StyledImage)
class StyledImageAdmin(LookOnlyAdmin):
    list_display = [
        "before_after",
        "product_shown",
        "style",
        "status_shown",
        "flag_shown",
        "truth_shown",
        "created_at",
    ]
    list_display_links = ["product_shown"]
    list_filter = ["status", "is_flagged", ("style", OwnFilter)]
    list_select_related = ["style", "product_image__product", "merchant"]
    search_fields = ["product_image__product__name", "product_image__product__name_zh", "product_image__product__sku"]
    list_per_page = 50
    actions = ["approve_selected", "publish_selected", "unpublish_selected", "reject_selected"]
    COLORS = {"generated": "info", "approved": "success", "published": "primary", "rejected": "danger"}

    class Media:
        css = {"all": ["styling/studio.css"]}

    def page_of(self, row: StyledImage) -> str:
        shop = f"shop={row.merchant.slug}&status={row.status}&style={row.style_id}"
        return f"{reverse('styling:review')}?{shop}#{row.pk}"

    @display(description=_("Before, after"))
    def before_after(self, image: StyledImage) -> SafeString:
        return pictures([thumbnail(picture, width=IN_A_ROW) for picture in (image.product_image, image)])

    @display(description=_("Product"))
    def product_shown(self, image: StyledImage) -> str:
        return image.product_image.product.display_name

    @display(description=_("Status"), label=COLORS, ordering="status")
    def status_shown(self, image: StyledImage) -> tuple[str, Any]:
        return image.status, image.get_status_display()

    @display(description=_("Within limits"), boolean=True, ordering="is_flagged")
    def flag_shown(self, image: StyledImage) -> bool:
        return not image.is_flagged

    @display(description=_("Product truth"))
    def truth_shown(self, image: StyledImage) -> str:
        return in_short(image.truth, image.breaches, limits=limits_of(image.merchant)) or "–"

    @action(description=_("Approve"))
    def approve_selected(self, request: HttpRequest, queryset: QuerySet[StyledImage]) -> None:
        self._each(request, queryset, review.approve)

    @action(description=_("Publish"))
    def publish_selected(self, request: HttpRequest, queryset: QuerySet[StyledImage]) -> None:
        self._each(request, queryset, review.publish)

    @action(description=_("Take off the storefront"))
    def unpublish_selected(self, request: HttpRequest, queryset: QuerySet[StyledImage]) -> None:
        self._each(request, queryset, review.unpublish)

    @action(description=_("Reject"))
    def reject_selected(self, request: HttpRequest, queryset: QuerySet[StyledImage]) -> None:
        self._each(request, queryset, review.reject)

    def _each(self, request: HttpRequest, queryset: QuerySet[StyledImage], verb: Any) -> None:
        try:
            outcome = verb(images=queryset, by=request.user)
        except UserError as error:
            self.message_user(request, str(error), messages.ERROR)
            return
        moved = len(outcome.moved)
        text = ngettext("%(count)d rendering was moved.", "%(count)d renderings were moved.", moved)
        self.message_user(request, text % {"count": moved}, messages.SUCCESS if moved else messages.WARNING)
        for refusal in outcome.refused[:5]:
            self.message_user(request, f"#{refusal.image_id}: {refusal.message} {refusal.hint}", messages.WARNING)
