"""Webhooks: what is announced, how it is signed, and what happens where nobody answers."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from catalog.developers import delivering, endpoints
from catalog.developers.announcing import announce
from catalog.developers.models import PublishableKey, WebhookDelivery, WebhookEndpoint
from catalog.models import AuditEntry, Membership
from catalog.services.products import save_product
from jobs import lifecycle
from jobs.errors import UserError
from jobs.models import Job
from styling.services import review, versions
from tests.api.clients import API, client_of
from tests.api.receiving import receiver
from tests.catalog.factories import MembershipFactory
from tests.styling.factories import StyledImageFactory, StyleModelFactory, person

pytestmark = pytest.mark.django_db
Event = WebhookEndpoint.Event


@pytest.fixture
def member():
    return MembershipFactory()


@pytest.fixture
def listen(settings, member):
    """Make an endpoint of the member's shop at a receiver."""

    def listen(server=None, *, events=()):
        host = server.host if server else "127.0.0.1:9"
        settings.WEBHOOK_INTERNAL_HOSTS = [host]
        url = server.url if server else f"http://{host}/"
        return endpoints.create_endpoint(merchant=member.merchant, by=member.user, url=url, events=events)

    return listen


@pytest.fixture
def rings(monkeypatch) -> list[tuple[int, float]]:
    """The rings that attempts ask for, with their pauses, in place of messages to a broker."""
    asked: list[tuple[int, float]] = []
    monkeypatch.setattr(delivering, "ring", lambda pk, *, after=0: not asked.append((pk, after)))
    return asked


def due(delivery: WebhookDelivery) -> WebhookDelivery:
    """The delivery, with its pause behind it."""
    WebhookDelivery.objects.filter(pk=delivery.pk).update(next_attempt_at=timezone.now() - timedelta(seconds=1))
    return delivery


def said(event: str) -> list[dict[str, object]]:
    rows = WebhookDelivery.objects.filter(event=event).order_by("pk")
    return [json.loads(row.body)["data"] for row in rows]


# --- What is announced ---


def test_each_event_is_announced_with_what_it_is_about(member, listen):
    listen()
    merchant = member.merchant
    product, _ = save_product(merchant=merchant, sku="V-1", name="Vase", price="10.00")
    save_product(merchant=merchant, sku="V-1", price="11.00")
    save_product(merchant=merchant, sku="V-1", price="11.00")  # changes nothing
    assert said(Event.PRODUCT_UPDATED) == [
        {"id": product.pk, "sku": "V-1", "created": True, "changed": ["name", "price"]},
        {"id": product.pk, "sku": "V-1", "created": False, "changed": ["price"]},
    ]

    model = StyleModelFactory(style__merchant=merchant)
    versions.deploy_model(model=model, by=member.user)
    assert said(Event.MODEL_DEPLOYED) == [{"id": model.pk, "style": model.style.slug, "version": model.version}]

    image = StyledImageFactory(style_model=model)
    by = person(merchant, Membership.Role.EDITOR)
    outcome = review.approve_and_publish(images=[image], by=by)
    review.undo(batch=outcome.batch, merchant=merchant, by=by)
    what = {"id": image.pk, "style": model.style.slug, "product": image.product_image.product.sku}
    assert (said(Event.IMAGE_PUBLISHED), said(Event.IMAGE_UNPUBLISHED)) == ([what], [what])


@pytest.mark.parametrize(("end", "event"), [("succeed", Event.JOB_SUCCEEDED), ("fail", Event.JOB_FAILED)])
def test_the_end_of_a_job_is_announced_and_a_cancelled_one_is_not(member, listen, end, event):
    listen()
    job = Job.objects.create(kind="k", merchant_key=member.merchant_id)
    fence = lifecycle.claim(job.pk, worker="w")
    if end == "succeed":
        lifecycle.succeed(job.pk, fence, {"rows": 3})
        expected = {"status": "succeeded", "result": {"rows": 3}, "error": None}
    else:
        lifecycle.fail(job.pk, fence, UserError("no-table", "This is no table.", "Send a CSV."))
        error = {"code": "no-table", "message": "This is no table.", "hint": "Send a CSV."}
        expected = {"status": "failed", "result": {}, "error": error}
    assert said(event) == [{"id": str(job.pk), "kind": "k", **expected}]

    other = Job.objects.create(kind="k", merchant_key=member.merchant_id)
    lifecycle.mark_cancelled(other.pk, lifecycle.claim(other.pk, worker="w"))
    assert WebhookDelivery.objects.count() == 1


