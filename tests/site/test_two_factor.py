"""Log-in with and without a second factor, and who is locked out."""

from __future__ import annotations

import pytest
from django_otp.oath import totp
from django_otp.plugins.otp_totp.models import TOTPDevice

from tests.catalog.factories import MembershipFactory, UserFactory

pytestmark = pytest.mark.django_db
PASSWORD = "a-long-test-password"


@pytest.fixture
def user():
    user = UserFactory(username="mei")
    MembershipFactory(user=user)
    return user


def log_in(client, **fields):
    return client.post("/admin/login/?next=/admin/", {"username": "mei", "password": PASSWORD, **fields})


def code_of(device: TOTPDevice) -> str:
    return f"{totp(device.bin_key):06d}"


def test_without_a_device_the_password_is_enough(client, user):
    assert log_in(client).status_code == 302


def test_with_a_device_the_password_alone_is_not(client, user):
    TOTPDevice.objects.create(user=user, confirmed=True)
    assert log_in(client).status_code == 200
    assert "_auth_user_id" not in client.session


def test_with_a_device_the_right_code_opens_and_a_used_one_does_not(client, user):
    code = code_of(TOTPDevice.objects.create(user=user, confirmed=True))
    assert log_in(client, code=code).status_code == 302
    client.logout()
    assert log_in(client, code=code).status_code == 200


def test_switching_on_takes_a_right_code(client, user):
    client.force_login(user)
    assert client.get("/admin/two-factor/").status_code == 200
    device = TOTPDevice.objects.get(user=user, confirmed=False)
    client.post("/admin/two-factor/", {"code": "000000"})
    assert not TOTPDevice.objects.filter(user=user, confirmed=True).exists()
    device.refresh_from_db()
    device.throttle_reset()
    client.post("/admin/two-factor/", {"code": code_of(device)})
    assert TOTPDevice.objects.filter(user=user, confirmed=True).exists()


def test_guessing_passwords_is_locked_out(client, user, settings):
    for _ in range(settings.AXES_FAILURE_LIMIT):
        client.post("/admin/login/", {"username": "mei", "password": "wrong"})
    assert log_in(client).status_code == 429
