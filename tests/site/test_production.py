"""A running server with the settings of production, asked from outside: transport, headers, cookies, health."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import signal
import subprocess
import sys
from datetime import timedelta
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.utils import timezone

from jobs.models import WorkerPresence
from stylerec_site.processes import BASE_DIR, Processes, free_port
from tests.catalog.factories import MerchantFactory, ProductFactory

pytestmark = pytest.mark.worker
HOST = "shop.example"
PASSWORD = "right-horse-battery"


class Site:
    """The server, and how to ask it: through a TLS proxy, unless told otherwise."""

    def __init__(self, processes: Processes, port: int, valkey: int) -> None:
        self.processes, self.port, self.valkey = processes, port, valkey

    def ask(self, path: str, *, method: str = "GET", body: str = "", tls: bool = True, **headers: str) -> Any:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        sent = {"Host": HOST, **({"X-Forwarded-Proto": "https"} if tls else {}), **headers}
        connection.request(method, path, body or None, sent)
        response = connection.getresponse()
        response.text = response.read().decode(errors="replace")  # type: ignore[attr-defined]
        connection.close()
        return response

    def parts(self) -> tuple[int, dict[str, bool]]:
        """What ``/readyz`` says."""
        response = self.ask("/readyz", tls=False)
        return response.status, json.loads(response.text)["parts"]


@pytest.fixture
def site(processes, tmp_path):
    valkey = free_port(7600)
    production = {
        **processes.environment,
        "STYLEREC_ENV": "production",
        "STYLEREC_SECRET_KEY": "k" * 30 + "0123456789abcdefghijklmnopqrstuv",
        "STYLEREC_PRIVACY_KEYS": Fernet.generate_key().decode(),
        "STYLEREC_HOSTS": HOST,
        "STYLEREC_BEHIND_TLS_PROXY": "1",
        "STYLEREC_STATIC": str(tmp_path / "static"),
        "STYLEREC_METRICS_TOKEN": "scrapers-token",
        "REDIS_URL": f"redis://127.0.0.1:{valkey}/0",
    }
    processes.environment = production
    collect = [sys.executable, "manage.py", "collectstatic", "--noinput", "--ignore", "drf_spectacular_sidecar"]
    subprocess.run(collect, cwd=BASE_DIR, env=production | _path(), check=True, capture_output=True)
    processes.start_valkey(port=valkey, directory=tmp_path / "own-valkey")
    port = free_port(8700)
    processes.start_web(port=port, workers=1)
    return Site(processes, port, valkey)


def _path() -> dict[str, str]:
    return {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}


def test_production_guards_transport_headers_and_cookies(site):
    shop = MerchantFactory()
    product = ProductFactory(merchant=shop, status="published", stock=3)
    plain = site.ask(f"/s/{shop.slug}/", tls=False)
    assert (plain.status, plain.headers["Location"]) == (301, f"https://{HOST}/s/{shop.slug}/")
    strange = site.ask("/", Host="evil.example")
    assert strange.status == 400
    assert "evil.example" not in strange.text

    home = site.ask(f"/s/{shop.slug}/")
    assert home.status == 200
    for name, value in {
        "X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Referrer-Policy": "same-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
    }.items():  # fmt: skip
        assert home.headers[name] == value
    assert home.headers["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains; preload"
    assert not {"'unsafe-inline'", "'unsafe-eval'"} & set(home.headers["Content-Security-Policy"].split())
    assert "no-store" in home.headers["Cache-Control"]
    assert "Server" not in home.headers or "Python" not in home.headers["Server"]

    login = site.ask("/admin/login/")
    cookies = login.headers.get_all("Set-Cookie") or []
    assert any(one.startswith("__Host-stylerec-csrf=") for one in cookies)
    kept = PBKDF2PasswordHasher().encode(PASSWORD, "0123456789abcdefghijkl")
    get_user_model().objects.create(username="mei", is_staff=True, password=kept)
    token = cookies[0].partition("=")[2].partition(";")[0]
    form = f"username=mei&password={PASSWORD}&csrfmiddlewaretoken={token}"
    entered = site.ask(
        "/admin/login/?next=/admin/",
        method="POST",
        body=form,
        Cookie=f"__Host-stylerec-csrf={token}",
        Referer=f"https://{HOST}/admin/login/",
        **{"Content-Type": "application/x-www-form-urlencoded"},
    )
    assert entered.status == 302, entered.text
    given = {one.partition("=")[0]: one for one in entered.headers.get_all("Set-Cookie")}
    assert {"__Host-stylerec-session", "stylerec_known_browser"} <= set(given)
    assert all("Secure" in one for one in given.values())
    assert all("HttpOnly" in one for name, one in given.items() if "csrf" not in name)
    assert all("SameSite=" in one for one in given.values())
    without = site.ask(f"/s/{shop.slug}/bag/{product.pk}/", method="POST")
    assert without.status == 403, "a form of another site"


def test_readyz_and_metrics_tell_the_truth_when_parts_are_gone(site, settings, wait_until):
    status, parts = site.parts()
    assert status == 503
    assert parts == {
        "database": True, "broker": True, "worker_default": False, "worker_gpu": False, "storage": True,
    }  # fmt: skip
    site.processes.start_worker("both", queues="default,gpu")
    wait_until(lambda: site.parts()[0] == 200, seconds=60, what="a site that is ready")
    assert "stylerec_workers 1.0" in metrics(site)

    site.processes.kill("both", signal.SIGKILL)
    # Nobody tells when a worker is killed: it has not been heard of for a while.
    WorkerPresence.objects.update(seen_at=timezone.now() - timedelta(seconds=31))
    assert site.parts() == (503, {**parts, "worker_default": False, "worker_gpu": False})
    assert "stylerec_workers 0.0" in metrics(site)

    site.processes.end("valkey", signal.SIGKILL)
    assert site.parts()[1]["broker"] is False
    assert metrics(site), "counted without the broker"
    site.processes.start_valkey(port=site.valkey, directory=settings.DATA_ROOT / "again")
    assert site.parts()[1]["broker"] is True

    shutil.rmtree(settings.MEDIA_ROOT)
    settings.MEDIA_ROOT.write_text("a file where the folder was")
    assert site.parts()[1]["storage"] is False
    settings.MEDIA_ROOT.unlink()
    assert site.parts()[1]["storage"] is True
    assert site.ask("/healthz", tls=False).status == 200
    assert site.ask("/metrics").status == 404, "without the token"


def metrics(site: Site) -> str:
    response = site.ask("/metrics", Authorization="Bearer scrapers-token")
    assert response.status == 200
    return str(response.text)
