"""What jobs make in versions, a translator or a recommender: one is in use, others wait or stay for the way back."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _


class Version(models.Model):
    """One version: its number, where it stands, its artifact and scores."""

    class Status(models.TextChoices):
        CANDIDATE = "candidate", _("Candidate")
        DEPLOYED = "deployed", _("Deployed")
        RETIRED = "retired", _("Retired")

    TRANSITIONS: ClassVar[dict[str, frozenset[str]]] = {
        "candidate": frozenset({"deployed", "retired"}),
        "deployed": frozenset({"retired"}),
        "retired": frozenset({"deployed"}),
    }

    version = models.PositiveIntegerField(_("version"))
    status = models.CharField(_("status"), max_length=10, choices=Status, default=Status.CANDIDATE)
    #: The artifact directory, relative to ``settings.ARTIFACTS_ROOT``.
    directory = models.CharField(max_length=200, editable=False)
    metrics = models.JSONField(_("scores"), default=dict, editable=False)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    deployed_at = models.DateTimeField(_("deployed at"), null=True, blank=True, editable=False)

    class Meta:
        abstract = True

    @classmethod
    def before(cls, status: str) -> list[str]:
        """The statuses from which ``status`` may be reached: what a conditional UPDATE asks for."""
        return [state for state, targets in cls.TRANSITIONS.items() if status in targets]
