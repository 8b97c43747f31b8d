"""Shops, members and tokens in the admin: owners decide, a shop keeps an owner, a secret is shown once."""

from __future__ import annotations

import pytest
from django.urls import reverse

from catalog.models import ApiToken, AuditEntry, Membership, Merchant
from catalog.tokens import create_token, digest_of
from tests.catalog.factories import MembershipFactory, MerchantFactory, UserFactory

pytestmark = pytest.mark.django_db

ADD_MEMBER = "admin:catalog_membership_add"
ADD_TOKEN = "admin:catalog_apitoken_add"
TOKENS = "admin:catalog_apitoken_changelist"


@pytest.fixture
def merchant():
    return MerchantFactory()


@pytest.fixture
def log_in(client, merchant):
    """Log a member of the shop in and return their membership."""

    def as_role(role=Membership.Role.OWNER):
        member = MembershipFactory(merchant=merchant, role=role)
        client.force_login(member.user)
        return member

    return as_role


def test_an_owner_adds_a_person_changes_their_role_and_lets_them_go(client, log_in, merchant):
    log_in()
    user = UserFactory(username="mei", is_staff=False)
    client.post(reverse(ADD_MEMBER), {"username": "mei", "role": "viewer"})
    member = Membership.objects.get(user=user)
    user.refresh_from_db()
    assert (member.merchant, member.role, user.is_staff) == (merchant, "viewer", True)
    client.post(reverse("admin:catalog_membership_change", args=[member.pk]), {"role": "editor"})
    member.refresh_from_db()
    assert member.role == "editor"
    token, _secret = create_token(merchant=merchant, user=user, name="till", scope="read")
    client.post(reverse("admin:catalog_membership_delete", args=[member.pk]), {"post": "yes"})
    token.refresh_from_db()
    assert not Membership.objects.filter(user=user).exists()
    assert token.revoked_at is not None
    actions = AuditEntry.objects.filter(action__startswith="member").order_by("pk").values_list("action", flat=True)
    assert list(actions) == ["member-added", "member-role-changed", "member-removed"]


@pytest.mark.parametrize("name", ["nobody", "already"])
def test_who_cannot_be_added_is_said(client, log_in, merchant, name):
    log_in()
    MembershipFactory(merchant=merchant, user__username="already")
    page = client.post(reverse(ADD_MEMBER), {"username": name, "role": "viewer"}, follow=True).content.decode()
    assert ("no user of this name" in page, "works for the shop already" in page) == (
        name == "nobody",
        name == "already",
    )


def test_the_last_owner_stays(client, log_in):
    owner = log_in()
    address = reverse("admin:catalog_membership_change", args=[owner.pk])
    assert "role" in client.post(address, {"role": "viewer"}).context["adminform"].form.errors
    client.post(reverse("admin:catalog_membership_delete", args=[owner.pk]), {"post": "yes"})
    body = {"action": "delete_selected", "_selected_action": [owner.pk], "post": "yes"}
    client.post(reverse("admin:catalog_membership_changelist"), body)
    owner.refresh_from_db()
    assert owner.role == "owner"


@pytest.mark.parametrize("role", ["viewer", "reviewer", "editor"])
def test_others_manage_nobody(client, log_in, merchant, role):
    member = log_in(role)
    assert client.get(reverse(ADD_MEMBER)).status_code == 403
    address = reverse("admin:catalog_membership_change", args=[member.pk])
    assert client.post(address, {"role": "owner"}).status_code == 403
    settings = reverse("admin:catalog_merchant_change", args=[merchant.pk])
    assert client.post(settings, {"name": "Mine"}).status_code == 403
    assert client.post(reverse("admin:catalog_membership_delete", args=[member.pk]), {"post": "yes"}).status_code == 403


def test_a_token_is_shown_once_and_kept_as_a_digest(client, log_in, merchant):
    member = log_in(Membership.Role.EDITOR)
    response = client.post(reverse(ADD_TOKEN), {"name": "checkout", "scope": "events"})
    secret = response.content.decode().split('id="token-secret">')[1].split("<")[0]
    token = ApiToken.objects.get()
    assert (token.user, token.merchant, token.scope) == (member.user, merchant, "events")
    assert token.digest == digest_of(secret)
    assert "no-store" in response["Cache-Control"]
    assert secret not in client.get(reverse("admin:catalog_apitoken_change", args=[token.pk])).content.decode()


def test_a_token_is_revoked_by_its_user_or_an_owner_and_seen_by_nobody_else(client, log_in, merchant):
    user = MembershipFactory(merchant=merchant, role=Membership.Role.EDITOR).user
    token, _secret = create_token(merchant=merchant, user=user, name="till", scope="write")
    revoke = {"action": "revoke", "_selected_action": [token.pk]}
    log_in(Membership.Role.EDITOR)
    assert "till" not in client.get(reverse(TOKENS)).content.decode()
    client.post(reverse(TOKENS), revoke)
    token.refresh_from_db()
    assert token.revoked_at is None
    log_in(Membership.Role.OWNER)
    assert "till" in client.get(reverse(TOKENS)).content.decode()
    client.post(reverse(TOKENS), revoke)
    token.refresh_from_db()
    assert token.revoked_at is not None
    assert AuditEntry.objects.get(action="token-revoked").before["name"] == "till"


def test_viewers_make_no_tokens(client, log_in):
    log_in(Membership.Role.VIEWER)
    assert client.post(reverse(ADD_TOKEN), {"name": "x", "scope": "write"}).status_code == 403
    assert not ApiToken.objects.exists()


def test_whoever_works_here_opens_a_shop_and_owns_it(client):
    client.force_login(UserFactory())
    fields = {"name": "Kiln", "name_zh": "窑", "slug": "kiln", "currency": "CNY", "tagline": "", "tagline_zh": ""}
    answer = client.post(reverse("admin:catalog_merchant_add"), fields)
    shop = Merchant.objects.get()
    assert (answer["Location"], shop.currency) == (reverse("catalog:import"), "CNY")
    assert Membership.objects.get(merchant=shop).role == "owner"


def test_an_owner_sets_the_shop_up_but_does_not_close_it(client, log_in, merchant):
    log_in()
    address = reverse("admin:catalog_merchant_change", args=[merchant.pk])
    fields = {"name": "New name", "name_zh": "新", "currency": "CNY", "tagline": "", "tagline_zh": "", "slug": "other"}
    client.post(address, fields)
    changed = Merchant.objects.get(pk=merchant.pk)
    assert (changed.name, changed.currency, changed.is_active) == ("New name", "CNY", True)
    assert changed.slug == merchant.slug
    assert AuditEntry.objects.get(action="shop-changed").after["currency"] == "CNY"
    errors = client.post(address, fields | {"currency": "euro"}).context["adminform"].form.errors
    assert set(errors) == {"currency"}


@pytest.mark.parametrize("name", ["membership", "apitoken", "merchant"])
def test_lists_cost_the_same_for_any_number_of_rows(client, log_in, merchant, name, django_assert_max_num_queries):
    owner = log_in()
    address = reverse(f"admin:catalog_{name}_changelist")

    def more(count):
        for _ in range(count):
            member = MembershipFactory(merchant=merchant, role=Membership.Role.EDITOR)
            create_token(merchant=merchant, user=member.user, name="t", scope="read")
            MembershipFactory(merchant=MerchantFactory(), user=owner.user)

    more(3)
    with django_assert_max_num_queries(16) as few:
        assert client.get(address).status_code == 200
    more(20)
    with django_assert_max_num_queries(len(few)):
        assert client.get(address).status_code == 200