def test_what_is_rolled_back_was_never_announced(member, listen):
    listen()
    with transaction.atomic():
        save_product(merchant=member.merchant, sku="V-1", name="Vase", price="10.00")
        transaction.set_rollback(True)
    assert not WebhookDelivery.objects.exists()


def test_only_the_shops_own_active_endpoints_that_want_to_know_are_told(member, listen):
    wanted, _ = listen(events=[Event.PRODUCT_UPDATED])
    listen(events=[Event.JOB_FAILED])
    off, _ = listen()
    endpoints.change_endpoint(endpoint=off, by=member.user, is_active=False)
    stranger = MembershipFactory()
    endpoints.create_endpoint(merchant=stranger.merchant, by=stranger.user, url="http://127.0.0.1:9/")
    save_product(merchant=member.merchant, sku="V-1", name="Vase", price="10.00")
    assert [row.endpoint for row in WebhookDelivery.objects.all()] == [wanted]


def test_nobody_listening_costs_one_query(member, django_assert_num_queries):
    with django_assert_num_queries(1):
        announce(merchant_id=member.merchant_id, event=Event.PING, items=lambda: pytest.fail("nobody asked"))


# --- How it is sent ---


def test_a_message_arrives_signed_so_that_the_reference_library_believes_it(member, listen):
    with receiver(200) as server:
        _, secret = listen(server)
        save_product(merchant=member.merchant, sku="V-1", name="花瓶", price="10.00")
        delivery = WebhookDelivery.objects.get()
        assert delivering.deliver(delivery.pk) == "delivered"
        assert delivering.deliver(delivery.pk) is None  # a doubled ring
        (message,) = server.verified(secret)
        assert (message["type"], message["data"]["sku"]) == ("product.updated", "V-1")
        headers, _body = server.received[0]
        assert headers["webhook-id"] == delivery.message_id
        assert headers["host"] == server.host
    delivery.refresh_from_db()
    assert [(row["status"], row["error"], row["answer"]) for row in delivery.log] == [(200, "", "thanks")]


def test_a_rotated_secret_and_the_one_before_it_both_verify_for_a_day(member, listen):
    with receiver(200) as server:
        endpoint, old = listen(server)
        new = endpoints.rotate_secret(endpoint=endpoint, by=member.user)
        save_product(merchant=member.merchant, sku="V-1", name="Vase", price="10.00")
        delivering.deliver(WebhookDelivery.objects.get().pk)
        assert server.verified(old) == server.verified(new)
    WebhookEndpoint.objects.update(previous_until=timezone.now() - timedelta(seconds=1))
    endpoint.refresh_from_db()
    assert endpoints.secrets_of(endpoint) == [new]


def test_a_secret_is_stored_so_that_the_database_alone_does_not_tell_it(listen, settings, rings):
    endpoint, secret = listen()
    assert secret.encode() not in bytes(endpoint.sealed_secret)
    assert endpoints.secrets_of(endpoint) == [secret]
    settings.PRIVACY_KEYS = ["MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="]
    delivery = WebhookDelivery.objects.create(endpoint=endpoint, message_id="msg_1", event=Event.PING, body="{}")
    assert delivering.deliver(delivery.pk) == "pending"
    delivery.refresh_from_db()
    assert delivery.log[0]["error"] == "webhook-secret-unreadable"


