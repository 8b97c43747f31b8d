"""What has had its time is forgotten, by the schedule."""

from __future__ import annotations

from datetime import timedelta

import pytest
from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.conf import settings as site
from django.contrib.sessions.models import Session
from django.utils import timezone

from recommend.models import Interaction, Shopper, Slate
from recommend.services import shoppers
from stylerec_site.log_privacy import mask_shoppers
from stylerec_site.tasks import purge as purge_site
from tests.recommend.shops import add_crowd, open_shop


@pytest.mark.django_db
def test_events_and_shoppers_beyond_the_retention_time_are_forgotten_and_no_others():
    shop = open_shop(products=4)
    old, recent = add_crowd(shop, people=2, visits=2)
    past = timezone.now() - timedelta(days=site.INTERACTION_RETENTION_DAYS, hours=1)
    Interaction.objects.filter(shopper=old).update(occurred_at=past)
    Shopper.objects.filter(pk=old.pk).update(last_seen_at=past)
    Slate.objects.create(merchant=shop.merchant, shopper=recent, slot="home")
    Slate.objects.update(created_at=past)
    assert shoppers.purge() == {"interactions": 2, "slates": 1, "shoppers": 1}
    assert list(Shopper.objects.all()) == [recent]
    assert Interaction.objects.count() == 2
    assert shoppers.purge() == {"interactions": 0, "slates": 0, "shoppers": 0}


@pytest.mark.django_db
def test_expired_sessions_and_old_log_ins_are_forgotten():
    now = timezone.now()
    for name, expires in (("old", now - timedelta(minutes=1)), ("new", now + timedelta(days=1))):
        Session.objects.create(session_key=name, session_data="", expire_date=expires)
    for model in (AccessAttempt, AccessLog, AccessFailureLog):
        more = {"failures_since_start": 1} if model is AccessAttempt else {}
        for age in (site.LOGIN_LOG_DAYS + 1, 1):
            row = model.objects.create(username="mei", ip_address="203.0.113.7", user_agent=f"B/{age}", **more)
            model.objects.filter(pk=row.pk).update(attempt_time=now - timedelta(days=age))
    assert purge_site() == {"sessions": 1, "attempts": 3}
    assert Session.objects.get().session_key == "new"
    assert [model.objects.count() for model in (AccessAttempt, AccessLog, AccessFailureLog)] == [1, 1, 1]


@pytest.mark.parametrize(
    ("line", "masked"),
    [
        ("Not Found: /api/v1/shoppers/anna@example.test/", "Not Found: /api/v1/shoppers/…/"),
        (
            "GET /api/v1/recommendations/?n=4&shopper=anna&slot=home",
            "GET /api/v1/recommendations/?n=4&shopper=…&slot=home",
        ),
        ("Bad Request: /api/v1/products/", "Bad Request: /api/v1/products/"),
    ],
)
def test_log_lines_name_no_visitor(line, masked):
    assert mask_shoppers(None, "info", {"event": line, "number": 3}) == {"event": masked, "number": 3}
