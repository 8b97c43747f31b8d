"""What the kinds of jobs are called where people see them, and which pages show them."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from jobs.errors import Text

NAMES: dict[str, Text] = {
    "catalog.import": _("Import"),
    "styling.train": _("Training"),
    "styling.stylise": _("Stylising"),
    "recommend.fit": _("Recommender fit"),
    "catalog.renditions": _("Smaller copies of pictures"),
    "styling.renditions": _("Smaller copies of pictures"),
    "creatives.draw": _("Ad creatives"),
    "site.demo-data": _("Demo data"),
}
#: Routes that take the job's id.
PAGES: dict[str, str] = {
    "catalog.import": "catalog:import_run",
    "styling.train": "styling:run",
    "styling.stylise": "styling:stylisation",
}
