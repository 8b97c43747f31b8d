"""Who is at the door: consent as the visitor's browser holds it, and the shopper row that exists only with it.

Two cookies, both HttpOnly and both for the addresses of one shop only: the answer to the consent question with the version
of its text, and, once granted, a random visitor id. Shops share neither, so that even the browser does not link them.
Unknown and refused leave no trace in the database.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from catalog.models import Merchant
from recommend.models import Shopper
from recommend.services import shoppers

UNKNOWN, GRANTED, REFUSED, WITHDRAWN = "unknown", "granted", "refused", "withdrawn"
CONSENT_COOKIE = "stylerec_consent"
YEAR = 365 * 24 * 3600


@dataclass(frozen=True)
class Visitor:
    """The person behind a request. ``shopper`` is None unless consent is granted."""

    consent: str
    shopper: Shopper | None = None

    @property
    def profile(self) -> Shopper | None:
        """The shopper whose history may shape the page: consented, and personalisation left on."""
        return self.shopper if self.shopper is not None and self.shopper.personalisation_enabled else None


def visitor_of(request: HttpRequest, merchant: Merchant) -> Visitor:
    """Read the cookies; look the shopper up where consent to the present text is granted.

    Consent without a row behind it (erased from another device, purged after long absence) is no consent: ask again.
    """
    answer, _, version = request.COOKIES.get(CONSENT_COOKIE, "").partition(":")
    if version != settings.CONSENT_TEXT_VERSION:
        return Visitor(UNKNOWN)
    if answer in {REFUSED, WITHDRAWN}:
        return Visitor(answer)
    visitor_id = request.COOKIES.get(settings.SHOPPER_COOKIE, "")
    if answer != GRANTED or not visitor_id:
        return Visitor(UNKNOWN)
    shopper = shoppers.find(merchant=merchant, visitor_id=visitor_id)
    return Visitor(GRANTED, shopper) if shopper is not None else Visitor(UNKNOWN)


def grant(request: HttpRequest, response: HttpResponse, merchant: Merchant) -> Shopper:
    """Consent: make the shopper, and let the browser remember who it is."""
    known = request.COOKIES.get(settings.SHOPPER_COOKIE, "")
    visitor_id = known if 0 < len(known) <= shoppers.LONGEST_VISITOR_ID else secrets.token_urlsafe(24)
    _remember(response, merchant, CONSENT_COOKIE, f"{GRANTED}:{settings.CONSENT_TEXT_VERSION}")
    _remember(response, merchant, settings.SHOPPER_COOKIE, visitor_id)
    return shoppers.grant_consent(merchant=merchant, visitor_id=visitor_id)


def refuse(response: HttpResponse, merchant: Merchant, *, answer: str = REFUSED) -> None:
    """No consent, or no longer: the visitor id goes, the answer stays, so that nobody is asked twice."""
    _remember(response, merchant, CONSENT_COOKIE, f"{answer}:{settings.CONSENT_TEXT_VERSION}")
    response.delete_cookie(settings.SHOPPER_COOKIE, path=_path(merchant), samesite="Lax")


def _remember(response: HttpResponse, merchant: Merchant, name: str, value: str) -> None:
    response.set_cookie(
        name, value, max_age=YEAR, path=_path(merchant), httponly=True, samesite="Lax", secure=settings.PRODUCTION
    )


def _path(merchant: Merchant) -> str:
    return reverse("storefront:home", kwargs={"shop": merchant.slug})
