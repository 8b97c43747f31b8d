"""What one shopper did is a history of a person, under a pseudonym: shown to editors and owners, to nobody below."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from catalog.models import Membership
from recommend.admin_views.codes import code_of
from recommend.services.shoppers import grant_consent
from tests.security.test_roles import client_of, program_of
from tests.security.walking import text_of

pytestmark = pytest.mark.django_db
#: The pages and routes that show them.
LISTS = ("admin:recommend_interaction_changelist", "admin:recommend_shopper_changelist")


@pytest.mark.parametrize(("role", "may"), [("viewer", False), ("reviewer", False), ("editor", True), ("owner", True)])
def test_only_editors_see_what_one_shopper_did(role, may, ours):
    user = ours.people[role]
    browser: Client = client_of(user)
    for name in LISTS:
        assert browser.get(reverse(name)).status_code == (200 if may else 403), name
    code = code_of(grant_consent(merchant=ours.merchant, visitor_id="customer-82"))
    panel = browser.get(reverse("recommending:why"), {"shopper": code})
    assert panel.status_code == 200, "anybody may invent a shopper"
    assert (panel.context["shopper"] is not None) == may
    assert bool(panel.context["shoppers"]) == may
    assert ('name="shopper"' in text_of(panel)) == may
    answer = program_of(user, ours, role).get("/api/v1/interactions/")
    assert answer.status_code == (200 if may else 403)
    links = text_of(browser.get("/admin/"))
    assert all((reverse(name) in links) == may for name in LISTS)


def test_an_editor_of_one_shop_sees_no_histories_of_another_where_they_only_look(ours, theirs):
    editor = ours.people["editor"]
    Membership.objects.create(user=editor, merchant=theirs.merchant, role=Membership.Role.VIEWER)
    browser = client_of(editor)
    code = code_of(grant_consent(merchant=theirs.merchant, visitor_id="customer-83"))
    assert browser.get(reverse("recommending:why"), {"shopper": code}).context["shopper"] is None
    panel = browser.get(reverse("recommending:why"), {"shop": theirs.merchant.slug})
    assert panel.context["shoppers"] == []
    for name in LISTS:
        assert code not in text_of(browser.get(reverse(name)))
