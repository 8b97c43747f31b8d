"""The record as a report from the live configuration and database, with what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import connection
from django.db.models import Count, Min
from django.utils import timezone

from catalog.models import Membership, Merchant
from recommend.models import Interaction, Shopper
from recommend.privacy import inventory, key_store
from recommend.privacy.record import ELSEWHERE, SHOPPERS, STAFF, Kept

#: Purges that must stand in the schedule, and the processor that must stand before every log.
PURGES = ("recommend.purge", "site.purge", "developers.purge")
MASK = "stylerec_site.log_privacy.mask_shoppers"
SMALLEST_GROUP = 10
#: How late a daily purge may be before rows beyond their time are a finding.
LATENESS = timedelta(days=2)


@dataclass(frozen=True)
class Holding:
    """One place with its live facts."""

    place: str
    why: str
    how_long: str
    who: str
    control: str
    fields: dict[str, str]
    rows: int | None = None
    oldest: datetime | None = None


@dataclass(frozen=True)
class Report:
    """What is kept about whom, as it is now. ``findings`` is empty where all is as declared."""

    made_at: datetime
    settings: dict[str, Any]
    shoppers: list[Holding]
    staff: list[Holding]
    elsewhere: list[Holding]
    shops: list[dict[str, Any]]
    findings: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def build() -> Report:
    """Read the configuration and the database."""
    facts = live_settings()
    shoppers, staff, elsewhere = ([_holding(kept, facts) for kept in part] for part in (SHOPPERS, STAFF, ELSEWHERE))
    return Report(
        made_at=timezone.now(),
        settings=facts,
        shoppers=shoppers,
        staff=staff,
        elsewhere=elsewhere,
        shops=_shops(),
        findings=_findings(facts),
    )


def live_settings() -> dict[str, Any]:
    """The settings that decide what is kept."""
    return {
        "environment": settings.ENVIRONMENT,
        "database": connection.vendor,
        "retention_days": settings.INTERACTION_RETENTION_DAYS,
        "login_log_days": settings.LOGIN_LOG_DAYS,
        "session_days": settings.SESSION_COOKIE_AGE // 86_400,
        "consent_version": settings.CONSENT_TEXT_VERSION,
        "shopper_cookie": settings.SHOPPER_COOKIE,
        "smallest_group": settings.STATISTICS_MINIMUM_GROUP,
        "privacy_keys": len(settings.PRIVACY_KEYS),
        "key_store": "a file" if key_store.file() else "a database server",
        "key_grace_days": settings.SHOPPER_KEY_GRACE_DAYS,
        "secure_cookies": settings.SESSION_COOKIE_SECURE,
        "files": "S3" if settings.S3_BUCKET else "local",
        "purges": sorted({entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()} & set(PURGES)),
    }


def _holding(kept: Kept, facts: dict[str, Any]) -> Holding:
    rows, oldest = None, None
    if kept.fields:
        table = apps.get_model(kept.place)._default_manager
        rows = table.count()
        oldest = table.aggregate(oldest=Min(kept.age))["oldest"] if kept.age else None
    return Holding(
        place=kept.place.format_map(facts),
        why=kept.why,
        how_long=kept.how_long.format_map(facts),
        who=kept.who,
        control=kept.control,
        fields={name: text.format_map(facts) for name, text in kept.fields.items()},
        rows=rows,
        oldest=oldest,
    )


def _shops() -> list[dict[str, Any]]:
    """Each shop: how many shoppers agreed, and how many people may see their events, by role."""
    roles: dict[int, dict[str, int]] = {}
    for row in Membership.objects.values("merchant", "role").annotate(people=Count("pk")):
        roles.setdefault(row["merchant"], {})[row["role"]] = row["people"]
    agreed = dict(Shopper.objects.values_list("merchant").annotate(Count("pk")))
    return [
        {
            "shop": shop.slug,
            "personalisation": shop.personalisation_enabled,
            "shoppers": agreed.get(shop.pk, 0),
            "members": roles.get(shop.pk, {}),
        }
        for shop in Merchant.objects.order_by("slug")
    ]


def _findings(facts: dict[str, Any]) -> list[str]:
    found = [f"not declared: {name}" for name in inventory.undeclared()]
    found += [f"declared, but gone: {name}" for name in inventory.gone()]
    found += [f"not scheduled: {task}" for task in PURGES if task not in facts["purges"]]
    if facts["retention_days"] <= 0:
        found.append("the retention time is not positive")
    if facts["smallest_group"] < SMALLEST_GROUP:
        found.append(f"statistics of fewer than {SMALLEST_GROUP} shoppers may be shown")
    if settings.PRODUCTION and not facts["secure_cookies"]:
        found.append("cookies travel unencrypted")
    found += _key_findings()
    if not _masks_logs():
        found.append("logs do not mask visitor ids")
    limit = timezone.now() - timedelta(days=facts["retention_days"]) - LATENESS
    late = Interaction.objects.filter(occurred_at__lt=limit).count()
    if late:
        found.append(f"{late} events are kept beyond the retention time: does the purge run?")
    return found


def _key_findings() -> list[str]:
    """Whether the keys lie apart from what they open, and open it."""
    found = []
    file = key_store.file()
    roots = (settings.MEDIA_ROOT, settings.ARTIFACTS_ROOT)
    if file is not None and any(file.resolve().is_relative_to(Path(root).resolve()) for root in roots):
        found.append("the shoppers' keys lie in a folder that a backup holds")
    keys = key_store.every()
    sealed = Shopper.objects.exclude(sealed_profile=b"").values_list("key_id", flat=True)
    lost = sum(key_id not in keys for key_id in sealed)
    if lost:
        found.append(f"{lost} sealed profiles cannot be opened: their keys are not in the key store")
    return found


def _masks_logs() -> bool:
    logging: dict[str, Any] = settings.LOGGING
    chains: Iterable[Any] = (
        processor
        for formatter in logging.get("formatters", {}).values()
        for processor in formatter.get("foreign_pre_chain", [])
    )
    return any(f"{item.__module__}.{item.__name__}" == MASK for item in chains if hasattr(item, "__name__"))
