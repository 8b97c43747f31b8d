"""A request with an Idempotency-Key happens once, however often it is sent."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.utils import timezone
from rest_framework.test import APIClient

from catalog.developers import idempotency
from catalog.developers.models import IdempotencyRecord
from catalog.models import AuditEntry, Category, Product, ProductImage
from catalog.tokens import create_token, revoke_token
from tests.api.clients import API, client_of
from tests.catalog.factories import MembershipFactory, ProductFactory, picture_bytes

pytestmark = pytest.mark.django_db
VASE = {"sku": "V-1", "name": "Vase", "price": "12.00"}
MUGS = {"slug": "mugs", "name": "Mugs"}


@pytest.fixture
def client():
    return client_of()


def test_the_second_request_gets_the_first_ones_answer_and_does_nothing(client):
    first = client.post(f"{API}/categories/", MUGS, format="json", headers={"Idempotency-Key": "k-1"})
    again = client.post(f"{API}/categories/", MUGS, format="json", headers={"Idempotency-Key": "k-1"})
    assert (first.status_code, again.status_code, again.json()) == (201, 201, first.json())
    assert (first.has_header("Idempotency-Replayed"), again["Idempotency-Replayed"]) == (False, "true")
    assert Category.objects.count() == 1
    assert (
        client.post(f"{API}/categories/", MUGS, format="json").status_code == 400
    )  # without the key it is a second one


@pytest.mark.parametrize("change", [{"body": {**VASE, "price": "13.00"}}, {"path": "/categories/"}])
def test_the_key_of_another_request_is_refused(client, change):
    client.post(f"{API}/products/", VASE, format="json", headers={"Idempotency-Key": "k-1"})
    path, body = change.get("path", "/products/"), change.get("body", VASE)
    refused = client.post(f"{API}{path}", body, format="json", headers={"Idempotency-Key": "k-1"})
    assert (refused.status_code, refused.json()["error"]["code"]) == (422, "idempotency-key-reused")
    assert Product.objects.get().price == 12


def test_a_key_is_its_tokens_own(client):
    other = client_of()
    for one in (client, other):
        assert one.post(f"{API}/products/", VASE, format="json", headers={"Idempotency-Key": "k"}).status_code == 201
    assert Product.objects.count() == 2


def test_a_revoked_token_gets_no_earlier_answer():
    member = MembershipFactory()
    token, secret = create_token(merchant=member.merchant, user=member.user, name="till", scope="write")
    client = APIClient()
    headers = {"Authorization": f"Token {secret}", "Idempotency-Key": "k"}
    assert client.post(f"{API}/products/", VASE, format="json", headers=headers).status_code == 201
    revoke_token(token=token, by=token.user)
    assert client.post(f"{API}/products/", VASE, format="json", headers=headers).status_code == 401


def test_a_failed_request_leaves_nothing_and_its_key_may_be_tried_again(client):
    headers = {"Idempotency-Key": "k"}
    Category.objects.create(merchant=client.merchant, **MUGS)
    assert client.post(f"{API}/categories/", MUGS, format="json", headers=headers).status_code == 400
    assert not IdempotencyRecord.objects.exists()
    Category.objects.all().delete()
    assert client.post(f"{API}/categories/", MUGS, format="json", headers=headers).status_code == 201


def test_a_crash_takes_what_was_written_back_with_it(client, monkeypatch):
    client.raise_request_exception = False
    monkeypatch.setattr("catalog.api.ProductViewSet.get_serializer", crash_after_first_use())
    answer = client.post(f"{API}/products/", VASE, format="json", headers={"Idempotency-Key": "k"})
    assert answer.status_code == 500
    assert not Product.objects.exists()
    assert not AuditEntry.objects.filter(action="product-created").exists()
    monkeypatch.undo()
    again = client.post(f"{API}/products/", VASE, format="json", headers={"Idempotency-Key": "k"})
    assert (again.status_code, Product.objects.count()) == (201, 1)


def crash_after_first_use():
    """A serializer for what comes in, and none for what goes out: the view fails after its writes."""
    from catalog.api import ProductViewSet

    original, calls = ProductViewSet.get_serializer, []

    def get_serializer(self, *args, **kwargs):
        calls.append(1)
        if len(calls) > 1:
            raise RuntimeError("the machine is on fire")
        return original(self, *args, **kwargs)

    return get_serializer


def test_a_form_is_the_same_one_with_another_boundary_and_another_one_with_another_file(client):
    product = ProductFactory(merchant=client.merchant)

    def send(content: bytes):
        body = {"file": SimpleUploadedFile("a.png", content), "alt_text": "A vase"}
        return client.post(
            f"{API}/products/{product.pk}/images/", body, format="multipart", headers={"Idempotency-Key": "k"}
        )

    first, again = send(picture_bytes()), send(picture_bytes())
    assert (first.status_code, again.status_code, again["Idempotency-Replayed"]) == (201, 201, "true")
    assert ProductImage.objects.count() == 1
    assert send(picture_bytes(color=(1, 2, 3))).status_code == 422


def test_an_expired_key_is_free_again_and_purged(client):
    headers = {"Idempotency-Key": "k"}
    client.post(f"{API}/products/", VASE, format="json", headers=headers)
    IdempotencyRecord.objects.update(created_at=timezone.now() - timedelta(hours=25))
    changed = client.post(f"{API}/products/", {**VASE, "price": "13.00"}, format="json", headers=headers)
    assert (changed.status_code, changed.json()["price"]) == (200, "13.00")
    assert idempotency.purge() == 0
    IdempotencyRecord.objects.update(created_at=timezone.now() - timedelta(hours=25))
    assert idempotency.purge() == 1


@pytest.mark.parametrize("key", ["", "a b", "ü", "x" * 256])
def test_a_malformed_key_is_a_clear_400(client, key):
    answer = client.post(f"{API}/products/", VASE, format="json", headers={"Idempotency-Key": key})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "idempotency-key-malformed")
    assert not Product.objects.exists()


def test_more_than_the_limit_is_a_413_in_the_error_format(client, settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 20
    answer = client.post(f"{API}/products/", VASE, format="json", headers={"Idempotency-Key": "k"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "body-too-large")


@pytest.mark.django_db(transaction=True)
def test_requests_at_the_same_moment_act_once(client):
    answers, start = [], threading.Barrier(4)

    def send():
        one = APIClient()
        one._credentials = client._credentials
        start.wait(timeout=10)
        try:
            answers.append(one.post(f"{API}/categories/", MUGS, format="json", headers={"Idempotency-Key": "k"}))
        finally:
            connection.close()

    threads = [threading.Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert [answer.status_code for answer in answers] == [201] * 4
    assert sum(answer.has_header("Idempotency-Replayed") for answer in answers) == 3
    assert Category.objects.count() == 1
