"""The product-truth report in a merchant's words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

#: What each figure of the report says, by its name there.
LABELS: dict[str, Promise] = {
    "edges_kept": _("Edges of the product kept"),
    "color_shift_median": _("Colour shift, typical (ΔE)"),
    "color_shift_p95": _("Colour shift, strongest 5 % (ΔE)"),
    "text_legibility": _("Lettering still readable"),
    "mask_confidence": _("How surely the product was found"),
}


def truth_rows(truth: Mapping[str, Any], breaches: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The report's figures, each with the limit that it breaks, broken ones first."""
    broken = {str(breach.get("code")): breach for breach in breaches}
    rows = [
        {
            "name": name,
            "label": str(LABELS.get(name, name.replace("_", " "))),
            "value": round(value, 3),
            "limit": broken[name].get("limit") if name in broken else None,
        }
        for name, value in truth.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    ]
    return sorted(rows, key=lambda row: row["name"] not in broken)
