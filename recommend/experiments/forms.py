"""The form of a new experiment: one question, two settings, one goal."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from catalog.models import Merchant
from recommend.experiments.metrics import GOALS, METRICS
from recommend.experiments.services.drafts import LEAST_UPLIFT, MOST_UPLIFT, USUAL_MARGIN, Asked
from recommend.experiments.services.planning import suggested_goal
from recommend.experiments.subjects import SUBJECTS
from recommend.models import Recommender

#: Versions that are offered, newest first.
#: In percent: what the form begins with.
USUAL_UPLIFT = 20
#: What must not get worse, unless somebody says otherwise.
GUARDED = "bought"
VERSIONS = 8


def choices_of(merchant: Merchant) -> dict[str, list[tuple[str, Any, Any]]]:
    """By subject, the settings that can be compared in this shop: (value, name, what it means)."""
    found = {
        subject.code: [(option.value, option.name, option.what) for option in subject.options]
        for subject in SUBJECTS.values()
        if subject.options
    }
    rows = [
        row
        for row in Recommender.objects.filter(merchant=merchant).order_by("-version")[:VERSIONS]
        if (settings.ARTIFACTS_ROOT / row.directory).is_dir()
    ]
    if len(rows) > 1:
        in_use_first = sorted(rows, key=lambda row: row.status != Recommender.Status.DEPLOYED)
        found["version"] = [
            (str(row.pk), _("Version %(version)d") % {"version": row.version}, row.get_status_display())
            for row in in_use_first
        ]
    return found


class ExperimentForm(forms.Form):
    """Everything that an experiment of two variants needs, in the words of a shopkeeper."""

    name = forms.CharField(max_length=120, label=_("Name"))
    hypothesis = forms.CharField(max_length=500, required=False, label=_("What you expect, and why"))
    subject = forms.ChoiceField(label=_("What do you want to know?"))
    metric = forms.ChoiceField(label=_("What should rise?"), choices=[(code, METRICS[code].name) for code in GOALS])
    uplift = forms.FloatField(
        label=_("Smallest uplift worth knowing"),
        min_value=100 * LEAST_UPLIFT,
        max_value=100 * MOST_UPLIFT,
        initial=USUAL_UPLIFT,
    )
    taking_part = forms.FloatField(label=_("Shoppers who take part"), min_value=2, max_value=100, initial=100)
    guardrails = forms.MultipleChoiceField(
        label=_("What must not get worse?"),
        required=False,
        choices=[(code, metric.name) for code, metric in METRICS.items()],
        initial=[GUARDED],
    )
    margin = forms.FloatField(
        label=_("Harm that you would accept"), min_value=1, max_value=100, initial=100 * USUAL_MARGIN
    )

    def __init__(self, *args: Any, merchant: Merchant, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.choices = choices_of(merchant)
        subject: Any = self.fields["subject"]
        subject.choices = [(code, SUBJECTS[code].name) for code in SUBJECTS if code in self.choices]
        subject.initial = "strategy"
        if not self.is_bound:
            goal = suggested_goal(merchant, uplift=USUAL_UPLIFT / 100)
            self.fields["metric"].initial = goal
            self.fields["guardrails"].initial = [GUARDED] if goal != GUARDED else []
        for code, options in self.choices.items():
            for side, first in (("a", 0), ("b", 1)):
                self.fields[f"{code}_{side}"] = forms.ChoiceField(
                    choices=[(value, name) for value, name, _what in options],
                    initial=options[first][0],
                    required=False,
                )

    def asked(self) -> list[Asked]:
        """The two variants, the shoppers who take part divided evenly."""
        subject, share = self.cleaned_data["subject"], self.cleaned_data["taking_part"] / 200
        return [Asked(self.cleaned_data[f"{subject}_{side}"], share) for side in "ab"]

    def guarded(self) -> dict[str, float]:
        """The guard-rails; the goal itself needs none."""
        margin = self.cleaned_data["margin"] / 100
        return {code: margin for code in self.cleaned_data["guardrails"] if code != self.cleaned_data["metric"]}
