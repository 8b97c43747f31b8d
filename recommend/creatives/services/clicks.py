"""Clicks on tracked links: counted by day, without keeping anything about who clicked.

A browser is told from another for half an hour by a keyed hash of its address and name in the cache. The key is random,
changes every day and is never written down, so that the hashes mean nothing afterwards. Robots, previews and prefetches
are told by what they say of themselves, and by how much they click; they and repeated clicks are counted apart.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from enum import StrEnum

import structlog
from django.core.cache import cache
from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from recommend.creatives.models import DailyClicks, TrackedLink

log = structlog.get_logger(__name__)

#: Seconds within which the same browser's next click on the same link is the same click.
SAME_CLICK_SECONDS = 30 * 60
#: More links than this in ten minutes are not followed by a person.
MOST_CLICKS, PER_SECONDS = 30, 10 * 60
_SALT_SECONDS = 26 * 3600
_ROBOTS = re.compile(
    r"bot\b|bot[/ ;)]|crawl|spider|slurp|preview|facebookexternalhit|facebookcatalog|whatsapp|telegram|discord|"
    r"embed|monitor|lighthouse|headless|phantom|python|curl|wget|httpx|aiohttp|okhttp|libwww|java/|go-http|node-fetch|"
    r"axios|scrapy|validator|scan|fetch|archiver|bytespider|petal|yandex|baiduspider|sogou|360spider",
    re.IGNORECASE,
)


class Outcome(StrEnum):
    """What a request for a link was; the values name the columns of ``DailyClicks``."""

    CLICK = "clicks"
    REPEAT = "repeats"
    ROBOT = "robots"


@dataclass(frozen=True, slots=True)
class Visit:
    """What a request says of itself; never stored."""

    address: str
    agent: str
    language: str = ""
    #: Asked for in advance, by a browser or a mail scanner, without anybody having clicked.
    is_prefetch: bool = False


def note_visit(*, link: TrackedLink, visit: Visit) -> Outcome | None:
    """Count a visit as what it is. ``None``: the cache was away, so nothing could be told and nothing was counted."""
    try:
        outcome = _outcome(link, visit)
    except Exception as error:  # noqa: BLE001 - any client's own exception: the visitor is led on all the same
        log.warning("creatives.click_not_counted", error=str(error))
        return None
    _add(link, outcome)
    return outcome


def _outcome(link: TrackedLink, visit: Visit) -> Outcome:
    if visit.is_prefetch or not visit.agent or _ROBOTS.search(visit.agent):
        return Outcome.ROBOT
    salt = _salt_of_today()
    person = _hashed(salt, visit.address, visit.agent, visit.language)
    if not cache.add(f"creatives:click:{_hashed(salt, person, link.code)}", 1, timeout=SAME_CLICK_SECONDS):
        return Outcome.REPEAT
    counter = f"creatives:many:{person}"
    cache.add(counter, 0, timeout=PER_SECONDS)
    return Outcome.ROBOT if cache.incr(counter) > MOST_CLICKS else Outcome.CLICK


def _salt_of_today() -> bytes:
    key = f"creatives:salt:{timezone.now().date().isoformat()}"
    cache.add(key, secrets.token_bytes(32), timeout=_SALT_SECONDS)
    salt = cache.get(key)
    if not isinstance(salt, bytes):
        raise TypeError("the cache lost the day's salt")
    return salt


def _hashed(salt: bytes, *parts: str) -> str:
    return hmac.new(salt, "\0".join(parts).encode(), hashlib.sha256).hexdigest()[:32]


def _add(link: TrackedLink, outcome: Outcome) -> None:
    """One more in the day's row, which is made by whoever comes first."""
    today = DailyClicks.objects.filter(link=link, day=timezone.now().date())
    more = {outcome.value: F(outcome.value) + 1}
    if today.update(**more):
        return
    try:
        with transaction.atomic():
            DailyClicks.objects.create(link=link, day=timezone.now().date(), **{outcome.value: 1})
    except IntegrityError:
        today.update(**more)
