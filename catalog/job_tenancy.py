"""Whose jobs are whose: the catalogue's answers to the jobs room (``settings.JOBS_TENANCY``)."""

from __future__ import annotations

from typing import Any

from catalog.access import merchant_ids_of, require_role
from catalog.current_shop import current_shop, follow
from catalog.developers.announcing import announce_job
from catalog.models import Membership, Merchant
from catalog.permissions import merchant_of
from jobs.errors import NotFound


class JobTenancy:
    """A job belongs to its merchant; editors and owners steer it. Jobs of no merchant are for superusers."""

    def merchant_ids_of(self, user: Any) -> Any:
        return merchant_ids_of(user)

    def listed_merchant_id(self, request: Any) -> int | None:
        shop = current_shop(request)
        return shop.pk if shop else None

    def opened(self, request: Any, merchant_id: int) -> None:
        follow(request, merchant_id)

    def merchant_id_of(self, request: Any) -> int:
        return merchant_of(request).pk

    def job_ended(self, job: Any) -> None:
        announce_job(job)

    def require_steering(self, user: Any, merchant_id: int | None) -> None:
        if user.is_superuser:
            return
        merchant = Merchant.objects.visible_to(user).filter(pk=merchant_id or 0).first()
        if merchant is None:
            raise NotFound("not-found", "This job does not exist.")
        require_role(user, merchant, Membership.Role.EDITOR)


policy = JobTenancy()