@pytest.mark.parametrize("answer", [302, 404, 500])
def test_what_fails_is_tried_again_later_and_given_up_at_last(member, listen, answer, rings):
    with receiver(answer) as server:
        endpoint, _ = listen(server)
        save_product(merchant=member.merchant, sku="V-1", name="Vase", price="10.00")
        delivery = WebhookDelivery.objects.get()
        for number, pause in enumerate(delivering.PAUSES, start=1):
            assert delivering.deliver(delivery.pk) == "pending"
            delivery.refresh_from_db()
            wait = (delivery.next_attempt_at - timezone.now()).total_seconds()
            assert pause - 5 < wait <= pause * 1.2
            assert delivering.deliver(delivery.pk) is None  # not before its time
            assert len(server.received) == number
            due(delivery)
        assert delivering.deliver(delivery.pk) == "failed"
        ids = {headers["webhook-id"] for headers, _body in server.received}
    assert ids == {delivery.message_id}
    assert [(pk, int(after // 100)) for pk, after in rings] == [(delivery.pk, 0), (delivery.pk, 3)]  # 5 s, 5 min
    delivery.refresh_from_db()
    assert [row["status"] for row in delivery.log] == [answer] * (len(delivering.PAUSES) + 1)
    endpoint.refresh_from_db()
    assert (endpoint.failures, endpoint.is_active) == (1, True)


def test_a_late_success_forgives_and_a_finished_message_is_sent_again_on_request(member, listen, rings):
    with receiver(503, 200, 200) as server:
        endpoint, secret = listen(server)
        WebhookEndpoint.objects.update(failures=3)
        save_product(merchant=member.merchant, sku="V-1", name="Vase", price="10.00")
        delivery = WebhookDelivery.objects.get()
        assert delivering.deliver(delivery.pk) == "pending"
        assert delivering.deliver(due(delivery).pk) == "delivered"
        endpoint.refresh_from_db()
        assert endpoint.failures == 0
        delivery.refresh_from_db()
        delivering.redeliver(delivery=delivery, by=member.user)
        with pytest.raises(UserError, match="on its way"):
            delivering.redeliver(delivery=delivery, by=member.user)
        assert delivering.deliver(delivery.pk) == "delivered"
        assert len(server.verified(secret)) == 3
        assert len({headers["webhook-id"] for headers, _body in server.received}) == 1


def test_an_endpoint_that_fails_again_and_again_is_switched_off_and_can_be_switched_on(member, listen):
    endpoint, _ = listen()
    for _number in range(delivering.FAILURES_UNTIL_OFF):
        row = WebhookDelivery.objects.create(
            endpoint=endpoint, message_id="msg_1", event=Event.PING, body="{}", attempts=len(delivering.PAUSES)
        )
        assert delivering.deliver(row.pk) == "failed"
    endpoint.refresh_from_db()
    assert (endpoint.is_active, endpoint.disabled_at is not None) == (False, True)
    assert AuditEntry.objects.filter(action="webhook-switched-off").count() == 1
    waiting = WebhookDelivery.objects.create(endpoint=endpoint, message_id="msg_2", event=Event.PING, body="{}")
    assert delivering.deliver(waiting.pk) == "failed"
    endpoints.change_endpoint(endpoint=endpoint, by=member.user, is_active=True)
    assert (endpoint.is_active, endpoint.failures, endpoint.disabled_at) == (True, 0, None)


def test_a_receiver_that_says_it_is_gone_is_believed(member, listen):
    with receiver(410) as server:
        endpoint, _ = listen(server)
        save_product(merchant=member.merchant, sku="V-1", name="Vase", price="10.00")
        assert delivering.deliver(WebhookDelivery.objects.get().pk) == "failed"
    endpoint.refresh_from_db()
    assert not endpoint.is_active


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/",
        "http://169.254.169.254/latest/meta-data/",
        "http://[::ffff:10.0.0.1]/",
        "http://2130706433/",
        "http://192.0.2.1:22/",
        "file:///etc/passwd",
        "http://user:pass@127.0.0.1:9/",
        "no address",
        "",
    ],
)
def test_an_address_within_is_neither_taken_nor_sent_to(member, listen, url, rings):
    with pytest.raises(UserError) as refused:
        endpoints.create_endpoint(merchant=member.merchant, by=member.user, url=url)
    assert refused.value.code in {"webhook-url-malformed", "webhook-url-not-public"}
    endpoint, _ = listen()
    WebhookEndpoint.objects.update(url=url)  # as where a name has come to mean another address since
    row = WebhookDelivery.objects.create(endpoint=endpoint, message_id="msg_1", event=Event.PING, body="{}")
    assert delivering.deliver(row.pk) == "pending"
    row.refresh_from_db()
    assert row.log[0]["status"] == 0


def test_only_https_leaves_a_site_in_production(member, settings):
    settings.PRODUCTION = True
    with pytest.raises(UserError, match="no address"):
        endpoints.create_endpoint(merchant=member.merchant, by=member.user, url="http://192.0.2.1/")


def test_what_is_due_and_forgotten_is_rung_for(listen, rings):
    endpoint, _ = listen()
    now = timezone.now()
    rows = [
        WebhookDelivery.objects.create(
            endpoint=endpoint, message_id="m", event=Event.PING, body="{}", status=status, next_attempt_at=at
        )
        for status, at in [("pending", now), ("pending", now + timedelta(hours=1)), ("failed", None)]
    ]
    assert delivering.ring_due() == 1
    assert rings == [(rows[0].pk, 0)]


def test_a_broker_that_is_away_is_no_error(listen, monkeypatch):
    def away(*arguments, **keywords):
        raise ConnectionError("no broker")

    monkeypatch.setattr("catalog.developers.tasks.deliver.apply_async", away)
    assert delivering.ring(1) is False


def test_old_finished_deliveries_are_forgotten(listen):
    endpoint, _ = listen()
    for status in WebhookDelivery.Status.values:
        WebhookDelivery.objects.create(endpoint=endpoint, message_id="m", event=Event.PING, body="{}", status=status)
    WebhookDelivery.objects.update(created_at=timezone.now() - delivering.KEPT_FOR - timedelta(hours=1))
    assert delivering.purge() == 2
    assert WebhookDelivery.objects.get().status == "pending"


# --- Over the API ---


def test_the_api_makes_changes_pings_and_forgets_a_webhook(settings):
    settings.WEBHOOK_INTERNAL_HOSTS = ["127.0.0.1:9"]
    client = client_of()
    made = client.post(f"{API}/webhook-endpoints/", {"url": "http://127.0.0.1:9/"}, format="json")
    assert made.status_code == 201
    assert made.json()["secret"].startswith("whsec_")
    address = f"{API}/webhook-endpoints/{made.json()['id']}/"
    assert "secret" not in client.get(address).json()
    assert client.patch(address, {"events": ["ping"]}, format="json").json()["events"] == ["ping"]
    assert client.patch(address, {"events": ["all"]}, format="json").status_code == 400
    assert client.post(f"{address}rotate_secret/").json()["secret"] != made.json()["secret"]
    assert client.post(f"{address}ping/").status_code == 202
    (sent,) = client.get(f"{API}/webhook-deliveries/").json()["results"]
    assert (sent["event"], sent["status"], sent["log"]) == ("ping", "pending", [])
    assert client.post(f"{API}/webhook-deliveries/{sent['id']}/redeliver/").status_code == 409
    stranger = client_of()
    assert stranger.get(address).status_code == 404
    assert stranger.get(f"{API}/webhook-deliveries/{sent['id']}/").status_code == 404
    assert client.delete(address).status_code == 204
    assert not WebhookDelivery.objects.exists()


def test_webhooks_are_an_owners_to_make():
    client = client_of(role=Membership.Role.EDITOR)
    assert client.post(f"{API}/webhook-endpoints/", {"url": "https://192.0.2.1/"}, format="json").status_code == 403


@pytest.mark.parametrize("path", ["webhook-endpoints", "webhook-deliveries", "publishable-keys"])
def test_lists_cost_the_same_number_of_queries_for_any_number_of_rows(path, django_assert_max_num_queries):
    client = client_of()
    for number in range(6):
        endpoint = WebhookEndpoint.objects.create(merchant=client.merchant, url="https://a/", sealed_secret=b"x")
        WebhookDelivery.objects.create(endpoint=endpoint, message_id=f"m{number}", event=Event.PING, body="{}")
        PublishableKey.objects.create(merchant=client.merchant, name="Web", origins=["https://shop.example"])
    client.get(f"{API}/{path}/")  # the token is marked as used, once a minute
    with django_assert_max_num_queries(4):
        assert len(client.get(f"{API}/{path}/").json()["results"]) == 6


@pytest.mark.worker
def test_a_real_worker_delivers_what_a_request_announced(processes, wait_until, monkeypatch, settings):
    with receiver(200) as server:
        monkeypatch.setenv("STYLEREC_WEBHOOK_INTERNAL_HOSTS", server.host)
        settings.WEBHOOK_INTERNAL_HOSTS = [server.host]
        processes.start_worker("worker", queues="default")
        client = client_of()
        secret = client.post(f"{API}/webhook-endpoints/", {"url": server.url}, format="json").json()["secret"]
        client.post(f"{API}/products/", {"sku": "V-1", "name": "Vase", "price": "12.00"}, format="json")
        wait_until(lambda: WebhookDelivery.objects.filter(status="delivered").exists(), what="the delivery")
        assert [message["type"] for message in server.verified(secret)] == ["product.updated"]
