"""The first run: from an empty shop to one that is open and personal, with how far each step really is."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count, Exists, IntegerField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from catalog.models import Merchant, Product, ProductImage
from recommend.models import Interaction, Recommender, RecommenderFit, Shopper
from stylerec_site.navigation import address_of
from styling.models import Style, StyledImage, StyleModel, StyleReference, StylizationRun, TrainingRun
from styling.services.readiness import FEWEST_PICTURES

UNFINISHED = ["queued", "running"]


@dataclass(frozen=True)
class Counts:
    """What the shop has, in one query."""

    products: int
    without_picture: int
    styles: int
    references: int
    trained_styles: int
    training: int
    stylising: int
    renderings: int
    waiting: int
    approved: int
    published: int
    recommenders: int
    fitting: int
    visitors: int
    events: bool


@dataclass(frozen=True)
class Step:
    """One line of the checklist. ``fraction`` is None where a step has no middle."""

    title: str
    hint: str
    link: str
    action: str
    done: bool
    progress: str = ""
    fraction: float | None = None
    running: bool = False

    @property
    def percent(self) -> int:
        return round(100 * (self.fraction or 0))


def count(shop: Merchant) -> Counts:
    """Count everything that the front page speaks of."""
    images = ProductImage.objects.filter(product=OuterRef("pk"))
    products = Product.objects.filter(merchant=OuterRef("pk"))
    renderings = StyledImage.objects.filter(merchant=OuterRef("pk"))
    counted = {
        "products": products,
        "without_picture": products.filter(~Exists(images)),
        "styles": Style.objects.filter(merchant=OuterRef("pk")),
        "references": StyleReference.objects.filter(style__merchant=OuterRef("pk")),
        "renderings": renderings,
        "waiting": renderings.filter(status="generated"),
        "approved": renderings.filter(status="approved"),
        "published": renderings.filter(status="published"),
        "recommenders": Recommender.objects.filter(merchant=OuterRef("pk")),
        "visitors": Shopper.objects.filter(merchant=OuterRef("pk")),
        "training": TrainingRun.objects.filter(merchant=OuterRef("pk"), status__in=UNFINISHED),
        "stylising": StylizationRun.objects.filter(merchant=OuterRef("pk"), status__in=UNFINISHED),
        "fitting": RecommenderFit.objects.filter(merchant=OuterRef("pk"), status__in=UNFINISHED),
    }
    trained = StyleModel.objects.filter(merchant=OuterRef("pk")).order_by().values("merchant")
    row = (
        Merchant.objects.filter(pk=shop.pk)
        .annotate(
            **{f"n_{name}": _number(rows) for name, rows in counted.items()},
            n_trained_styles=Coalesce(
                Subquery(trained.annotate(n=Count("style", distinct=True)).values("n"), output_field=IntegerField()), 0
            ),
            n_events=Exists(Interaction.objects.filter(merchant=OuterRef("pk"))),
        )
        .values()
        .get()
    )
    return Counts(**{name: row[f"n_{name}"] for name in Counts.__dataclass_fields__})


def _number(rows: QuerySet) -> Coalesce:  # type: ignore[type-arg]
    """How many of ``rows`` (already bound to the outer shop) there are."""
    counted = rows.order_by().annotate(one=Coalesce(None, 1, output_field=IntegerField())).values("one")
    return Coalesce(Subquery(counted.annotate(n=Count("pk")).values("n"), output_field=IntegerField()), 0)


def steps_of(shop: Merchant, counts: Counts) -> list[Step]:
    """The checklist, in the order in which a shop comes to life."""
    decided = counts.renderings - counts.waiting
    enough = counts.references >= FEWEST_PICTURES
    return [
        Step(
            _("Open your shop"),
            _("It has a name and an address of its own."),
            reverse("storefront:home", kwargs={"shop": shop.slug}),
            _("Open"),
            done=True,
            progress=shop.display_name,
        ),
        Step(
            _("Bring in your products"),
            _("A table (CSV or XLSX) with pictures beside it, or a ZIP of both."),
            address_of("catalog:import|admin:catalog_importrun_changelist"),
            _("Import"),
            done=counts.products > 0,
            progress=ngettext("%(n)d product", "%(n)d products", counts.products) % {"n": counts.products},
        ),
        Step(
            _("Give a style its pictures"),
            _("Some thirty pictures of anything at all, in the look that you want."),
            reverse("admin:styling_style_changelist" if counts.styles else "admin:styling_style_add"),
            _("Choose pictures"),
            done=counts.styles > 0 and enough,
            progress=_("%(styles)d styles, %(pictures)d pictures")
            % {"styles": counts.styles, "pictures": counts.references},
        ),
        Step(
            _("Train it"),
            _("A worker learns the look from your photos and the style's pictures. Minutes, not hours."),
            reverse("admin:styling_style_changelist"),
            _("Train"),
            done=counts.trained_styles > 0,
            progress=_("%(done)d of %(all)d styles are trained")
            % {"done": counts.trained_styles, "all": counts.styles},
            fraction=counts.trained_styles / counts.styles if counts.styles else None,
            running=counts.training > 0,
        ),
        Step(
            _("Stylise your products"),
            _("The trained style renders your photos; the originals stay untouched."),
            reverse("styling:stylise"),
            _("Stylise"),
            done=counts.renderings > 0,
            progress=ngettext("%(n)d rendering", "%(n)d renderings", counts.renderings) % {"n": counts.renderings},
            running=counts.stylising > 0,
        ),
        Step(
            _("Review"),
            _("Before and after, one key each: approve or reject. Nothing goes out unseen."),
            reverse("styling:review"),
            _("Review"),
            done=decided > 0,
            progress=_("%(done)d of %(all)d decided") % {"done": decided, "all": counts.renderings},
            fraction=decided / counts.renderings if counts.renderings else None,
        ),
        Step(
            _("Publish"),
            _("Approved renderings go onto the storefront at once, and come off it at once."),
            f"{reverse('styling:review')}?status=approved",
            _("Publish"),
            done=counts.published > 0,
            progress=_("%(n)d published, %(approved)d approved") % {"n": counts.published, "approved": counts.approved},
        ),
        Step(
            _("Fit the recommender"),
            _("It learns from what shoppers do which products, in which style, to show to whom."),
            reverse("recommending:versions"),
            _("Fit"),
            done=counts.recommenders > 0,
            progress=ngettext("%(n)d version", "%(n)d versions", counts.recommenders) % {"n": counts.recommenders},
            running=counts.fitting > 0,
        ),
        Step(
            _("Look at your shop"),
            _("Agree to personalisation there, look at a few products, and watch the page change."),
            reverse("storefront:home", kwargs={"shop": shop.slug}),
            _("See your shop"),
            done=counts.events,
            progress=ngettext("%(n)d shopper so far", "%(n)d shoppers so far", counts.visitors)
            % {"n": counts.visitors},
        ),
    ]
