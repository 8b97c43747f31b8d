"""The jobs room's questions about merchants. It lies below them, so the answers come by a name in the settings."""

from __future__ import annotations

from typing import Any, Protocol

from django.conf import settings
from django.utils.module_loading import import_string


class Tenancy(Protocol):
    """What ``settings.JOBS_TENANCY`` names."""

    def merchant_ids_of(self, user: Any) -> Any:
        """Ids, or a subquery of ids, of the merchants whose jobs ``user`` may see."""

    def listed_merchant_id(self, request: Any) -> int | None:
        """The one merchant whose jobs the admin's list shows; None for all that the user may see."""

    def opened(self, request: Any, merchant_id: int) -> None:
        """The page of a job of this merchant is being opened in the admin."""

    def merchant_id_of(self, request: Any) -> int:
        """The merchant that an API request acts for."""

    def job_ended(self, job: Any) -> None:
        """A job has succeeded, failed or been given up; called in the transaction that says so."""

    def require_steering(self, user: Any, merchant_id: int | None) -> None:
        """Raise ``UserError`` unless ``user`` may cancel and retry jobs of this merchant."""


def tenancy() -> Tenancy:
    """The site's answers."""
    policy: Tenancy = import_string(settings.JOBS_TENANCY)
    return policy
