"""Production settings refuse what would be unsafe."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from cryptography.fernet import Fernet

SAFE = {
    "STYLEREC_ENV": "production",
    "STYLEREC_SECRET_KEY": "k" * 30 + "0123456789abcdefghijklmnopqrstuv",
    "STYLEREC_PRIVACY_KEYS": Fernet.generate_key().decode(),
    "STYLEREC_HOSTS": "shop.example",
}


def load_settings(**environment: str) -> subprocess.CompletedProcess[str]:
    code = "import django; django.setup(); from django.conf import settings; print(settings.SESSION_COOKIE_NAME)"
    clean = {k: v for k, v in os.environ.items() if not k.startswith("STYLEREC_")}
    return subprocess.run(
        [sys.executable, "-c", code],
        env={**clean, "DJANGO_SETTINGS_MODULE": "stylerec_site.settings", **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_production_starts_with_real_secrets():
    result = load_settings(**SAFE)
    assert result.stdout.strip() == "__Host-stylerec-session", result.stderr


@pytest.mark.parametrize("missing", ["STYLEREC_SECRET_KEY", "STYLEREC_PRIVACY_KEYS"])
def test_production_refuses_to_start_without_a_secret(missing):
    result = load_settings(**{k: v for k, v in SAFE.items() if k != missing})
    assert result.returncode != 0
    assert missing in result.stderr


@pytest.mark.parametrize("site", ["sqlite:////srv/site.sqlite3", "postgres://shop:secret@db.example:5432/shop"])
def test_the_keys_never_lie_in_the_database_that_they_open(site):
    result = load_settings(**SAFE, DATABASE_URL=site, STYLEREC_SHOPPER_KEYS=site)
    assert "STYLEREC_SHOPPER_KEYS names the site's own database" in result.stderr
    result = load_settings(**SAFE, DATABASE_URL=site, STYLEREC_SHOPPER_KEYS=site.replace("site", "keys") + "-keys")
    assert result.returncode == 0, result.stderr
