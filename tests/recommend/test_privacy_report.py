"""The record of processing is complete, current and proven, and says so when it is not."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.conf import settings as site
from django.core.management import CommandError, call_command
from django.utils import timezone

from recommend.models import Interaction, Shopper
from recommend.privacy import inventory, key_store
from recommend.privacy.record import ELSEWHERE, SHOPPERS, STAFF
from recommend.services import shoppers
from tests.recommend.shops import add_crowd, open_shop

pytestmark = pytest.mark.django_db


def report(*arguments: str) -> str:
    out = io.StringIO()
    call_command("privacy_report", *arguments, stdout=out)
    return out.getvalue()


def test_every_field_about_people_is_declared_and_every_declared_field_exists():
    assert inventory.undeclared() == []
    assert inventory.gone() == []


@pytest.mark.parametrize("kept", [*SHOPPERS, *STAFF, *ELSEWHERE], ids=lambda kept: kept.place)
def test_every_control_is_a_test_that_exists(kept):
    path, _, name = kept.control.partition("::")
    source = (Path(site.BASE_DIR) / path).read_text()
    assert not name or f"def {name}(" in source


def test_the_report_speaks_from_the_live_configuration(settings):
    settings.INTERACTION_RETENTION_DAYS = 123
    shop = open_shop(products=4, slug="kiln")
    add_crowd(shop, people=3, visits=2)
    text = report()
    assert "until erased, or 123 days" in text
    assert "- Now: 6 rows, the oldest of " in text
    assert "| kiln | on | 3 | none |" in text
    facts = json.loads(report("--json").splitlines()[-1])
    assert facts["settings"]["retention_days"] == 123
    assert facts["findings"] == []
    (row,) = [row for row in facts["shoppers"] if row["place"] == "recommend.Shopper"]
    assert (row["rows"], set(row["fields"])) == (3, {field.name for field in Shopper._meta.fields})


def test_a_new_field_about_shoppers_fails_until_it_is_declared(monkeypatch):
    first = replace(SHOPPERS[0], fields={k: v for k, v in SHOPPERS[0].fields.items() if k != "sealed_profile"})
    monkeypatch.setattr(inventory.undeclared, "__defaults__", ((first, *SHOPPERS[1:], *STAFF),))
    with pytest.raises(CommandError, match=r"not declared: recommend\.Shopper\.sealed_profile"):
        report()


class Table(SimpleNamespace):
    __hash__ = object.__hash__  # a model is a class, and classes are hashable


def table(name: str, **fields: object) -> Table:
    """A model as the inventory sees it: field names, and what they point to. A real one would stay on ``Shopper``."""
    columns = [
        SimpleNamespace(name=field, concrete=True, is_relation=target is not None, related_model=target)
        for field, target in fields.items()
    ]
    label = f"recommend.{name}"
    return Table(_meta=SimpleNamespace(label=label, label_lower=label.lower(), get_fields=lambda: columns))


def test_a_table_that_hangs_on_a_shopper_and_a_telling_name_are_seen(monkeypatch):
    wish = table("Wish", shopper=Shopper, note=None)
    remark = table("Remark", wish=wish, text=None)
    newsletter = table("Newsletter", email=None, frequency=None)
    known = list(inventory.apps.get_models(include_auto_created=True))
    monkeypatch.setattr(
        inventory.apps, "get_models", lambda include_auto_created=False: [*known, wish, remark, newsletter]
    )
    assert inventory.undeclared() == [
        "recommend.Newsletter.email",
        "recommend.Remark.text",
        "recommend.Remark.wish",
        "recommend.Wish.note",
        "recommend.Wish.shopper",
    ]


def test_a_record_of_what_is_gone_is_a_finding():
    stale = replace(SHOPPERS[0], fields={**SHOPPERS[0].fields, "phone": "number"})
    assert inventory.gone([stale]) == ["recommend.Shopper.phone"]


@pytest.mark.parametrize(
    ("change", "finding"),
    [
        ({"STATISTICS_MINIMUM_GROUP": 3}, "statistics of fewer than 10 shoppers may be shown"),
        ({"CELERY_BEAT_SCHEDULE": {}}, "not scheduled: recommend.purge"),
        ({"INTERACTION_RETENTION_DAYS": 0}, "the retention time is not positive"),
        ({"LOGGING": {"version": 1}}, "logs do not mask visitor ids"),
        ({"PRODUCTION": True, "SESSION_COOKIE_SECURE": False}, "cookies travel unencrypted"),
    ],
)
def test_a_control_that_is_switched_off_is_a_finding(settings, change, finding):
    for name, value in change.items():
        setattr(settings, name, value)
    with pytest.raises(CommandError, match=finding):
        report()


def test_keys_that_a_backup_would_hold_are_a_finding(settings):
    settings.SHOPPER_KEYS = f"sqlite:///{settings.MEDIA_ROOT / 'keys.sqlite3'}"
    with pytest.raises(CommandError, match="keys lie in a folder that a backup holds"):
        report()


def test_a_lost_key_is_a_finding():
    person = shoppers.grant_consent(merchant=open_shop(products=4).merchant, visitor_id="anna")
    shoppers.hide_tag(shopper=person, style_id=3)
    assert "Nothing undeclared" in report()
    key_store.forget([person.key_id])
    with pytest.raises(CommandError, match="1 sealed profiles cannot be opened"):
        report()


def test_events_beyond_their_time_are_a_finding():
    shop = open_shop(products=4)
    add_crowd(shop, people=1, visits=2)
    Interaction.objects.update(occurred_at=timezone.now() - timedelta(days=site.INTERACTION_RETENTION_DAYS + 3))
    with pytest.raises(CommandError, match="2 events are kept beyond the retention time"):
        report()
