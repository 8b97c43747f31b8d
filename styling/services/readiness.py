"""Is this style ready to be trained? Findings before the time is spent, each with its reason and what to do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from catalog.models import Category
from jobs.errors import NotFound, UserError
from styling.cyclegan.settings import TrainingSettings
from styling.models import Style
from styling.services.likeness import looks_of, near_copies, tell_apart
from styling.services.sources import source_pictures

#: Fewer pictures than this teach nothing: training is refused.
FEWEST_PICTURES = 8
#: Fewer than this can work, but rarely well.
GOOD_PICTURES = 30
#: Share of near-copies among the references from which on they are worth a warning.
MANY_COPIES = 0.2
#: Pictures of each set whose look is compared.
COMPARED = 48
#: Below this accuracy the two sets can hardly be told apart (0.5 is chance).
HARDLY_APART = 0.65


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to know before training. ``refuses`` says that training would be pointless."""

    code: str
    message: str | Promise
    hint: str | Promise
    refuses: bool = False

    def as_error(self) -> UserError:
        return UserError(self.code, self.message, self.hint)


def check_training(
    *, style: Style, settings: TrainingSettings, source_category: Category | None = None
) -> list[Finding]:
    """Findings about the pictures that a training with ``settings`` would learn from, the gravest first.

    Raises ``UserError`` where there is nothing to learn from at all: a category without product pictures.
    """
    if source_category is not None and source_category.merchant_id != style.merchant_id:
        raise NotFound("no-such-category", _("This category does not exist."), _("Choose one of the shop's own."))
    sources = list(
        source_pictures(style=style, category=source_category).values("file", "renditions", "width", "height")
    )
    if source_category is not None and not sources:
        raise UserError(
            "empty-category",
            _("“%(category)s” has no product pictures.") % {"category": source_category},
            _("Choose another category, learn from all products, or add pictures to its products first."),
        )
    references = list(style.references.values("file", "renditions", "width", "height", "perceptual_hash"))
    findings = [
        *_count(len(references), "references", settings),
        *_count(len(sources), "products", settings),
        *_copies([row["perceptual_hash"] for row in references]),
        *_small(references, "references", settings),
        *_small(sources, "products", settings),
    ]
    if not any(finding.refuses for finding in findings):
        findings += _too_similar(sources, references)
    return sorted(findings, key=lambda finding: not finding.refuses)


_TOO_FEW: dict[str, tuple[Promise, Promise, Promise]] = {
    "references": (
        _("This style has %(count)d reference pictures; training needs at least %(fewest)d."),
        _("This style has only %(count)d reference pictures."),
        _("Add more: 30 or more, of different things in the same look, work well."),
    ),
    "products": (
        _("There are %(count)d product pictures to learn from; training needs at least %(fewest)d."),
        _("There are only %(count)d product pictures to learn from."),
        _("Add products with pictures, or learn from all products."),
    ),
}


def _count(count: int, what: str, settings: TrainingSettings) -> list[Finding]:
    fewest = max(FEWEST_PICTURES, settings.min_pictures)
    refusal, warning, hint = _TOO_FEW[what]
    numbers = {"count": count, "fewest": fewest}
    if count < fewest:
        return [Finding(f"too-few-{what}", refusal % numbers, hint, refuses=True)]
    return [Finding(f"few-{what}", warning % numbers, hint)] if count < GOOD_PICTURES else []


def _copies(hashes: Sequence[str]) -> list[Finding]:
    copies = near_copies(hashes)
    if not hashes or copies < MANY_COPIES * len(hashes):
        return []
    return [
        Finding(
            "references-alike",
            _("%(copies)d of the %(count)d references are nearly the same picture as another one.")
            % {"copies": copies, "count": len(hashes)},
            _("Replace them: the style is learned from what differs between its pictures."),
        )
    ]


def _small(rows: Sequence[Mapping[str, Any]], what: str, settings: TrainingSettings) -> list[Finding]:
    small = sum(1 for row in rows if min(row["width"], row["height"]) < settings.image_size)
    if not small:
        return []
    texts = {
        "references": _("%(small)d references are smaller than the %(size)d pixels that this preset learns from."),
        "products": _("%(small)d product pictures are smaller than the %(size)d pixels that this preset learns from."),
    }
    return [
        Finding(
            f"{what}-small",
            texts[what] % {"small": small, "size": settings.image_size},
            _("They will be enlarged and look soft. Use larger ones where you have them, or a smaller preset."),
        )
    ]


def _too_similar(sources: Sequence[Mapping[str, Any]], references: Sequence[Mapping[str, Any]]) -> list[Finding]:
    looks = [looks_of([_smallest(row) for row in _spread(rows)]) for rows in (sources, references)]
    if min(map(len, looks)) < 2 or tell_apart(*looks) >= HARDLY_APART:
        return []
    return [
        Finding(
            "style-like-source",
            _("The references look much like the product pictures already."),
            _("Training would change little. Choose references with a look that is plainly different."),
        )
    ]


def _spread(rows: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
    """At most ``COMPARED`` rows, evenly over all of them."""
    step = max(1, len(rows) // COMPARED)
    return rows[::step][:COMPARED]


def _smallest(row: Mapping[str, Any]) -> str:
    return row["renditions"][0]["path"] if row["renditions"] else row["file"]
