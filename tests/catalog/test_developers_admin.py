"""Webhooks and publishable keys in the admin: made, tried, changed over, ended; the secret is shown once."""

from __future__ import annotations

import html
import re

import pytest
from django.urls import reverse
from django.utils import timezone

from catalog.developers import endpoints, keys
from catalog.developers.models import PublishableKey, WebhookDelivery, WebhookEndpoint
from catalog.models import Membership
from tests.catalog.factories import MembershipFactory

pytestmark = pytest.mark.django_db
ADD = "/admin/developers/webhookendpoint/add/"
HOOK = {"url": "https://93.184.216.34/hooks", "description": "warehouse", "events": ["job.failed"]}


@pytest.fixture
def member(client):
    member = MembershipFactory()
    client.force_login(member.user)
    return member


@pytest.fixture
def endpoint(member):
    return endpoints.create_endpoint(merchant=member.merchant, by=member.user, url=HOOK["url"])[0]


def page_of(row):
    return reverse(f"admin:developers_{row._meta.model_name}_change", args=[row.pk])


def secrets_in(answer):
    return re.findall(r"whsec_[A-Za-z0-9+/=]+", html.unescape(answer.content.decode()))


def test_a_new_webhooks_secret_is_shown_once(client, member):
    shown = client.post(ADD, HOOK)
    endpoint = WebhookEndpoint.objects.get()
    assert (endpoint.merchant, endpoint.url, endpoint.events) == (member.merchant, HOOK["url"], ["job.failed"])
    assert secrets_in(shown) == endpoints.secrets_of(endpoint)
    for page in (page_of(endpoint), "/admin/developers/webhookendpoint/"):
        assert not secrets_in(client.get(page))


@pytest.mark.parametrize("url", ["http://127.0.0.1/hooks", "no address", "ftp://shop.example/"])
def test_an_address_that_nothing_may_be_sent_to_is_refused_in_the_form(client, member, url):
    answer = client.post(ADD, {**HOOK, "url": url})
    assert "url" in answer.context["adminform"].form.errors
    assert not WebhookEndpoint.objects.exists()


def test_a_webhook_is_changed_switched_off_and_on_and_deleted(client, endpoint):
    client.post(page_of(endpoint), {"url": HOOK["url"], "description": "shop", "events": [], "is_active": "on"})
    endpoint.refresh_from_db()
    assert (endpoint.description, endpoint.is_active) == ("shop", True)
    for expected in (False, True):
        client.post(reverse("catalog:switch_webhook", args=[endpoint.pk]))
        endpoint.refresh_from_db()
        assert endpoint.is_active is expected
    client.post(reverse("admin:developers_webhookendpoint_delete", args=[endpoint.pk]), {"post": "yes"})
    assert not WebhookEndpoint.objects.exists()


def test_a_new_secret_is_shown_once_and_the_one_before_it_goes_on_signing(client, endpoint):
    before = endpoints.secrets_of(endpoint)
    shown = client.post(reverse("catalog:rotate_webhook", args=[endpoint.pk]))
    endpoint.refresh_from_db()
    assert endpoints.secrets_of(endpoint) == [*secrets_in(shown), *before]


def test_a_test_message_stands_in_the_log_and_is_sent_again_once_it_is_finished(client, endpoint):
    client.post(reverse("catalog:ping_webhook", args=[endpoint.pk]))
    delivery = WebhookDelivery.objects.get()
    assert delivery.event == "ping"
    again = reverse("catalog:redeliver", args=[delivery.pk])
    assert "on its way already" in client.post(again, follow=True).content.decode()
    attempt = {
        "at": "2026-11-24T10:00:00",
        "status": 500,
        "error": "webhook-url-refused",
        "milliseconds": 3,
        "answer": "<no>",
    }
    WebhookDelivery.objects.update(status="failed", attempts=8, finished_at=timezone.now(), log=[attempt])
    page = client.get(page_of(endpoint)).content.decode()
    assert "HTTP 500" in page
    assert "&lt;no&gt;" in page
    assert again in page
    client.post(again)
    delivery.refresh_from_db()
    assert (delivery.status, delivery.attempts) == ("pending", 0)


def test_a_key_is_made_with_its_snippet_replaced_without_a_gap_and_revoked(client, member):
    client.post(
        "/admin/developers/publishablekey/add/", {"name": "Web", "origins": "https://A.example/\nhttps://b.example"}
    )
    key = PublishableKey.objects.get()
    assert key.origins == ["https://a.example", "https://b.example"]
    snippet = html.unescape(client.get(page_of(key)).content.decode())
    assert '<script src="http://testserver/static/shelf/stylerec-shelf.js" defer></script>' in snippet
    assert f'<stylerec-shelf key="{key.key}" slot="home" n="8" href="https://a.example/products/{{sku}}">' in snippet
    client.post(reverse("catalog:replace_key", args=[key.pk]))
    new = PublishableKey.objects.exclude(pk=key.pk).get()
    assert (new.name, new.origins, new.revoked_at) == (key.name, key.origins, None)
    asked = client.post(reverse("catalog:revoke_key", args=[key.pk])).content.decode()
    assert "cannot be brought back" in asked, "without a script, too"
    assert 'name="sure"' in asked
    key.refresh_from_db()
    assert key.revoked_at is None
    client.post(reverse("catalog:revoke_key", args=[key.pk]), {"sure": "1"})
    key.refresh_from_db()
    assert key.revoked_at is not None
    assert "stylerec-shelf key" not in client.get(page_of(key)).content.decode()


@pytest.mark.parametrize("origins", ["", "shop.example", "https://shop.example/page", "javascript:1"])
def test_what_is_no_origin_is_refused_in_the_form(client, member, origins):
    answer = client.post("/admin/developers/publishablekey/add/", {"name": "Web", "origins": origins})
    assert "origins" in answer.context["adminform"].form.errors


def test_only_owners_set_them_up(client, endpoint, member):
    key = keys.create_key(merchant=member.merchant, by=member.user, name="Web", origins=["https://a.example"])
    client.force_login(MembershipFactory(merchant=member.merchant, role=Membership.Role.REVIEWER).user)
    assert client.get(ADD).status_code == 403
    for name, row in (
        ("ping_webhook", endpoint),
        ("rotate_webhook", endpoint),
        ("switch_webhook", endpoint),
        ("revoke_key", key),
        ("replace_key", key),
    ):
        answer = client.post(reverse(f"catalog:{name}", args=[row.pk]), follow=True)
        assert "does not allow this" in answer.content.decode(), name
        assert not secrets_in(answer)
    assert not WebhookDelivery.objects.exists()
    assert PublishableKey.objects.get().revoked_at is None
