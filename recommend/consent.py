"""Who is at the door: consent as the visitor's browser holds it, and the shopper row that exists only with it.

Two cookies, both HttpOnly: the answer to the consent question with the version of its text, and, once granted, a random
visitor id. Unknown and refused leave no trace in the database.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from django.conf import settings
from django.http import HttpRequest, HttpResponse

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
    """Read the cookies; look the shopper up where consent to the present text is granted."""
    answer, _, version = request.COOKIES.get(CONSENT_COOKIE, "").partition(":")
    if version != settings.CONSENT_TEXT_VERSION or answer not in {GRANTED, REFUSED, WITHDRAWN}:
        return Visitor(UNKNOWN)
    visitor_id = request.COOKIES.get(settings.SHOPPER_COOKIE, "")
    if answer != GRANTED or not visitor_id:
        return Visitor(answer if answer != GRANTED else UNKNOWN)
    return Visitor(GRANTED, shoppers.find(merchant=merchant, visitor_id=visitor_id))


def grant(request: HttpRequest, response: HttpResponse, merchant: Merchant) -> Shopper:
    """Consent: make the shopper, and let the browser remember who it is."""
    visitor_id = request.COOKIES.get(settings.SHOPPER_COOKIE) or secrets.token_urlsafe(24)
    _remember(response, CONSENT_COOKIE, f"{GRANTED}:{settings.CONSENT_TEXT_VERSION}")
    _remember(response, settings.SHOPPER_COOKIE, visitor_id)
    return shoppers.grant_consent(merchant=merchant, visitor_id=visitor_id)


def refuse(request: HttpRequest, response: HttpResponse, *, answer: str = REFUSED) -> None:
    """No consent, or no longer: the visitor id goes, the answer stays, so that nobody is asked twice."""
    _remember(response, CONSENT_COOKIE, f"{answer}:{settings.CONSENT_TEXT_VERSION}")
    response.delete_cookie(settings.SHOPPER_COOKIE, samesite="Lax")


def _remember(response: HttpResponse, name: str, value: str) -> None:
    response.set_cookie(name, value, max_age=YEAR, httponly=True, samesite="Lax", secure=settings.PRODUCTION)
