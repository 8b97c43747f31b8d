"""The shops of the tenant tests really have everything that there is to have."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import AnonymousUser

from catalog.models import Merchant
from jobs.models import Job
from tests.security.possessions import NOBODYS, belongs_to_a_shop, models_of_rooms, possessions

pytestmark = pytest.mark.django_db


def test_every_model_belongs_to_a_shop_or_says_why_not():
    strays = [
        model._meta.label
        for model in models_of_rooms()
        if not belongs_to_a_shop(model) and model._meta.label not in NOBODYS
    ]
    assert not strays, f"{strays}: give them a required way to Merchant, or a reason in NOBODYS"
    assert not [name for name in NOBODYS if name not in {model._meta.label for model in models_of_rooms()}]


def test_models_of_a_shop_can_be_asked_whose_they_are():
    unaskable = [
        model._meta.label
        for model in models_of_rooms()
        if model._meta.label not in {*NOBODYS, "jobs.JobEvent"} and not hasattr(model._default_manager, "visible_to")
    ]
    assert not unaskable, f"{unaskable}: their default manager needs visible_to(user)"


def test_each_shop_sees_its_own_rows_and_no_others():
    ours, theirs = possessions("Ours1mark"), possessions("Theirs1mark", first_key=77_700_000)
    for model, row in ours.rows.items():
        if not hasattr(model._default_manager, "visible_to"):
            continue
        seen = set(model._default_manager.visible_to(ours.people["owner"]).values_list("pk", flat=True))
        assert row.pk in seen, model
        assert theirs.rows[model].pk not in seen, model
        assert not model._default_manager.visible_to(AnonymousUser()).exists(), model
    assert {Merchant, Job} <= set(ours.rows)
